//! The journal on a disk that ends in the middle of a step, that is full, or whose bytes are not what was written.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::disk::{Disk, Machine};
use super::{DataError, Place};
use crate::change::Request;
use crate::config::Config;
use crate::delivery::http::HttpResult;
use crate::engine::Engine;
use crate::model::Service;
use crate::ops::Answer;

const FOLD_BYTES: u64 = 2_000;
const NEVER: usize = usize::MAX;

/// A disk that fails as it is told.
#[derive(Debug)]
struct Flaky {
    /// So many steps are done; the next is done by half, and none after it.
    steps: AtomicUsize,
    /// Writes longer than this find no room; half of such a write is done.
    room: AtomicUsize,
    syncs: AtomicUsize,
}

impl Flaky {
    fn new() -> Arc<Self> {
        let never = || AtomicUsize::new(NEVER);
        Arc::new(Self {
            steps: never(),
            room: never(),
            syncs: never(),
        })
    }

    fn dies_after(steps: usize) -> Arc<Self> {
        let disk = Self::new();
        disk.steps.store(steps, Ordering::SeqCst);
        disk
    }

    /// Whether this step is done, and whether the machine dies in the middle of it.
    fn step(&self) -> io::Result<bool> {
        match self.steps.load(Ordering::SeqCst) {
            0 => Err(io::Error::other("the machine is off")),
            NEVER => Ok(false),
            left => {
                self.steps.store(left - 1, Ordering::SeqCst);
                Ok(left == 1)
            }
        }
    }
}

