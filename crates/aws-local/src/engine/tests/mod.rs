//! The engine on a disk that refuses changes: a refused change is neither seen nor sent, and all others work.

use std::fs;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Engine, Jobs};
use crate::config::Config;
use crate::delivery::http::{HttpResult, Job};
use crate::fault::Fault;
use crate::testing::flaky::{Flaky, Held, NEVER, ask, data_dir, made, make, open, world};

mod calls;

/// The output of a future that is ready without waiting.
fn ready_now<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

#[tokio::test]
async fn a_full_disk_refuses_whole_changes_until_there_is_room() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    let engine = open(dir.path(), disk.clone()).unwrap();
    assert!(make(&engine, "b-1").await);
    let before = world(&engine).await;
    disk.room.store(10, Ordering::SeqCst);
    for _ in 0..2 {
        let refused = ask(&engine, "events.CreateEventBus", json!({ "Name": "b-2" }))
            .await
            .unwrap_err();
        assert_eq!((refused.status, &*refused.code), (500, "InternalFailure"));
        assert_eq!(world(&engine).await, before, "nothing of it is seen");
    }
    disk.room.store(NEVER, Ordering::SeqCst);
    assert!(make(&engine, "b-3").await);
    assert_eq!(made(&engine).await, ["b-1", "b-3"]);
    drop(engine);
    let engine = open(dir.path(), Flaky::new()).unwrap();
    assert_eq!(made(&engine).await, ["b-1", "b-3"]);
}

#[tokio::test]
async fn of_concurrent_calls_on_a_full_disk_only_the_answered_are_stored() {
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

/// A read is not in the journal: what it changed would be gone after a restart, and be in a snapshot before.
#[tokio::test]
async fn reads_of_roles_change_nothing() {
    let (engine, _jobs) = Engine::open(&Config::default()).unwrap();
    let before = world(&engine).await["roles"].clone();
    let role = json!({ "RoleName": "r" });
    for (operation, body) in [
        ("iam.ListRoles", json!({})),
        ("iam.GetRole", role.clone()),
        ("iam.ListRolePolicies", role.clone()),
        ("iam.ListAttachedRolePolicies", role.clone()),
        ("iam.ListRoleTags", role.clone()),
        // A change that is refused is none either.
        ("iam.DeleteRole", role.clone()),
        ("iam.UpdateRole", role),
    ] {
        let answered = ask(&engine, operation, body).await;
        assert_eq!(answered.is_ok(), operation == "iam.ListRoles", "{operation}");
        assert_eq!(world(&engine).await["roles"], before, "{operation}");
    }
}

/// Creates a bus that the disk does not take; the answer says what to do.
async fn check_refused(engine: &Engine, advice: &str) {
    let refused = ask(engine, "events.CreateEventBus", json!({ "Name": "b-2" })).await;
    let Fault { status, message, .. } = refused.unwrap_err();
    assert_eq!(status, 500);
    assert!(message.contains(advice), "{message}");
}

#[tokio::test]
async fn after_a_failed_sync_nothing_is_answered_until_a_restart() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    let engine = open(dir.path(), disk.clone()).unwrap();
    assert!(make(&engine, "b-1").await);
    disk.syncs.store(0, Ordering::SeqCst);
    check_refused(&engine, "start the local AWS again").await;
    disk.syncs.store(NEVER, Ordering::SeqCst);
    let refused = ask(&engine, "events.ListEventBuses", json!({})).await;
    assert!(refused.unwrap_err().message.contains("start the local AWS again"));
    assert!(engine.look(|_| ()).await.is_err());
    drop(engine);
    let engine = open(dir.path(), Flaky::new()).unwrap();
    assert_eq!(made(&engine).await[0], "b-1");
}

/// The next request; a failure where none comes.
async fn sent(jobs: &mut Jobs) -> Job {
    let next = tokio::time::timeout(Duration::from_secs(30), jobs.requests.next()).await;
    next.expect("a request is sent").expect("the engine is there")
}

const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:f";

