//! The journal on a disk that ends in the middle of a step, that is full, or whose bytes are not what was written.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use super::{DataDir, DataError};
use crate::config::Config;
use crate::engine::Engine;
use crate::testing::flaky::{Flaky, NEVER, ask, made, make, open, world};

fn files(dir: &Path) -> Vec<String> {
    let files = fs::read_dir(dir).unwrap();
    files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn has_snapshot(dir: &Path) -> bool {
    files(dir).iter().any(|name| name.starts_with("snapshot-"))
}

/// Makes buses `b-00` and so on; gives how many were answered with success.
async fn make_many(engine: &Engine, count: usize) -> usize {
    let mut answered = 0;
    for number in 0..count {
        let ok = make(engine, &format!("b-{number:02}")).await;
        assert!(!ok || answered == number, "an answer after a failure");
        answered += usize::from(ok);
    }
    answered
}

#[tokio::test]
async fn a_crash_at_any_step_keeps_all_answered_changes() {
    let (mut steps, mut folded) = (0, false);
    loop {
        let dir = TempDir::new().unwrap();
        let disk = Flaky::dies_after(steps);
        let mut answered = 0;
        if let Ok(engine) = open(dir.path(), disk.clone()) {
            answered = make_many(&engine, 30).await;
        }
        let engine = open(dir.path(), Flaky::new()).unwrap();
        let there = made(&engine).await;
        let expected: Vec<String> = (0..there.len()).map(|number| format!("b-{number:02}")).collect();
        assert_eq!(there, expected, "after {steps} steps");
        // The write in progress at the crash may be there.
        assert!(
            (answered..=answered + 1).contains(&there.len()),
            "{answered} of {there:?} after {steps} steps"
        );
        assert!(make(&engine, "b-after").await, "it works after {steps} steps");
        drop(engine);
        let left = files(dir.path());
        assert!(left.len() <= 4, "{left:?} after {steps} steps");
        folded |= has_snapshot(dir.path());
        if disk.steps.load(Ordering::SeqCst) > 0 {
            break;
        }
        steps += 1;
    }
    assert!(steps > 60 && folded, "{steps} steps");
}

#[tokio::test]
async fn a_snapshot_restores_the_state() {
    let dir = TempDir::new().unwrap();
    let engine = open(dir.path(), Flaky::new()).unwrap();
    make_many(&engine, 3).await;
    let rule = json!({ "Name": "r", "EventBusName": "b-00", "EventPattern": "{\"source\":[\"s\"]}", "Tags": [{ "Key": "k", "Value": "v" }] });
    ask(&engine, "events.PutRule", rule).await.unwrap();
    ask(&engine, "logs.CreateLogGroup", json!({ "logGroupName": "g" }))
        .await
        .unwrap();
    let archive = json!({ "ArchiveName": "a", "EventSourceArn": "arn:aws:events:eu-west-1:123456789012:event-bus/b-00" });
    ask(&engine, "events.CreateArchive", archive).await.unwrap();
    for number in 0..40 {
        let detail = json!({ "n": number }).to_string();
        let entry = json!({ "Source": "s", "DetailType": "t", "Detail": detail, "EventBusName": "b-00" });
        ask(&engine, "events.PutEvents", json!({ "Entries": [entry] }))
            .await
            .unwrap();
    }
    let before = world(&engine).await;
    drop(engine);
    assert!(has_snapshot(dir.path()), "the journal was folded");
    let engine = open(dir.path(), Flaky::new()).unwrap();
    assert_eq!(world(&engine).await, before);
}

#[tokio::test]
async fn without_room_for_a_snapshot_changes_are_still_stored() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    disk.room.store(1_000, Ordering::SeqCst);
    let engine = open(dir.path(), disk.clone()).unwrap();
    assert_eq!(make_many(&engine, 30).await, 30);
    let folded = || has_snapshot(dir.path());
    assert!(!folded());
    disk.room.store(NEVER, Ordering::SeqCst);
    for number in 30..99 {
        assert!(make(&engine, &format!("b-{number:02}")).await);
    }
    assert!(folded(), "folded when there was room");
}

