//! Rules that read several files together: no Rust file outside the module tree, a folder's module in its `mod.rs`, every
//! migration in the migrator, a README in every crate, changelog fragments in their form.

use super::file::File;
use crate::changelog;

/// The migrations, and the code that lists them.
const MIGRATIONS: &str = "companion/src/store/migrations/";
const MIGRATOR: &str = "companion/src/store/migrations.rs";

/// What is wrong.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let mut found = orphans(files);
    found.extend(beside_folders(files));
    found.extend(migrations(files));
    found.extend(readmes(files));
    found.extend(fragments(files));
    found
}

/// Rust files below a `src/` that no parent declares: nothing compiles them.
fn orphans(files: &[File]) -> Vec<String> {
    let within_src = files
        .iter()
        .filter(|file| file.is_rust() && file.path.contains("src/") && !file.path.contains("/bin/"));
    let orphans = within_src.filter(|file| !is_declared(file, files));
    orphans
        .map(|file| format!("{}: no `mod` declares it, so nothing compiles it", file.path))
        .collect()
}

fn is_declared(file: &File, files: &[File]) -> bool {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let own = format!("mod {}", name.trim_end_matches(".rs"));
    let (parents, declaration) = match name {
        "lib.rs" | "main.rs" | "build.rs" => return true,
        "mod.rs" => {
            let (above, module) = folder.rsplit_once('/').unwrap_or(("", folder));
            (above, format!("mod {module}"))
        }
        _ => (folder, own),
    };
    let candidates = ["/lib.rs", "/main.rs", "/mod.rs", ".rs"].map(|end| format!("{parents}{end}"));
    let parents = files.iter().filter(|file| candidates.contains(&file.path));
    parents.into_iter().any(|parent| {
        let by_path = format!("#[path = \"{name}\"]");
        parent.text.contains(&by_path)
            || parent
                .text
                .match_indices(&declaration)
                .any(|(at, found)| parent.text[at + found.len()..].starts_with(';'))
    })
}

/// `a.rs` beside a folder `a/` of modules: a folder's own module is its `mod.rs`.
fn beside_folders(files: &[File]) -> Vec<String> {
    let is_folder = |folder: &str| {
        files
            .iter()
            .any(|file| file.is_rust() && file.path.starts_with(&format!("{folder}/")))
    };
    let beside = files.iter().filter_map(|file| {
        let folder = file.path.strip_suffix(".rs")?;
        is_folder(folder).then(|| format!("{}: move it to {folder}/mod.rs", file.path))
    });
    beside.collect()
}

/// Migrations that the migrator does not name are never applied.
fn migrations(files: &[File]) -> Vec<String> {
    let migrator = files.iter().find(|file| file.path == MIGRATOR);
    let steps = files.iter().filter_map(|file| file.path.strip_prefix(MIGRATIONS));
    // Each database has a folder of its own.
    let name = |step: &str| step.rsplit('/').next().map(|name| format!("\"{name}\""));
    let listed = |step: &str| {
        migrator
            .zip(name(step))
            .is_some_and(|(file, name)| file.text.contains(&name))
    };
    steps
        .filter(|step| !listed(step))
        .map(|step| format!("{MIGRATIONS}{step}: {MIGRATOR} does not name it, so it is never applied"))
        .collect()
}

fn readmes(files: &[File]) -> Vec<String> {
    let manifests = files.iter().filter_map(|file| {
        let folder = file.path.strip_suffix("/Cargo.toml")?;
        (!folder.ends_with("/fuzz")).then_some(folder)
    });
    let readmes = manifests.map(|folder| format!("{folder}/README.md"));
    readmes
        .filter(|readme| files.iter().all(|file| file.path != *readme))
        .map(|readme| format!("{readme}: missing: what the crate is, what it is not, one example"))
        .collect()
}

fn fragments(files: &[File]) -> Vec<String> {
    let fragments = files.iter().filter(|file| changelog::is_fragment(&file.path));
    let faults = fragments.flat_map(|file| {
        changelog::faults(&file.text)
            .into_iter()
            .map(move |fault| format!("{}: {fault}", file.path))
    });
    faults.collect()
}

