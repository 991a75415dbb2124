//! Environment variables that the programs read are on the page that lists them.

use super::file::File;

const PAGE: &str = "docs/guides/environment.md";
const PROGRAMS: [&str; 3] = ["provider/src/", "companion/src/", "crates/tfplugin/src/"];
const PREFIXES: [&str; 5] = ["AWS_", "SCALR_", "SSL_", "TERRAFORM_", "TF_"];
/// What Terraform sets for every plugin is no setting.
const CONTRACT: [&str; 1] = ["TF_PLUGIN_MAGIC_COOKIE"];

/// Finds those that are not.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let page = files.iter().find(|file| file.path == PAGE);
    let is_listed = |name: &str| page.is_some_and(|page| page.text.contains(&format!("`{name}`")));
    let code = files.iter().filter(|file| {
        let is_test = file.path.contains("/tests/") || file.path.ends_with("/tests.rs");
        file.is_rust() && !is_test && PROGRAMS.iter().any(|place| file.path.starts_with(place))
    });
    let mut found = Vec::new();
    for file in code {
        let code = file.text.split("#[cfg(test)]").next().unwrap_or_default();
        for name in code.split('"').skip(1).step_by(2).filter(|text| is_name(text)) {
            if !is_listed(name) && !CONTRACT.contains(&name) {
                found.push(format!("{}: `{name}` is not in {PAGE}", file.path));
            }
        }
    }
    found.dedup();
    found
}

/// A whole name, and not the beginning of names or a text about one.
fn is_name(text: &str) -> bool {
    PREFIXES.iter().any(|prefix| text.starts_with(prefix))
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
        let finds = |path: &str, text: &str, wanted: usize| {
            let file = |path: &str, text: &str| File {
                path: path.to_owned(),
                text: text.to_owned(),
            };
            let found = check(&[
                file("docs/guides/environment.md", "| `SCALR_TOKEN` |"),
                file(path, text),
            ]);
            assert_eq!(found.len(), wanted, "{path} {text}: {found:?}");
        };
        finds("companion/src/a.rs", "var(\"SCALR_TOKEN\")", 0);
        finds("companion/src/a.rs", "var(\"SCALR_OTHER\")", 1);
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
