//! Whoever finds a resource, data source, list, action, ephemeral resource or function by its name in HCL finds its code, its example, its page and its
//! test under that name: none may be missing, and none may be left over.

use std::collections::{BTreeMap, BTreeSet};

use super::file::File;

/// The table of acceptance cases.
const CASES: &str = "tests/it/cases/mod.rs";
/// Where the provider's in-process tests are, whose messages the snapshots hold.
const IN_PROCESS: &str = "provider/src/tests/";

struct Kind {
    /// Where the code is.
    code: &'static str,
    /// Where examples are, and the file each must have.
    examples: &'static str,
    files: &'static [&'static str],
    /// Where the pages are.
    docs: &'static str,
    /// Whether each has a file of acceptance cases of its own; else some case has to name it.
    own_cases: bool,
    /// Whether each is a folder; else it is a file, which may have a folder of further files.
    folder: bool,
    /// What HCL puts before the name; functions have no prefix in file names.
    prefix: &'static str,
}

const KINDS: [Kind; 6] = [
    Kind {
        code: "provider/src/resources/",
        examples: "examples/resources/",
        files: &["resource.tf", "versions.tf"],
        docs: "docs/resources/",
        own_cases: true,
        folder: true,
        prefix: "scalr_",
    },
    Kind {
        code: "provider/src/data_sources/",
        examples: "examples/data-sources/",
        files: &["data-source.tf", "versions.tf"],
        docs: "docs/data-sources/",
        own_cases: false,
        folder: false,
        prefix: "scalr_",
    },
    Kind {
        code: "provider/src/lists/",
        examples: "examples/list-resources/",
        files: &["list-resource.tfquery.hcl", "versions.tf"],
        docs: "docs/list-resources/",
        own_cases: false,
        folder: false,
        prefix: "scalr_",
    },
    Kind {
        code: "provider/src/actions/",
        examples: "examples/actions/",
        files: &["action.tf", "versions.tf"],
        docs: "docs/actions/",
        own_cases: false,
        folder: false,
        prefix: "scalr_",
    },
    Kind {
        code: "provider/src/ephemeral_resources/",
        examples: "examples/ephemeral-resources/",
        files: &["ephemeral-resource.tf", "versions.tf"],
        docs: "docs/ephemeral-resources/",
        own_cases: false,
        folder: false,
        prefix: "scalr_",
    },
    Kind {
        code: "provider/src/functions/",
        examples: "examples/functions/",
        files: &["function.tf", "versions.tf"],
        docs: "docs/functions/",
        own_cases: false,
        folder: false,
        prefix: "",
    },
];

/// What is missing or left over.
pub(super) fn check(files: &[File]) -> Vec<String> {
    KINDS.iter().flat_map(|kind| kind_check(kind, files)).collect()
}

fn kind_check(kind: &Kind, files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    let mut names = BTreeMap::new();
    for file in files.iter().filter(|file| file.path.starts_with(kind.code)) {
        let Some(name) = registered(&file.text).or_else(|| listed(file)) else {
            continue;
        };
        names.insert(
            name.to_owned(),
            file.text.contains("const IMPORTABLE: bool = false"),
        );
        let wanted = place(kind, name);
        if file.path != wanted {
            found.push(format!("{}: `{name}` belongs in {wanted}", file.path));
        }
    }
    for (name, not_importable) in &names {
        found.extend(missing(kind, files, name, !not_importable));
    }
    found.extend(left_over(kind, files, &names.into_keys().collect()));
    found
}

/// Where the code of a name is.
fn place(kind: &Kind, name: &str) -> String {
    let file = if kind.folder { "/mod.rs" } else { ".rs" };
    format!("{}{name}{file}", kind.code)
}

/// What one registered name lacks.
fn missing(kind: &Kind, files: &[File], name: &str, importable: bool) -> Vec<String> {
    let hcl = format!("{}{name}", kind.prefix);
    let imports: &[&str] = if kind.own_cases && importable {
        &["import.sh", "import-by-identity.tf"]
    } else {
        &[]
    };
    let examples = kind.files.iter().chain(imports);
    let examples = examples.map(|file| format!("{}{hcl}/{file}", kind.examples));
    let cases = kind.own_cases.then(|| format!("tests/it/cases/{name}.rs"));
    let is_there = |path: &String| files.iter().any(|file| file.path == *path);
    let wanted = examples.chain(cases).filter(|path| !is_there(path));
    let mut found: Vec<_> = wanted
        .map(|path| format!("{path}: missing, `{hcl}` has code"))
        .collect();
    let page = format!("{}{name}.md", kind.docs);
    if !is_there(&page) {
        found.push(format!(
            "{page}: missing, `{hcl}` has code: run `cargo xtask docs`"
        ));
    }
    found.extend(unlisted(kind, files, name));
    let tested = files
        .iter()
        .any(|file| file.path.starts_with("tests/it/") && names(&file.text, &hcl));
    if !tested {
        found.push(format!("tests/it: no case names `{hcl}`"));
    }
    found
}

/// Lists that a name is missing from: without its line nothing registers it, or nothing runs its cases.
fn unlisted(kind: &Kind, files: &[File], name: &str) -> Vec<String> {
    let holds = |path: &str, line: &str| {
        files
            .iter()
            .any(|file| file.path == path && file.text.contains(line))
    };
    let mut found = Vec::new();
    let list = format!("{}mod.rs", kind.code);
    if !holds(&list, &format!("::<{name}::")) {
        found.push(format!("{list}: does not register `{name}`"));
    }
    if kind.own_cases && !holds(CASES, &format!("{name}::cases")) {
        found.push(format!("{CASES}: the table lacks `{name}::cases`"));
    }
    let hcl = format!("{}{name}", kind.prefix);
    let in_process = |file: &File| file.path.starts_with(IN_PROCESS) && names(&file.text, &hcl);
    if kind.own_cases && !files.iter().any(in_process) {
        found.push(format!("{IN_PROCESS}: no in-process test names `{hcl}`"));
    }
    found
}

