//! Whoever finds a resource, data source or function by its name in HCL finds its code, its example, its page and its
//! test under that name: none may be missing, and none may be left over.

use std::collections::BTreeSet;

use super::File;

struct Kind {
    /// Where the code is.
    code: &'static str,
    /// Where examples are, and the file each must have.
    examples: &'static str,
    files: &'static [&'static str],
    /// Where the pages are.
    docs: &'static str,
    /// What HCL puts before the name; functions have no prefix in file names.
    prefix: &'static str,
}

const KINDS: [Kind; 3] = [
    Kind {
        code: "provider/src/resources/",
        examples: "examples/resources/",
        files: &["resource.tf"],
        docs: "docs/resources/",
        prefix: "scalr_",
    },
    Kind {
        code: "provider/src/data_sources/",
        examples: "examples/data-sources/",
        files: &["data-source.tf"],
        docs: "docs/data-sources/",
        prefix: "scalr_",
    },
    Kind {
        code: "provider/src/functions/",
        examples: "examples/functions/",
        files: &["function.tf"],
        docs: "docs/functions/",
        prefix: "",
    },
];

/// What is missing or left over.
pub(super) fn check(files: &[File]) -> Vec<String> {
    KINDS.iter().flat_map(|kind| kind_check(kind, files)).collect()
}

fn kind_check(kind: &Kind, files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    let mut names = BTreeSet::new();
    for file in files.iter().filter(|file| file.path.starts_with(kind.code)) {
        let Some(name) = registered(&file.text) else {
            continue;
        };
        names.insert(name.to_owned());
        let place = file.path.trim_start_matches(kind.code);
        if place != format!("{name}.rs") && !place.starts_with(&format!("{name}/")) {
            found.push(format!("{}: `{name}` lives in a file of that name", file.path));
        }
    }
    let has = |path: &str| files.iter().any(|file| file.path == path);
    for name in &names {
        let hcl = format!("{}{name}", kind.prefix);
        let example = |file: &&str| format!("{}{hcl}/{file}", kind.examples);
        let short = name.trim_start_matches("scalr_");
        let page = format!("{}{short}.md", kind.docs);
        let wanted = kind.files.iter().map(example).chain([page]);
        found.extend(
            wanted
                .filter(|path| !has(path))
                .map(|path| format!("{path}: missing, `{hcl}` has code")),
        );
        let tested = files
            .iter()
            .any(|file| file.path.starts_with("tests/it/") && file.text.contains(hcl.as_str()));
        if !tested {
            found.push(format!("tests/it: no case names `{hcl}`"));
        }
    }
    found.extend(left_over(kind, files, &names));
    found
}

fn left_over(kind: &Kind, files: &[File], names: &BTreeSet<String>) -> Vec<String> {
    let mut found = BTreeSet::new();
    for file in files {
        if let Some(rest) = file.path.strip_prefix(kind.examples) {
            let name = rest.split('/').next().unwrap_or_default();
            if !names.contains(name.trim_start_matches(kind.prefix)) {
                found.insert(format!(
                    "{}{name}: nothing registered has that name",
                    kind.examples
                ));
            }
        }
        if let Some(name) = file
            .path
            .strip_prefix(kind.docs)
            .and_then(|rest| rest.strip_suffix(".md"))
            && !names.contains(name)
        {
            found.insert(format!("{}: nothing registered has that name", file.path));
        }
    }
    found.into_iter().collect()
}

/// The name that an implementation in this file registers.
fn registered(text: &str) -> Option<&str> {
    let (_, after) = text.split_once("const NAME: &'static str = \"")?;
    after.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::{File, check};

    fn files(paths: &[(&str, &str)]) -> Vec<File> {
        paths
            .iter()
            .map(|(path, text)| File {
                path: (*path).to_owned(),
                text: (*text).to_owned(),
            })
            .collect()
    }

    const CODE: (&str, &str) = (
        "provider/src/resources/box.rs",
        "const NAME: &'static str = \"box\";",
    );
    const EXAMPLE: (&str, &str) = ("examples/resources/scalr_box/resource.tf", "");
    const PAGE: (&str, &str) = ("docs/resources/box.md", "");
    const TEST: (&str, &str) = ("tests/it/cases/box.rs", "scalr_box");

    #[test]
    fn a_whole_set_passes_and_each_gap_is_found() {
        assert_eq!(check(&files(&[CODE, EXAMPLE, PAGE, TEST])), Vec::<String>::new());
        assert_eq!(check(&files(&[CODE, PAGE, TEST])).len(), 1);
        assert_eq!(check(&files(&[CODE, EXAMPLE, TEST])).len(), 1);
        assert_eq!(check(&files(&[CODE, EXAMPLE, PAGE])).len(), 1);
        assert_eq!(check(&files(&[EXAMPLE, PAGE, TEST])).len(), 2);
    }
}