/// A snapshot of a queue that grows as the journal does would be as long.
#[tokio::test]
async fn the_journal_is_not_folded_while_the_state_is_as_long() {
    let dir = TempDir::new().unwrap();
    let engine = open(dir.path(), Flaky::new()).unwrap();
    ask(&engine, "sqs.CreateQueue", json!({ "QueueName": "q" }))
        .await
        .unwrap();
    let url = "http://h/123456789012/q";
    let send = async |count: usize| {
        for _ in 0..count {
            let message = json!({ "QueueUrl": url, "MessageBody": "x".repeat(2_000) });
            ask(&engine, "sqs.SendMessage", message).await.unwrap();
        }
    };
    send(20).await;
    assert!(!has_snapshot(dir.path()));
    ask(&engine, "sqs.PurgeQueue", json!({ "QueueUrl": url }))
        .await
        .unwrap();
    send(15).await;
    let before = world(&engine).await;
    drop(engine);
    assert!(has_snapshot(dir.path()));
    let engine = open(dir.path(), Flaky::new()).unwrap();
    assert_eq!(world(&engine).await, before);
}

/// A journal of eight buses, and where each of its lines ends.
fn journal() -> &'static (Vec<u8>, Vec<usize>) {
    static JOURNAL: OnceLock<(Vec<u8>, Vec<usize>)> = OnceLock::new();
    JOURNAL.get_or_init(|| {
        let dir = TempDir::new().unwrap();
        let engine = Engine::open_at(&Config::default(), Some(&DataDir::new(dir.path())))
            .unwrap()
            .0;
        runtime().block_on(make_many(&engine, 8));
        drop(engine);
        let bytes = fs::read(dir.path().join("journal-0.ndjson")).unwrap();
        let ends = (1..=bytes.len()).filter(|at| bytes[at - 1] == b'\n').collect();
        (bytes, ends)
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// How many buses a journal of these bytes has.
fn buses_in(bytes: &[u8]) -> Result<usize, DataError> {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("journal-0.ndjson"), bytes).unwrap();
    let engine = open(dir.path(), Flaky::new())?;
    Ok(runtime().block_on(made(&engine)).len())
}

#[test]
fn a_torn_end_is_truncated_and_corruption_is_refused() {
    let (whole, ends) = journal();
    let last = ends[7];
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        buses_in(&bytes).ok()
    };
    assert_eq!(with(&|_| ()), Some(8));
    assert_eq!(with(&|bytes| bytes.truncate(last)), Some(7));
    assert_eq!(with(&|bytes| bytes.truncate(last + 12)), Some(7), "half a line");
    assert_eq!(
        with(&|bytes| bytes[last + 60] ^= 1),
        Some(7),
        "a bit of the last line"
    );
    assert_eq!(
        with(&|bytes| bytes.extend(b"no entry\nnor this\n")),
        Some(8),
        "lines after the last"
    );
    assert_eq!(
        with(&|bytes| bytes[last - 20..].fill(0)),
        Some(6),
        "a block that never came"
    );
    assert_eq!(
        with(&|bytes| bytes[ends[3] + 5..ends[4] - 1].fill(0)),
        Some(3),
        "one before others that came"
    );
    assert_eq!(
        with(&|bytes| bytes[ends[3] + 60] ^= 1),
        None,
        "a bit of a line in the middle"
    );
    assert_eq!(with(&|bytes| bytes[2] = b'x'), None, "the first line");
    assert_eq!(
        with(&|bytes| *bytes = b"something else".to_vec()),
        None,
        "another file"
    );
    assert_eq!(
        with(&|bytes| bytes.truncate(5)),
        Some(0),
        "a journal without entries"
    );
}

