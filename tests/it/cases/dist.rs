//! What `cargo xtask dist` packs, installed as users do: from a registry of one's own, from the Debian package, in CI.

use std::path::PathBuf;
use std::process::Command;

use acceptance::ci;
use acceptance::dist::Dist;
use acceptance::mirror;
use acceptance::registry::Registry;
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Context, Result, ensure};

use super::hcl::{self, BUS, CONNECTION};
use crate::runner::Case;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const INIT: [&str; 3] = ["init", "-input=false", "-no-color"];
const LOCK: &str = ".terraform.lock.hcl";
const THIRD_PARTY: &str = "THIRD-PARTY.txt";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("dist::mirror", mirror),
        Case::new("dist::registry_of_ones_own", registry_of_ones_own),
        Case::new("dist::debian_package", debian_package),
        Case::new("dist::github_workflow", github_workflow),
        Case::new("dist::gitlab_job", gitlab_job),
        Case::new("dist::damaged_files_are_refused", damaged_files_are_refused),
        Case::new("dist::signatures", signatures),
    ]
}

fn requirements(source: &str) -> String {
    format!(
        "terraform {{\n  required_providers {{\n    scalr = {{\n      source  = \"{source}\"\n      version = \"~> 0.1\"\n    }}\n  }}\n}}\n"
    )
}

/// A folder where `init` finds nothing but what the case offers.
fn workdir(tool: &Tool, source: &str) -> Result<Workdir> {
    let mut workdir = Workdir::new(tool)?;
    workdir.set("TF_CLI_CONFIG_FILE", "");
    workdir.write("provider.tf", &requirements(source))?;
    workdir.config(&hcl::all(&[CONNECTION, BUS]))?;
    Ok(workdir)
}

fn locked(workdir: &Workdir, needles: &[&str]) -> Result<()> {
    let lock = std::fs::read_to_string(workdir.path().join(LOCK))?;
    for needle in needles {
        ensure!(
            lock.contains(needle),
            "`{needle}` is not in the lock file:\n{lock}"
        );
    }
    Ok(())
}

/// The checksum of the package's contents, as the mirror has it: however the provider is installed, lock files agree.
fn checksum(tool: &Tool) -> Result<String> {
    let mirror = Dist::of_programs()?.folder.join("mirror");
    mirror::checksum(&mirror, tool.kind.registry(), VERSION)
}

/// The mirror that lies beside the packages.
fn mirror(tool: &Tool) -> Result<()> {
    let mut workdir = workdir(tool, "scalr-eventbridge/scalr")?;
    let mirror = Dist::of_programs()?.folder.join("mirror");
    let config = format!(
        "provider_installation {{\n  filesystem_mirror {{ path = \"{}\" }}\n}}\n",
        mirror.display()
    );
    workdir.write("mirror.tfrc", &config)?;
    workdir.set(
        "TF_CLI_CONFIG_FILE",
        &workdir.path().join("mirror.tfrc").to_string_lossy(),
    );
    workdir.succeed(&INIT)?;
    locked(&workdir, &[tool.kind.registry(), &checksum(tool)?])?;
    let installed = format!(
        ".terraform/providers/{}/scalr-eventbridge/scalr/{VERSION}",
        tool.kind.registry()
    );
    for platform in std::fs::read_dir(workdir.path().join(installed))? {
        let platform = platform?.path();
        // OpenTofu has a lock beside it.
        if platform.is_dir() {
            third_party(&std::fs::read_to_string(platform.join(THIRD_PARTY))?)?;
        }
    }
    let archive = Dist::of_programs()?.file("scalr-eventbridge_", ".tar.gz")?;
    let unpacked = Command::new("tar")
        .args(["-xzf"])
        .arg(archive)
        .args(["--strip-components=1", "-C"])
        .arg(workdir.path())
        .status()?;
    ensure!(unpacked.success(), "tar ended with {unpacked}");
    third_party(&std::fs::read_to_string(workdir.path().join(THIRD_PARTY))?)
}