/// A rule with a target that the operator gave a URL for.
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
async fn a_result_from_before_a_reset_belongs_to_no_later_delivery() {
    let (engine, mut jobs) = Engine::open_at(&outside_config(Some("http://127.0.0.1:9")), None).unwrap();
    let mut ids = Vec::new();
    for _ in 0..2 {
        with_outside_target(&engine).await;
        assert!(put_event(&engine).await);
        ids.push(sent(&mut jobs).await.id);
        engine.reset().await.unwrap();
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn urls_given_later_deliver_no_earlier_event() {
    let dir = TempDir::new().unwrap();
    let data_dir = data_dir(dir.path(), Flaky::new());
    let (engine, _jobs) = Engine::open_at(&outside_config(None), Some(&data_dir)).unwrap();
    with_outside_target(&engine).await;
    assert!(
        put_event(&engine).await,
        "with no URL the invocation fails at once"
    );
    drop(engine);
    let (engine, mut jobs) =
        Engine::open_at(&outside_config(Some("http://127.0.0.1:9")), Some(&data_dir)).unwrap();
    engine.tick().await;
    assert_eq!(
        ready_now(jobs.requests.next()),
        None,
        "an event from before is not delivered now"
    );
    assert!(put_event(&engine).await);
    sent(&mut jobs).await;
}

const URL: Option<&str> = Some("http://127.0.0.1:9");

async fn waiting(engine: &Engine) -> Vec<u64> {
    let ids = engine.look(|world| world.outbox.pending.keys().copied().collect());
    ids.await.unwrap()
}

#[tokio::test]
async fn a_request_of_a_refused_change_never_leaves() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    let data_dir = data_dir(dir.path(), disk.clone());
    let (engine, mut jobs) = Engine::open_at(&outside_config(URL), Some(&data_dir)).unwrap();
    with_outside_target(&engine).await;
    disk.room.store(10, Ordering::SeqCst);
    assert!(!put_event(&engine).await);
    assert_eq!(ready_now(jobs.requests.next()), None);
    disk.room.store(NEVER, Ordering::SeqCst);
    assert!(put_event(&engine).await);
    let sent = sent(&mut jobs).await;
    assert_eq!(waiting(&engine).await, [sent.id]);
    assert_eq!(ready_now(jobs.requests.next()), None);
    engine.record_result(sent.id, done()).await;
    assert!(waiting(&engine).await.is_empty());
}

#[tokio::test]
async fn after_a_refused_change_memory_and_disk_number_deliveries_alike() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    let data_dir = data_dir(dir.path(), disk.clone());
    let config = outside_config(URL);
    let (engine, mut jobs) = Engine::open_at(&config, Some(&data_dir)).unwrap();
    with_outside_target(&engine).await;
    disk.room.store(10, Ordering::SeqCst);
    assert!(!put_event(&engine).await);
    disk.room.store(NEVER, Ordering::SeqCst);
    for _ in 0..2 {
        assert!(put_event(&engine).await);
    }
    let (ended, waits) = (sent(&mut jobs).await, sent(&mut jobs).await);
    engine.record_result(ended.id, done()).await;
    drop(engine);
    let (engine, _jobs) = Engine::open_at(&config, Some(&data_dir)).unwrap();
    assert_eq!(waiting(&engine).await, [waits.id]);
}

#[tokio::test]
async fn a_recovery_does_not_resend_a_request_in_flight() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    let data_dir = data_dir(dir.path(), disk.clone());
    let (engine, mut jobs) = Engine::open_at(&outside_config(URL), Some(&data_dir)).unwrap();
    with_outside_target(&engine).await;
    assert!(put_event(&engine).await);
    let out = sent(&mut jobs).await;
    disk.room.store(10, Ordering::SeqCst);
    assert!(!make(&engine, "b-1").await);
    disk.room.store(NEVER, Ordering::SeqCst);
    engine.tick().await;
    assert!(make(&engine, "b-1").await);
    assert_eq!(ready_now(jobs.requests.next()), None);
    engine.record_result(out.id, done()).await;
    assert!(waiting(&engine).await.is_empty());
}

