//! Events that must not vanish: policies of buses, settings of queues, retention, rules beside a hopeless one.

use aws_local::Config;
use serde_json::{Value, json};

use crate::client::{CUSTOMER, Local, REGION};
use crate::sqs::{make, ok, receive};

const C: &str = CUSTOMER;
const OTHER: &str = "333333333333";

fn arn(account: &str, service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{account}:{resource}")
}

async fn rule(local: &Local, account: &str, pattern: &Value, target: &str) {
    let put = json!({ "Name": "r", "EventPattern": pattern.to_string() }).to_string();
    let role = target
        .contains(":event-bus/")
        .then(|| format!("arn:aws:iam::{account}:role/r"));
    let targets =
        json!({ "Rule": "r", "Targets": [{ "Id": "1", "Arn": target, "RoleArn": role }] }).to_string();
    local
        .run(&[
            (account, "events.PutRule", &put, "ok"),
            (
                account,
                "events.PutTargets",
                &targets,
                r#"ok{"FailedEntryCount":0}"#,
            ),
        ])
        .await;
}

/// Puts an event; its id, or the error that it met.
async fn put(local: &Local, account: &str, bus: &str, entry: &Value) -> Result<String, String> {
    let mut whole = json!({ "Source": "s", "DetailType": "t", "Detail": "{}", "EventBusName": bus });
    for (name, value) in entry.as_object().unwrap() {
        whole[name] = value.clone();
    }
    let body = json!({ "Entries": [whole] }).to_string();
    let (_, answer) = local.ask(account, "events.PutEvents", &body).await;
    let entry = &answer["Entries"][0];
    let text = |name: &str| entry[name].as_str().map(str::to_owned);
    text("EventId").ok_or_else(|| text("ErrorCode").unwrap())
}

/// The outcome of the only delivery of an event.
async fn outcome(local: &Local, id: &str) -> String {
    let story = local.look(&format!("events/{id}")).await;
    let delivery = &story["buses"][0]["deliveries"][0];
    let error = delivery["attempts"][0]["error_code"].as_str();
    error.or(delivery["outcome"].as_str()).unwrap().to_owned()
}

/// A statement of a bus's policy, and who puts events under it: its owner, another account itself, a rule of that account.
#[tokio::test]
async fn a_bus_policy_decides() {
    let bus = arn(C, "events", "event-bus/b");
    let (rule_arn, all) = (arn(OTHER, "events", "rule/r"), json!({ "source": ["s"] }));
    let source = |arn: &str| json!({ "Condition": { "ArnEquals": { "aws:SourceArn": arn } } });
    let account = json!({ "Condition": { "StringEquals": { "aws:SourceAccount": OTHER } } });
    for (changes, expected) in [
        (json!({}), [true, true, true]),
        (
            json!({ "Principal": { "AWS": "444444444444" } }),
            [true, false, false],
        ),
        (
            json!({ "Resource": arn(C, "events", "event-bus/other") }),
            [true, false, false],
        ),
        (source(&rule_arn), [true, false, true]),
        (
            source("arn:aws:events:eu-west-1:333333333333:rule/else"),
            [true, false, false],
        ),
        (account, [true, false, true]),
        (
            json!({ "Effect": "Deny", "Principal": "*" }),
            [false, false, false],
        ),
    ] {
        let local = Local::start(Config::default()).await;
        let mut statement = json!({
            "Sid": "a", "Effect": "Allow", "Principal": { "AWS": OTHER }, "Action": "events:PutEvents", "Resource": bus,
        });
        for (member, value) in changes.as_object().unwrap() {
            statement[member] = value.clone();
        }
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        let permit = json!({ "EventBusName": "b", "Policy": policy }).to_string();
        local
            .run(&[
                (C, "events.CreateEventBus", r#"{"Name":"b"}"#, "ok"),
                (C, "events.PutPermission", &permit, "ok"),
            ])
            .await;
        rule(&local, OTHER, &all, &bus).await;
        let sent = put(&local, OTHER, "default", &json!({})).await.unwrap();
        let have = [
            put(&local, C, "b", &json!({})).await.is_ok(),
            put(&local, OTHER, &bus, &json!({})).await.is_ok(),
            outcome(&local, &sent).await == "delivered",
        ];
        assert_eq!(have, expected, "{changes}");
        if !expected[2] {
            assert_eq!(outcome(&local, &sent).await, "NO_PERMISSIONS", "{changes}");
        }
        local.stop().await;
    }
}

#[tokio::test]
async fn a_queue_s_settings_bind_events_too() {
    let local = Local::start(Config::default()).await;
    let policy = json!({ "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" }, "Action": "sqs:SendMessage", "Resource": "*",
    }] });
    let settings =
        json!({ "DelaySeconds": "600", "MaximumMessageSize": "1024", "Policy": policy.to_string() });
    make(&local, "q", settings).await;
    rule(&local, C, &json!({ "source": ["s"] }), &arn(C, "sqs", "q")).await;
    let small = put(&local, C, "default", &json!({})).await.unwrap();
    assert_eq!(outcome(&local, &small).await, "delivered");
    assert!(receive(&local, "q").await.is_empty(), "it is delayed");
    local.tell("clock", r#"{"advance_seconds":601}"#).await;
    assert_eq!(receive(&local, "q").await.len(), 1);
    let detail = json!({ "Detail": json!({ "x": "y".repeat(2_000) }).to_string() });
    let large = put(&local, C, "default", &detail).await.unwrap();
    assert_eq!(outcome(&local, &large).await, "SDK_CLIENT_ERROR");
    local.stop().await;
}

