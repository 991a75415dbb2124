//! Rules about the text of a file: size, header, words and statements that have no place in it.

use super::file::File;

const LINES_MAX: usize = 600;
const MEDIAN_LINES_MAX: usize = 200;
/// A resource's `mod.rs` is schema and behaviour; what it calls and what its users read are files beside it.
const RESOURCE_LINES_MAX: usize = 250;

/// Where SQL may be.
const SQL_HOMES: [&str; 1] = ["companion/src/store"];
const SQL: [&str; 6] = [
    "SELECT ",
    "INSERT INTO ",
    "DELETE FROM ",
    "CREATE TABLE",
    "ON CONFLICT",
    "sqlx::query",
];

/// The framework serves any provider: it names none, and no service of one.
const FRAMEWORK: &str = "crates/tfplugin";
const PRODUCT_WORDS: [&str; 3] = ["scalr", "eventbridge", "aws_sdk"];

/// Texts that keep their words: what a changelog has said, and migrations, whose checksums stand in databases.
const WRITTEN_ONCE: [&str; 3] = ["CHANGELOG.md", "changelog.d/", "companion/src/store/migrations/"];
/// Words that a reader has to look up twice, each with the field's term for it; spelt so that this file does not hold them.
const UNCLEAR: [([&str; 2], &str); 7] = [
    (["taken", " up"], "adopt, import or continue"),
    (["hands", " on"], "passes, sends"),
    (["handed", " on"], "passed, sent"),
    (["men", "ds"], "fixes, repairs"),
    (["a", "new"], "again"),
    (["its", " kin"], "name them"),
    (["counts as", " not written"], "is ignored"),
];

/// Where users read: docs, examples, help and messages.
const READ_BY_USERS: [&str; 5] = [
    "docs/",
    "templates/",
    "examples/",
    "companion/src/cli/",
    "provider/src/",
];
/// Words that are too old or too vague for them.
const UNCLEAR_TO_USERS: [([&str; 2], &str); 14] = [
    (["who", "ever"], "people who, anybody who"),
    (["sees", " to"], "manages"),
    (["see", " to it"], "manage, let"),
    (["looks", " after"], "manages"),
    (["without", " a word"], "silently"),
    (["counts", " for nothing"], "is ignored"),
    (["takes", " over"], "adopts, moves"),
    (["take", " over"], "adopt, move"),
    (["lets", " in"], "allows"),
    (["all", " the same"], "anyway, nevertheless"),
    (["as", " ever"], "as before"),
    (["for", " ever"], "forever"),
    (["goes", " on"], "continues"),
    (["picks", " up"], "matches"),
];

/// What an example says of versions, if it says which providers it needs.
const EXAMPLES: &str = "examples/";
const CONSTRAINTS: [&str; 2] = ["required_version = \"", " version = \""];

/// Everything that is wrong with one file.
pub(super) fn check(file: &File) -> Vec<String> {
    let mut found = Vec::new();
    let mut say = |what: String| found.push(format!("{}: {what}", file.path));
    for (number, line) in file.text.lines().enumerate() {
        for word in postponed() {
            if line.contains(&word) {
                say(format!("line {}: `{word}`: do it, or open an issue", number + 1));
            }
        }
    }
    unclear(file, &mut say);
    if file.is_rust() && !file.is_generated() {
        rust(file, &mut say);
    }
    if file.path.starts_with(EXAMPLES) && file.text.contains("required_providers") {
        for constraint in CONSTRAINTS
            .iter()
            .filter(|constraint| !file.text.contains(*constraint))
        {
            say(format!(
                "no `{constraint}…`: readers copy examples, with their version constraints"
            ));
        }
    }
    if file.path.starts_with(FRAMEWORK) {
        let text = file.text.to_lowercase();
        for word in PRODUCT_WORDS.iter().filter(|word| text.contains(*word)) {
            say(format!("the framework names `{word}`: it serves any provider"));
        }
    }
    found
}