#[tokio::test]
async fn a_recovery_resends_a_request_whose_result_was_refused() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    let data_dir = data_dir(dir.path(), disk.clone());
    let (engine, mut jobs) = Engine::open_at(&outside_config(URL), Some(&data_dir)).unwrap();
    with_outside_target(&engine).await;
    assert!(put_event(&engine).await);
    let first = sent(&mut jobs).await;
    disk.room.store(10, Ordering::SeqCst);
    engine.record_result(first.id, done()).await;
    assert!(!make(&engine, "b-1").await);
    disk.room.store(NEVER, Ordering::SeqCst);
    // The recovery's own write may have been refused too, which is known once it is waited for; then it is made again.
    let _ = engine.look(|_| ()).await;
    engine.tick().await;
    assert_eq!(sent(&mut jobs).await, first);
}

#[tokio::test]
async fn a_refused_move_of_the_clock_is_undone() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    let engine = open(dir.path(), disk.clone()).unwrap();
    let day_later = engine.now() + 24 * 60 * 60 * 1000;
    disk.room.store(10, Ordering::SeqCst);
    assert!(engine.move_clock(day_later).await.is_err());
    disk.room.store(NEVER, Ordering::SeqCst);
    assert!(engine.now() < day_later);
    assert!(engine.move_clock(day_later).await.unwrap() >= day_later);
}

/// Whether calls that take the lock return. They run in a thread, so that one that does not fails the test.
fn is_lock_free(engine: &Arc<Engine>) -> bool {
    let (engine, (done, returned)) = (Arc::clone(engine), mpsc::channel());
    let calls = std::thread::spawn(move || {
        engine.now();
        ready_now(engine.tick());
        drop(engine);
        let _ = done.send(());
    });
    returned.recv_timeout(Duration::from_secs(30)).is_ok() && calls.join().is_ok()
}

#[tokio::test]
async fn no_caller_is_blocked_while_the_directory_is_read_again() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    let mut engine = open(dir.path(), disk.clone()).unwrap();
    assert!(make(&engine, "b-1").await);
    let wait = std::mem::replace(&mut engine.recovery_wait, Duration::ZERO);
    disk.hold(Held::Readers);
    disk.room.store(10, Ordering::SeqCst);
    check_refused(&engine, "being read again").await;
    let mut engine = Arc::new(engine);
    assert!(is_lock_free(&engine));
    assert!(engine.look(|_| ()).await.is_err());
    let refused = ask(&engine, "events.ListEventBuses", json!({}))
        .await
        .unwrap_err();
    assert_eq!((refused.status, &*refused.code), (500, "InternalFailure"));
    assert!(
        refused.message.contains("being read again"),
        "{}",
        refused.message
    );
    disk.room.store(NEVER, Ordering::SeqCst);
    disk.hold(Held::Nothing);
    Arc::get_mut(&mut engine).unwrap().recovery_wait = wait;
    assert_eq!(made(&engine).await, ["b-1"]);
    assert!(make(&engine, "b-3").await);
}

#[tokio::test]
async fn a_directory_that_cannot_be_read_again_fails_callers_and_blocks_none() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    let engine = open(dir.path(), disk.clone()).unwrap();
    assert!(make(&engine, "b-1").await);
    fs::write(dir.path().join("journal-0.ndjson"), "something else").unwrap();
    disk.room.store(10, Ordering::SeqCst);
    check_refused(&engine, "Make room").await;
    for _ in 0..2 {
        let refused = ask(&engine, "events.ListEventBuses", json!({})).await;
        assert_eq!(refused.unwrap_err().code, "InternalFailure");
    }
    assert!(engine.look(|_| ()).await.is_err());
}

#[tokio::test]
async fn no_answer_is_based_on_a_change_that_the_disk_refuses() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    let engine = Arc::new(open(dir.path(), disk.clone()).unwrap());
    disk.room.store(10, Ordering::SeqCst);
    disk.hold(Held::Writes);
    // On this runtime's one thread each call runs until it waits for its write.
    let mut calls = Vec::new();
    for _ in 0..2 {
        let engine = Arc::clone(&engine);
        let call = async move { ask(&engine, "events.CreateEventBus", json!({ "Name": "b-1" })).await };
        calls.push(tokio::spawn(call));
        tokio::task::yield_now().await;
    }
    disk.hold(Held::Nothing);
    for call in calls {
        let refused = call.await.unwrap().unwrap_err();
        assert_eq!(refused.code, "InternalFailure", "nobody hears of `b-1`");
    }
    disk.room.store(NEVER, Ordering::SeqCst);
    assert!(made(&engine).await.is_empty());
}

