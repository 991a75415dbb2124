//! README and cookbook show the example as it is, every file of it.

use std::path::Path;

fn block(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/tiny")
        .join(file);
    format!("```rs\n{}```", std::fs::read_to_string(path).unwrap())
}

#[test]
fn the_readme_has_the_resource() {
    let readme = include_str!("../../README.md");
    assert!(
        readme.contains(&block("note.rs")),
        "put examples/tiny/note.rs into README.md"
    );
}

#[test]
fn the_cookbook_has_every_file() {
    let cookbook = include_str!("../../COOKBOOK.md");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/tiny");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            cookbook.contains(&block(&file)),
            "put examples/tiny/{file} into COOKBOOK.md"
        );
        assert!(
            cookbook.contains(&format!("`src/{file}`")),
            "say in COOKBOOK.md where {file} is"
        );
        files += 1;
    }
    assert_eq!(files, 5);
}
