//! Files that an earlier build wrote: what users have on disk leads to the same state.
//!
//! `tests/golden/journal` has every kind of change, each operation that writes among them. `tests/golden/snapshot` has
//! a snapshot of the state after most of it, and the rest of it as that snapshot's journal. Both are as they were
//! written, and no change of the code may touch them. `world.json` is the state that both lead to, but for what the
//! snapshot lacks; a field that is added to the state shows up there, and `UPDATE_EXPECT=1` writes it.

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use serde_json::Value;
use tempfile::TempDir;

use super::DataDir;
use super::files::read_journal;
use crate::config::Config;
use crate::disk::Machine;
use crate::engine::Engine;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// A copy of one of the directories: opening one writes to it.
fn copy(name: &str) -> TempDir {
    let dir = TempDir::new().unwrap();
    for file in fs::read_dir(golden(name)).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
    }
    dir
}

/// As the last start wrote it down, so that this one has nothing to add.
fn config() -> Config {
    let url = |arn: &str, url: &str| (arn.to_owned(), url.to_owned());
    Config {
        targets: vec![
            url(
                "arn:aws:lambda:eu-west-1:222222222222:function:f",
                "http://127.0.0.1:9/f",
            ),
            url("arn:aws:sns:eu-west-1:222222222222:topic", "http://127.0.0.1:9/t"),
        ],
        ..Config::default()
    }
}

/// The whole state that the files of a directory lead to, as a snapshot would have it.
async fn state(name: &str) -> String {
    let dir = copy(name);
    let (engine, _jobs) = Engine::open_at(&config(), Some(&DataDir::new(dir.path()))).unwrap();
    let look = engine.look(|world| serde_json::to_string_pretty(world).unwrap());
    look.await.unwrap() + "\n"
}

/// The state without what the old snapshot does not have: the order in which targets were put, and when requests were sent.
fn without_later_members(text: &str) -> String {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.remove("places");
                members.remove("began");
                members.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut world = serde_json::from_str(text).unwrap();
    strip(&mut world);
    serde_json::to_string_pretty(&world).unwrap()
}

#[tokio::test]
async fn an_old_journal_leads_to_the_same_state() {
    expect_file![golden("world.json")].assert_eq(&state("journal").await);
}

#[tokio::test]
async fn an_old_snapshot_and_what_came_after_it_lead_to_the_same_state() {
    let world = fs::read_to_string(golden("world.json")).unwrap();
    let [expected, found] = [world, state("snapshot").await].map(|text| without_later_members(&text));
    assert_eq!(found, expected);
}

#[test]
fn entries_are_written_as_they_were() {
    let dir = copy("journal");
    let path = dir.path().join("journal-0.ndjson");
    let mut written = Vec::new();
    read_journal(&Machine, &path, dir.path(), |entry| {
        written.push(serde_json::to_string(&entry).unwrap());
        Ok(())
    })
    .unwrap();
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().skip(1).map(|line| &line["12345678 ".len()..]);
    assert_eq!(written, lines.collect::<Vec<_>>());
}
