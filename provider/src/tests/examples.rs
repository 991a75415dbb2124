//! What readers copy from the examples and the guides.

use std::path::{Path, PathBuf};

/// The files of a folder and of those in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

/// An activation that is shown depends on the targets, or on the subscribers of a custom event bus: those that it comes before do not get
/// the events that Scalr held.
#[test]
fn an_activation_comes_after_the_targets() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let shown = ["examples", "docs", "templates"].map(|folder| files(&root.join(folder)));
    let mut found = 0;
    let is_picture = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "png");
    for path in shown.iter().flatten().filter(|path| !is_picture(path)) {
        let text = std::fs::read_to_string(path).unwrap();
        for block in text.split("resource \"scalr_eventbridge_activation\"").skip(1) {
            let block = block.split("\n}").next().unwrap();
            let receivers = ["[scalr_eventbridge_target.", "[scalr_eventbridge_subscriber."];
            assert!(
                receivers.iter().any(|receiver| block.contains(receiver)),
                "{}: {block}",
                path.display()
            );
            found += 1;
        }
    }
    assert!(found > 5, "{found}");
}
