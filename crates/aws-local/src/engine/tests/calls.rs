//! What subscribers of custom event buses have done outside: it is asked for once its change is on disk, and what it comes to is
//! in the journal.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{done, ready_now, sent};
use crate::assumptions::Assumptions;
use crate::config::Config;
use crate::delivery::job::Evaluation;
use crate::delivery::recipe::Rendered;
use crate::engine::{Engine, Jobs};
use crate::testing::flaky::{Flaky, ask, data_dir, world};

const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:123456789012:q";
const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:f";

fn open(dir: &Path) -> (Engine, Jobs) {
    let mut assumptions = Assumptions::default();
    assumptions.set("creating=0").unwrap();
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

fn evaluation(jobs: &mut Jobs) -> Option<Evaluation> {
    ready_now(jobs.evaluations.next()).flatten()
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
    let asked = evaluation(&mut jobs).unwrap();
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
    assert!(evaluation(&mut jobs).is_none());
}

#[tokio::test]
async fn what_a_restart_interrupts_is_asked_for_again() {
    let dir = TempDir::new().unwrap();
    let (engine, mut jobs) = open(dir.path());
    let [bus, _] = subscribe(&engine, QUEUE, Some("{% $events.Data.detail.n + 1 %}")).await;
    put(&engine, &bus).await;
    let first = evaluation(&mut jobs).unwrap();
    drop(engine);
    let (engine, mut jobs) = open(dir.path());
    engine.tick().await;
    let again = tokio::time::timeout(Duration::from_secs(30), jobs.evaluations.next()).await;
    let again = again.unwrap().unwrap();
    assert_eq!(first.id, again.id);
    engine.record_evaluation(again.id, again.recipe.make()).await;
    assert_eq!(messages(&engine).await, ["2"]);
}

#[tokio::test]
async fn a_call_over_http_is_made_again_after_a_restart() {
    let dir = TempDir::new().unwrap();
    let (engine, mut jobs) = open(dir.path());
    let [bus, _] = subscribe(&engine, FUNCTION, None).await;
    put(&engine, &bus).await;
    let first = ready_now(jobs.requests.next()).flatten().unwrap();
    drop(engine);
    let (engine, mut jobs) = open(dir.path());
    engine.tick().await;
    let again = sent(&mut jobs).await;
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
    let asked = evaluation(&mut jobs).unwrap();
    set_state(&engine, &subscriber, "STOPPED").await;
    engine.record_evaluation(asked.id, asked.recipe.make()).await;
    assert!(messages(&engine).await.is_empty());
    assert!(evaluation(&mut jobs).is_none());
    set_state(&engine, &subscriber, "RUNNING").await;
    let again = evaluation(&mut jobs).unwrap();
    engine.record_evaluation(again.id, again.recipe.make()).await;
    assert_eq!(messages(&engine).await, ["2"]);
}

/// A result for which nothing waits is none, and so is one of no events.
#[tokio::test]
async fn odd_results_change_nothing_or_fail_the_attempt() {
    let dir = TempDir::new().unwrap();
    let (engine, mut jobs) = open(dir.path());
    let [bus, _] = subscribe(&engine, QUEUE, Some("{% 1 %}")).await;
    put(&engine, &bus).await;
    let asked = evaluation(&mut jobs).unwrap();
    engine.record_evaluation(asked.id + 1, asked.recipe.make()).await;
    assert!(messages(&engine).await.is_empty());
    let nothing = Rendered {
        each: BTreeMap::new(),
        whole: None,
    };
    engine.record_evaluation(asked.id, nothing).await;
    assert!(evaluation(&mut jobs).is_none());
    let left = engine.look(|world| world.outbox.calls.len()).await;
    assert_eq!(left.unwrap(), 0);
}