#[tokio::test]
async fn a_look_at_the_state_shows_only_what_is_on_disk() {
    for (room, is_stored) in [(NEVER, true), (10, false)] {
        let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
        let engine = open(dir.path(), disk.clone()).unwrap();
        disk.room.store(room, Ordering::SeqCst);
        disk.hold(Held::Writes);
        let mut making = pin!(make(&engine, "b-1"));
        let mut looking = pin!(engine.look(|_| ()));
        assert_eq!(ready_now(&mut making), None);
        assert_eq!(ready_now(&mut looking), None, "the change is not written yet");
        disk.hold(Held::Nothing);
        assert_eq!(making.await, is_stored);
        assert_eq!(looking.await.is_ok(), is_stored);
    }
}

/// What a connection of each type authenticates with; every secret contains `s3cret`.
fn connections() -> [(&'static str, Value); 3] {
    let secret = json!([{ "Key": "k", "Value": "s3cret", "IsValueSecret": true }]);
    let everywhere = json!({
        "HeaderParameters": secret, "QueryStringParameters": secret, "BodyParameters": secret,
    });
    let of = |name: &str, own: Value| json!({ name: own, "InvocationHttpParameters": everywhere });
    let basic = json!({ "Username": "u", "Password": "s3cret" });
    let key = json!({ "ApiKeyName": "k", "ApiKeyValue": "s3cret" });
    let oauth = json!({
        "AuthorizationEndpoint": "https://127.0.0.1:9/token",
        "HttpMethod": "POST",
        "ClientParameters": { "ClientID": "i", "ClientSecret": "s3cret" },
        "OAuthHttpParameters": everywhere,
    });
    [
        ("BASIC", of("BasicAuthParameters", basic)),
        ("API_KEY", of("ApiKeyAuthParameters", key)),
        ("OAUTH_CLIENT_CREDENTIALS", of("OAuthParameters", oauth)),
    ]
}

/// The request of an event that an API destination gets through this connection.
async fn request_through(engine: &Engine, jobs: &mut Jobs, kind: &str, auth: &Value) -> Job {
    let connection = json!({ "Name": "c", "AuthorizationType": kind, "AuthParameters": auth });
    let connection = ask(engine, "events.CreateConnection", connection).await.unwrap();
    let destination = json!({
        "Name": "d", "ConnectionArn": connection["ConnectionArn"], "HttpMethod": "POST",
        "InvocationEndpoint": "https://127.0.0.1:9/hook",
    });
    let destination = ask(engine, "events.CreateApiDestination", destination)
        .await
        .unwrap();
    let rule = json!({ "Name": "r", "EventPattern": "{\"source\":[\"s\"]}" });
    ask(engine, "events.PutRule", rule).await.unwrap();
    let target =
        json!({ "Id": "1", "Arn": destination["ApiDestinationArn"], "RoleArn": "arn:aws:iam::1:role/r" });
    let targets = json!({ "Rule": "r", "Targets": [target] });
    ask(engine, "events.PutTargets", targets).await.unwrap();
    assert!(put_event(engine).await);
    sent(jobs).await
}

#[tokio::test]
async fn no_secret_of_a_connection_is_formatted() {
    for (kind, auth) in connections() {
        let dir = TempDir::new().unwrap();
        let data_dir = data_dir(dir.path(), Flaky::new());
        let (engine, mut jobs) = Engine::open_at(&Config::default(), Some(&data_dir)).unwrap();
        let job = request_through(&engine, &mut jobs, kind, &auth).await;
        assert!(job.body.contains("s3cret"));
        let shown = format!("{engine:?} {job:?}");
        // Basic credentials are sent in base64: `dTpzM2NyZXQ=`.
        for secret in ["s3cret", "dTpz"] {
            assert!(!shown.contains(secret), "{kind}");
        }
    }
}
