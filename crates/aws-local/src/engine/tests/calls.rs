//! What subscribers of custom event buses have done outside: it is asked for once its change is on disk, and what it comes to is
//! in the journal.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{done, ready_now};
use crate::assumptions::Assumptions;
use crate::config::Config;
use crate::delivery::http::Job;
use crate::delivery::job::Evaluation;
use crate::engine::replay::Replay;
use crate::engine::{Engine, Jobs};
use crate::journal::Journal;
use crate::state::custom_bus::Rendered;
use crate::testing::flaky::{Flaky, ask, data_dir, world};

const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:123456789012:q";
const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:f";

fn open(dir: &Path) -> (Engine, Jobs) {
    let mut assumptions = Assumptions::default();
    assumptions.set("creating=0").unwrap();
    assumptions.set("subscriber-change=0").unwrap();
    let config = Config {
        assumptions,
        targets: vec![(FUNCTION.to_owned(), "http://127.0.0.1:9".to_owned())],
        ..Config::default()
    };
    Engine::open_at(&config, Some(&data_dir(dir, Flaky::new()))).unwrap()
}

/// A bus with a queue, and a subscriber of a target, with an expression if one is given. The ARNs of both.
async fn subscribe(engine: &Engine, target: &str, expression: Option<&str>) -> [Value; 2] {
    ask(engine, "sqs.CreateQueue", json!({ "QueueName": "q" }))
        .await
        .unwrap();
    let bus = ask(
        engine,
        "eventsv2.CreateEventBus",
        json!({ "Name": "b", "ClientToken": "b" }),
    )
    .await;
    let bus = bus.unwrap()["EventBusArn"].clone();
    let mut subscriber = json!({
        "Name": "s",
        "EventBusArn": bus,
        "InvokeConfiguration": { "TargetArn": target, "RoleArn": ROLE },
        "ClientToken": "s",
    });
    if let Some(expression) = expression {
        let jsonata = json!({ "Expression": expression });
        subscriber["Transformer"] = json!({ "Type": "JSONATA", "JsonataConfiguration": jsonata });
    }
    let made = ask(engine, "eventsv2.CreateSubscriber", subscriber)
        .await
        .unwrap();
    [bus, made["SubscriberArn"].clone()]
}

async fn put(engine: &Engine, bus: &Value) {
    let entry = json!({ "Source": "s", "DetailType": "t", "Detail": "{\"n\":1}" });
    let body = json!({ "EventBusArn": bus, "Entries": [entry] });
    ask(engine, "eventsv2.PutEvents", body).await.unwrap();
}

async fn set_state(engine: &Engine, subscriber: &Value, state: &str) {
    let body = json!({ "SubscriberArn": subscriber, "State": state });
    ask(engine, "eventsv2.UpdateSubscriber", body).await.unwrap();
}

/// The bodies of the messages in the queue.
async fn messages(engine: &Engine) -> Vec<String> {
    let look = engine.look(|world| serde_json::to_value(world).unwrap());
    let text = look.await.unwrap().to_string();
    let bodies = text.match_indices("\"body\":\"").map(|(at, found)| {
        let rest = &text[at + found.len()..];
        rest[..rest.find('"').unwrap()].to_owned()
    });
    bodies.collect()
}

/// What is asked for by changes that are on disk by now.
async fn evaluation(engine: &Engine, jobs: &mut Jobs) -> Option<Evaluation> {
    engine.look(|_| ()).await.unwrap();
    ready_now(jobs.evaluations.next()).flatten()
}

async fn request(engine: &Engine, jobs: &mut Jobs) -> Option<Job> {
    engine.look(|_| ()).await.unwrap();
    ready_now(jobs.requests.next()).flatten()
}

