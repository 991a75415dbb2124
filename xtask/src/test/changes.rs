//! What a change touches: the files that differ from `main`, the crates that they are in, and the crates that use those.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::Result;
use serde_json::Value;

use crate::{places, shell};

/// Files outside the crates that say how all of them are built.
const ALL_CRATES: [&str; 6] = [
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "clippy.toml",
    ".cargo/",
    "proto/",
];
/// Where a change can make a generated page or the schema another one.
const PAGES: [&str; 5] = ["provider/", "crates/tfplugin", "examples/", "templates/", "docs/"];
/// Crates whose changes no acceptance case can see.
const UNSEEN: [&str; 1] = ["xtask"];

/// A crate of the workspace.
struct Crate {
    name: String,
    /// From the repository's root, with a `/` at its end.
    folder: String,
    /// Crates of the workspace that it uses, in tests too.
    uses: Vec<String>,
}

/// What a quick run looks at.
pub(super) struct Changes {
    files: Vec<String>,
    crates: BTreeSet<String>,
    untouched: Vec<String>,
}

impl Changes {
    /// Compares the working tree with where it left `main`.
    pub(super) fn find() -> Result<Self> {
        let files = changed_files()?;
        let metadata = ["metadata", "--no-deps", "--format-version", "1", "--locked"];
        let all = workspace(&shell::read(shell::cargo(&metadata))?)?;
        let crates = touched(&all, &files);
        let untouched = all
            .into_iter()
            .map(|one| one.name)
            .filter(|name| !crates.contains(name))
            .collect();
        Ok(Self {
            files,
            crates,
            untouched,
        })
    }

    /// Whether a crate, or one that it uses, has changed.
    pub(super) fn touches(&self, package: &str) -> bool {
        self.crates.contains(package)
    }

    /// Whether a generated page may have become another one.
    pub(super) fn touches_pages(&self) -> bool {
        self.files
            .iter()
            .any(|file| PAGES.iter().any(|place| file.starts_with(place)))
    }

    /// Whether an acceptance case may see a difference.
    pub(super) fn touches_programs(&self) -> bool {
        let seen = |name: &String| !UNSEEN.contains(&name.as_str());
        self.crates.iter().any(seen) || self.files.iter().any(|file| file.starts_with("examples/"))
    }

    /// What a quick run did not look at.
    pub(super) fn left_out(&self) -> String {
        let units = match self.untouched.as_slice() {
            [] => String::new(),
            names => format!("the units of {}, ", names.join(", ")),
        };
        format!(
            "Quick: {} files differ from main. Left out: {units}all but a few acceptance cases on one tool, doc tests, \
             documentation, the programs' own features, licences. `cargo xtask test` runs everything.",
            self.files.len()
        )
    }
}

fn git(args: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.args(args).current_dir(places::root());
    git
}

/// Changed since the working tree left `main` (since the last commit where there is no `main`), new files included.
fn changed_files() -> Result<Vec<String>> {
    let base = git(&["merge-base", "HEAD", "main"]).output()?;
    let base = if base.status.success() {
        String::from_utf8(base.stdout)?.trim().to_owned()
    } else {
        "HEAD".to_owned()
    };
    let changed = shell::read(git(&["diff", "--name-only", &base]))?;
    let new = shell::read(git(&["ls-files", "--others", "--exclude-standard"]))?;
    let files: BTreeSet<String> = changed.lines().chain(new.lines()).map(str::to_owned).collect();
    Ok(files.into_iter().collect())
}

fn workspace(metadata: &str) -> Result<Vec<Crate>> {
    let metadata: Value = serde_json::from_str(metadata)?;
    let root = format!("{}/", metadata["workspace_root"].as_str().unwrap_or_default());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let crates = list(&metadata["packages"]).into_iter().map(|package| {
        let manifest = text(&package["manifest_path"]);
        let inside = manifest.strip_prefix(&root).unwrap_or(&manifest);
        let local = list(&package["dependencies"])
            .into_iter()
            .filter(|dependency| dependency["path"].is_string());
        Crate {
            name: text(&package["name"]),
            folder: inside.trim_end_matches("Cargo.toml").to_owned(),
            uses: local.map(|dependency| text(&dependency["name"])).collect(),
        }
    });
    Ok(crates.collect())
}

/// The crates that these files are in, and all that use one of them, directly or not.
fn touched(all: &[Crate], files: &[String]) -> BTreeSet<String> {
    let every = files
        .iter()
        .any(|file| ALL_CRATES.iter().any(|place| file.starts_with(place)));
    let changed = |one: &&Crate| every || files.iter().any(|file| file.starts_with(&one.folder));
    let mut found: BTreeSet<String> = all.iter().filter(changed).map(|one| one.name.clone()).collect();
    loop {
        let uses =
            |one: &&Crate| !found.contains(&one.name) && one.uses.iter().any(|name| found.contains(name));
        let more: Vec<String> = all.iter().filter(uses).map(|one| one.name.clone()).collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::{Crate, touched, workspace};

    fn crates() -> Vec<Crate> {
        let one = |name: &str, folder: &str, uses: &[&str]| Crate {
            name: name.to_owned(),
            folder: folder.to_owned(),
            uses: uses.iter().map(|name| (*name).to_owned()).collect(),
        };
        vec![
            one("event-pattern", "crates/event-pattern/", &[]),
            one("scalr-events", "crates/scalr-events/", &["event-pattern"]),
            one("companion", "companion/", &["scalr-events"]),
            one("xtask", "xtask/", &[]),
        ]
    }

    fn check(files: &[&str], wanted: &[&str]) {
        let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        let found: Vec<String> = touched(&crates(), &files).into_iter().collect();
        assert_eq!(found, wanted, "{files:?}");
    }

    #[test]
    fn a_change_touches_the_crates_that_use_it() {
        check(
            &["crates/event-pattern/src/lib.rs"],
            &["companion", "event-pattern", "scalr-events"],
        );
        check(&["companion/src/main.rs"], &["companion"]);
        check(&["README.md", "docs/index.md"], &[]);
        check(
            &["Cargo.lock"],
            &["companion", "event-pattern", "scalr-events", "xtask"],
        );
    }

    #[test]
    fn crates_are_read_from_cargos_metadata() {
        let metadata = r#"{"workspace_root":"/r","packages":[{"name":"companion","manifest_path":"/r/companion/Cargo.toml",
            "dependencies":[{"name":"aws-local","path":"/r/crates/aws-local"},{"name":"serde","path":null}]}]}"#;
        let found = workspace(metadata).expect("it is JSON");
        let all: Vec<_> = found
            .iter()
            .map(|one| (one.name.as_str(), one.folder.as_str(), one.uses.join(" ")))
            .collect();
        assert_eq!(all, [("companion", "companion/", "aws-local".to_owned())]);
    }
}
