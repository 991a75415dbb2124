//! The licences of what is linked into both programs, as one text: most of them ask for theirs to go with every copy.
//!
//! Cargo says what is linked, the sources of each crate have its texts. A crate without one gets the standard text of its licence
//! from `packaging/licences`, or the text is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{places, shell};

/// The name of the file, wherever it is packed.
pub(crate) const NAME: &str = "THIRD-PARTY.txt";
/// What a file with a licence or a notice is called, in capitals.
const BEGINNINGS: [&str; 6] = [
    "LICENSE",
    "LICENCE",
    "COPYING",
    "COPYRIGHT",
    "NOTICE",
    "UNLICENSE",
];
/// Sources that are in the repository: their names, licences, and texts.
const VENDORED: [(&str, &str, &str); 2] = [
    ("htmx", "0BSD", "companion/src/console/assets/LICENSE-htmx"),
    ("htmx-ext-sse", "0BSD", "companion/src/console/assets/LICENSE-sse"),
];
const RULE: &str = "--------------------------------------------------------------------------------";

/// Something that is linked.
struct Part {
    /// `name version`.
    name: String,
    licence: String,
    source: String,
    /// What its sources have; empty where they have none.
    texts: Vec<String>,
    /// Who has written it, for a standard text.
    authors: String,
}

/// The text for this machine's platform.
pub(crate) fn text() -> Result<String> {
    let linked = linked(&shell::read(shell::cargo(&[
        "tree",
        "--locked",
        "--package",
        "terraform-provider-scalr",
        "--package",
        "scalr-eventbridge",
        "--edges",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]))?);
    let metadata = shell::cargo(&[
        "metadata",
        "--locked",
        "--format-version",
        "1",
        "--filter-platform",
        &host()?,
    ]);
    let metadata: Value = serde_json::from_str(&shell::read(metadata)?)?;
    let mut parts = vec![standard_library()?];
    for (name, licence, file) in VENDORED {
        parts.push(Part {
            name: name.to_owned(),
            licence: licence.to_owned(),
            source: "part of the console's pages".to_owned(),
            texts: vec![tidied(&std::fs::read_to_string(places::root().join(file))?)],
            authors: String::new(),
        });
    }
    parts.extend(crates(&metadata, &linked)?);
    compose(parts, &standard_texts()?)
}

/// Names and versions in what `cargo tree` prints.
fn linked(tree: &str) -> BTreeSet<(String, String)> {
    let crates = tree.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        Some((name.to_owned(), version.to_owned()))
    });
    crates.collect()
}

/// The platform as Rust names it.
fn host() -> Result<String> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--version", "--verbose"]);
    let said = shell::read(rustc)?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc names no host")
}

fn standard_library() -> Result<Part> {
    let mut rustc = Command::new("rustc");
    rustc.arg("--version");
    let version = shell::read(rustc)?;
    Ok(Part {
        name: format!("standard library of {}", version.trim()),
        licence: "MIT OR Apache-2.0".to_owned(),
        source: "https://github.com/rust-lang/rust; what it has of others is in COPYRIGHT-library.html of the toolchain".to_owned(),
        texts: Vec::new(),
        authors: "The Rust Project contributors".to_owned(),
    })
}

/// Those of the linked crates that are not the repository's own.
fn crates(metadata: &Value, linked: &BTreeSet<(String, String)>) -> Result<Vec<Part>> {
    let packages = metadata["packages"].as_array().context("no packages")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut parts = Vec::new();
    for package in packages.iter().filter(|package| !package["source"].is_null()) {
        let (name, version) = (text(&package["name"]), text(&package["version"]));
        let title = format!("{name} {version}");
        if !linked.contains(&(name, version)) {
            continue;
        }
        let manifest = PathBuf::from(text(&package["manifest_path"]));
        let folder = manifest.parent().context("a manifest has a folder")?;
        let authors = package["authors"].as_array().into_iter().flatten();
        let authors: Vec<String> = authors.map(text).collect();
        parts.push(Part {
            texts: texts_in(folder).with_context(|| title.clone())?,
            name: title,
            licence: text(&package["license"]),
            source: text(&package["repository"]),
            authors: authors.join(", "),
        });
    }
    Ok(parts)
}

/// The licences and notices in the root of a crate's sources, and in a folder of them.
fn texts_in(folder: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for found in std::fs::read_dir(folder)? {
        let found = found?;
        if !is_licence(&found.file_name().to_string_lossy()) {
            continue;
        }
        if found.file_type()?.is_dir() {
            for inner in std::fs::read_dir(found.path())? {
                files.push(inner?.path());
            }
        } else {
            files.push(found.path());
        }
    }
    files.sort();
    files
        .iter()
        .map(|file| Ok(tidied(&String::from_utf8_lossy(&std::fs::read(file)?))))
        .collect()
}

