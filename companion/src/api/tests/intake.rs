//! Events that other systems report: what is taken, what is refused and where, and what is the same event.

use axum::body::Body;
use axum::http::Request;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use scalr_api::{ConnectionId, Status};
use scalr_events::EventType;
use serde_json::{Value, json};

use super::super::router;
use crate::testing::{Bench, TOKEN};

const RUNS: &str = "/events/v1/run-executed";
const LOGS: &str = "/events/v1/audit-logs";

/// The detail of a run's event, with one value replaced.
fn run(id: &str, pointer: &str, value: Value) -> Value {
    let mut detail = scalr_events::sample(EventType::RunExecuted)["detail"].take();
    detail["event"]["run-id"] = json!(id);
    if !pointer.is_empty() {
        *detail.pointer_mut(pointer).unwrap() = value;
    }
    detail
}

/// As short an event as there is.
fn small(n: usize) -> Value {
    json!({ "title": "", "event_type": "error", "tags": [], "event": {
        "run-id": format!("run-{n}"), "source": "", "is-dry": false, "is-destroy": false, "is-agent": false,
        "is-postponed": false, "result": "errored", "duration": 0, "account": "", "workspace": "w", "environment": "",
        "user-email": "",
    } })
}

/// A body with an event a line.
fn lines(events: &[Value]) -> String {
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    lines.join("\n") + "\n"
}