impl Disk for Flaky {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.step()?;
        Machine.create(path)
    }

    fn append(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        let dies = self.step()?;
        let full = bytes.len() > self.room.load(Ordering::SeqCst);
        if dies || full {
            Machine.append(file, &bytes[..bytes.len() / 2])?;
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        Machine.append(file, bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.step()?;
        if self.syncs.load(Ordering::SeqCst) == 0 {
            return Err(io::Error::other("a block cannot be written"));
        }
        // Waiting for the real one tells nothing here.
        let _ = file;
        Ok(())
    }

    fn cut(&self, file: &File, bytes: u64) -> io::Result<()> {
        self.step()?;
        Machine.cut(file, bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        Machine.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        Machine.remove(path)
    }

    fn sync_names(&self, folder: &Path) -> io::Result<()> {
        let _ = folder;
        self.step().map(drop)
    }
}

fn place(dir: &Path, disk: Arc<dyn Disk>) -> Place {
    Place {
        dir: dir.to_owned(),
        fold_bytes: FOLD_BYTES,
        disk,
    }
}

fn open(dir: &Path, disk: Arc<dyn Disk>) -> Result<Engine, DataError> {
    Engine::open_at(&Config::default(), Some(&place(dir, disk))).map(|(engine, _)| engine)
}

async fn ask(engine: &Engine, operation: &str, body: Value) -> Answer {
    let (service, name) = operation.split_once('.').unwrap();
    let service = if service == "logs" {
        Service::Logs
    } else {
        Service::Events
    };
    let request = Request {
        service,
        operation: name.to_owned(),
        key: None,
        region: "eu-west-1".to_owned(),
        body,
        base_url: String::new(),
    };
    engine.call(&request).await
}

async fn make(engine: &Engine, bus: &str) -> bool {
    ask(engine, "events.CreateEventBus", json!({ "Name": bus }))
        .await
        .is_ok()
}

/// The buses that somebody made.
async fn made(engine: &Engine) -> Vec<String> {
    let listed = ask(engine, "events.ListEventBuses", json!({ "NamePrefix": "b-" }))
        .await
        .unwrap();
    let buses = listed["EventBuses"].as_array().unwrap().iter();
    buses
        .map(|bus| bus["Name"].as_str().unwrap().to_owned())
        .collect()
}

fn files(dir: &Path) -> Vec<String> {
    let files = fs::read_dir(dir).unwrap();
    files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn has_snapshot(dir: &Path) -> bool {
    files(dir).iter().any(|name| name.starts_with("snapshot-"))
}

fn world(engine: &Engine) -> Value {
    engine.look(|world| serde_json::to_value(world).unwrap())
}

/// Makes buses `b-00` and so on; tells how many were answered with success.
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
async fn a_machine_that_dies_at_any_step_has_all_it_answered() {
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
        // What was under way when it died may be there.
        assert!(
            (answered..=answered + 1).contains(&there.len()),
            "{answered} of {there:?} after {steps} steps"
        );
        assert!(make(&engine, "b-after").await, "it goes on after {steps} steps");
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
async fn a_snapshot_is_the_state() {
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
    let before = world(&engine);
    drop(engine);
    assert!(has_snapshot(dir.path()), "the journal was folded");
    let engine = open(dir.path(), Flaky::new()).unwrap();
    assert_eq!(world(&engine), before);
}

#[tokio::test]
async fn a_full_disk_refuses_whole_changes_and_takes_more_when_there_is_room() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    let engine = open(dir.path(), disk.clone()).unwrap();
    assert!(make(&engine, "b-1").await);
    let before = world(&engine);
    disk.room.store(10, Ordering::SeqCst);
    for _ in 0..2 {
        let refused = ask(&engine, "events.CreateEventBus", json!({ "Name": "b-2" }))
            .await
            .unwrap_err();
        assert_eq!((refused.status, refused.code), (500, "InternalFailure"));
        assert_eq!(world(&engine), before, "nothing of it is seen");
    }
    disk.room.store(NEVER, Ordering::SeqCst);
    assert!(make(&engine, "b-3").await);
    assert_eq!(made(&engine).await, ["b-1", "b-3"]);
    drop(engine);
    let engine = open(dir.path(), Flaky::new()).unwrap();
    assert_eq!(made(&engine).await, ["b-1", "b-3"]);
}

#[tokio::test]
async fn of_many_callers_at_a_full_disk_just_the_answered_stand() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    let engine = Arc::new(open(dir.path(), disk.clone()).unwrap());
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..40 {
        let (engine, disk) = (Arc::clone(&engine), disk.clone());
        callers.spawn(async move {
            if number == 20 {
                disk.room.store(10, Ordering::SeqCst);
            }
            let name = format!("b-{number:02}");
            make(&engine, &name).await.then_some(name)
        });
    }
    let mut answered: Vec<String> = callers.join_all().await.into_iter().flatten().collect();
    answered.sort();
    assert!(answered.len() < 40);
    disk.room.store(NEVER, Ordering::SeqCst);
    assert_eq!(made(&engine).await, answered);
}

#[tokio::test]
async fn no_room_for_a_snapshot_stops_nobody() {
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

#[tokio::test]
async fn after_a_failed_sync_nothing_is_answered_until_the_files_are_read_again() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    let engine = open(dir.path(), disk.clone()).unwrap();
    assert!(make(&engine, "b-1").await);
    disk.syncs.store(0, Ordering::SeqCst);
    assert!(!make(&engine, "b-2").await);
    disk.syncs.store(NEVER, Ordering::SeqCst);
    let refused = ask(&engine, "events.ListEventBuses", json!({}))
        .await
        .unwrap_err();
    assert!(
        refused.message.contains("start the local AWS again"),
        "{}",
        refused.message
    );
    drop(engine);
    let engine = open(dir.path(), Flaky::new()).unwrap();
    assert_eq!(made(&engine).await[0], "b-1");
}

const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:f";

/// A rule with a target that a URL stands for.
async fn with_outside_target(engine: &Engine) {
    let rule = json!({ "Name": "r", "EventPattern": "{\"source\":[\"s\"]}" });
    ask(engine, "events.PutRule", rule).await.unwrap();
    let targets = json!({ "Rule": "r", "Targets": [{ "Id": "1", "Arn": FUNCTION }] });
    ask(engine, "events.PutTargets", targets).await.unwrap();
}

async fn put_event(engine: &Engine) -> bool {
    let entry = json!({ "Source": "s", "DetailType": "t", "Detail": "{}" });
    ask(engine, "events.PutEvents", json!({ "Entries": [entry] }))
        .await
        .is_ok()
}

fn outside_config(url: Option<&str>) -> Config {
    Config {
        targets: url
            .map(|url| (FUNCTION.to_owned(), url.to_owned()))
            .into_iter()
            .collect(),
        ..Config::default()
    }
}

fn done() -> HttpResult {
    HttpResult::Status {
        status: 200,
        retry_after_seconds: None,
    }
}

#[tokio::test]
async fn a_delivery_of_a_refused_change_settles_no_other() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    let place = place(dir.path(), disk.clone());
    let (engine, mut jobs) =
        Engine::open_at(&outside_config(Some("http://127.0.0.1:9")), Some(&place)).unwrap();
    with_outside_target(&engine).await;
    disk.room.store(10, Ordering::SeqCst);
    assert!(!put_event(&engine).await);
    disk.room.store(NEVER, Ordering::SeqCst);
    assert!(put_event(&engine).await);
    let (refused, stands) = (jobs.recv().await.unwrap(), jobs.recv().await.unwrap());
    let waiting = |engine: &Engine| engine.look(|world| world.outbox.pending.len());
    engine.record_result(refused.id, done());
    assert_eq!(
        waiting(&engine),
        1,
        "the first outcome is of the event that was refused"
    );
    engine.record_result(stands.id, done());
    assert_eq!(waiting(&engine), 0);
}

#[tokio::test]
async fn after_a_refused_change_the_disk_numbers_deliveries_alike() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    let place = place(dir.path(), disk.clone());
    let config = outside_config(Some("http://127.0.0.1:9"));
    let (engine, mut jobs) = Engine::open_at(&config, Some(&place)).unwrap();
    with_outside_target(&engine).await;
    disk.room.store(10, Ordering::SeqCst);
    assert!(!put_event(&engine).await);
    disk.room.store(NEVER, Ordering::SeqCst);
    for _ in 0..2 {
        assert!(put_event(&engine).await);
    }
    let _refused = jobs.recv().await.unwrap();
    let (done_with, waits) = (jobs.recv().await.unwrap(), jobs.recv().await.unwrap());
    engine.record_result(done_with.id, done());
    drop(engine);
    let (engine, _jobs) = Engine::open_at(&config, Some(&place)).unwrap();
    let pending: Vec<u64> = engine.look(|world| world.outbox.pending.keys().copied().collect());
    assert_eq!(pending, [waits.id]);
}

