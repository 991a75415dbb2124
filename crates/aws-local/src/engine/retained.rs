//! Events of custom event buses on a disk that ends in the middle of a step, that is full, or that an earlier version wrote.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::Engine;
use crate::config::Config;
use crate::disk::Disk;
use crate::fault::Fault;
use crate::testing::flaky::{Flaky, NEVER, ask, data_dir, make, world};

const QUEUE: &str = "arn:aws:sqs:eu-west-1:123456789012:q";
const ROLE: &str = "arn:aws:iam::123456789012:role/r";

/// Nothing takes time.
fn config() -> Config {
    let mut config = Config::default();
    config.assumptions.creating_ms = 0;
    config.assumptions.subscriber_change_ms = 0;
    config
}

fn open(dir: &Path, disk: Arc<dyn Disk>) -> Option<Engine> {
    let opened = Engine::open_at(&config(), Some(&data_dir(dir, disk)));
    opened.map(|(engine, _)| engine).ok()
}

/// A bus with a subscriber that leads to a queue; gives the bus's ARN.
async fn begin(engine: &Engine) -> Result<String, Fault> {
    ask(engine, "sqs.CreateQueue", json!({ "QueueName": "q" })).await?;
    let bus = ask(engine, "eventsv2.CreateEventBus", json!({ "Name": "b" })).await?;
    let arn = bus["EventBusArn"].as_str().unwrap().to_owned();
    subscribe(engine, &arn, "s", json!({})).await?;
    Ok(arn)
}

async fn subscribe(engine: &Engine, bus: &str, name: &str, more: Value) -> Result<String, Fault> {
    let mut body = json!({
        "Name": name,
        "EventBusArn": bus,
        "InvokeConfiguration": { "TargetArn": QUEUE, "RoleArn": ROLE },
    });
    for (member, value) in more.as_object().unwrap() {
        body[member] = value.clone();
    }
    let made = ask(engine, "eventsv2.CreateSubscriber", body).await?;
    Ok(made["SubscriberArn"].as_str().unwrap().to_owned())
}

/// Publishes an event with this number; whether it was accepted.
async fn put(engine: &Engine, bus: &str, number: usize) -> bool {
    let detail = json!({ "n": number, "text": "kept-apart ".repeat(10) }).to_string();
    let entry = json!({ "Source": "s", "DetailType": "t", "Detail": detail });
    let put = ask(
        engine,
        "eventsv2.PutEvents",
        json!({ "EventBusArn": bus, "Entries": [entry] }),
    );
    put.await.is_ok_and(|answer| answer["FailedEntryCount"] == 0)
}

/// The numbers of all messages that are in the queue, in order.
async fn received(engine: &Engine) -> Vec<u64> {
    let mut numbers = Vec::new();
    loop {
        let body = json!({ "QueueUrl": "http://h/123456789012/q", "MaxNumberOfMessages": 10 });
        let answer = ask(engine, "sqs.ReceiveMessage", body).await.unwrap();
        let Some(messages) = answer["Messages"].as_array() else {
            break;
        };
        for message in messages {
            let event: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
            numbers.push(event["detail"]["n"].as_u64().unwrap());
        }
    }
    numbers.sort_unstable();
    numbers
}

/// Stops the subscriber, or has it go on.
async fn set_state(engine: &Engine, subscriber: &str, state: &str) -> bool {
    let body = json!({ "SubscriberArn": subscriber, "State": state });
    ask(engine, "eventsv2.UpdateSubscriber", body).await.is_ok()
}

/// Gives how many events were accepted.
async fn publish_all(engine: &Engine) -> usize {
    let Ok(bus) = begin(engine).await else {
        return 0;
    };
    let mut accepted = 0;
    for number in 1..=20 {
        if !put(engine, &bus, number).await {
            break;
        }
        accepted += 1;
    }
    accepted
}

