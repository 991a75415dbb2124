//! The licences of what is linked into both programs, as one text: most of them ask for theirs to go with every copy.
//!
//! Cargo says what is linked, the sources of each crate have its texts. A crate without one gets the standard text of its licence
//! from `packaging/licences`, or the text is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::SplitWhitespace;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{places, shell};

/// The name of the file, wherever it is packed.
pub(crate) const NAME: &str = "THIRD-PARTY.txt";
/// What a file with a licence is called, in capitals.
const LICENCES: [&str; 4] = ["LICENSE", "LICENCE", "COPYING", "UNLICENSE"];
/// What a file with a notice is called: it goes with the licence, and is none.
const NOTICES: [&str; 2] = ["COPYRIGHT", "NOTICE"];
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
    texts: Texts,
    /// Who has written it, for a standard text.
    authors: String,
}

/// What the sources of a part have.
#[derive(Debug, Default, PartialEq, Eq)]
struct Texts {
    /// None where the standard text has to stand for it.
    licences: Vec<String>,
    notices: Vec<String>,
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
            texts: Texts {
                licences: vec![tidied(&std::fs::read_to_string(places::root().join(file))?)],
                notices: Vec::new(),
            },
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
        texts: Texts::default(),
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

/// The licences and notices in the root of a crate's sources, and in a folder of licences there.
fn texts_in(folder: &Path) -> Result<Texts> {
    let (mut licences, mut notices) = (BTreeSet::new(), BTreeSet::new());
    for found in std::fs::read_dir(folder)? {
        let path = found?.path();
        if has_beginning(&path, &NOTICES) {
            notices.insert(path);
        } else if has_beginning(&path, &LICENCES) && path.is_dir() {
            for inner in std::fs::read_dir(path)? {
                licences.insert(inner?.path());
            }
        } else if has_beginning(&path, &LICENCES) {
            licences.insert(path);
        }
    }
    // Where the GPL is one of several to choose from, it is not the one we choose.
    licences.retain(|path| !capitals(path).contains("GPL"));
    Ok(Texts {
        licences: read_all(&licences)?,
        notices: read_all(&notices)?,
    })
}

fn has_beginning(path: &Path, beginnings: &[&str]) -> bool {
    let name = capitals(path);
    beginnings.iter().any(|beginning| name.starts_with(beginning))
}

/// A file's name in capitals.
fn capitals(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().to_uppercase()
}

/// The texts of those that are files, or links to files.
fn read_all(paths: &BTreeSet<PathBuf>) -> Result<Vec<String>> {
    let files = paths.iter().filter(|path| path.is_file());
    files
        .map(|file| Ok(tidied(&String::from_utf8_lossy(&std::fs::read(file)?))))
        .collect()
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
        let licences = if part.texts.licences.is_empty() {
            standard_text(&part, standard)?
        } else {
            part.texts.licences
        };
        for text in licences.into_iter().chain(part.texts.notices) {
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

/// The standard texts of the licences that a part can be taken under.
fn standard_text(part: &Part, standard: &BTreeMap<String, String>) -> Result<Vec<String>> {
    let Some(texts) = chosen(&part.licence, standard) else {
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
    let texts = texts.into_iter();
    Ok(texts
        .map(|text| format!("Copyright (c) {authors}\n\n{text}"))
        .collect())
}

/// The texts of the first choice of an SPDX expression of which each text is there.
fn chosen<'a>(expression: &str, standard: &'a BTreeMap<String, String>) -> Option<BTreeSet<&'a str>> {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let texts = any_of(&mut words, standard);
    texts.filter(|_| words.next().is_none())
}

type Words<'w> = Peekable<SplitWhitespace<'w>>;

fn any_of<'a>(words: &mut Words<'_>, standard: &'a BTreeMap<String, String>) -> Option<BTreeSet<&'a str>> {
    let mut texts = all_of(words, standard);
    while words.next_if_eq(&"OR").is_some() {
        let others = all_of(words, standard);
        texts = texts.or(others);
    }
    texts
}

fn all_of<'a>(words: &mut Words<'_>, standard: &'a BTreeMap<String, String>) -> Option<BTreeSet<&'a str>> {
    let mut texts = one(words, standard);
    // An exception goes with its licence, as one licence goes with another.
    while words.next_if(|word| ["AND", "WITH"].contains(word)).is_some() {
        let more = one(words, standard);
        texts = texts.zip(more).map(|(texts, more)| &texts | &more);
    }
    texts
}

fn one<'a>(words: &mut Words<'_>, standard: &'a BTreeMap<String, String>) -> Option<BTreeSet<&'a str>> {
    match words.next()? {
        "(" => {
            let texts = any_of(words, standard);
            words.next_if_eq(&")").and(texts)
        }
        name => Some(BTreeSet::from([standard.get(name)?.as_str()])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, licence: &str, texts: &[&str]) -> Part {
        Part {
            name: name.to_owned(),
            licence: licence.to_owned(),
            source: format!("https://example.com/{name}"),
            texts: Texts {
                licences: texts.iter().map(|text| (*text).to_owned()).collect(),
                notices: Vec::new(),
            },
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
    fn licences_and_notices_are_known_by_their_names() -> Result<()> {
        for (names, licences, notices) in [
            (&["LICENSE"][..], &["LICENSE"][..], &[][..]),
            (
                &["LICENSE-MIT", "license.txt", "COPYING", "UNLICENSE"],
                &["COPYING", "LICENSE-MIT", "UNLICENSE", "license.txt"],
                &[],
            ),
            (&["NOTICE", "COPYRIGHT"], &[], &["COPYRIGHT", "NOTICE"]),
            (&["LICENSE-GPLv2", "README.md", "src/LICENSE"], &[], &[]),
            (
                &[
                    "LICENSES/MIT.txt",
                    "LICENSES/LGPL-2.1.txt",
                    "LICENSES/old/BSD.txt",
                ],
                &["LICENSES/MIT.txt"],
                &[],
            ),
        ] {
            let folder = tempfile::tempdir()?;
            for name in names {
                let path = folder.path().join(name);
                std::fs::create_dir_all(path.parent().context("a file has a folder")?)?;
                std::fs::write(path, name)?;
            }
            std::os::unix::fs::symlink("nowhere", folder.path().join("LICENSE-OF-ANOTHER"))?;
            let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let wanted = Texts {
                licences: owned(licences),
                notices: owned(notices),
            };
            assert_eq!(texts_in(folder.path())?, wanted, "{names:?}");
        }
        Ok(())
    }

    #[test]
    fn a_notice_is_no_licence() -> Result<()> {
        let standard = BTreeMap::from([("MIT".to_owned(), "Permission".to_owned())]);
        let mut noticed = part("a 1", "MIT", &[]);
        noticed.texts.notices.push("By A".to_owned());
        let text = compose(vec![noticed], &standard)?;
        assert!(
            text.contains("\nBy A\n") && text.contains("\nPermission\n"),
            "{text}"
        );
        Ok(())
    }

    #[test]
    fn the_texts_of_an_expression_are_those_of_its_first_choice_that_is_there() {
        let standard = ["MIT", "ISC", "Apache-2.0", "LLVM-exception"];
        let standard = standard.map(|name| (name.to_owned(), name.to_lowercase()));
        let standard = BTreeMap::from(standard);
        for (expression, wanted) in [
            ("MIT", Some(&["mit"][..])),
            ("BSD-9 OR ISC", Some(&["isc"])),
            ("BSD-9/MIT", Some(&["mit"])),
            ("MIT AND ISC", Some(&["isc", "mit"])),
            ("BSD-9 AND MIT", None),
            ("MIT AND BSD-9", None),
            ("BSD-9 AND MIT OR ISC", Some(&["isc"])),
            ("ISC AND (BSD-9 OR MIT)", Some(&["isc", "mit"])),
            (
                "(BSD-9 AND MIT) OR Apache-2.0 WITH LLVM-exception",
                Some(&["apache-2.0", "llvm-exception"]),
            ),
            ("MIT WITH BSD-9", None),
            ("(MIT", None),
            ("MIT ISC", None),
            ("", None),
        ] {
            let found = chosen(expression, &standard);
            let wanted = wanted.map(|texts| texts.iter().copied().collect());
            assert_eq!(found, wanted, "{expression}");
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
