//! Links between the repository's pages: each leads to a file, and to a heading of it; each guide is linked from another page.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::file::File;

const GUIDES: &str = "docs/guides/";
/// What a changelog has said stays as it was, links included.
const WRITTEN_ONCE: [&str; 2] = ["CHANGELOG.md", "changelog.d/"];

/// What is wrong.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let pages: Vec<&File> = files.iter().filter(|file| is_page(file)).collect();
    let mut found: Vec<String> = pages.iter().flat_map(|page| broken(page, files)).collect();
    found.extend(unlinked(&pages));
    found.extend(files.iter().flat_map(|file| misnamed(file, files)));
    found
}

fn is_page(file: &File) -> bool {
    let is_markdown = Path::new(&file.path).extension().is_some_and(|end| end == "md");
    is_markdown && WRITTEN_ONCE.iter().all(|path| !file.path.starts_with(path))
}

/// Links of a page that lead nowhere.
fn broken(page: &File, files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for (line, link) in links(&page.text) {
        let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
        let target = resolve(&page.path, path);
        let file = files.iter().find(|file| file.path == target);
        let is_folder = || {
            files
                .iter()
                .any(|file| file.path.starts_with(&format!("{target}/")))
        };
        let fault = match file {
            None if is_folder() && anchor.is_empty() => continue,
            None => "there is no such file",
            Some(file) if !anchor.is_empty() && !anchors(&file.text).contains(anchor) => {
                "the page has no such heading"
            }
            Some(_) => continue,
        };
        found.push(format!("{}: line {line}: the link `{link}`: {fault}", page.path));
    }
    found
}

/// Guides that nobody finds.
fn unlinked(pages: &[&File]) -> Vec<String> {
    let leads_to = |page: &&&File, guide: &str| {
        page.path != guide
            && links(&page.text)
                .iter()
                .any(|(_, link)| resolve(&page.path, link.split('#').next().unwrap_or(link)) == guide)
    };
    let guides = pages.iter().filter(|page| page.path.starts_with(GUIDES));
    let lonely = guides.filter(|guide| !pages.iter().any(|page| leads_to(&page, &guide.path)));
    lonely
        .map(|guide| format!("{}: no other page links to it", guide.path))
        .collect()
}

/// Guides that code or comments name and that are not there.
fn misnamed(file: &File, files: &[File]) -> Vec<String> {
    if WRITTEN_ONCE.iter().any(|path| file.path.starts_with(path)) || file.path == "xtask/src/tidy/links.rs" {
        return Vec::new();
    }
    let named = file.text.match_indices(GUIDES).filter_map(|(at, _)| {
        let rest = &file.text[at..];
        let name = &rest[..rest.find(".md")? + 3];
        name[GUIDES.len()..name.len() - 3]
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-')
            .then_some(name)
    });
    named
        .filter(|name| files.iter().all(|file| file.path != *name))
        .map(|name| format!("{}: names `{name}`, which is not there", file.path))
        .collect()
}

/// The relative links of a page, with their lines; code is no link.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let bare: String = line.split('`').step_by(2).collect();
        for part in bare.split("](").skip(1) {
            let link = part.split([')', ' ']).next().unwrap_or_default();
            if !link.contains("://") && !link.starts_with("mailto:") {
                found.push((number, link.to_owned()));
            }
        }
    }
    found
}

/// The lines outside code blocks, counted from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        (!in_code && !is_fence).then_some((at + 1, line))
    })
}

/// What a link may name after `#`: the headings, as GitHub spells them, and the anchors of generated pages.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, line) in prose(text) {
        if let Some(heading) = line.strip_prefix('#') {
            let slug = slug(heading.trim_start_matches('#'));
            let again = (1..).map(|number| format!("{slug}-{number}"));
            let free = std::iter::once(slug.clone())
                .chain(again)
                .find(|name| !found.contains(name));
            found.extend(free);
        }
        for id in line.split("<a id=\"").skip(1) {
            found.extend(id.split('"').next().map(str::to_owned));
        }
    }
    found
}

fn slug(heading: &str) -> String {
    // Of a link only its text counts.
    let shown: String = heading
        .split("](")
        .enumerate()
        .map(|(at, part)| {
            if at == 0 {
                part
            } else {
                part.split_once(')').map_or("", |(_, rest)| rest)
            }
        })
        .collect();
    shown
        .trim()
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The path from the root that a link of `page` names; the page itself where it names none.
fn resolve(page: &str, link: &str) -> String {
    if link.is_empty() {
        return page.to_owned();
    }
    let mut path = PathBuf::new();
    for part in Path::new(page)
        .parent()
        .unwrap_or(Path::new(""))
        .join(link)
        .components()
    {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::{File, anchors, check};

    fn finds(files: &[(&str, &str)], wanted: &[&str]) {
        let files: Vec<File> = files
            .iter()
            .map(|(path, text)| File {
                path: (*path).to_owned(),
                text: (*text).to_owned(),
            })
            .collect();
        let found = check(&files);
        assert_eq!(found.len(), wanted.len(), "{found:?}");
        for (line, needle) in found.iter().zip(wanted) {
            assert!(line.contains(needle), "{line} does not hold {needle}");
        }
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let setup = ("docs/guides/setup.md", "# Set up\n\n## The order, `a`\n");
        let check = |text: &str, wanted: &[&str]| {
            finds(
                &[
                    setup,
                    ("docs/guides/b.md", text),
                    ("README.md", "[b](docs/guides/b.md)"),
                ],
                wanted,
            );
        };
        check("[a](setup.md)", &[]);
        check("[a](setup.md#the-order-a) [b](#up)\n# Up", &[]);
        check("[a](../guides/setup.md), [a](https://a.example/x.md)", &[]);
        check("[a](setup.md) `[b](c.md)`\n```sh\n[d](e.md)\n```", &[]);
        check("[a](setup.md) [examples](../guides)", &[]);
        check(
            "[a](setup.md)\n[b](c.md)",
            &["line 2: the link `c.md`: there is no such file"],
        );
        check("[a](setup.md#order)", &["no such heading"]);
        check("[a](setup.md) [b](#a)", &["no such heading"]);
    }

    #[test]
    fn a_guide_that_no_page_links_to_is_found() {
        finds(
            &[("docs/guides/a.md", "[a](a.md)")],
            &["docs/guides/a.md: no other page"],
        );
        finds(
            &[("docs/guides/a.md", ""), ("docs/index.md", "[a](guides/a.md)")],
            &[],
        );
        finds(&[("docs/resources/a.md", "")], &[]);
    }

    #[test]
    fn a_guide_that_code_names_is_there() {
        let names = ("a.rs", "//! See `docs/guides/a.md`, `docs/guides/{name}.md`.");
        finds(&[names], &["names `docs/guides/a.md`"]);
        finds(
            &[
                names,
                ("docs/guides/a.md", ""),
                ("README.md", "[a](docs/guides/a.md)"),
            ],
            &[],
        );
    }

    #[test]
    fn headings_that_are_the_same_have_numbers() {
        let found = anchors("# A [b](c.md) d\n# In\n# In\n<a id=\"x--y\"></a>\n");
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            ["a-b-d", "in", "in-1", "x--y"]
        );
    }
}
