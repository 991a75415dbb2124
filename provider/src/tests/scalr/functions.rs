//! What the provider's functions refuse.

use serde_json::{Value, json};

use super::super::snapshot::scenarios;
use super::stage;

scenarios![
    arguments_that_cannot_be_used_are_refused,
    filters_that_cannot_be_meant_are_refused,
    fields_of_samples_that_cannot_be_are_refused,
];

/// Each call is refused.
async fn refused(calls: Vec<(&str, Vec<Value>)>) {
    let (_fake, harness) = stage().await;
    for (name, arguments) in calls {
        let shown = json!(arguments).to_string();
        harness.call(name, &arguments).await.expect_err(&shown);
    }
}

#[tokio::test]
async fn filters_that_cannot_be_meant_are_refused() {
    let filters = [
        json!({ "run_id": "run-*" }),
        json!({ "workspace_id": "network" }),
        json!({ "workspace_id": "ws-1", "environment_id": "env-1" }),
        json!({ "workspace_id": { "anything-but": "ws-1" } }),
        json!({ "workspace": { "prefx": "a" } }),
        json!({ "any_of": { "is_dry": true } }),
        json!({ "any_of": [{ "is_dry": true }, {}] }),
        json!({ "is_dry": true, "any_of": [{ "is_dry": false }, { "result": "errored" }] }),
        json!({ "any_of": [{ "result": ["errored", "canceled"] }, { "result": ["canceled", "discarded"] }] }),
    ];
    let call = |filters| ("event_pattern", vec![json!("RunExecuted"), filters]);
    refused(filters.map(call).into()).await;
}

#[tokio::test]
async fn fields_of_samples_that_cannot_be_are_refused() {
    let fields = [
        vec![json!({ "workspce": "network" })],
        vec![json!({ "result": "erorred" })],
        vec![json!({ "result": ["errored"] })],
        vec![json!({}), json!({})],
    ];
    let call = |fields| ("sample_event", [vec![json!("RunExecuted")], fields].concat());
    refused(fields.map(call).into()).await;
}

#[tokio::test]
async fn arguments_that_cannot_be_used_are_refused() {
    let long = "x".repeat(200);
    refused(vec![
        ("event_pattern", vec![json!("Runs"), json!({})]),
        ("event_pattern", vec![json!("AuditLog"), json!({ "nope": 1 })]),
        ("event_pattern", vec![json!("AuditLog"), json!("x")]),
        ("event_pattern_matches", vec![json!({ "a": 1 }), json!({})]),
        ("event_pattern_matches", vec![json!(null), json!({})]),
        ("event_pattern_matches", vec![json!({ "a": ["x"] }), json!(null)]),
        (
            "event_pattern_matches",
            vec![json!({ "a": ["x"] }), json!("nonsense")],
        ),
        ("event_pattern_matches", vec![json!({ "a": ["x"] }), json!([1])]),
        ("explain_event_pattern", vec![json!({ "a": 1 }), json!({})]),
        (
            "explain_event_pattern",
            vec![json!({ "a": ["x"] }), json!("nonsense")],
        ),
        (
            "event_pattern",
            vec![json!("RunExecuted"), json!({ "result": "cancelled" })],
        ),
        ("event_source_name", vec![json!("a b"), json!("c")]),
        ("event_source_name", vec![json!("acme.scalr.io"), json!("c")]),
        ("event_source_name", vec![json!(""), json!("c")]),
        ("event_source_name", vec![json!("a"), json!("c/d")]),
        ("event_source_name", vec![json!(long), json!(long)]),
        ("parse_event_source_arn", vec![json!("x")]),
        (
            "parse_event_source_arn",
            vec![json!("arn:aws:events:r:1:event-bus/x")],
        ),
        (
            "parse_event_source_arn",
            vec![json!("arn:aws:events:r::event-source/aws.partner/other.com/a/b")],
        ),
        ("sample_event", vec![json!("AuditLogs")]),
    ])
    .await;
}
