//! `cargo xtask tidy`: the house rules as checks. Each finding is one line: `path: what is wrong`.

mod edges;
mod file;
mod files;
mod floors;
mod links;
mod pictures;
mod presence;
mod string_paths;
mod text;
mod variables;

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use self::file::File;
use self::floors::Which;
use crate::{places, shell};

/// Options of `cargo xtask tidy`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Checks the floors of one crate alone.
    #[arg(long = "crate", value_name = "NAME")]
    only: Option<String>,
}

/// Prints what breaks the rules and fails if anything does.
pub(crate) fn run(options: &Options) -> Result<()> {
    let found = match &options.only {
        Some(name) => floors::check(&shell::read(metadata())?, &files()?, Which::Only(name))?,
        None => findings()?,
    };
    for line in &found {
        println!("{line}");
    }
    println!("house rules: {} broken", found.len());
    if !found.is_empty() {
        bail!("the lines above say which, and where");
    }
    Ok(())
}

/// What breaks the rules.
pub(crate) fn findings() -> Result<Vec<String>> {
    let files = files()?;
    let mut found = Vec::new();
    found.extend(files.iter().flat_map(text::check));
    found.extend(text::shape(&files));
    let metadata = shell::read(metadata())?;
    found.extend(edges::check(&metadata)?);
    found.extend(floors::check(&metadata, &files, Which::All)?);
    found.extend(pictures::check(&files));
    found.extend(presence::check(&files));
    found.extend(files::check(&files));
    found.extend(links::check(&files));
    found.extend(variables::check(&files));
    found.extend(string_paths::check(&files));
    found.sort();
    Ok(found)
}

fn metadata() -> Command {
    shell::cargo(&["metadata", "--no-deps", "--format-version", "1", "--locked"])
}

/// The files under version control, and those that are about to be.
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
        let text = match std::fs::read_to_string(root.join(&name)) {
            Ok(text) => text,
            // A picture: pages link to it, and no rule is about what it holds.
            Err(error) if error.kind() == ErrorKind::InvalidData => String::new(),
            // Deleted but not yet committed.
            Err(_) => continue,
        };
        files.push(File {
            path: name.to_string_lossy().into_owned(),
            text,
        });
    }
    Ok(files)
}
