//! What the provider's functions refuse.

use serde_json::json;

use super::super::snapshot::scenarios;
use super::stage;

scenarios![arguments_that_cannot_be_used_are_refused];

#[tokio::test]
async fn arguments_that_cannot_be_used_are_refused() {
    let (_fake, harness) = stage().await;
    let long = "x".repeat(200);
    for (name, arguments) in [
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
    ] {
        let shown = json!(arguments).to_string();
        harness.call(name, &arguments).await.expect_err(&shown);
    }
}