#[cfg(test)]
mod tests {
    use super::{File, check};

    fn finds(files: &[(&str, &str)], expected: &[&str]) {
        let files: Vec<File> = files
            .iter()
            .map(|(path, text)| File {
                path: (*path).to_owned(),
                text: (*text).to_owned(),
            })
            .collect();
        let found = check(&files);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found} is not {expected}");
        }
    }

    #[test]
    fn a_file_that_no_module_declares_is_found() {
        finds(
            &[
                ("a/src/lib.rs", "mod b;"),
                ("a/src/b/mod.rs", "mod c;"),
                ("a/src/b/c.rs", ""),
            ],
            &[],
        );
        finds(
            &[("a/src/main.rs", "pub(crate) mod b;"), ("a/src/b/mod.rs", "")],
            &[],
        );
        finds(
            &[
                ("a/src/b/mod.rs", "#[path = \"x.y.rs\"]\nmod c;"),
                ("a/src/lib.rs", "mod b;"),
                ("a/src/b/x.y.rs", ""),
            ],
            &[],
        );
        finds(
            &[
                ("a/src/lib.rs", "mod bc; fn b() {}"),
                ("a/src/b.rs", ""),
                ("a/src/bc.rs", ""),
            ],
            &["a/src/b.rs: no `mod`"],
        );
        finds(
            &[("a/src/lib.rs", ""), ("a/src/b/mod.rs", "")],
            &["a/src/b/mod.rs: no `mod`"],
        );
        finds(&[("a/tests/it/common.rs", ""), ("a/examples/x/y.rs", "")], &[]);
    }

    #[test]
    fn a_module_beside_its_folder_is_found() {
        finds(
            &[
                ("a/src/lib.rs", "mod b;"),
                ("a/src/b.rs", "mod c;"),
                ("a/src/b/c.rs", ""),
            ],
            &["a/src/b.rs: move it to a/src/b/mod.rs"],
        );
        finds(
            &[
                ("a/src/lib.rs", "mod b;"),
                ("a/src/b.rs", ""),
                ("a/src/b/1.sql", ""),
            ],
            &[],
        );
    }

    #[test]
    fn a_migration_that_is_not_listed_is_found() {
        let files = |list: &'static str| {
            [
                ("companion/src/store/migrations/sqlite/0001_start.sql", ""),
                ("companion/src/store/migrations/postgres/0002_waiting.sql", ""),
                ("companion/src/store/mod.rs", "mod migrations;"),
                ("companion/src/store/migrations.rs", list),
            ]
        };
        let text = "files![1 \"0001_start.sql\", 2 \"0002_waiting.sql\"]";
        let root = ("companion/src/main.rs", "mod store;");
        finds(&[&files(text)[..], &[root]].concat(), &[]);
        let missing = "companion/src/store/migrations/postgres/0002_waiting.sql: companion/src/store/migrations.rs does not name it";
        finds(
            &[&files("files![1 \"0001_start.sql\"]")[..], &[root]].concat(),
            &[missing],
        );
    }

    #[test]
    fn a_crate_without_a_readme_is_found() {
        let manifest = ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n");
        finds(&[manifest], &["crates/a/README.md: missing"]);
        finds(&[manifest, ("crates/a/README.md", "")], &[]);
        finds(
            &[
                ("Cargo.toml", "[workspace]\n"),
                ("crates/a/fuzz/Cargo.toml", "name = \"b\""),
            ],
            &[],
        );
    }

    #[test]
    fn a_fragment_of_another_form_is_found() {
        finds(
            &[
                ("changelog.d/README.md", "Prose."),
                ("changelog.d/a.md", "- Docs: a.\n"),
            ],
            &[],
        );
        finds(&[("changelog.d/a.md", "Prose.\n")], &["changelog.d/a.md: line 1"]);
    }
}
