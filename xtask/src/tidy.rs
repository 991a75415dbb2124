//! `cargo xtask tidy`: the house rules as checks. Each finding is one line: `path: what is wrong`.

mod edges;
mod presence;
mod text;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::{places, shell};

/// A file of the repository: its path from the root, and its text.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    fn is_rust(&self) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|extension| extension == "rs")
    }

    /// Written by a program, so exempt from rules about hand-written code.
    fn is_generated(&self) -> bool {
        self.text.lines().take(5).any(|line| line.contains("@generated"))
    }
}

/// Prints what breaks the rules and fails if anything does.
pub(crate) fn run() -> Result<()> {
    let found = findings()?;
    for line in &found {
        println!("{line}");
    }
    println!("house rules: {} broken", found.len());
    if !found.is_empty() {
        bail!("{} house rules are broken", found.len());
    }
    Ok(())
}

/// What breaks the rules.
pub(crate) fn findings() -> Result<Vec<String>> {
    let files = files()?;
    let mut found = Vec::new();
    found.extend(files.iter().flat_map(text::check));
    found.extend(text::shape(&files));
    found.extend(edges::check(&shell::read(metadata())?)?);
    found.extend(presence::check(&files));
    found.sort();
    Ok(found)
}

fn metadata() -> Command {
    shell::cargo(&["metadata", "--no-deps", "--format-version", "1", "--locked"])
}

/// The text files under version control, and those that are about to be.
fn files() -> Result<Vec<File>> {
    let root = places::root();
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(&root);
    let mut names: Vec<PathBuf> = shell::read(git)?.lines().map(PathBuf::from).collect();
    names.sort();
    names.dedup();
    let mut files = Vec::new();
    for name in names {
        // Deleted but not yet committed, or not text: nothing to check.
        if let Ok(text) = std::fs::read_to_string(root.join(&name)) {
            files.push(File {
                path: name.to_string_lossy().into_owned(),
                text,
            });
        }
    }
    Ok(files)
}