#[tokio::test]
async fn a_delivery_from_before_a_reset_settles_no_other() {
    let (engine, mut jobs) = Engine::open_at(&outside_config(Some("http://127.0.0.1:9")), None).unwrap();
    let mut ids = Vec::new();
    for _ in 0..2 {
        with_outside_target(&engine).await;
        assert!(put_event(&engine).await);
        ids.push(jobs.recv().await.unwrap().id);
        engine.reset().await.unwrap();
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn urls_given_later_deliver_nothing_of_before() {
    let dir = TempDir::new().unwrap();
    let place = place(dir.path(), Flaky::new());
    let (engine, _jobs) = Engine::open_at(&outside_config(None), Some(&place)).unwrap();
    with_outside_target(&engine).await;
    assert!(
        put_event(&engine).await,
        "with no URL the invocation fails at once"
    );
    drop(engine);
    let (engine, mut jobs) =
        Engine::open_at(&outside_config(Some("http://127.0.0.1:9")), Some(&place)).unwrap();
    engine.tick();
    assert!(
        jobs.try_recv().is_err(),
        "an event of before is not delivered now"
    );
    assert!(put_event(&engine).await);
    assert!(jobs.try_recv().is_ok(), "one of now is");
}

/// A journal of eight buses, and where each of its lines ends.
fn journal() -> &'static (Vec<u8>, Vec<usize>) {
    static JOURNAL: OnceLock<(Vec<u8>, Vec<usize>)> = OnceLock::new();
    JOURNAL.get_or_init(|| {
        let dir = TempDir::new().unwrap();
        let engine = Engine::open_at(&Config::default(), Some(&Place::new(dir.path())))
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
fn an_end_that_a_crash_left_is_cut_off_and_damage_is_said() {
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
    assert_eq!(with(&|bytes| bytes.truncate(5)), Some(0), "a journal just begun");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_end_is_all_before_it_is_read(
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
    fn any_change_of_bytes_is_noticed(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
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