/// Sends a body; the status and the answer.
async fn send(bench: &Bench, path: &str, media_type: &str, body: impl Into<String>) -> (u16, Value) {
    let request = Request::builder()
        .method("POST")
        .uri(path)
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("content-type", media_type)
        .body(Body::from(body.into()))
        .unwrap();
    let service = TowerToHyperService::new(router(bench.app.clone()));
    let answer = service.call(request).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

async fn one(bench: &Bench, path: &str, event: &Value) -> (u16, Value) {
    send(bench, path, "application/json", event.to_string()).await
}

async fn many(bench: &Bench, events: &[Value]) -> (u16, Value) {
    send(bench, RUNS, "application/x-ndjson; charset=utf-8", lines(events)).await
}

/// A bench with two connections.
async fn connected() -> (Bench, [ConnectionId; 2]) {
    let bench = Bench::new().await;
    let a = bench.connect("a", "us-east-1", &Status::Pending).await;
    let b = bench.connect("b", "us-east-2", &Status::Pending).await;
    (bench, [a, b])
}

async fn held(bench: &Bench, id: &ConnectionId) -> Vec<String> {
    let details = bench.held_details(id).await;
    let id = |detail: &Value| detail["event"]["run-id"].as_str().unwrap_or_default().to_owned();
    details.iter().map(id).collect()
}

#[tokio::test]
async fn an_event_is_answered_with_its_deliveries_and_sent_as_it_was_reported() {
    let (bench, [a, b]) = connected().await;
    let mut event = run("run-1", "", json!(null));
    event["event"]["vcs-branch"] = json!("main");
    event["event"]["duration"] = serde_json::from_str("137000000000.50").unwrap();
    let (status, answer) = one(&bench, RUNS, &event).await;
    assert_eq!(status, 202, "{answer}");
    assert_eq!(
        answer,
        json!({ "events": [{ "event-id": "run-1", "deliveries": 2 }], "deliveries": 2 })
    );
    for id in [&a, &b] {
        assert_eq!(bench.held_details(id).await, [event.clone()]);
    }
    let log = scalr_events::sample(EventType::AuditLog)["detail"].take();
    let (status, answer) = one(&bench, LOGS, &log).await;
    assert_eq!(
        (status, &answer["deliveries"]),
        (202, &json!(0)),
        "no connection is selected"
    );
}

#[tokio::test]
async fn the_same_event_is_accepted_once() {
    let (bench, [a, _]) = connected().await;
    let event = run("run-1", "", json!(null));
    let first = one(&bench, RUNS, &event).await;
    assert_eq!(first.0, 202);
    // The order of members and white space are no difference; a connection more is none either.
    bench.connect("c", "eu-west-1", &Status::Pending).await;
    let reordered = serde_json::to_string_pretty(&event).unwrap();
    assert_eq!(send(&bench, RUNS, "application/json", reordered).await, first);
    assert_eq!(
        many(&bench, &[event.clone(), event.clone()]).await.1["deliveries"],
        4
    );
    assert_eq!(held(&bench, &a).await, ["run-1"]);
    let other = run("run-1", "/event/result", json!("errored"));
    let (status, answer) = one(&bench, RUNS, &other).await;
    assert_eq!(
        (status, &answer["errors"][0]["source"]["pointer"]),
        (409, &json!("/event/run-id"))
    );
    let (status, answer) = many(&bench, &[run("run-2", "", json!(null)), other]).await;
    assert_eq!(
        (status, &answer["errors"][0]["source"]["pointer"]),
        (409, &json!("/1/event/run-id"))
    );
    assert_eq!(
        held(&bench, &a).await,
        ["run-1"],
        "of a batch all are accepted, or none"
    );
}

#[tokio::test]
async fn a_key_is_of_one_account_and_type_and_is_forgotten_after_its_event() {
    let (bench, _) = connected().await;
    let event = run("same", "", json!(null));
    let mut log = scalr_events::sample(EventType::AuditLog)["detail"].take();
    log["request"]["id"] = json!("same");
    assert_eq!(one(&bench, RUNS, &event).await.0, 202);
    assert_eq!(one(&bench, LOGS, &log).await.0, 202);
    let operator = super::operator_token(&bench).await;
    let other = super::token_of(&bench, &operator, "other", &["intake"]).await;
    let changed = run("same", "/event/result", json!("errored"));
    let (status, answer) = super::call_with(&bench, &other, "POST", RUNS, &changed).await;
    assert_eq!((status, &answer["deliveries"]), (202, &json!(0)), "{answer}");
    let store = &bench.app.store;
    assert!(!store.any_old_key(bench.app.clock.now_ms()).await.unwrap());
    let late = i64::MAX;
    assert!(store.any_old_key(late).await.unwrap());
    let mut tx = store.begin().await.unwrap();
    assert_eq!(
        tx.forget_keys(late).await.unwrap(),
        1,
        "what nobody received has no key"
    );
    tx.commit().await.unwrap();
    assert_eq!(one(&bench, RUNS, &changed).await.0, 202);
}

#[tokio::test]
async fn an_event_that_nobody_received_may_be_sent_again() {
    let bench = Bench::new().await;
    let event = run("run-1", "", json!(null));
    let (status, answer) = one(&bench, RUNS, &event).await;
    assert_eq!((status, &answer["deliveries"]), (202, &json!(0)), "{answer}");
    let id = bench.connect("a", "us-east-1", &Status::Pending).await;
    for _ in 0..2 {
        let (status, answer) = one(&bench, RUNS, &event).await;
        assert_eq!((status, &answer["deliveries"]), (202, &json!(1)), "{answer}");
    }
    assert_eq!(held(&bench, &id).await, ["run-1"]);
}

#[tokio::test]
async fn what_is_refused_says_where_and_accepts_nothing() {
    let (bench, [a, _]) = connected().await;
    let good = run("run-1", "", json!(null));
    let wrong = run("run-2", "/event/is-dry", json!("no"));
    let mut without = run("run-3", "", json!(null));
    without["event"].as_object_mut().unwrap().remove("workspace");
    let long = run("run-4", "/title", json!("x".repeat(4097)));
    let big = {
        let mut event = run("run-5", "", json!(null));
        event["further"] = json!("x".repeat(262_144));
        event
    };
    let (json, ndjson) = ("application/json", "application/x-ndjson");
    let flood: Vec<Value> = (0..1001).map(small).collect();
    for (media_type, body, want) in [
        (json, String::new(), (400, "")),
        (json, "{".to_owned(), (400, "")),
        (json, lines(&[good.clone(), good.clone()]), (400, "")),
        (json, "[]".to_owned(), (422, "")),
        (json, wrong.to_string(), (422, "/event/is-dry")),
        (json, without.to_string(), (422, "/event/workspace")),
        (json, long.to_string(), (422, "/title")),
        (json, big.to_string(), (413, "")),
        (json, "x".repeat(600_000), (413, "")),
        (ndjson, "\n\n".to_owned(), (400, "")),
        (ndjson, lines(&[good.clone(), wrong]), (422, "/1/event/is-dry")),
        (
            ndjson,
            format!("{good}\n\n{without}"),
            (422, "/2/event/workspace"),
        ),
        (ndjson, format!("{good}\n{{\n"), (400, "")),
        (ndjson, lines(&[good.clone(), big]), (413, "")),
        (ndjson, lines(&flood), (413, "")),
    ] {
        let (status, answer) = send(&bench, RUNS, media_type, body).await;
        let error = &answer["errors"][0];
        let pointer = error["source"]["pointer"].as_str().unwrap_or_default();
        assert_eq!((status, pointer), want, "{answer}");
        assert!(error["detail"].is_string(), "{answer}");
    }
    assert_eq!(held(&bench, &a).await, [""; 0]);
    let many_small: String = "\n".repeat(2000);
    assert_eq!(
        send(&bench, RUNS, ndjson, format!("{good}{many_small}")).await.0,
        202
    );
}

#[tokio::test]
async fn a_body_causes_so_many_deliveries() {
    let bench = Bench::new().await;
    for at in 0..21 {
        bench
            .connect(&format!("c-{at}"), &format!("region-{at}"), &Status::Pending)
            .await;
    }
    let events: Vec<Value> = (0..953).map(small).collect();
    let (status, answer) = many(&bench, &events).await;
    let detail = answer["errors"][0]["detail"].as_str().unwrap_or_default();
    assert_eq!(status, 413, "{answer}");
    assert!(detail.contains("send at most 952 events"), "{detail}");
    let (status, answer) = many(&bench, &events[..2]).await;
    assert_eq!((status, &answer["deliveries"]), (202, &json!(42)), "{answer}");
}

#[tokio::test]
async fn an_account_has_so_many_calls_at_a_time() {
    let (bench, _) = connected().await;
    let account = scalr_api::AccountId::new(crate::testing::ACCOUNT).unwrap();
    let places: Vec<_> = std::iter::from_fn(|| bench.app.intakes.enter(&account)).collect();
    let (status, answer) = one(&bench, RUNS, &run("run-1", "", json!(null))).await;
    assert_eq!(
        (status, &answer["errors"][0]["code"]),
        (429, &json!("busy")),
        "{answer}"
    );
    drop(places);
    assert_eq!(one(&bench, RUNS, &run("run-1", "", json!(null))).await.0, 202);
}

#[tokio::test]
async fn the_schemas_are_published_without_a_token() {
    let bench = Bench::new().await;
    let get = async |path: &str| super::call_with(&bench, "none", "GET", path, &json!(null)).await;
    let (status, all) = get("/schemas").await;
    assert_eq!(status, 200);
    for (name, path) in all.as_object().unwrap() {
        let (status, schema) = get(path.as_str().unwrap()).await;
        assert_eq!((status, &schema["title"]), (200, &json!(name)));
    }
    assert_eq!(get("/schemas/other.json").await.0, 404);
}