/// Whether a text holds the name as a whole word: `event_pattern_matches` is no `event_pattern`.
fn names(text: &str, name: &str) -> bool {
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(name).any(|(at, _)| {
        !inside(text[..at].chars().next_back()) && !inside(text[at + name.len()..].chars().next())
    })
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

/// The resource whose objects this file lists, which has the file's name.
fn listed(file: &File) -> Option<&str> {
    let (_, name) = file.path.rsplit_once('/')?;
    let is_list = file.text.contains("impl List for ");
    name.strip_suffix(".rs").filter(|_| is_list)
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
        "provider/src/resources/box/mod.rs",
        "const NAME: &'static str = \"box\";",
    );
    const EXAMPLE: (&str, &str) = ("examples/resources/scalr_box/resource.tf", "");
    const VERSIONS: (&str, &str) = ("examples/resources/scalr_box/versions.tf", "");
    const IMPORT: (&str, &str) = ("examples/resources/scalr_box/import.sh", "");
    const IDENTITY: (&str, &str) = ("examples/resources/scalr_box/import-by-identity.tf", "");
    const PAGE: (&str, &str) = ("docs/resources/box.md", "");
    const TEST: (&str, &str) = ("tests/it/cases/box.rs", "scalr_box");
    const REGISTRY: (&str, &str) = (
        "provider/src/resources/mod.rs",
        "registry.resource::<box::Box>();",
    );
    const TABLE: (&str, &str) = ("tests/it/cases/mod.rs", "box::cases,");
    const UNIT: (&str, &str) = ("provider/src/tests/scalr/box.rs", "\"scalr_box\"");
    const ALL: [(&str, &str); 10] = [
        CODE, REGISTRY, UNIT, EXAMPLE, VERSIONS, IMPORT, IDENTITY, PAGE, TEST, TABLE,
    ];

    #[test]
    fn a_whole_set_passes_and_each_gap_is_found() {
        assert_eq!(check(&files(&ALL)), Vec::<String>::new());
        for (gap, found) in [
            (EXAMPLE, 1),
            (VERSIONS, 1),
            (IMPORT, 1),
            (IDENTITY, 1),
            (PAGE, 1),
            (TEST, 2),
            (CODE, 2),
            (REGISTRY, 1),
            (TABLE, 1),
            (UNIT, 1),
        ] {
            let rest: Vec<_> = ALL.into_iter().filter(|file| *file != gap).collect();
            let said = check(&files(&rest));
            assert_eq!(said.len(), found, "without {}: {said:?}", gap.0);
        }
    }

    #[test]
    fn a_name_has_one_place() {
        let check = |path: &str, text: &str, expected: &[&str]| {
            let rest = files(&[EXAMPLE, IMPORT, IDENTITY, PAGE, TEST, (path, text)]);
            let said = check(&rest);
            let misplaced: Vec<_> = said.iter().filter(|line| line.contains("belongs in")).collect();
            assert_eq!(misplaced, expected, "{path}");
        };
        let elsewhere = |path: &str, place: &str| format!("{path}: `box` belongs in {place}");
        check(CODE.0, CODE.1, &[]);
        for path in [
            "provider/src/resources/crate.rs",
            "provider/src/resources/box/schema.rs",
        ] {
            check(
                path,
                CODE.1,
                &[&elsewhere(path, "provider/src/resources/box/mod.rs")],
            );
        }
        let path = "provider/src/functions/box/mod.rs";
        check(path, CODE.1, &[&elsewhere(path, "provider/src/functions/box.rs")]);
        check("provider/src/functions/box.rs", CODE.1, &[]);
    }

    #[test]
    fn a_list_has_an_example_and_a_page() {
        let all = [
            ("provider/src/lists/box.rs", "impl List for Boxes {}"),
            ("provider/src/lists/mod.rs", "registry.list::<box::Boxes>();"),
            ("examples/list-resources/scalr_box/list-resource.tfquery.hcl", ""),
            ("examples/list-resources/scalr_box/versions.tf", ""),
            ("docs/list-resources/box.md", ""),
            ("tests/it/cases/query.rs", "scalr_box"),
        ];
        assert_eq!(check(&files(&all)), Vec::<String>::new());
        for at in 1..all.len() {
            let rest: Vec<_> = all
                .iter()
                .enumerate()
                .filter(|(n, _)| *n != at)
                .map(|(_, file)| *file)
                .collect();
            assert_eq!(check(&files(&rest)).len(), 1, "without {}", all[at].0);
        }
    }

    #[test]
    fn what_cannot_be_imported_has_no_example_of_it() {
        let code = (
            CODE.0,
            "const NAME: &'static str = \"box\"; const IMPORTABLE: bool = false;",
        );
        assert_eq!(
            check(&files(&[
                code, REGISTRY, UNIT, EXAMPLE, VERSIONS, PAGE, TEST, TABLE
            ])),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_longer_name_is_another_one() {
        let test = (TEST.0, "scalr_box_lid");
        let rest = ALL.into_iter().filter(|file| *file != TEST);
        let said = check(&files(&rest.chain([test]).collect::<Vec<_>>()));
        assert_eq!(said, ["tests/it: no case names `scalr_box`"]);
    }
}