#[tokio::test]
async fn a_replay_takes_results_of_expressions_from_the_journal() {
    let dir = TempDir::new().unwrap();
    let (engine, mut jobs) = open(dir.path());
    let [bus, _] = subscribe(&engine, QUEUE, Some("{% $random() %}")).await;
    put(&engine, &bus).await;
    assert!(
        messages(&engine).await.is_empty(),
        "nothing is evaluated under the lock"
    );
    let asked = evaluation(&engine, &mut jobs).await.unwrap();
    // What no evaluator gives.
    let rendered: Rendered = serde_json::from_value(
        json!({ "each": { "1": { "done": { "result": { "text": "by hand", "is_text": true } } } } }),
    )
    .unwrap();
    engine.record_evaluation(asked.id, rendered).await;
    assert_eq!(messages(&engine).await, ["by hand"]);
    let before = world(&engine).await;
    drop(engine);
    let (engine, mut jobs) = open(dir.path());
    assert_eq!(world(&engine).await, before);
    engine.tick().await;
    assert!(evaluation(&engine, &mut jobs).await.is_none());
}

#[tokio::test]
async fn what_a_restart_interrupts_is_asked_for_again() {
    let dir = TempDir::new().unwrap();
    let (engine, mut jobs) = open(dir.path());
    let [bus, _] = subscribe(&engine, QUEUE, Some("{% $events.Data.detail.n + 1 %}")).await;
    put(&engine, &bus).await;
    let first = evaluation(&engine, &mut jobs).await.unwrap();
    drop(engine);
    let (engine, mut jobs) = open(dir.path());
    engine.tick().await;
    let again = evaluation(&engine, &mut jobs).await.unwrap();
    assert_ne!(first.id, again.id);
    engine.record_evaluation(again.id, again.recipe.make()).await;
    assert_eq!(messages(&engine).await, ["2"]);
}

#[tokio::test]
async fn a_call_over_http_is_made_again_after_a_restart() {
    let dir = TempDir::new().unwrap();
    let (engine, mut jobs) = open(dir.path());
    let [bus, _] = subscribe(&engine, FUNCTION, None).await;
    put(&engine, &bus).await;
    let first = request(&engine, &mut jobs).await.unwrap();
    drop(engine);
    let (engine, mut jobs) = open(dir.path());
    engine.tick().await;
    let again = request(&engine, &mut jobs).await.unwrap();
    assert_eq!((first.id, first.body), (again.id, again.body));
    engine.record_result(again.id, done()).await;
    let left = engine.look(|world| world.outbox.calls.len()).await;
    assert_eq!(left.unwrap(), 0);
}

#[tokio::test]
async fn what_comes_to_a_stopped_subscriber_is_evaluated_again_when_it_runs() {
    let dir = TempDir::new().unwrap();
    let (engine, mut jobs) = open(dir.path());
    let [bus, subscriber] = subscribe(&engine, QUEUE, Some("{% $events.Data.detail.n + 1 %}")).await;
    put(&engine, &bus).await;
    let asked = evaluation(&engine, &mut jobs).await.unwrap();
    set_state(&engine, &subscriber, "STOPPED").await;
    engine.record_evaluation(asked.id, asked.recipe.make()).await;
    assert!(messages(&engine).await.is_empty());
    assert!(evaluation(&engine, &mut jobs).await.is_none());
    set_state(&engine, &subscriber, "RUNNING").await;
    engine.tick().await;
    let again = evaluation(&engine, &mut jobs).await.unwrap();
    engine.record_evaluation(again.id, again.recipe.make()).await;
    assert_eq!(messages(&engine).await, ["2"]);
}