#[tokio::test]
async fn a_crash_at_any_step_loses_no_accepted_event() {
    let mut steps = 0;
    loop {
        let (dir, disk) = (TempDir::new().unwrap(), Flaky::dies_after(steps));
        let mut accepted = 0;
        if let Some(engine) = open(dir.path(), disk.clone()) {
            accepted = publish_all(&engine).await;
        }
        let engine = open(dir.path(), Flaky::new()).unwrap_or_else(|| panic!("after {steps} steps"));
        if accepted > 0 {
            let there = received(&engine).await;
            let count = there.len() as u64;
            assert_eq!(there, (1..=count).collect::<Vec<u64>>(), "after {steps} steps");
            // The event that was being written may be there.
            assert!(
                (accepted..=accepted + 1).contains(&there.len()),
                "{accepted} {there:?}"
            );
        }
        if disk.steps.load(Ordering::SeqCst) > 0 {
            break;
        }
        steps += 7;
    }
    assert!(steps > 50, "{steps} steps");
}

/// The journal up to the entry of the last call, and where the events of that call are in the segment.
fn last_write(dir: &Path) -> (Vec<u8>, std::ops::Range<usize>) {
    let journal = fs::read_to_string(dir.join("journal-0.ndjson")).unwrap();
    let (before, last) = journal.rsplit_once("{\"batch\":").unwrap();
    let (line, entries) = last.split_once('\n').unwrap();
    let line: Value = serde_json::from_str(&format!("{{\"batch\":{line}")).unwrap();
    let place = |of: &Value| usize::try_from(of.as_u64().unwrap()).unwrap();
    let end = journal.len() - entries.len() + place(&line["batch"]["bytes"]);
    assert!(before.contains("published"), "an earlier one");
    let [stretch] = line["batch"]["segments"].as_array().unwrap().as_slice() else {
        panic!("{line}");
    };
    let journal = journal[..end].into();
    (journal, place(&stretch["from"])..place(&stretch["to"]))
}

/// The entry names the events: where some are missing, it is cut off with them.
#[tokio::test]
async fn a_call_whose_events_did_not_get_to_the_disk_is_cut_off() {
    let dir = TempDir::new().unwrap();
    let mut disk = data_dir(dir.path(), Flaky::new());
    disk.fold_bytes = u64::MAX;
    let open = || Engine::open_at(&config(), Some(&disk)).unwrap().0;
    let first = open();
    let bus = begin(&first).await.unwrap();
    for number in 1..=3 {
        assert!(put(&first, &bus, number).await);
    }
    drop(first);
    let path = dir.path().join("segments/segment-1.events");
    let (journal, events) = last_write(dir.path());
    let whole = fs::read(&path).unwrap();
    for at in events.clone().step_by(7).chain([events.end - 1, events.end]) {
        let mut changed = whole.clone();
        if let Some(byte) = changed.get_mut(at) {
            *byte ^= 0x10;
        }
        for segment in [&whole[..at], &changed] {
            fs::write(dir.path().join("journal-0.ndjson"), &journal).unwrap();
            fs::write(&path, segment).unwrap();
            let engine = open();
            let expected = if segment == whole {
                vec![1, 2, 3]
            } else {
                vec![1, 2]
            };
            assert_eq!(received(&engine).await, expected, "{at}");
            assert!(put(&engine, &bus, 4).await);
            assert_eq!(received(&engine).await, [4], "{at}");
        }
    }
}

#[tokio::test]
async fn what_a_full_disk_refuses_is_neither_kept_nor_delivered() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    let engine = open(dir.path(), disk.clone()).unwrap();
    let bus = begin(&engine).await.unwrap();
    assert!(put(&engine, &bus, 1).await);
    disk.room.store(200, Ordering::SeqCst);
    assert!(!put(&engine, &bus, 2).await);
    disk.room.store(NEVER, Ordering::SeqCst);
    assert!(put(&engine, &bus, 3).await);
    assert_eq!(received(&engine).await, [1, 3]);
}

