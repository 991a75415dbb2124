//! Every example under `examples/` applies and then plans empty.

use std::path::{Path, PathBuf};

use acceptance::paths;
use acceptance::stage::Stage;
use acceptance::tools::Tool;
use anyhow::{Result, ensure};

use crate::runner::Case;

pub(crate) fn cases() -> Vec<Case> {
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for kind in ["resources", "data-sources", "functions"] {
        for folder in folders(&paths::example(kind)) {
            let name = folder
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            found.push((format!("examples::{kind}::{name}"), folder));
        }
    }
    found.sort();
    found
        .into_iter()
        .map(|(name, folder)| Case::new(name, move |tool| example(tool, &folder)))
        .collect()
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(of).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

fn example(tool: &Tool, folder: &Path) -> Result<()> {
    let stage = Stage::new(tool)?;
    for name in ["resource.tf", "data-source.tf", "function.tf"] {
        if folder.join(name).is_file() {
            stage.config(&std::fs::read_to_string(folder.join(name))?)?;
        }
    }
    ensure!(
        stage.dir().join("main.tf").is_file(),
        "{} holds no configuration",
        folder.display()
    );
    stage.apply()?;
    stage.plan_empty()?;
    Ok(())
}