/// What opening a directory says after one of its files was changed; the directory has a snapshot.
fn opening_after(change: impl FnOnce(&Path)) -> String {
    let dir = TempDir::new().unwrap();
    let engine = open(dir.path(), Flaky::new()).unwrap();
    runtime().block_on(make_many(&engine, 60));
    drop(engine);
    assert!(has_snapshot(dir.path()));
    change(dir.path());
    match open(dir.path(), Flaky::new()) {
        Ok(_) => "it opens".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// The file whose name begins with this.
fn file(dir: &Path, begin: &str) -> std::path::PathBuf {
    let name = files(dir).into_iter().find(|name| name.starts_with(begin));
    dir.join(name.unwrap())
}

#[test]
fn a_file_that_was_cut_to_no_bytes_or_removed_is_damage() {
    assert_eq!(opening_after(|_| ()), "it opens");
    for begin in ["journal-", "snapshot-"] {
        let said = opening_after(|dir| fs::write(file(dir, begin), "").unwrap());
        assert!(said.contains(begin) && said.contains("no bytes"), "{said}");
        assert!(said.contains("move the directory away"), "{said}");
        let said = opening_after(|dir| fs::remove_file(file(dir, begin)).unwrap());
        assert!(said.contains("is missing"), "{begin}: {said}");
    }
    let first = TempDir::new().unwrap();
    fs::write(first.path().join("journal-0.ndjson"), "").unwrap();
    let said = open(first.path(), Flaky::new()).unwrap_err().to_string();
    assert!(
        said.contains("journal-0.ndjson") && said.contains("no bytes"),
        "{said}"
    );
}

#[test]
fn a_disk_that_is_full_at_the_start_is_named() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    disk.room.store(5, Ordering::SeqCst);
    let said = open(dir.path(), disk).unwrap_err().to_string();
    assert!(
        said.contains("journal-0.ndjson") && said.contains("make room"),
        "{said}"
    );
    assert!(open(dir.path(), Flaky::new()).is_ok(), "with room it starts");
}

/// A directory of the version before is written in this one at the start.
#[test]
fn an_upgrade_that_cannot_be_written_says_why() {
    let check = |room, in_the_way: &str, expected: &[&str]| {
        let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
        fs::write(dir.path().join("journal-0.ndjson"), "{\"journal\":2}\n").unwrap();
        fs::create_dir_all(dir.path().join(in_the_way)).unwrap();
        disk.room.store(room, Ordering::SeqCst);
        let said = open(dir.path(), disk).unwrap_err().to_string();
        for part in expected {
            assert!(said.contains(part), "{said}");
        }
    };
    check(5, "", &["make room", "snapshot.tmp"]);
    check(
        NEVER,
        "snapshot.tmp",
        &["cannot be read or written", "snapshot.tmp"],
    );
    check(
        NEVER,
        "journal-1.ndjson",
        &["cannot be read or written", "journal-1.ndjson"],
    );
}

#[cfg(unix)]
#[test]
fn files_are_their_owner_s_and_old_ones_become_so() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let all_private = |dir: &Path| {
        assert_eq!(mode(dir), 0o700);
        for name in files(dir) {
            assert_eq!(mode(&dir.join(&name)), 0o600, "{name}");
        }
    };
    let root = TempDir::new().unwrap();
    let dir = root.path().join("data");
    let engine = open(&dir, Flaky::new()).unwrap();
    runtime().block_on(make_many(&engine, 60));
    drop(engine);
    assert!(has_snapshot(&dir));
    all_private(&dir);
    for name in files(&dir) {
        fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o644)).unwrap();
    }
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
    drop(open(&dir, Flaky::new()).unwrap());
    all_private(&dir);
    // What is somebody else's is left.
    fs::write(dir.join("notes"), "").unwrap();
    fs::set_permissions(dir.join("notes"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
    drop(open(&dir, Flaky::new()).unwrap());
    assert_eq!((mode(&dir), mode(&dir.join("notes"))), (0o755, 0o644));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn all_entries_before_a_torn_end_are_read(
        cut in any::<prop::sample::Index>(),
        tail in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(0)], 0..200),
    ) {
        let (written, ends) = journal();
        let mut bytes = written.clone();
        let at = ends[0] + cut.index(bytes.len() - ends[0] + 1);
        bytes.truncate(at);
        bytes.extend(tail);
        // The tail may begin with what was cut off.
        let kept = written.iter().zip(&bytes).take_while(|(one, other)| one == other).count();
        let whole = ends.iter().filter(|end| **end <= kept).count() - 1;
        prop_assert_eq!(buses_in(&bytes).ok(), Some(whole));
    }

    #[test]
    fn any_changed_byte_is_detected(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let (whole, ends) = journal();
        let mut bytes = whole.clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let first = (0..whole.len()).find(|at| whole[*at] != bytes[*at]).unwrap_or(whole.len());
        let before = ends.iter().filter(|end| **end <= first).count().saturating_sub(1);
        match buses_in(&bytes) {
            Ok(read) => prop_assert_eq!(read, before.min(8)),
            Err(DataError::Damaged { .. }) => {}
            Err(other) => prop_assert!(false, "{:?}", other),
        }
    }
}