/// Whether a file has a licence's text. Where the GPL is one of several to choose from, it is not the one we choose.
fn is_licence(name: &str) -> bool {
    let name = name.to_uppercase();
    let begins = BEGINNINGS.iter().any(|beginning| name.starts_with(beginning));
    begins && !name.contains("GPL")
}

/// Without blanks at the ends of lines, so that equal texts are equal.
fn tidied(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// The texts of `packaging/licences`, by the licence's identifier.
fn standard_texts() -> Result<BTreeMap<String, String>> {
    let mut texts = BTreeMap::new();
    for file in std::fs::read_dir(places::root().join("packaging/licences"))? {
        let file = file?.path();
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        texts.insert(name, tidied(&std::fs::read_to_string(&file)?));
    }
    Ok(texts)
}

/// A list of all parts, and each text once, with the parts that it is of.
fn compose(mut parts: Vec<Part>, standard: &BTreeMap<String, String>) -> Result<String> {
    parts.sort_by(|a, b| a.name.cmp(&b.name));
    let mut all =
        "What is linked into scalr-eventbridge and terraform-provider-scalr, with its licences.\n\n"
            .to_owned();
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for part in parts {
        writeln!(all, "{}: {}; {}", part.name, part.licence, part.source)?;
        let own = if part.texts.is_empty() {
            vec![standard_text(&part, standard)?]
        } else {
            part.texts
        };
        for text in own {
            texts.entry(text).or_default().push(part.name.clone());
        }
    }
    let mut texts: Vec<_> = texts.into_iter().collect();
    texts.sort_by(|a, b| a.1.cmp(&b.1));
    for (text, of) in texts {
        write!(all, "\n{RULE}\n{}\n{RULE}\n\n{text}\n", of.join(", "))?;
    }
    Ok(all)
}

/// The standard text of one of the licences that a part can be taken under.
fn standard_text(part: &Part, standard: &BTreeMap<String, String>) -> Result<String> {
    let mut choices = part.licence.split([' ', '/', '(', ')']);
    let Some(text) = choices.find_map(|licence| standard.get(licence)) else {
        bail!(
            "the sources of {} have no text of `{}`, and packaging/licences has none",
            part.name,
            part.licence
        );
    };
    let authors = match part.authors.as_str() {
        "" => format!("the authors of {}", part.source),
        authors => authors.to_owned(),
    };
    Ok(format!("Copyright (c) {authors}\n\n{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, licence: &str, texts: &[&str]) -> Part {
        Part {
            name: name.to_owned(),
            licence: licence.to_owned(),
            source: format!("https://example.com/{name}"),
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
            authors: String::new(),
        }
    }

    #[test]
    fn crates_are_read_from_cargos_tree() {
        let tree = "scalr-api v0.1.0 (/r/crates/scalr-api)\nserde v1.0.200\nserde v1.0.200 (*)\n\n";
        let wanted = [("scalr-api", "0.1.0"), ("serde", "1.0.200")];
        let wanted = wanted.map(|(name, version)| (name.to_owned(), version.to_owned()));
        assert_eq!(linked(tree), BTreeSet::from(wanted));
    }

    #[test]
    fn licences_are_known_by_their_names() {
        for (name, wanted) in [
            ("LICENSE", true),
            ("LICENSE-MIT", true),
            ("license.txt", true),
            ("COPYING", true),
            ("NOTICE", true),
            ("LICENSES", true),
            ("LICENSE-GPLv2", false),
            ("README.md", false),
            ("src", false),
        ] {
            assert_eq!(is_licence(name), wanted, "{name}");
        }
    }

    #[test]
    fn each_text_is_there_once_with_all_that_it_is_of() -> Result<()> {
        let standard = BTreeMap::from([("MIT".to_owned(), "Permission".to_owned())]);
        let parts = vec![
            part("b 2", "ISC", &["isc", "notice"]),
            part("a 1", "ISC", &["isc"]),
            part("c 3", "Apache-2.0/MIT", &[]),
        ];
        let text = compose(parts, &standard)?;
        for needle in [
            "\na 1: ISC; https://example.com/a 1\n",
            "\na 1, b 2\n",
            "\nb 2\n",
            "Copyright (c) the authors of https://example.com/c 3\n\nPermission\n",
        ] {
            assert!(text.contains(needle), "no `{needle}` in\n{text}");
        }
        assert_eq!(text.matches("\nisc\n").count(), 1, "{text}");
        Ok(())
    }

    #[test]
    fn a_part_without_any_text_is_refused() {
        let refused = compose(vec![part("a 1", "BSD-9", &[])], &BTreeMap::new());
        let said = refused.err().map(|error| error.to_string());
        assert_eq!(
            said.as_deref(),
            Some("the sources of a 1 have no text of `BSD-9`, and packaging/licences has none")
        );
    }

    #[test]
    fn blanks_at_the_ends_of_lines_make_no_other_text() {
        assert_eq!(tidied("\r\na \r\nb\n\n"), "a\nb");
    }
}
