//! Targets, policies, dead letters, schedules, replays, and their stories.

use aws_local::Config;
use serde_json::{Value, json};

use crate::client::{CUSTOMER, Local, REGION};
use crate::script::has;

const C: &str = CUSTOMER;
const EVENT: &str = r#"{"Entries":[{"Source":"s","DetailType":"t","Detail":"{\"n\": 1.50, \"k\": \"v\"}"}]}"#;

fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{C}:{resource}")
}

/// A queue whose policy has this statement, merged over one that allows.
async fn queue(local: &Local, name: &str, statement: Value) {
    let mut allow = json!({
        "Effect": "Allow",
        "Principal": { "Service": "events.amazonaws.com" },
        "Action": "sqs:SendMessage",
        "Resource": arn("sqs", name),
    });
    for (member, value) in statement.as_object().unwrap() {
        allow[member] = value.clone();
    }
    let policy = json!({ "Statement": [allow] }).to_string();
    let body = json!({ "QueueName": name, "Attributes": { "Policy": policy } }).to_string();
    local.run(&[(C, "sqs.CreateQueue", &body, "ok")]).await;
}

async fn rule(local: &Local, name: &str, targets: Value) {
    let put = json!({ "Name": name, "EventPattern": r#"{"source":["s"]}"# }).to_string();
    let targets = json!({ "Rule": name, "Targets": targets }).to_string();
    local
        .run(&[
            (C, "events.PutRule", &put, "ok"),
            (C, "events.PutTargets", &targets, r#"ok{"FailedEntryCount":0}"#),
        ])
        .await;
}

async fn send(local: &Local) -> String {
    let (_, put) = local.ask(C, "events.PutEvents", EVENT).await;
    put["Entries"][0]["EventId"].as_str().unwrap().to_owned()
}

async fn received(local: &Local, name: &str) -> Vec<Value> {
    let url = format!("{}/{C}/{name}", local.url);
    let body =
        json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"] }).to_string();
    let (_, answer) = local.ask(C, "sqs.ReceiveMessage", &body).await;
    answer["Messages"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn inputs_are_what_targets_ask_for() {
    let local = Local::start(Config::default()).await;
    queue(&local, "q", json!({})).await;
    let cases = [
        (json!({ "InputPath": "$.detail" }), r#"{"n":1.50,"k":"v"}"#),
        (json!({ "InputPath": "$.detail.n" }), "1.50"),
        (json!({ "Input": "{\"a\":1}" }), r#"{"a":1}"#),
        (
            json!({ "InputTransformer": { "InputPathsMap": { "k": "$.detail.k", "n": "$.detail.n" }, "InputTemplate": "{\"x\": <k>, \"y\": \"n is <n>\"}" } }),
            r#"{"x":"v","y":"n is 1.50"}"#,
        ),
    ];
    for (input, expected) in cases {
        let mut target = json!({ "Id": "1", "Arn": arn("sqs", "q") });
        target
            .as_object_mut()
            .unwrap()
            .extend(input.as_object().unwrap().clone());
        rule(&local, "r", json!([target])).await;
        send(&local).await;
        let got = received(&local, "q").await;
        assert_eq!(got[0]["Body"], json!(expected), "{input}");
        let gone =
            json!({ "QueueUrl": format!("{}/{C}/q", local.url), "ReceiptHandle": got[0]["ReceiptHandle"] });
        local
            .run(&[(C, "sqs.DeleteMessage", &gone.to_string(), "ok")])
            .await;
    }
    local.stop().await;
}

#[tokio::test]
async fn policies_decide_and_dead_letters_say_why() {
    let wrong_rule = json!({ "ArnEquals": { "aws:SourceArn": arn("events", "rule/other") } });
    let right_rule = json!({ "ArnLike": { "aws:SourceArn": arn("events", "rule/*") }, "StringEquals": { "aws:SourceAccount": C } });
    let cases = [
        (json!({}), true),
        (json!({ "Condition": right_rule }), true),
        (json!({ "Principal": { "Service": "sns.amazonaws.com" } }), false),
        (json!({ "Resource": arn("sqs", "other") }), false),
        (json!({ "Condition": wrong_rule }), false),
        (json!({ "Effect": "Deny" }), false),
    ];
    for (statement, allowed) in cases {
        let local = Local::start(Config::default()).await;
        queue(&local, "q", statement.clone()).await;
        queue(&local, "dead", json!({})).await;
        rule(
            &local,
            "r",
            json!([{ "Id": "1", "Arn": arn("sqs", "q"), "DeadLetterConfig": { "Arn": arn("sqs", "dead") } }]),
        )
        .await;
        let id = send(&local).await;
        assert_eq!(
            received(&local, "q").await.len(),
            usize::from(allowed),
            "{statement}"
        );
        let dead = received(&local, "dead").await;
        let story = local.look(&format!("events/{id}")).await;
        let outcome = if allowed { "delivered" } else { "failed" };
        assert_eq!(
            story["buses"][0]["deliveries"][0]["outcome"],
            json!(outcome),
            "{statement} {story}"
        );
        assert_eq!(dead.len(), usize::from(!allowed), "{statement}");
        if !allowed {
            let wanted = json!({ "MessageAttributes": {
                "ERROR_CODE": { "StringValue": "NO_PERMISSIONS" },
                "RULE_ARN": { "StringValue": arn("events", "rule/r") },
                "TARGET_ARN": { "StringValue": arn("sqs", "q") },
                "RETRY_ATTEMPTS": { "StringValue": "0" },
            } });
            assert!(has(&dead[0], &wanted), "{statement} {dead:?}");
            let totals = local.look("metrics").await["totals"].clone();
            assert!(
                has(
                    &totals,
                    &json!({ "FailedInvocations": 1, "InvocationsSentToDLQ": 1 })
                ),
                "{totals}"
            );
        }
        local.stop().await;
    }
}

#[tokio::test]
async fn a_story_names_the_leaf_that_missed() {
    let local = Local::start(Config::default()).await;
    let put = json!({ "Name": "r", "EventPattern": r#"{"source":["s"],"detail":{"kk":["v"]}}"# }).to_string();
    local.run(&[(C, "events.PutRule", &put, "ok")]).await;
    let id = send(&local).await;
    let story = local.look(&format!("events/{id}")).await;
    let rule = &story["buses"][0]["rules"][0];
    assert!(
        has(
            rule,
            &json!({ "rule": "r", "matched": false, "missed": [{ "path": "detail.kk", "nearest": "detail.k" }] })
        ),
        "{story}"
    );
    local.stop().await;
}

#[tokio::test]
async fn buses_forward_across_accounts_when_allowed() {
    let (local, other) = (Local::start(Config::default()).await, "444444444444");
    queue(&local, "q", json!({})).await;
    let there = format!("arn:aws:events:{REGION}:{other}:event-bus/default");
    let role = format!("arn:aws:iam::{C}:role/r");
    rule(&local, "r", json!([{ "Id": "1", "Arn": there, "RoleArn": role }])).await;
    let id = send(&local).await;
    let permit = format!(r#"{{"StatementId":"a","Action":"events:PutEvents","Principal":"{C}"}}"#);
    local.run(&[(other, "events.PutPermission", &permit, "ok")]).await;
    let allowed = send(&local).await;
    for (id, buses) in [(id, 1), (allowed, 2)] {
        let story = local.look(&format!("events/{id}")).await;
        assert_eq!(story["buses"].as_array().unwrap().len(), buses, "{story}");
    }
    local.stop().await;
}

#[tokio::test]
async fn schedules_fire_by_the_clock() {
    let local = Local::start(Config::default()).await;
    queue(&local, "q", json!({})).await;
    let put = r#"{"Name":"every","ScheduleExpression":"rate(1 hour)"}"#;
    let targets = json!({ "Rule": "every", "Targets": [{ "Id": "1", "Arn": arn("sqs", "q") }] }).to_string();
    local
        .run(&[
            (C, "events.PutRule", put, "ok"),
            (C, "events.PutTargets", &targets, "ok"),
        ])
        .await;
    local.tell("clock", r#"{"advance_seconds":7260}"#).await;
    let got = received(&local, "q").await;
    assert_eq!(got.len(), 2);
    assert!(
        got[0]["Body"]
            .as_str()
            .unwrap()
            .contains(r#""detail-type":"Scheduled Event","source":"aws.events""#)
    );
    local
        .run(&[(C, "events.DisableRule", r#"{"Name":"every"}"#, "ok")])
        .await;
    local.tell("clock", r#"{"advance_seconds":7200}"#).await;
    assert_eq!(
        received(&local, "q").await.len(),
        2,
        "the two of before are visible again, and no more came"
    );
    local.stop().await;
}

#[tokio::test]
async fn archives_are_replayed() {
    let local = Local::start(Config::default()).await;
    queue(&local, "q", json!({})).await;
    let bus = arn("events", "event-bus/default");
    let make = json!({ "ArchiveName": "a", "EventSourceArn": bus, "EventPattern": r#"{"source":["s"]}"# })
        .to_string();
    local
        .run(&[(C, "events.CreateArchive", &make, r#"ok{"State":"ENABLED"}"#)])
        .await;
    send(&local).await;
    rule(&local, "r", json!([{ "Id": "1", "Arn": arn("sqs", "q") }])).await;
    let start = json!({
        "ReplayName": "again",
        "EventSourceArn": arn("events", "archive/a"),
        "EventStartTime": 0,
        "EventEndTime": 9_999_999_999_i64,
        "Destination": { "Arn": bus },
    })
    .to_string();
    local
        .run(&[
            (
                C,
                "events.DescribeArchive",
                r#"{"ArchiveName":"a"}"#,
                r#"ok{"EventCount":1}"#,
            ),
            (C, "events.StartReplay", &start, r#"ok{"State":"STARTING"}"#),
        ])
        .await;
    local.tell("clock", r#"{"advance_seconds":2}"#).await;
    local
        .run(&[
            (
                C,
                "events.DescribeReplay",
                r#"{"ReplayName":"again"}"#,
                r#"ok{"State":"COMPLETED"}"#,
            ),
            (
                C,
                "events.CancelReplay",
                r#"{"ReplayName":"again"}"#,
                "IllegalStatusException",
            ),
        ])
        .await;
    let got = received(&local, "q").await;
    assert!(
        got[0]["Body"]
            .as_str()
            .unwrap()
            .ends_with(r#","replay-name":"again"}"#),
        "{got:?}"
    );
    local.stop().await;
}
