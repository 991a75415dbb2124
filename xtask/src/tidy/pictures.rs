//! ARCHITECTURE.md shows the floors of crates as their first pages draw them.

use super::file::File;
use super::floors::picture;

const PAGE: &str = "ARCHITECTURE.md";
/// The crates whose insides a newcomer looks for in ARCHITECTURE.md.
const SHOWN: [&str; 5] = [
    "companion/src/main.rs",
    "crates/aws-local/src/lib.rs",
    "crates/event-pattern/src/lib.rs",
    "crates/tfplugin/src/lib.rs",
    "provider/src/main.rs",
];

/// Pictures that are missing or were changed in one place alone.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let text = |path: &str| {
        files
            .iter()
            .find(|file| file.path == path)
            .map(|file| file.text.as_str())
    };
    let page = text(PAGE).unwrap_or_default();
    let stale = SHOWN.into_iter().filter(|path| {
        let drawn = text(path).and_then(drawing);
        drawn.is_none_or(|drawn| !page.contains(&format!("```text\n{drawn}```\n")))
    });
    stale
        .map(|path| format!("{PAGE}: the floors of {path} are not as that page draws them: copy them"))
        .collect()
}

/// The picture of a file's first page, without the comment's marks.
fn drawing(text: &str) -> Option<String> {
    let page = text.lines().filter_map(|line| line.strip_prefix("//!"));
    let page: String = page.flat_map(|line| [line, "\n"]).collect();
    let lines = picture::drawn(&page)?.map(|line| line.strip_prefix(' ').unwrap_or(line));
    Some(lines.flat_map(|line| [line, "\n"]).collect())
}

#[cfg(test)]
mod tests {
    use super::{File, PAGE, SHOWN, check};

    #[test]
    fn a_picture_is_the_same_in_both_places() {
        let count = |page: &str, expected: usize| {
            let file = |path: &str, text: &str| File {
                path: path.to_owned(),
                text: text.to_owned(),
            };
            let source = "//! A crate.\n//!\n//! # Floors\n//! Prose.\n//! ```text\n//! a    leaves\n//!\n//! b    more\n//! ```\n\nmod a;\n";
            let mut files: Vec<_> = SHOWN.iter().map(|path| file(path, source)).collect();
            files.push(file(PAGE, page));
            assert_eq!(check(&files).len(), expected, "{page}");
        };
        count("Floors\n\n```text\na    leaves\n\nb    more\n```\n", 0);
        count("```text\na    leaves\n```\n", SHOWN.len());
        count("", SHOWN.len());
    }
}
