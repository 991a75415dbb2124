//! Environment variables that the programs read are on the page that lists them, with the programs that read them. The provider's
//! code has each in one place, of which the page's rows are made.

use super::file::File;
use crate::environment::DECLARED;

const PAGE: &str = "docs/guides/environment.md";
const PROVIDER: &str = "the provider";
const COMPANION: &str = "`scalr-eventbridge`";
/// Which programs code is in, as the page's last column names them.
const READERS: [(&str, &[&str]); 4] = [
    ("provider/src/", &[PROVIDER]),
    ("companion/src/", &[COMPANION]),
    ("crates/tfplugin/src/", &[PROVIDER]),
    ("crates/scalr-api/src/", &[PROVIDER, COMPANION]),
];
/// Where code takes names from the place that declares them.
const DECLARES: &str = "provider/src/";
/// What people set for other programs too.
const COMMON: [&str; 4] = ["HTTP_PROXY", "HTTPS_PROXY", "NO_COLOR", "NO_PROXY"];
const PREFIXES: [&str; 5] = ["AWS_", "SCALR_", "SSL_", "TERRAFORM_", "TF_"];
/// What Terraform sets for every plugin is no setting.
const CONTRACT: [&str; 1] = ["TF_PLUGIN_MAGIC_COOKIE"];

/// Finds those that are not.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let page = files.iter().find(|file| file.path == PAGE);
    let page = page.map_or("", |page| page.text.as_str());
    let code = files.iter().filter(|file| {
        let is_test = file.path.contains("/tests/") || file.path.ends_with("/tests.rs");
        file.is_rust() && !is_test
    });
    let mut found = Vec::new();
    for file in code {
        let place = READERS.iter().find(|(place, _)| file.path.starts_with(place));
        let readers = place.map_or(&[][..], |(_, readers)| *readers);
        let code = file.text.split("#[cfg(test)]").next().unwrap_or_default();
        for name in code.split('"').skip(1).step_by(2).filter(|text| is_name(text)) {
            let lacks = readers.iter().filter(|reader| !is_listed(page, name, reader));
            if file.path.starts_with(DECLARES) && file.path != DECLARED {
                found.push(format!("{}: take `{name}` from {DECLARED}", file.path));
            }
            if !CONTRACT.contains(&name) {
                found.extend(
                    lacks.map(|reader| {
                        format!("{}: `{name}` is not in {PAGE} as read by {reader}", file.path)
                    }),
                );
            }
        }
    }
    found.dedup();
    found
}

/// Whether the page says that a program reads it: in a section of that name, or in a text for all programs.
fn is_listed(page: &str, name: &str, reader: &str) -> bool {
    let name = format!("`{name}`");
    let mut heading = "";
    page.lines().any(|line| {
        heading = line.strip_prefix("## ").unwrap_or(heading);
        let is_of_one = READERS
            .iter()
            .any(|(_, readers)| readers.iter().any(|one| is_about(heading, one)));
        line.contains(&name) && (!is_of_one || is_about(heading, reader))
    })
}

/// Whether a section is about a program.
fn is_about(heading: &str, reader: &str) -> bool {
    heading.eq_ignore_ascii_case(reader)
}

/// A whole name, and not the beginning of names or a text about one.
fn is_name(text: &str) -> bool {
    COMMON.contains(&text)
        || PREFIXES.iter().any(|prefix| text.starts_with(prefix))
            && !text.ends_with('_')
            && text
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::{File, check};

    #[test]
    fn variables_that_the_page_lacks_are_found() {
        const PAGE: &str = "All read `AWS_A`.\n## The provider\n| `SCALR_BOTH` | both |\n\
                            ## `scalr-eventbridge`\n| `SCALR_TOKEN` | the provider's token |\nIt reads `SCALR_BOTH`.\n\
                            ## Where to look next\n`AWS_B`";
        let finds = |path: &str, text: &str, wanted: usize| {
            let file = |path: &str, text: &str| File {
                path: path.to_owned(),
                text: text.to_owned(),
            };
            let found = check(&[file("docs/guides/environment.md", PAGE), file(path, text)]);
            assert_eq!(found.len(), wanted, "{path} {text}: {found:?}");
        };
        finds("companion/src/a.rs", "var(\"SCALR_TOKEN\")", 0);
        finds("companion/src/a.rs", "var(\"SCALR_OTHER\")", 1);
        finds("provider/src/variables.rs", "\"SCALR_TOKEN\"", 1);
        finds(
            "provider/src/variables.rs",
            "\"AWS_A\", \"SCALR_BOTH\", \"AWS_B\"",
            0,
        );
        finds("provider/src/a.rs", "var(\"SCALR_BOTH\")", 1);
        finds("crates/tfplugin/src/a.rs", "var(\"SCALR_BOTH\")", 0);
        finds("crates/scalr-api/src/a.rs", "var(\"SCALR_TOKEN\")", 1);
        finds("crates/scalr-api/src/a.rs", "var(\"SCALR_BOTH\")", 0);
        finds("companion/src/a.rs", "var(\"NO_PROXY\")", 1);
        finds("provider/src/a.rs", "\"set `SCALR_OTHER`\", \"TF_TOKEN_\"", 0);
        finds(
            "provider/src/a.rs",
            "#[cfg(test)] mod tests { \"SCALR_OTHER\" }",
            0,
        );
        finds("provider/src/tests/a.rs", "\"SCALR_OTHER\"", 0);
        finds("crates/tfplugin/src/a.rs", "\"TF_PLUGIN_MAGIC_COOKIE\"", 0);
    }
}
