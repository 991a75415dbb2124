//! The provider installed by `init`, as users do: from a mirror, with a lock file, beside a backend.

use acceptance::mirror::{self, Mirror};
use acceptance::tools::Tool;
use acceptance::workdir::Workdir;
use anyhow::{Result, ensure};

use super::hcl::{self, BUS, CONNECTION};
use crate::runner::Case;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const INIT: [&str; 3] = ["init", "-input=false", "-no-color"];
const LOCK: &str = ".terraform.lock.hcl";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("install::mirror_lock_and_backend", mirror_lock_and_backend),
        Case::new("install::without_configuration", without_configuration),
        Case::new("install::client_without_certificate", client_without_certificate),
    ]
}

const REQUIREMENTS: &str = r#"
terraform {
  backend "local" {
    path = "backend/state.json"
  }
  required_providers {
    scalr = {
      source  = "scalr-eventbridge/scalr"
      version = "~> 0.1"
    }
  }
}
"#;

/// A configuration that the mirror's provider is the only one for.
fn workdir(tool: &Tool) -> Result<Workdir> {
    let workdir = Workdir::new(tool)?;
    workdir.remove("provider.tf");
    workdir.config(&hcl::all(&[REQUIREMENTS, CONNECTION, BUS]))?;
    Ok(workdir)
}

/// The lock file names the provider by the tool's own registry, with the checksum that the mirror has.
fn mirror_lock_and_backend(tool: &Tool) -> Result<()> {
    let mirror = Mirror::of_provider()?;
    let workdir = workdir(tool)?;
    workdir.write("cli.tfrc", &mirror.cli_config)?;
    workdir.succeed(&INIT)?;
    let host = tool.kind.registry();
    let checksum = mirror::checksum(&mirror.folder, host, VERSION)?;
    let locked = || -> Result<()> {
        let lock = std::fs::read_to_string(workdir.path().join(LOCK))?;
        let address = format!("provider \"{host}/scalr-eventbridge/scalr\"");
        for needle in [&address, VERSION, &checksum] {
            ensure!(
                lock.contains(needle),
                "`{needle}` is not in the lock file:\n{lock}"
            );
        }
        Ok(())
    };
    locked()?;
    workdir.succeed(&[&INIT[..], &["-lockfile=readonly"]].concat())?;
    workdir.apply_counts(2, 0, 0)?;
    ensure!(workdir.path().join("backend/state.json").is_file());
    workdir.plan_empty()?;

    // How a lock file gets the checksums of other platforms.
    workdir.remove(LOCK);
    let folder = format!("-fs-mirror={}", mirror.folder.display());
    workdir.succeed(&["providers", "lock", &folder])?;
    locked()
}

/// In `~/.terraform.d/plugins` the mirror needs no CLI configuration.
fn without_configuration(tool: &Tool) -> Result<()> {
    let mirror = Mirror::of_provider()?;
    let mut workdir = workdir(tool)?;
    workdir.set("TF_CLI_CONFIG_FILE", "");
    // The case's folder is the tool's home too.
    let home = workdir.path().join(".terraform.d");
    std::fs::create_dir(&home)?;
    std::os::unix::fs::symlink(&mirror.folder, home.join("plugins"))?;
    workdir.succeed(&INIT)?;
    workdir.apply_counts(2, 0, 0)?;
    Ok(())
}

/// HashiCorp's terraform-plugin-testing sets this variable always: the tool then has no certificate for the plugin.
fn client_without_certificate(tool: &Tool) -> Result<()> {
    let mut workdir = Workdir::new(tool)?;
    workdir.set("TF_DISABLE_PLUGIN_TLS", "1");
    workdir.config(&hcl::all(&[CONNECTION, BUS]))?;
    workdir.apply_counts(2, 0, 0)?;
    workdir.plan_empty()?;
    Ok(())
}