/// One plain term a thing, in docs, help, messages and comments.
fn unclear(file: &File, say: &mut impl FnMut(String)) {
    if WRITTEN_ONCE.iter().any(|path| file.path.starts_with(path)) {
        return;
    }
    let to_users = READ_BY_USERS.iter().any(|path| file.path.starts_with(path));
    let more = if to_users {
        UNCLEAR_TO_USERS.as_slice()
    } else {
        &[]
    };
    for (number, line) in file.text.lines().enumerate() {
        let line = line.to_lowercase();
        for (halves, better) in UNCLEAR.iter().chain(more) {
            let word = halves.concat();
            if holds_word(&line, &word) {
                say(format!("line {}: `{word}`: {better}", number + 1));
            }
        }
    }
}

/// Whether a line holds these words, and not as the part of a longer one.
fn holds_word(line: &str, word: &str) -> bool {
    let is_inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    line.match_indices(word).any(|(at, _)| {
        let after = line.get(at + word.len()..).and_then(|rest| rest.chars().next());
        !is_inside(line.get(..at).and_then(|before| before.chars().next_back())) && !is_inside(after)
    })
}

/// Words that put work off, spelt so that this file does not hold them.
fn postponed() -> [String; 3] {
    [["TO", "DO"], ["FIX", "ME"], ["XX", "X:"]].map(|halves| halves.concat())
}

fn rust(file: &File, say: &mut impl FnMut(String)) {
    let lines = file.text.lines().count();
    if lines > LINES_MAX {
        say(format!(
            "{lines} lines, more than {LINES_MAX}: split it by meaning"
        ));
    }
    if lines > RESOURCE_LINES_MAX && is_resource(&file.path) {
        say(format!(
            "{lines} lines, more than {RESOURCE_LINES_MAX}: calls, messages and each further part have files of their own"
        ));
    }
    if !has_header(&file.text) {
        say("does not open with a `//!` line that says what it is for".to_owned());
    }
    // Clippy counts the lines of functions (clippy.toml); what could be got round is the lint itself.
    let lint = ["too_many", "_lines"].concat();
    if file.text.contains(&lint) {
        say(format!("switches `{lint}` off: a function fits a screen"));
    }
    if SQL_HOMES.iter().all(|home| !file.path.starts_with(home)) && file.path != "xtask/src/tidy/text.rs" {
        for statement in SQL.iter().filter(|statement| file.text.contains(*statement)) {
            say(format!(
                "holds SQL (`{}`), which belongs in companion/src/store only",
                statement.trim()
            ));
        }
    }
}

/// `provider/src/resources/NAME/mod.rs`.
fn is_resource(path: &str) -> bool {
    let name = path
        .strip_prefix("provider/src/resources/")
        .and_then(|rest| rest.strip_suffix("/mod.rs"));
    name.is_some_and(|name| !name.contains('/'))
}

/// The first line that is neither blank nor an inner attribute is a `//!` comment.
fn has_header(text: &str) -> bool {
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("#!["));
    lines.next().is_some_and(|line| line.starts_with("//!"))
}

/// The median length of the hand-written Rust files.
pub(super) fn shape(files: &[File]) -> Option<String> {
    let written = files.iter().filter(|file| file.is_rust() && !file.is_generated());
    let mut lengths: Vec<usize> = written.map(|file| file.text.lines().count()).collect();
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).copied().unwrap_or_default();
    (median > MEDIAN_LINES_MAX)
        .then(|| format!("the repository: the median file has {median} lines, more than {MEDIAN_LINES_MAX}"))
}

#[cfg(test)]
mod tests {
    use super::{File, check, shape};

    fn finds(path: &str, text: &str, wanted: &[&str]) {
        let found = check(&File {
            path: path.to_owned(),
            text: text.to_owned(),
        });
        assert_eq!(found.len(), wanted.len(), "{found:?}");
        for (line, needle) in found.iter().zip(wanted) {
            assert!(line.contains(needle), "{line} does not hold {needle}");
        }
    }

