//! `scalr_eventbridge_subscriber`: what an update sends.

use serde_json::{Value as Json, json};

use super::subscriber::{CALL, DEAD, NAME, PATTERN, QUEUE, ROLE, config, made, stage};
use super::{and, names};
use crate::tests::snapshot::scenarios;

scenarios![
    what_changed_of_a_subscriber_is_sent_whole_and_nothing_else,
    what_is_removed_goes_back_to_awss_defaults,
    settings_of_a_target_that_this_resource_does_not_have_are_kept,
    a_queue_that_stays_is_said,
];

pub(super) fn full() -> Json {
    json!({
        "filter": [{ "scope": "DATA", "pattern": PATTERN }, { "scope": "SYSTEM_METADATA", "pattern": r#"{"aws:DeliveryType":["LIVE"]}"# }],
        "transformer": { "type": "WITH_METADATA" },
        "retry": { "maximum_retry_attempts": 3 }, "batch": { "maximum_batch_size": 8 },
        "dead_letter_arn": DEAD, "description": "a",
    })
}

#[tokio::test(start_paused = true)]
async fn what_changed_of_a_subscriber_is_sent_whole_and_nothing_else() {
    for (change, want) in [
        (
            json!({ "retry": { "maximum_retry_attempts": 4 } }),
            json!({ "RetryPolicy": { "MaxRetryAttempts": 4, "MaxEventAgeInSeconds": 300, "RetryStrategy": "ALL" } }),
        ),
        (
            json!({ "filter": [{ "scope": "DATA", "pattern": PATTERN }] }),
            json!({ "FilterConfiguration": { "Filters": [{ "Scope": "DATA", "Pattern": PATTERN }] } }),
        ),
        (
            json!({ "transformer": { "type": "JSONATA", "expression": "{% 1 %}" } }),
            json!({ "Transformer": { "Type": "JSONATA", "JsonataConfiguration": { "Expression": "{% 1 %}" } } }),
        ),
        (
            json!({ "batch": { "maximum_batch_size": 5 } }),
            json!({ "BatchConfiguration": { "MaxBatchSize": 5, "MaxBatchWindowInSeconds": 0 } }),
        ),
        (
            json!({ "batch": { "maximum_batch_window_in_seconds": 5 } }),
            json!({ "BatchConfiguration": { "MaxBatchSize": 10, "MaxBatchWindowInSeconds": 5 } }),
        ),
        (
            json!({ "batch": {} }),
            json!({ "BatchConfiguration": { "MaxBatchSize": 10, "MaxBatchWindowInSeconds": 0 } }),
        ),
        (
            json!({ "retry": {} }),
            json!({ "RetryPolicy": { "MaxRetryAttempts": 5, "MaxEventAgeInSeconds": 300, "RetryStrategy": "ALL" } }),
        ),
        (json!({ "resume_position": "LATEST" }), json!(null)),
        (
            json!({ "dead_letter_arn": QUEUE }),
            json!({ "OnFailureConfiguration": { "Arn": QUEUE } }),
        ),
        (json!({ "description": "b" }), json!({ "Description": "b" })),
        (json!({ "enabled": false }), json!({ "State": "STOPPED" })),
        (
            json!({ "role_arn": format!("{ROLE}2") }),
            json!({ "InvokeConfiguration": { "RoleArn": format!("{ROLE}2") } }),
        ),
        (json!({ "tags": { "a": "b" } }), json!(null)),
    ] {
        let (fake, harness) = stage();
        let resource = harness.resource(NAME);
        let state = made(&harness, full()).await;
        let changed = and(config(full()), change.clone());
        let state = resource.update(&state, changed.clone()).await.unwrap();
        resource.assert_stable(&state, changed).await;
        let mut sent = fake.state().custom.updated.clone();
        if let Some(sent) = sent.as_object_mut() {
            sent.remove("SubscriberArn");
        }
        assert_eq!(sent, want, "{change}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_removed_goes_back_to_awss_defaults() {
    for (attribute, want) in [
        ("filter", json!({ "FilterConfiguration": {} })),
        ("transformer", json!({ "Transformer": { "Type": "RAW" } })),
        (
            "retry",
            json!({ "RetryPolicy": { "MaxRetryAttempts": 5, "MaxEventAgeInSeconds": 300, "RetryStrategy": "ALL" } }),
        ),
        (
            "batch",
            json!({ "BatchConfiguration": { "MaxBatchSize": 10, "MaxBatchWindowInSeconds": 0 } }),
        ),
        ("dead_letter_arn", json!({ "OnFailureConfiguration": {} })),
        ("description", json!({ "Description": "" })),
    ] {
        let (fake, harness) = stage();
        let resource = harness.resource(NAME);
        let state = made(&harness, full()).await;
        let changed = and(config(full()), json!({ attribute: null }));
        let state = resource.update(&state, changed.clone()).await.unwrap();
        resource.assert_stable(&state, changed).await;
        let mut sent = fake.state().custom.updated.clone();
        sent.as_object_mut().unwrap().remove("SubscriberArn");
        assert_eq!(sent, want, "{attribute}");
    }
}

#[tokio::test(start_paused = true)]
async fn settings_of_a_target_that_this_resource_does_not_have_are_kept() {
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    let state = made(&harness, json!({})).await;
    let arn = state.json()["arn"].as_str().unwrap().to_owned();
    let gives = |target: &str, block: &str, value: Json| {
        let mut held = fake.state();
        let subscriber = held.custom.held_subscribers.get_mut(&arn).unwrap();
        subscriber["InvokeConfiguration"] = json!({ "TargetArn": target, "RoleArn": ROLE, block: value });
    };
    gives(QUEUE, "SqsParameters", json!({ "MessageGroupId": "g" }));
    let changed = config(json!({ "role_arn": format!("{ROLE}2") }));
    resource.update(&state, changed.clone()).await.unwrap();
    let sent = fake.state().custom.updated["InvokeConfiguration"].clone();
    assert_eq!(
        sent,
        json!({ "RoleArn": format!("{ROLE}2"), "SqsParameters": { "MessageGroupId": "g" } })
    );
    // One that is newer than the SDK.
    let kafka = "arn:aws:kafka:us-east-1:123456789012:cluster/c/x";
    gives(kafka, "MskParameters", json!({ "Topic": "t" }));
    let read = resource.read(&state).await.unwrap().unwrap();
    assert_eq!(read.json()["target_arn"], kafka);
    let changed = and(changed, json!({ "target_arn": kafka }));
    let planned = resource.plan(Some(&read), changed).await.unwrap();
    let refused = resource.apply(planned).await;
    names(
        &refused.diags,
        &["Cannot change role or input", "update-subscriber"],
    );

    // The arguments of a call.
    let input = json!({ "LogGroupName": "/a" }).to_string();
    let call = config(json!({ "name": "call", "target_arn": CALL, "input": input }));
    let state = resource.create(call.clone()).await.unwrap();
    resource.assert_stable(&state, call.clone()).await;
    let changed = and(call, json!({ "input": "{}" }));
    let state = resource.update(&state, changed.clone()).await.unwrap();
    resource.assert_stable(&state, changed).await;
    let sent = fake.state().custom.updated["InvokeConfiguration"].clone();
    assert_eq!(sent["UniversalTargetParameters"], json!({ "Input": "{}" }));
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_stays_is_said() {
    let (fake, harness) = stage();
    let resource = harness.resource(NAME);
    let state = made(&harness, full()).await;
    fake.state().custom.keeps_queue = true;
    let changed = and(config(full()), json!({ "dead_letter_arn": null }));
    let planned = resource.plan(Some(&state), changed).await.unwrap();
    let kept = resource.apply(planned).await;
    names(&kept.diags, &["still has its queue", DEAD, "-replace"]);
}