/// Each package has the licences of what is linked: of crates, of one whose sources have no text, of what is vendored, of the
/// standard library; not of what only tests and macros use.
fn third_party(text: &str) -> Result<()> {
    for needle in [
        "\ntokio 1.",
        "\naws-lc-sys 0.",
        "\njaq-core ",
        "\nhtmx: 0BSD",
        "standard library of rustc",
    ] {
        ensure!(text.contains(needle), "`{needle}` is not in {THIRD_PARTY}");
    }
    for needle in ["\nsyn ", "\nscalr-api "] {
        ensure!(!text.contains(needle), "`{needle}` is in {THIRD_PARTY}");
    }
    Ok(())
}

/// Discovery, versions, download, checksums and signature, over TLS.
fn registry_of_ones_own(tool: &Tool) -> Result<()> {
    let registry = Registry::serve(&Dist::of_programs()?, false)?;
    let source = format!("{}/scalr-eventbridge/scalr", registry.host);
    let mut workdir = workdir(tool, &source)?;
    workdir.set("SSL_CERT_FILE", &registry.authority.to_string_lossy());
    workdir.succeed(&INIT)?;
    let address = format!("provider \"{source}\"");
    locked(&workdir, &[&address, VERSION, &checksum(tool)?, "\"zh:"])?;
    workdir.apply_counts(2, 0, 0)?;
    workdir.plan_empty()?;
    Ok(())
}

/// Installed, the package's provider is found without any configuration, for both tools' registries.
fn debian_package(tool: &Tool) -> Result<()> {
    let has_dpkg = Command::new("dpkg-deb").arg("--version").output().is_ok();
    if !has_dpkg && std::env::var_os("ACCEPTANCE_REQUIRE_ALL").is_none() {
        eprintln!("dpkg-deb is not here: nothing is packed for Debian");
        return Ok(());
    }
    let dist = Dist::of_programs()?;
    let mut workdir = workdir(tool, "scalr-eventbridge/scalr")?;
    let root = workdir.path().join("root");
    let unpacked = Command::new("dpkg-deb")
        .arg("--extract")
        .arg(dist.file("scalr-eventbridge_", ".deb")?)
        .arg(&root)
        .status()
        .context("dpkg-deb is needed")?;
    ensure!(unpacked.success(), "dpkg-deb ended with {unpacked}");
    let doc = root.join("usr/share/doc/scalr-eventbridge");
    third_party(&std::fs::read_to_string(doc.join(THIRD_PARTY))?)?;
    workdir.set("XDG_DATA_DIRS", &root.join("usr/share").to_string_lossy());
    workdir.succeed(&INIT)?;
    locked(&workdir, &[tool.kind.registry(), &checksum(tool)?])?;
    workdir.apply_counts(2, 0, 0)?;
    Ok(())
}

/// A module with a test that passes on the servers of `exec` alone.
fn module(tool: &Tool) -> Result<Workdir> {
    let mut workdir = workdir(tool, "scalr-eventbridge/scalr")?;
    for name in ["SCALR_HOSTNAME", "SCALR_TOKEN", "AWS_ENDPOINT_URL"] {
        workdir.set(name, "");
    }
    std::fs::create_dir(workdir.path().join("tests"))?;
    workdir.write("tests/real.tftest.hcl", super::exec::TEST)?;
    Ok(workdir)
}

/// Runs the steps one after the other, and looks for the test's result in the last one.
fn run(workdir: &Workdir, steps: &[ci::Step]) -> Result<()> {
    let added = workdir.path().join("added-to-path");
    std::fs::write(&added, "")?;
    let mut printed = String::new();
    for step in steps {
        let mut path: Vec<PathBuf> = ci::added_to_path(&added)?;
        path.push(workdir.named_terraform()?);
        let mut step = step.clone();
        step.environment
            .insert("GITHUB_PATH".to_owned(), added.display().to_string());
        let ended = workdir.run_script(&step, &path)?;
        ensure!(
            ended.code() == 0,
            "{}\nended with {}:\n{}",
            step.script,
            ended.code(),
            ended.text
        );
        printed = ended.flat();
    }
    ensure!(printed.contains("1 passed, 0 failed"), "{printed}");
    Ok(())
}