    #[test]
    fn each_rule_finds_its_breach() {
        finds("a.rs", "//! A.\nfn a() {}\n", &[]);
        finds("a.rs", "#![no_std]\n\n//! A.\n", &[]);
        finds("a.rs", "fn a() {}\n", &["`//!`"]);
        finds("a.rs", &format!("//! A.\n{}", "\n".repeat(600)), &["601 lines"]);
        let long = format!("//! A.\n{}", "\n".repeat(250));
        finds(
            "provider/src/resources/rule/mod.rs",
            &long,
            &["251 lines, more than 250"],
        );
        finds("provider/src/resources/rule/mod.rs", &long[..long.len() - 1], &[]);
        finds("provider/src/resources/rule/aws.rs", &long, &[]);
        finds("provider/src/resources/mod.rs", &long, &[]);
        finds("a.rs", &format!("//! A. @generated\n{}", "\n".repeat(600)), &[]);
        finds(
            "a.rs",
            &format!("//! A.\n// {}\n", ["TO", "DO"].concat()),
            &["line 2"],
        );
        finds("a.md", &format!("{}\n", ["FIX", "ME"].concat()), &["line 1"]);
        finds(
            "a.rs",
            &format!("//! A.\n#![allow(clippy::{})]\n", ["too_many", "_lines"].concat()),
            &["fits a screen"],
        );
        finds(
            "provider/src/a.rs",
            "//! A.\nconst Q: &str = \"SELECT 1\";\n",
            &["SQL"],
        );
        finds(
            "companion/src/store/a.rs",
            "//! A.\nconst Q: &str = \"SELECT 1\";\n",
            &[],
        );
    }

    #[test]
    fn unclear_words_are_found_as_words() {
        let again = ["a", "new"].concat();
        finds(
            "docs/a.md",
            &format!("{again} begins\nBegins {again}.\n"),
            &["line 1", "line 2"],
        );
        finds(
            "docs/a.md",
            &format!("{}\n", ["men", "ds"].concat()),
            &["fixes, repairs"],
        );
        finds(
            "docs/a.md",
            &format!("recom{}, {again}some\n", ["men", "ds"].concat()),
            &[],
        );
        finds("changelog.d/a.md", &again, &[]);
        let old = ["for", " ever"].concat();
        finds("docs/a.md", &old, &["forever"]);
        finds("crates/a/README.md", &old, &[]);
    }

    #[test]
    fn the_framework_names_no_provider() {
        finds("crates/tfplugin/src/a.rs", "//! Serves Scalr.\n", &["`scalr`"]);
        finds(
            "crates/tfplugin-derive/README.md",
            "aws_sdk_sts\n",
            &["`aws_sdk`"],
        );
        finds("crates/tfplugin/src/a.rs", "//! Serves notes.\n", &[]);
        finds("provider/src/a.rs", "//! Serves Scalr.\n", &[]);
    }

    #[test]
    fn examples_have_version_constraints() {
        const WHOLE: &str =
            "required_version = \">= 1\"\nrequired_providers { a = { source = \"b/a\", version = \"1\" } }\n";
        finds("examples/a/main.tf", WHOLE, &[]);
        finds("examples/a/main.tf", "resource \"a\" \"b\" {}\n", &[]);
        let without = |part: &str| WHOLE.replace(part, "");
        finds(
            "examples/a/main.tf",
            &without(", version = \"1\""),
            &["` version"],
        );
        finds(
            "examples/a/main.tf",
            &without("required_version = \">= 1\""),
            &["`required_version"],
        );
        finds("docs/a.md", &without(", version = \"1\""), &[]);
    }

    #[test]
    fn a_long_median_is_found() {
        let file = |lines: usize| File {
            path: "a.rs".to_owned(),
            text: "\n".repeat(lines),
        };
        assert!(shape(&[file(10), file(200), file(500)]).is_none());
        assert!(shape(&[file(10), file(201), file(500)]).is_some());
    }
}