#[tokio::test]
async fn a_message_whose_dead_letter_queue_is_gone_stays() {
    let local = Local::start(Config::default()).await;
    make(&local, "dead", json!({})).await;
    let redrive = json!({ "deadLetterTargetArn": arn(C, "sqs", "dead"), "maxReceiveCount": 1 });
    let settings = json!({ "RedrivePolicy": redrive.to_string(), "VisibilityTimeout": "0" });
    make(&local, "q", settings).await;
    ok(&local, "SendMessage", "q", json!({ "MessageBody": "m" })).await;
    ok(&local, "DeleteQueue", "dead", json!({})).await;
    assert_eq!(receive(&local, "q").await.len(), 1);
    assert!(
        receive(&local, "q").await.is_empty(),
        "it was received often enough"
    );
    let wanted = json!({ "AttributeNames": ["ApproximateNumberOfMessages"] });
    let told = ok(&local, "GetQueueAttributes", "q", wanted).await;
    assert_eq!(told["Attributes"]["ApproximateNumberOfMessages"], json!("1"));
    ok(&local, "SendMessage", "q", json!({ "MessageBody": "behind" })).await;
    assert_eq!(
        receive(&local, "q").await.len(),
        1,
        "what stays is not in the way of the next"
    );
    local.stop().await;
}

#[tokio::test]
async fn an_event_older_than_the_retention_is_logged_as_of_now() {
    let local = Local::start(Config::default()).await;
    let policy = json!({ "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" },
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*",
    }] });
    let permit = json!({ "policyName": "p", "policyDocument": policy.to_string() }).to_string();
    local
        .run(&[
            (C, "logs.CreateLogGroup", r#"{"logGroupName":"g"}"#, "ok"),
            (
                C,
                "logs.PutRetentionPolicy",
                r#"{"logGroupName":"g","retentionInDays":1}"#,
                "ok",
            ),
            (C, "logs.PutResourcePolicy", &permit, "ok"),
        ])
        .await;
    rule(
        &local,
        C,
        &json!({ "source": ["s"] }),
        &arn(C, "logs", "log-group:g"),
    )
    .await;
    let (_, group) = local.ask(C, "logs.DescribeLogGroups", "{}").await;
    let now = group["logGroups"][0]["creationTime"].as_i64().unwrap() / 1000;
    for (days, count) in [(0, 1), (2, 2), (20, 3)] {
        let entry = json!({ "Time": now - days * 86_400 });
        put(&local, C, "default", &entry).await.unwrap();
        let (_, found) = local
            .ask(C, "logs.FilterLogEvents", r#"{"logGroupName":"g"}"#)
            .await;
        assert_eq!(found["events"].as_array().unwrap().len(), count, "{days} days");
    }
    let foreign = json!({ "logGroupIdentifier": arn(OTHER, "logs", "log-group:g") }).to_string();
    local
        .run(&[(C, "logs.FilterLogEvents", &foreign, "ResourceNotFoundException")])
        .await;
    local.stop().await;
}

/// One rule asks for more ways through two long lists than are tried; the other is not asked for any.
#[tokio::test]
async fn a_hopeless_rule_costs_no_other_the_event() {
    let local = Local::start(Config::default()).await;
    let hopeless = json!({ "detail": { "p": { "a": [1] }, "p.b": { "aa": [1], "zz": [1] } } });
    let put_rule = json!({ "Name": "hopeless", "EventPattern": hopeless.to_string() }).to_string();
    local.run(&[(C, "events.PutRule", &put_rule, "ok")]).await;
    rule(&local, C, &json!({ "source": ["s"] }), &arn(C, "sqs", "none")).await;
    let mut p = vec![json!({ "a": 1 }); 800];
    p.push(json!({ "b": { "zz": 1 } }));
    let mut pb = vec![json!({ "aa": 1 }); 800];
    pb.push(json!({ "zz": 1 }));
    let detail = json!({ "p": p, "p.b": pb }).to_string();
    let id = put(&local, C, "default", &json!({ "Detail": detail }))
        .await
        .unwrap();
    let story = local.look(&format!("events/{id}")).await;
    let rules = &story["buses"][0]["rules"];
    assert_eq!(rules[1], json!({ "rule": "r", "matched": true }), "{rules}");
    assert_eq!(rules[0]["matched"], json!(false));
    assert!(
        rules[0]["reason"].as_str().unwrap().contains("not decided"),
        "{rules}"
    );
    local.stop().await;
}

#[tokio::test]
async fn a_miss_within_arrays_has_a_reason() {
    let local = Local::start(Config::default()).await;
    let pattern = json!({ "detail": { "d": { "x": [1], "y": [1] } } });
    rule(&local, C, &pattern, &arn(C, "sqs", "none")).await;
    let detail = json!({ "d": [{ "x": 1 }, { "y": 1 }] }).to_string();
    let id = put(&local, C, "default", &json!({ "Detail": detail }))
        .await
        .unwrap();
    let story = local.look(&format!("events/{id}")).await;
    let reason = story["buses"][0]["rules"][0]["reason"].as_str();
    assert!(
        reason.is_some_and(|reason| reason.contains("one element")),
        "{story}"
    );
    local.stop().await;
}