/// The workflow of the guide, with our action's own steps, from a folder with the release's files.
fn github_workflow(tool: &Tool) -> Result<()> {
    let dist = Dist::of_programs()?;
    let workdir = module(tool)?;
    let guide = ci::of_guide("ci")?;
    let folder = dist.folder.to_string_lossy();
    let steps = ci::github(&guide[0], "terraform", &[("path", &folder)], workdir.path())?;
    run(&workdir, &steps)
}

/// The job of the guide, from an address with the release's files.
fn gitlab_job(tool: &Tool) -> Result<()> {
    let registry = Registry::serve(&Dist::of_programs()?, false)?;
    let mut workdir = module(tool)?;
    workdir.set("CURL_CA_BUNDLE", &registry.authority.to_string_lossy());
    let guide = ci::of_guide("ci")?;
    let from = [("SCALR_EVENTBRIDGE_FROM", registry.files())];
    let from = from.each_ref().map(|(name, value)| (*name, value.as_str()));
    let job = ci::gitlab(&guide[1], "terraform-test", &from, workdir.path())?;
    run(&workdir, &[job])
}

/// Neither the tools nor install.sh take a package that is not the one in the checksums, and neither leaves anything of it.
fn damaged_files_are_refused(tool: &Tool) -> Result<()> {
    let registry = Registry::serve(&Dist::of_programs()?, true)?;
    let mut workdir = workdir(tool, &format!("{}/scalr-eventbridge/scalr", registry.host))?;
    workdir.set("SSL_CERT_FILE", &registry.authority.to_string_lossy());
    let ended = workdir.run(&INIT)?;
    ensure!(
        ended.code() == 1 && ended.flat().contains("checksum"),
        "{}",
        ended.text
    );

    workdir.set("CURL_CA_BUNDLE", &registry.authority.to_string_lossy());
    workdir.set("SCALR_EVENTBRIDGE_FROM", &registry.files());
    let script = acceptance::paths::root().join("packaging/install.sh");
    let step = ci::Step {
        script: format!("sh '{}'", script.display()),
        environment: std::collections::BTreeMap::new(),
    };
    let ended = workdir.run_script(&step, &[])?;
    ensure!(
        ended.code() == 1 && ended.flat().contains("the checksum of `scalr-eventbridge_"),
        "{}",
        ended.text
    );
    ensure!(!workdir.path().join(".local/bin/scalr-eventbridge").exists());
    Ok(())
}

/// The key that is published beside the checksums verifies them, for people and for install.sh; checksums that somebody has replaced
/// are refused before anything is installed.
fn signatures(tool: &Tool) -> Result<()> {
    let dist = Dist::of_programs()?;
    let mut workdir = module(tool)?;
    let release = workdir.path().join("release");
    std::fs::create_dir(&release)?;
    for file in std::fs::read_dir(&dist.folder)? {
        let file = file?;
        std::os::unix::fs::symlink(file.path(), release.join(file.file_name()))?;
    }
    workdir.set("SCALR_EVENTBRIDGE_FROM", &release.to_string_lossy());
    workdir.set("SCALR_EVENTBRIDGE_KEY", "release/signing-key.asc");
    let script = acceptance::paths::root().join("packaging/install.sh");
    let install = ci::Step {
        script: format!("sh '{}'", script.display()),
        environment: std::collections::BTreeMap::new(),
    };
    let name = format!("scalr-eventbridge_{VERSION}_SHA256SUMS");
    let sums = std::fs::read_to_string(release.join(&name))?;
    std::fs::remove_file(release.join(&name))?;
    std::fs::write(release.join(&name), format!("{sums}\n"))?;
    let ended = workdir.run_script(&install, &[])?;
    ensure!(
        ended.code() == 1
            && ended
                .flat()
                .contains(&format!("`{name}` is not signed with the key in")),
        "{}",
        ended.text
    );
    let program = workdir.path().join(".local/bin/scalr-eventbridge");
    ensure!(!program.exists(), "it was installed");

    std::fs::write(release.join(&name), sums)?;
    let ended = workdir.run_script(&install, &[])?;
    ensure!(ended.code() == 0 && program.exists(), "{}", ended.text);
    Ok(())
}
