//! A Terraform working directory for one case: its configuration, the tool that runs it, the companion it runs against.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::aws::Aws;
use crate::ci::Step;
use crate::companion::{Companion, ReadyLine};
use crate::group::{Ended, Group};
use crate::mirror::Mirror;
use crate::paths;
use crate::proxy::Proxy;
use crate::roots;
use crate::tools::{Kind, Tool};

/// How long one command may take; nothing that the cases run comes near it.
const COMMAND: Duration = Duration::from_mins(4);
/// The same for all commands of a page.
const PAGE: Duration = Duration::from_mins(10);

const PROVIDER: &str = r#"terraform {
  required_providers {
    scalr = { source = "scalr-eventbridge/scalr" }
  }
}
"#;

/// The file of the authority that is trusted.
const AUTHORITY: &str = "authority.pem";

/// Has the tools start providers without TLS, as `terraform-plugin-testing` does. OpenTofu has TLS in all cases, Terraform in those
/// that run a page: a key of its own and a handshake for each provider is a quarter of what a short command costs.
const NO_TLS: &str = "TF_DISABLE_PLUGIN_TLS";

/// The tool under both names, which agrees to what it asks before it changes anything.
const AGREEING: &str = r#"terraform() {
  case "${1-}" in
    apply | destroy) set -- "$1" -auto-approve "${@:2}" ;;
  esac
  command terraform "$@"
}
tofu() { terraform "$@"; }
set -x
"#;

/// A working directory, its tool and its companion.
pub struct Workdir {
    /// The tool.
    pub tool: Tool,
    /// The companion that serves Scalr and AWS.
    pub companion: Companion,
    dir: TempDir,
    settings: Vec<(String, String)>,
}

impl Workdir {
    /// A working directory with a companion of its own.
    ///
    /// # Errors
    /// When the companion does not start.
    pub fn new(tool: &Tool) -> Result<Self> {
        Self::with(tool, Companion::start()?)
    }

    /// A working directory with the given companion.
    ///
    /// # Errors
    /// When its folder cannot be written.
    pub fn with(tool: &Tool, companion: Companion) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let rc = format!(
            "provider_installation {{\n  dev_overrides {{ \"scalr-eventbridge/scalr\" = \"{}\" }}\n  direct {{}}\n}}\n",
            paths::programs().display()
        );
        std::fs::write(dir.path().join("cli.tfrc"), rc)?;
        roots::write(&dir.path().join(AUTHORITY))?;
        let settings = settings(&companion.line, dir.path());
        let mut workdir = Self {
            tool: tool.clone(),
            companion,
            dir,
            settings,
        };
        if tool.kind != Kind::Tofu112 {
            workdir.set(NO_TLS, "1");
        }
        workdir.write("provider.tf", PROVIDER)?;
        Ok(workdir)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Has the tool find other providers, whose objects are in the state: it starts a stand-in for each, an example of the package
    /// that is under test.
    ///
    /// # Errors
    /// When there is no stand-in, or the tool's configuration cannot be written.
    pub fn install_stand_ins(&self, providers: &[&str]) -> Result<()> {
        let program = paths::programs().join("examples/terraform-provider-aws");
        ensure!(
            program.is_file(),
            "{} is missing: build it, or run `cargo xtask test`",
            program.display()
        );
        let mut overrides = format!(
            "    \"scalr-eventbridge/scalr\" = \"{}\"\n",
            paths::programs().display()
        );
        for provider in providers {
            let name = provider.rsplit('/').next().unwrap_or(provider);
            let folder = self.dir.path().join(format!("stand-in-{name}"));
            std::fs::create_dir_all(&folder)?;
            std::os::unix::fs::symlink(&program, folder.join(format!("terraform-provider-{name}")))?;
            let folder = folder.to_string_lossy();
            overrides.extend(["    \"", provider, "\" = \"", &*folder, "\"\n"]);
        }
        let rc =
            format!("provider_installation {{\n  dev_overrides {{\n{overrides}  }}\n  direct {{}}\n}}\n");
        self.write("cli.tfrc", &rc)
    }

    /// Sets an environment variable of the tool; an empty value removes it.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.settings.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Sends the tool's requests through a proxy made for `[Scalr, AWS]`.
    ///
    /// # Errors
    /// When the proxy is made for something else.
    pub fn through(&mut self, proxy: &Proxy) -> Result<()> {
        let [scalr, aws] = proxy.addresses.as_slice() else {
            bail!("a proxy for Scalr and AWS")
        };
        self.set("SCALR_HOSTNAME", scalr);
        self.set("AWS_ENDPOINT_URL", aws);
        Ok(())
    }

