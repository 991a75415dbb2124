//! The provider as users install it: from the mirror that `cargo xtask mirror` writes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;

use crate::paths;

/// A mirror with the provider under test.
#[derive(Clone)]
pub struct Mirror {
    /// The folder.
    pub folder: PathBuf,
    /// The CLI configuration that the command prints.
    pub cli_config: String,
}

impl Mirror {
    /// The mirror, written once for all cases.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn of_provider() -> Result<Self> {
        static WRITTEN: OnceLock<Result<Mirror, String>> = OnceLock::new();
        let written = WRITTEN.get_or_init(|| write().map_err(|error| format!("{error:#}")));
        written.clone().map_err(|error| anyhow!(error))
    }
}

/// What a mirror says of the provider's package for the registry `host`: its checksum, as lock files have it.
///
/// # Errors
/// When the mirror has no index of it.
pub fn checksum(mirror: &Path, host: &str, version: &str) -> Result<String> {
    let index = mirror
        .join(host)
        .join("scalr-eventbridge/scalr")
        .join(format!("{version}.json"));
    let index: Value = serde_json::from_str(&std::fs::read_to_string(&index)?)?;
    let archives = index["archives"].as_object().context("no archives")?;
    let hashes = archives
        .values()
        .filter_map(|archive| archive["hashes"].as_array());
    let mut hashes = hashes.flatten().filter_map(Value::as_str);
    let found = hashes.find(|hash| hash.starts_with("h1:"));
    found.map(str::to_owned).context("no checksum of the contents")
}

fn write() -> Result<Mirror> {
    let program = paths::target().join("debug/xtask");
    ensure!(
        program.is_file(),
        "{} is missing: build it, or run `cargo xtask test`",
        program.display()
    );
    let folder = paths::target().join("acceptance/mirror");
    let output = Command::new(program)
        .arg("mirror")
        .arg(&folder)
        .arg("--program")
        .arg(paths::programs().join("terraform-provider-scalr"))
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "`cargo xtask mirror` ended with {}:\n{text}",
        output.status
    );
    let at = text
        .find("provider_installation {")
        .context("it prints no CLI configuration")?;
    Ok(Mirror {
        folder,
        cli_config: text[at..].to_owned(),
    })
}