/// A bus whose subscriber runs and is behind by more than a page, of which nothing has been read; gives the ARNs of both.
async fn fall_behind(engine: &Engine) -> [String; 2] {
    let bus = begin(engine).await.unwrap();
    let listed = ask(engine, "eventsv2.ListSubscribers", json!({ "EventBusArn": bus })).await;
    let arn = listed.unwrap()["Subscribers"][0]["SubscriberArn"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(set_state(engine, &arn, "STOPPED").await);
    let detail = json!({ "text": "x".repeat(100_000) }).to_string();
    let entry = json!({ "Source": "s", "DetailType": "t", "Detail": detail });
    let put = json!({ "EventBusArn": bus, "Entries": [entry] });
    for _ in 0..24 {
        ask(engine, "eventsv2.PutEvents", put.clone()).await.unwrap();
    }
    assert!(set_state(engine, &arn, "RUNNING").await);
    [bus, arn]
}

/// What removes events while they are being read.
#[derive(Debug, Clone, Copy)]
enum Meanwhile {
    Reset,
    Expired,
    BusDeleted,
}

impl Meanwhile {
    async fn happen(self, engine: &Engine, [bus, subscriber]: [String; 2]) {
        let later = match self {
            Self::Reset => return engine.reset().await.unwrap(),
            Self::Expired => 366 * 24 * 60 * 60 * 1000,
            Self::BusDeleted => {
                let body = json!({ "SubscriberArn": subscriber });
                ask(engine, "eventsv2.DeleteSubscriber", body).await.unwrap();
                let body = json!({ "EventBusArn": bus });
                ask(engine, "eventsv2.DeleteEventBus", body).await.unwrap();
                60_000
            }
        };
        engine.move_clock(engine.now() + later).await.unwrap();
        engine.tick().await;
        // The next change after an expiry folds the journal.
        assert!(make(engine, "b-1").await);
    }
}

/// The journal must not name them behind the snapshot with which their file goes: no start could read that.
#[tokio::test]
async fn events_that_are_removed_while_they_are_read_are_not_given() {
    for meanwhile in [Meanwhile::Reset, Meanwhile::Expired, Meanwhile::BusDeleted] {
        let dir = TempDir::new().unwrap();
        let mut disk = data_dir(dir.path(), Flaky::new());
        // More than a page, and less than all.
        disk.fold_bytes = 1_500_000;
        let open = || Engine::open_at(&config(), Some(&disk)).unwrap().0;
        let engine = open();
        let arns = fall_behind(&engine).await;
        let plan = || engine.shared.lock().plan().unwrap();
        let (read, not_read) = (plan().read(), plan());
        meanwhile.happen(&engine, arns).await;
        drop(engine.shared.lock().give(read));
        // What comes behind the snapshot is on disk.
        assert!(make(&engine, "b-2").await);
        let first = dir.path().join("segments/segment-1.events");
        assert!(!first.exists(), "{meanwhile:?}");
        drop(engine.shared.lock().give(not_read.read()));
        assert!(engine.shared.lock().unread.is_empty(), "{meanwhile:?}");
        let before = world(&engine).await;
        drop(engine);
        assert_eq!(world(&open()).await, before, "{meanwhile:?}");
    }
}

/// What cleans a folder for temporary files may do so.
#[tokio::test]
async fn a_file_of_events_that_somebody_deletes_is_not_looked_for_without_a_pause() {
    let dir = TempDir::new().unwrap();
    let engine = open(dir.path(), Flaky::new()).unwrap();
    fall_behind(&engine).await;
    fs::remove_file(dir.path().join("segments/segment-1.events")).unwrap();
    assert!(engine.reader.read_one().await.unwrap());
    assert_eq!(engine.shared.lock().unread.len(), 1);
    engine.tick().await;
}

/// The same state after a restart: from the journal with what it names of the segments, and from a snapshot.
#[tokio::test]
async fn a_restart_leads_to_the_same_state() {
    let dir = TempDir::new().unwrap();
    let engine = open(dir.path(), Flaky::new()).unwrap();
    let bus = begin(&engine).await.unwrap();
    let arn = subscribe(&engine, &bus, "t", json!({ "Type": "FIFO" }))
        .await
        .unwrap();
    let queue = json!({ "QueueUrl": "http://h/123456789012/q" });
    for number in 1..=30 {
        assert!(put(&engine, &bus, number).await);
        match number {
            10 => assert!(set_state(&engine, &arn, "STOPPED").await),
            15 => drop(ask(&engine, "sqs.DeleteQueue", queue.clone()).await.unwrap()),
            20 => drop(
                ask(&engine, "sqs.CreateQueue", json!({ "QueueName": "q" }))
                    .await
                    .unwrap(),
            ),
            25 => assert!(set_state(&engine, &arn, "RUNNING").await),
            _ => {}
        }
    }
    // What is refused or was there before is counted, and not kept.
    let entry = |source: &str| {
        let metadata = json!({ "DeduplicationId": "d" });
        json!({ "Source": source, "DetailType": "t", "Detail": "{\"n\":31}", "SystemMetadata": metadata })
    };
    for entries in [
        vec![entry("s"), entry("aws.s3"), entry("s")],
        vec![entry("aws.s3"), entry("s")],
    ] {
        let put = json!({ "EventBusArn": bus, "Entries": entries });
        let answer = ask(&engine, "eventsv2.PutEvents", put).await.unwrap();
        assert_eq!(answer["FailedEntryCount"], 1);
    }
    engine.tick().await;
    let before = world(&engine).await;
    drop(engine);
    let engine = open(dir.path(), Flaky::new()).unwrap();
    assert_eq!(world(&engine).await, before);
}

/// The snapshot of the version before has its events, and its journal the requests that published them.
#[tokio::test]
async fn events_of_the_version_before_are_kept() {
    let dir = TempDir::new().unwrap();
    let engine = open(dir.path(), Flaky::new()).unwrap();
    let bus = begin(&engine).await.unwrap();
    let mut state = world(&engine).await;
    drop(engine);
    let now = state["realms"]["123456789012/eu-west-1"]["custom_buses"]["buses"]["b"]["created"]
        .as_i64()
        .unwrap();
    let event = json!({
        "number": 1, "at": now, "id": "i", "story": "i", "content": "application/eventbridge+json", "group": "g",
        "data": json!({ "detail": { "n": 1 } }).to_string(),
        "deduplication": null, "source": "s", "detail_type": "t", "metadata": {}, "passed": [],
    });
    let log = &mut state["realms"]["123456789012/eu-west-1"]["custom_buses"]["buses"]["b"]["log"];
    *log = json!({ "events": [event], "count": 1, "seen": {}, "seen_order": [], "dropped": 0 });
    state.as_object_mut().unwrap().remove("last_log");
    for entry in fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("journal") || name.starts_with("snapshot") {
            fs::remove_file(path).unwrap();
        }
    }
    let snapshot = json!({ "snapshot": 2, "world": state });
    fs::write(dir.path().join("snapshot-1.json"), snapshot.to_string()).unwrap();
    let entry = json!({ "Source": "s", "DetailType": "t", "Detail": "{\"n\":2}" });
    let call = json!({ "at": now, "seed": 7, "change": { "call": {
        "caller": { "account": "123456789012", "region": "eu-west-1", "key": null },
        "service": "eventsv2", "operation": "PutEvents", "body": { "EventBusArn": bus, "Entries": [entry] },
    } } });
    let line = call.to_string();
    let sum = crc32fast::hash(line.as_bytes());
    let journal = format!("{{\"journal\":2}}\n{sum:08x} {line}\n");
    fs::write(dir.path().join("journal-1.ndjson"), journal).unwrap();

    for _ in 0..2 {
        let engine = open(dir.path(), Flaky::new()).unwrap();
        let point = json!({ "PointType": "HORIZON" });
        let more = json!({ "StartingPosition": "POINT_IN_TIME", "PointInTimeConfiguration": point });
        let at = engine.now() + 400_000;
        engine.move_clock(at).await.unwrap();
        drop(received(&engine).await);
        let arn = subscribe(&engine, &bus, "replay", more).await.unwrap();
        assert_eq!(received(&engine).await, [1, 2]);
        let body = json!({ "SubscriberArn": arn });
        ask(&engine, "eventsv2.DeleteSubscriber", body).await.unwrap();
        let text = fs::read_to_string(dir.path().join("snapshot-2.json")).unwrap();
        assert!(text.starts_with("{\"snapshot\":3"), "{}", &text[..20]);
        assert!(!text.contains("\"events\":["));
    }
}