    /// Sends the tool's requests to the servers again.
    pub fn direct(&mut self) {
        let (scalr, aws) = (
            self.companion.line.hostname().to_owned(),
            self.companion.line.endpoint().to_owned(),
        );
        self.set("SCALR_HOSTNAME", &scalr);
        self.set("AWS_ENDPOINT_URL", &aws);
    }

    /// Writes a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        Ok(std::fs::write(self.dir.path().join(name), text)?)
    }

    /// Removes a file, there or not.
    pub fn remove(&self, name: &str) {
        // Not there is what is wanted.
        let _ = std::fs::remove_file(self.dir.path().join(name));
    }

    /// Makes `hcl` the configuration.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn config(&self, hcl: &str) -> Result<()> {
        self.write("main.tf", hcl)
    }

    /// Starts a command without waiting for it.
    ///
    /// # Errors
    /// When the tool does not start.
    pub fn start(&self, args: &[&str]) -> Result<Group> {
        self.start_command(self.tool.command(self.dir.path(), args))
    }

    fn start_command(&self, mut command: Command) -> Result<Group> {
        // The developer's own environment may set any of these.
        let theirs = [
            "AWS_",
            "SCALR_",
            "TF_",
            "SSL_CERT_",
            "PLUGIN_",
            "XDG_RUNTIME_DIR",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
            "NO_PROXY",
        ];
        for (name, _) in std::env::vars_os() {
            let upper = name.to_string_lossy().to_uppercase();
            if upper != "TF_IN_AUTOMATION" && theirs.iter().any(|prefix| upper.starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        Group::start(command)
    }

    /// Runs a command to its end, however it ends.
    ///
    /// # Errors
    /// When the tool does not start or does not end.
    pub fn run(&self, args: &[&str]) -> Result<Ended> {
        self.start(args)?
            .wait(COMMAND)
            .with_context(|| format!("{} {}", self.tool.kind, args.join(" ")))
    }

    /// Runs a command of the companion's program in this folder, with the settings of the tool.
    ///
    /// # Errors
    /// When it does not start or does not end.
    pub fn run_companion(&self, args: &[&str]) -> Result<Ended> {
        let mut command = Command::new(paths::companion());
        command.args(args).current_dir(self.dir.path());
        self.start_command(command)?
            .wait(COMMAND)
            .with_context(|| format!("scalr-eventbridge {}", args.join(" ")))
    }

    /// Runs lines of a shell in this folder, with the settings of the tool, the tool as `terraform` and as `tofu`, and the companion's
    /// program. `init` finds the provider in the home folder, providers have TLS, and the system's authorities are trusted, as on a
    /// user's machine. The first command that fails ends it.
    ///
    /// # Errors
    /// When it does not start or does not end.
    pub fn run_shell(&mut self, lines: &str) -> Result<Ended> {
        let programs = self.named_terraform()?;
        std::os::unix::fs::symlink(paths::companion(), programs.join("scalr-eventbridge"))?;
        let home = self.dir.path().join(".terraform.d");
        std::fs::create_dir(&home)?;
        std::os::unix::fs::symlink(Mirror::of_provider()?.folder, home.join("plugins"))?;
        self.set("TF_CLI_CONFIG_FILE", "");
        self.set(roots::VARIABLE, "");
        self.set(NO_TLS, "");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("bash");
        command
            .args(["-euo", "pipefail", "-c", &format!("{AGREEING}{lines}")])
            .current_dir(self.dir.path())
            .env("PATH", format!("{}:{path}", programs.display()));
        self.start_command(command)?
            .wait(PAGE)
            .with_context(|| lines.to_owned())
    }

    /// Runs a shell script in this folder, with the settings of the tool, and with `path` in front of the PATH.
    ///
    /// # Errors
    /// When it does not start or does not end.
    pub fn run_script(&self, step: &Step, path: &[PathBuf]) -> Result<Ended> {
        let mut command = Command::new("sh");
        let known = std::env::var_os("PATH").unwrap_or_default();
        let folders = path.iter().cloned().chain(std::env::split_paths(&known));
        command
            .args(["-e", "-c", &step.script])
            .current_dir(self.dir.path())
            .env("PATH", std::env::join_paths(folders)?)
            .envs(&step.environment);
        self.start_command(command)?
            .wait(COMMAND)
            .with_context(|| step.script.clone())
    }

    /// Makes a folder with a program `terraform`, which is this tool.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn named_terraform(&self) -> Result<PathBuf> {
        let tool = self.tool.command(self.dir.path(), &[]);
        let quoted = |word: &OsStr| format!("'{}'", word.to_string_lossy().replace('\'', r"'\''"));
        let words: Vec<_> = std::iter::once(tool.get_program())
            .chain(tool.get_args())
            .map(quoted)
            .collect();
        let folder = self.dir.path().join("bin");
        std::fs::create_dir_all(&folder)?;
        let file = folder.join("terraform");
        std::fs::write(
            &file,
            format!(
                "#!/bin/sh\nexport CHECKPOINT_DISABLE=1\nexec {} \"$@\"\n",
                words.join(" ")
            ),
        )?;
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755))?;
        Ok(folder)
    }

    /// Starts the tool as a command of `scalr-eventbridge exec`, without waiting for it. What it works with is what `exec` starts,
    /// not this folder's companion.
    ///
    /// # Errors
    /// When the companion's program does not start.
    pub fn start_in_exec(&self, args: &[&str]) -> Result<Group> {
        let tool = self.tool.command(self.dir.path(), args);
        let mut command = Command::new(paths::companion());
        command
            .args(["exec", "--"])
            .arg(tool.get_program())
            .args(tool.get_args())
            .current_dir(self.dir.path())
            .envs(tool.get_envs().filter_map(|(name, value)| Some((name, value?))));
        self.start_command(command)
    }

    /// Forgets what exists: the state and the configuration are gone, as in a new folder.
    pub fn forget(&self) {
        for name in ["main.tf", "terraform.tfstate", "terraform.tfstate.backup"] {
            self.remove(name);
        }
    }

    /// Runs a command; it must succeed.
    ///
    /// # Errors
    /// When it fails.
    pub fn succeed(&self, args: &[&str]) -> Result<Ended> {
        let ended = self.run(args)?;
        if ended.code() != 0 {
            bail!(
                "{} {} ended with {}:\n{}",
                self.tool.kind,
                args.join(" "),
                ended.code(),
                ended.text
            );
        }
        Ok(ended)
    }

    /// Applies; it must succeed.
    ///
    /// # Errors
    /// When it fails.
    pub fn apply(&self) -> Result<Ended> {
        self.succeed(&APPLY)
    }

    /// Applies and demands what the summary counts: added, changed, destroyed.
    ///
    /// # Errors
    /// When it fails or counts otherwise.
    pub fn apply_counts(&self, added: usize, changed: usize, destroyed: usize) -> Result<Ended> {
        let ended = self.apply()?;
        let wanted = format!("{added} added, {changed} changed, {destroyed} destroyed");
        ensure!(
            ended.flat().contains(&wanted),
            "wanted `{wanted}`:\n{}",
            ended.text
        );
        Ok(ended)
    }

    /// Applies; it must fail with a text that holds all `needles`.
    ///
    /// # Errors
    /// When it succeeds, or fails otherwise.
    pub fn apply_fails(&self, needles: &[&str]) -> Result<Ended> {
        self.fails(&APPLY, needles)
    }

    /// Plans; it must fail with a text that holds all `needles`.
    ///
    /// # Errors
    /// When it succeeds, or fails otherwise.
    pub fn plan_fails(&self, needles: &[&str]) -> Result<Ended> {
        self.fails(&PLAN, needles)
    }

    fn fails(&self, args: &[&str], needles: &[&str]) -> Result<Ended> {
        let ended = self.run(args)?;
        let word = args.first().copied().unwrap_or_default();
        ensure!(
            ended.code() == 1,
            "{word} should fail, ended with {}:\n{}",
            ended.code(),
            ended.text
        );
        let flat = ended.flat();
        for needle in needles {
            ensure!(
                flat.contains(needle),
                "{word} does not say `{needle}`:\n{}",
                ended.text
            );
        }
        Ok(ended)
    }

    /// Plans; nothing may be left to do.
    ///
    /// # Errors
    /// When the plan fails or is not empty.
    pub fn plan_empty(&self) -> Result<Ended> {
        let ended = self.run(&PLAN)?;
        ensure!(
            ended.code() == 0,
            "the plan is not empty ({}):\n{}",
            ended.code(),
            ended.text
        );
        Ok(ended)
    }

    /// Plans; something must be left to do, and the text must hold all `needles`.
    ///
    /// # Errors
    /// When the plan fails, is empty or says something else.
    pub fn plan_shows(&self, needles: &[&str]) -> Result<Ended> {
        let ended = self.run(&PLAN)?;
        ensure!(
            ended.code() == 2,
            "the plan should show a change, ended with {}:\n{}",
            ended.code(),
            ended.text
        );
        let flat = ended.flat();
        for needle in needles {
            ensure!(
                flat.contains(needle),
                "the plan does not say `{needle}`:\n{}",
                ended.text
            );
        }
        Ok(ended)
    }

    /// Destroys everything; it must succeed.
    ///
    /// # Errors
    /// When it fails.
    pub fn destroy(&self) -> Result<Ended> {
        self.succeed(&DESTROY)
    }

    /// The file with Terraform's record of what exists.
    pub fn state_file(&self) -> PathBuf {
        self.dir.path().join("terraform.tfstate")
    }

    /// The whole state; null if there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn state(&self) -> Result<Value> {
        match std::fs::read_to_string(self.state_file()) {
            Ok(text) if text.trim().is_empty() => Ok(Value::Null),
            Ok(text) => Ok(serde_json::from_str(&text)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Value::Null),
            Err(error) => Err(error.into()),
        }
    }

    /// What the state holds: addresses and attributes, data sources left out.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn resources(&self) -> Result<Vec<(String, Value)>> {
        let state = self.state()?;
        let mut found = Vec::new();
        for resource in state["resources"].as_array().into_iter().flatten() {
            if resource["mode"] == "data" {
                continue;
            }
            let (kind, name) = (text(&resource["type"]), text(&resource["name"]));
            for instance in resource["instances"].as_array().into_iter().flatten() {
                let key = &instance["index_key"];
                let key = if key.is_null() {
                    String::new()
                } else {
                    format!("[{key}]")
                };
                found.push((format!("{kind}.{name}{key}"), instance["attributes"].clone()));
            }
        }
        Ok(found)
    }

    /// The attributes of one resource.
    ///
    /// # Errors
    /// When the state does not hold it.
    pub fn attributes(&self, address: &str) -> Result<Value> {
        let found = self.resources()?.into_iter().find(|(known, _)| known == address);
        found
            .map(|(_, attributes)| attributes)
            .with_context(|| format!("{address} is not in the state"))
    }

    /// One attribute of one resource, as text.
    ///
    /// # Errors
    /// When the state does not hold it.
    pub fn attribute(&self, address: &str, name: &str) -> Result<String> {
        let attributes = self.attributes(address)?;
        attributes[name]
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("{address}.{name}: {attributes}"))
    }

    /// One output's value.
    ///
    /// # Errors
    /// When the state does not hold it.
    pub fn output(&self, name: &str) -> Result<Value> {
        let state = self.state()?;
        state["outputs"]
            .get(name)
            .map(|output| output["value"].clone())
            .with_context(|| format!("no output {name}"))
    }

    /// AWS's side in the default region.
    pub fn aws(&self) -> Aws {
        self.companion.aws()
    }
}

/// How the cases apply.
pub const APPLY: [&str; 4] = ["apply", "-auto-approve", "-input=false", "-no-color"];
/// How the cases destroy.
pub const DESTROY: [&str; 4] = ["destroy", "-auto-approve", "-input=false", "-no-color"];
/// How the cases plan.
pub const PLAN: [&str; 4] = ["plan", "-detailed-exitcode", "-input=false", "-no-color"];

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn settings(line: &ReadyLine, dir: &Path) -> Vec<(String, String)> {
    [
        ("SCALR_HOSTNAME", line.hostname()),
        ("SCALR_TOKEN", line.token()),
        ("AWS_ENDPOINT_URL", line.endpoint()),
        ("AWS_ACCESS_KEY_ID", line.aws_account()),
        ("AWS_SECRET_ACCESS_KEY", "not-checked"),
        ("AWS_REGION", line.region()),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("TF_VAR_workspace_id", line.workspace()),
        ("TF_CLI_CONFIG_FILE", &dir.join("cli.tfrc").to_string_lossy()),
        (roots::VARIABLE, &dir.join(AUTHORITY).to_string_lossy()),
        ("HOME", &dir.to_string_lossy()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}
