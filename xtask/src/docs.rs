//! `cargo xtask docs`: the registry's pages, from the provider's own schemas.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::{places, shell};

/// Options of `cargo xtask docs`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Writes nothing; fails if `docs/` is not what would be written.
    #[arg(long)]
    check: bool,
}

const CONFIGURATION: &str = r#"terraform {
  required_providers {
    scalr = { source = "scalr-eventbridge/scalr" }
  }
}
"#;

/// Writes or checks the pages.
pub(crate) fn run(options: &Options) -> Result<()> {
    shell::run(shell::build_programs())?;
    if options.check { check() } else { write() }
}

fn write() -> Result<()> {
    let made = tempfile::tempdir()?;
    generate(made.path())?;
    let docs = places::root().join("docs");
    // Pages of what is no longer there must go; the guides have been copied and come back as they were.
    if docs.exists() {
        std::fs::remove_dir_all(&docs)?;
    }
    for (name, text) in pages(&made.path().join("docs"))? {
        let place = docs.join(&name);
        std::fs::create_dir_all(place.parent().unwrap_or(&docs))?;
        std::fs::write(place, text)?;
        println!("docs/{name}");
    }
    Ok(())
}

/// Fails with the names of the pages that are not fresh. The provider has to be built.
pub(crate) fn check() -> Result<()> {
    let made = tempfile::tempdir()?;
    generate(made.path())?;
    let (fresh, there) = (
        pages(&made.path().join("docs"))?,
        pages(&places::root().join("docs"))?,
    );
    let names = fresh.keys().chain(there.keys());
    let mut stale: Vec<_> = names
        .filter(|name| fresh.get(*name) != there.get(*name))
        .cloned()
        .collect();
    stale.sort();
    stale.dedup();
    if !stale.is_empty() {
        bail!(
            "not fresh, run `cargo xtask docs`: docs/{}",
            stale.join(", docs/")
        );
    }
    println!("docs/: {} pages are fresh", fresh.len());
    Ok(())
}

/// Runs tfplugindocs in a copy, so that it can neither leave anything behind nor see more than it should.
fn generate(at: &Path) -> Result<()> {
    let missing = "is missing: `cargo xtask tools` gets it";
    let program = places::tfplugindocs().with_context(|| format!("tfplugindocs {missing}"))?;
    let tofu = places::tofu().with_context(|| format!("OpenTofu 1.12 {missing}"))?;
    // The guides are hand-written where they are read; the generator takes them as templates without any field.
    copy(&places::root().join("docs/guides"), &at.join("templates/guides"))?;
    for folder in ["examples", "templates"] {
        copy(&places::root().join(folder), &at.join(folder))?;
    }
    let schema = at.join("schema.json");
    // The generator looks for a provider of its own makers or for the bare name.
    let text = schemas(&tofu, at)?.replace("\"registry.opentofu.org/scalr-eventbridge/scalr\"", "\"scalr\"");
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
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "tfplugindocs ended with {}:\n{said}",
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

/// A CLI configuration that takes the provider from `programs`.
pub(crate) fn cli_config(programs: &Path) -> String {
    let place = programs.display();
    format!(
        "provider_installation {{\n  dev_overrides {{ \"scalr-eventbridge/scalr\" = \"{place}\" }}\n  direct {{}}\n}}\n"
    )
}

fn pages(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    collect(folder, "", &mut found)?;
    Ok(found)
}

fn collect(folder: &Path, prefix: &str, found: &mut BTreeMap<String, String>) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), found)?;
        } else {
            found.insert(name, std::fs::read_to_string(entry.path())?);
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    for (name, text) in pages(from)? {
        let place = to.join(name);
        std::fs::create_dir_all(place.parent().unwrap_or(to))?;
        std::fs::write(place, text)?;
    }
    Ok(())
}