/// What waits for the rate of its API destination goes out only while its subscriber is there and runs.
#[tokio::test]
async fn queued_calls_of_a_stopped_or_deleted_subscriber_do_not_go_out() {
    for is_deleted in [false, true] {
        let dir = TempDir::new().unwrap();
        let (engine, mut jobs) = open(dir.path());
        let destination = destination(&engine).await;
        let [bus, subscriber] = subscribe(&engine, destination.as_str().unwrap(), None).await;
        let body = json!({ "SubscriberArn": subscriber, "BatchConfiguration": { "MaxBatchSize": 1, "MaxBatchWindowInSeconds": 0 } });
        ask(&engine, "eventsv2.UpdateSubscriber", body).await.unwrap();
        for _ in 0..10 {
            put(&engine, &bus).await;
        }
        if is_deleted {
            let body = json!({ "SubscriberArn": subscriber });
            ask(&engine, "eventsv2.DeleteSubscriber", body).await.unwrap();
        } else {
            set_state(&engine, &subscriber, "STOPPED").await;
        }
        let mut sent = ended(&engine, &mut jobs).await;
        assert!(sent > 0);
        engine.move_clock(engine.now() + 60_000).await.unwrap();
        assert_eq!(ended(&engine, &mut jobs).await, 0, "deleted: {is_deleted}");
        if is_deleted {
            let left = engine.look(|world| world.outbox.calls.len()).await;
            assert_eq!(left.unwrap(), 0);
            continue;
        }
        set_state(&engine, &subscriber, "RUNNING").await;
        for _ in 0..60 {
            sent += ended(&engine, &mut jobs).await;
            engine.move_clock(engine.now() + 1_000).await.unwrap();
        }
        assert_eq!(sent, 10);
    }
}

/// An API destination that takes one request a second.
async fn destination(engine: &Engine) -> Value {
    let auth = json!({ "BasicAuthParameters": { "Username": "u", "Password": "p" } });
    let connection = json!({ "Name": "c", "AuthorizationType": "BASIC", "AuthParameters": auth });
    let made = ask(engine, "events.CreateConnection", connection).await.unwrap();
    let wanted = json!({
        "Name": "d",
        "ConnectionArn": made["ConnectionArn"],
        "InvocationEndpoint": "http://127.0.0.1:9/",
        "HttpMethod": "POST",
        "InvocationRateLimitPerSecond": 1,
    });
    let made = ask(engine, "events.CreateApiDestination", wanted).await.unwrap();
    made["ApiDestinationArn"].clone()
}

/// All requests that are to be made now, which succeed; gives how many.
async fn ended(engine: &Engine, jobs: &mut Jobs) -> usize {
    let mut count = 0;
    while let Some(job) = request(engine, jobs).await {
        engine.record_result(job.id, done()).await;
        count += 1;
    }
    count
}

/// The journal leads to the state as it is, also after a restart has begun again what was under way.
#[tokio::test]
async fn what_a_restart_begins_again_is_in_the_journal() {
    for (target, expression) in [(QUEUE, Some("{% 1 %}")), (FUNCTION, None)] {
        let dir = TempDir::new().unwrap();
        let (engine, _jobs) = open(dir.path());
        let [bus, _] = subscribe(&engine, target, expression).await;
        put(&engine, &bus).await;
        drop(engine);
        let (engine, _jobs) = open(dir.path());
        engine.tick().await;
        put(&engine, &bus).await;
        let before = world(&engine).await;
        drop(engine);
        assert_eq!(in_the_journal(dir.path()), before, "{target}");
    }
}

/// The state that a directory leads to.
fn in_the_journal(dir: &Path) -> Value {
    let start = |world, version| Replay::start(world, version, u64::MAX);
    let (_, _, Replay { core, .. }) = Journal::open(&data_dir(dir, Flaky::new()), start).unwrap();
    serde_json::to_value(&core.world).unwrap()
}

/// A result for which nothing waits is none, and so is one of no events.
#[tokio::test]
async fn odd_results_change_nothing_or_fail_the_attempt() {
    let dir = TempDir::new().unwrap();
    let (engine, mut jobs) = open(dir.path());
    let [bus, _] = subscribe(&engine, QUEUE, Some("{% 1 %}")).await;
    put(&engine, &bus).await;
    let asked = evaluation(&engine, &mut jobs).await.unwrap();
    engine.record_evaluation(asked.id + 1, asked.recipe.make()).await;
    assert!(messages(&engine).await.is_empty());
    let nothing = Rendered {
        each: BTreeMap::new(),
        whole: None,
    };
    engine.record_evaluation(asked.id, nothing).await;
    assert!(evaluation(&engine, &mut jobs).await.is_none());
    let left = engine.look(|world| world.outbox.calls.len()).await;
    assert_eq!(left.unwrap(), 0);
}
