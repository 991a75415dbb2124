//! What each kind of target is given, who has to allow it, and what is reported when it does not arrive.

use aws_local::Config;
use serde_json::{Value, json};

use crate::client::{CUSTOMER, Local, REGION};
use crate::script::has;

const C: &str = CUSTOMER;
pub(crate) const OTHER: &str = "444444444444";
const FAR: &str = "us-west-2";

pub(crate) fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{C}:{resource}")
}

/// A policy of one statement that lets EventBridge do `action` on `resource`, but for what `changes` says.
pub(crate) fn policy(action: &Value, resource: &str, changes: &Value) -> String {
    let mut allow = json!({ "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" }, "Action": action, "Resource": resource });
    for (member, value) in changes.as_object().unwrap() {
        allow[member] = value.clone();
    }
    json!({ "Version": "2012-10-17", "Statement": [allow] }).to_string()
}

pub(crate) async fn queue(local: &Local, name: &str, attributes: Value) {
    let mut attributes = attributes;
    attributes["Policy"] = json!(policy(&json!("sqs:SendMessage"), &arn("sqs", name), &json!({})));
    let body = json!({ "QueueName": name, "Attributes": attributes }).to_string();
    local.run(&[(C, "sqs.CreateQueue", &body, "ok")]).await;
}

/// The rule `r` of the default bus, with this one target; failures go to the queue `dead`.
pub(crate) async fn target(local: &Local, target: &Value) {
    let mut target = target.clone();
    target["Id"] = json!("1");
    target["DeadLetterConfig"] = json!({ "Arn": arn("sqs", "dead") });
    let targets = json!({ "Rule": "r", "Targets": [target] }).to_string();
    local
        .run(&[
            (
                C,
                "events.PutRule",
                r#"{"Name":"r","EventPattern":"{\"source\":[\"s\"]}"}"#,
                "ok",
            ),
            (C, "events.PutTargets", &targets, r#"ok{"FailedEntryCount":0}"#),
        ])
        .await;
}

/// Sends an event; gives its id.
pub(crate) async fn send(local: &Local, detail: &str) -> String {
    let entry = json!({ "Source": "s", "DetailType": "t \"x\"", "Detail": detail, "Time": 1_795_000_000 });
    let (_, put) = local
        .ask(C, "events.PutEvents", &json!({ "Entries": [entry] }).to_string())
        .await;
    put["Entries"][0]["EventId"]
        .as_str()
        .unwrap_or_else(|| panic!("{put}"))
        .to_owned()
}

/// Takes what is in a queue out of it.
pub(crate) async fn take(local: &Local, name: &str) -> Vec<Value> {
    let url = format!("{}/{C}/{name}", local.url);
    let body = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"], "AttributeNames": ["All"] });
    let (_, answer) = local.ask(C, "sqs.ReceiveMessage", &body.to_string()).await;
    let taken = answer["Messages"].as_array().cloned().unwrap_or_default();
    for message in &taken {
        let gone = json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] }).to_string();
        local.run(&[(C, "sqs.DeleteMessage", &gone, "ok")]).await;
    }
    taken
}

#[tokio::test]
async fn transformers_fill_their_templates_as_aws_was_recorded() {
    let local = Local::start(Config::default()).await;
    queue(&local, "q", json!({})).await;
    queue(&local, "dead", json!({})).await;
    let rule = arn("events", "rule/r");
    let detail =
        r#"{"command":"go","n":1.50,"q":"say \"hi\"","o":{"k":"v","l":[1,"x"]},"l":[{"i":1},{"i":2}]}"#;
    let paths = json!({ "c": "$.detail.command", "n": "$.detail.n", "o": "$.detail.o", "q": "$.detail.q", "none": "$.detail.none", "all": "$.detail.l[*].i", "type": "$.detail-type" });
    for (template, expected) in [
        (r#""Event <c> of <n>""#, r#""Event go of 1.50""#),
        (r#""nothing: <none>""#, r#""nothing: ""#),
        (
            r#"{"c": <c>, "n": <n>, "none": <none>}"#,
            r#"{"c":"go","n":1.50,"none":""}"#,
        ),
        (
            r#"{"o": <o>, "all": <all>}"#,
            r#"{"o":{"k":"v","l":[1,"x"]},"all":[1,2]}"#,
        ),
        (r#""it is <o>""#, r#""it is {k:v,l:[1,x]}""#),
        (
            r#"{"q": <q>, "s": "<q>", "t": "<type>"}"#,
            r#"{"q":"say \"hi\"","s":"say \"hi\"","t":"t \"x\""}"#,
        ),
        (r#"{"s": "\"<c>\" \\ <c>"}"#, r#"{"s":"\"go\" \\ go"}"#),
        ("{\n \"a\": [ 9, <c>, true ]\n}", r#"{"a":[9,"go",true]}"#),
        ("\"<c> one\"\n\"<c> two\"", "\"go one\"\n\"go two\""),
        (
            r#""<aws.events.rule-name> <aws.events.rule-arn>""#,
            &format!("\"r {rule}\""),
        ),
        (
            r#"{"name": <aws.events.rule-name>, "a < b": 1}"#,
            r#"{"name":"r","a < b":1}"#,
        ),
    ] {
        let transformer = json!({ "InputPathsMap": paths, "InputTemplate": template });
        target(
            &local,
            &json!({ "Arn": arn("sqs", "q"), "InputTransformer": transformer }),
        )
        .await;
        send(&local, detail).await;
        assert_eq!(take(&local, "q").await[0]["Body"], json!(expected), "{template}");
    }
    let template = r#"{"frame": <aws.events.event>, "whole": <aws.events.event.json>, "at": <aws.events.event.ingestion-time>}"#;
    target(
        &local,
        &json!({ "Arn": arn("sqs", "q"), "InputTransformer": { "InputTemplate": template } }),
    )
    .await;
    let id = send(&local, r#"{"a":1}"#).await;
    let body = take(&local, "q").await[0]["Body"].as_str().unwrap().to_owned();
    let made: Value = serde_json::from_str(&body).unwrap();
    let frame = json!({ "id": id, "account": C, "detailType": "t \"x\"", "time": "2026-11-18T11:06:40Z", "source": "s", "region": REGION, "resources": [], "version": "0" });
    assert_eq!(made["frame"], frame, "{body}");
    assert_eq!(made["whole"]["detail"], json!({ "a": 1 }), "{body}");
    assert_eq!(made["at"].as_str().map(str::len), Some(20), "{body}");
    local.stop().await;
}

/// Recorded of AWS: in `localstack/localstack`, `tests/aws/services/events/test_events_inputs.py`. AWS's guide has the reason
/// (eb-transform-target-input): what a variable gives is not escaped.
#[tokio::test]
async fn templates_that_lead_to_no_json_deliver_nothing() {
    let local = Local::start(Config::default()).await;
    queue(&local, "q", json!({})).await;
    queue(&local, "dead", json!({})).await;
    let paths = json!({ "o": "$.detail.o", "l": "$.detail.l", "c": "$.detail.c", "all": "$.detail.l[*]" });
    let detail = r#"{"o":{"k":"v"},"l":["x"],"c":"go"}"#;
    for (template, expected) in [
        (r#"{"payload": "<o>"}"#, None),
        (r#"{"x": "users/<o>", "b": <o>}"#, None),
        (r#"{"list": "<l>"}"#, None),
        (r#"{"list": "<all>"}"#, None),
        (r#" ["<o>"]"#, None),
        (r#"{"event": "<aws.events.event>"}"#, None),
        (r#"{"event": "<aws.events.event.json>"}"#, None),
        (r#"{"c": <c>"#, None),
        (r"{<o>: 1}", None),
        (r#"{"payload": <o>}"#, Some(r#"{"payload":{"k":"v"}}"#)),
        (r#"{"payload": "<c>"}"#, Some(r#"{"payload":"go"}"#)),
        (r"{<c>: 1}", Some(r#"{"go":1}"#)),
        (r#""it is <o>""#, Some(r#""it is {k:v}""#)),
        ("it is <o>", Some(r#"it is {"k":"v"}"#)),
    ] {
        let transformer = json!({ "InputPathsMap": paths, "InputTemplate": template });
        let put = json!({
            "Arn": arn("sqs", "q"), "InputTransformer": transformer, "DeadLetterConfig": { "Arn": arn("sqs", "dead") },
        });
        target(&local, &put).await;
        let id = send(&local, detail).await;
        let bodies: Vec<Value> = take(&local, "q")
            .await
            .iter()
            .map(|one| one["Body"].clone())
            .collect();
        let expected_bodies: Vec<Value> = expected.into_iter().map(Value::from).collect();
        assert_eq!(bodies, expected_bodies, "{template}");
        let dead = take(&local, "dead").await;
        assert_eq!(dead.len(), usize::from(expected.is_none()), "{template}");
        let story = local.look(&format!("events/{id}")).await;
        let outcome = if expected.is_some() { "delivered" } else { "failed" };
        assert_eq!(
            story["buses"][0]["deliveries"][0]["outcome"],
            json!(outcome),
            "{template}"
        );
    }
    local.stop().await;
}

#[tokio::test]
async fn fifo_queues_take_events_in_the_targets_group() {
    let local = Local::start(Config::default()).await;
    queue(&local, "dead", json!({})).await;
    queue(
        &local,
        "f.fifo",
        json!({ "FifoQueue": "true", "ContentBasedDeduplication": "true" }),
    )
    .await;
    queue(&local, "bare.fifo", json!({ "FifoQueue": "true" })).await;
    let group = json!({ "MessageGroupId": "g" });
    for (name, arrives) in [("f.fifo", true), ("bare.fifo", false)] {
        target(
            &local,
            &json!({ "Arn": arn("sqs", name), "SqsParameters": group }),
        )
        .await;
        send(&local, "{}").await;
        let got = take(&local, name).await;
        assert_eq!(got.len(), usize::from(arrives), "{name}");
        if arrives {
            assert_eq!(got[0]["Attributes"]["MessageGroupId"], json!("g"), "{got:?}");
        }
        let dead = take(&local, "dead").await;
        let code = dead
            .first()
            .map(|one| one["MessageAttributes"]["ERROR_CODE"]["StringValue"].clone());
        assert_eq!(code, (!arrives).then(|| json!("SDK_CLIENT_ERROR")), "{name}");
    }
    local.stop().await;
}

#[tokio::test]
async fn events_reach_one_bus_more_and_no_third() {
    let local = Local::start(Config::default()).await;
    queue(&local, "dead", json!({})).await;
    let pattern = r#""EventPattern":"{\"source\":[\"s\"]}""#;
    let bus = |account: &str, region: &str, name: &str| {
        format!("arn:aws:events:{region}:{account}:event-bus/{name}")
    };
    for name in ["second", "third"] {
        local
            .run(&[(
                C,
                "events.CreateEventBus",
                &json!({ "Name": name }).to_string(),
                "ok",
            )])
            .await;
    }
    // A circle: default, second, third, default.
    for (from, to) in [("second", "third"), ("third", "default")] {
        let rule = format!(r#"{{"Name":"on","EventBusName":"{from}",{pattern}}}"#);
        let targets = json!({ "Rule": "on", "EventBusName": from, "Targets": [{ "Id": "1", "Arn": bus(C, REGION, to) }] });
        local
            .run(&[
                (C, "events.PutRule", &rule, "ok"),
                (C, "events.PutTargets", &targets.to_string(), "ok"),
            ])
            .await;
    }
    target(&local, &json!({ "Arn": bus(C, REGION, "second") })).await;
    let id = send(&local, "{}").await;
    let story = local.look(&format!("events/{id}")).await;
    let passed: Vec<&Value> = story["buses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bus| &bus["bus"])
        .collect();
    assert_eq!(passed, ["default", "second"], "{story}");
    assert_eq!(
        story["buses"][1]["deliveries"][0]["outcome"],
        json!("failed"),
        "{story}"
    );
    // A bus in another region needs no policy, one in another account does.
    for (to, permit, expected) in [
        (bus(C, FAR, "default"), false, "delivered"),
        (bus(OTHER, FAR, "default"), false, "failed"),
        (bus(OTHER, REGION, "default"), false, "failed"),
        (bus(OTHER, REGION, "default"), true, "delivered"),
        (bus(C, REGION, "nope"), false, "failed"),
    ] {
        if permit {
            let permit = format!(r#"{{"StatementId":"a","Action":"events:PutEvents","Principal":"{C}"}}"#);
            local.run(&[(OTHER, "events.PutPermission", &permit, "ok")]).await;
        }
        let role = format!("arn:aws:iam::{C}:role/r");
        target(&local, &json!({ "Arn": to, "RoleArn": role })).await;
        let id = send(&local, "{}").await;
        let story = local.look(&format!("events/{id}")).await;
        let delivery = &story["buses"][0]["deliveries"][0];
        assert_eq!(delivery["outcome"], json!(expected), "{to} {story}");
        if expected == "delivered" {
            let event = &story["event"];
            assert_eq!(
                (&event["account"], &event["region"]),
                (&json!(C), &json!(REGION)),
                "{story}"
            );
            assert_eq!(story["buses"].as_array().unwrap().len(), 2, "{story}");
        }
    }
    local.stop().await;
}

#[tokio::test]
async fn dead_letters_go_to_a_standard_queue_of_the_rules_region() {
    let local = Local::start(Config::default()).await;
    queue(&local, "dead", json!({})).await;
    queue(&local, "dead.fifo", json!({ "FifoQueue": "true" })).await;
    local
        .run(&[(C, "sqs.CreateQueue", r#"{"QueueName":"shut"}"#, "ok")])
        .await;
    local
        .run(&[(
            C,
            "events.PutRule",
            r#"{"Name":"r","EventPattern":"{\"source\":[\"s\"]}"}"#,
            "ok",
        )])
        .await;
    for (dead, expected) in [
        (arn("sqs", "dead"), "sent to arn:"),
        (arn("sqs", "dead.fifo"), "has to be a standard queue"),
        (arn("sqs", "shut"), "does not allow"),
        (arn("sqs", "nope"), "does not exist"),
        (format!("arn:aws:sqs:{FAR}:{C}:dead"), "in the rule's region"),
    ] {
        let target = json!({ "Id": "1", "Arn": arn("sqs", "gone"), "DeadLetterConfig": { "Arn": dead } });
        let targets = json!({ "Rule": "r", "Targets": [target] }).to_string();
        local.run(&[(C, "events.PutTargets", &targets, "ok")]).await;
        let id = send(&local, "{}").await;
        let story = local.look(&format!("events/{id}")).await;
        let delivery = &story["buses"][0]["deliveries"][0];
        let told = delivery["dead_letter"].as_str().unwrap_or_default();
        assert!(told.contains(expected), "{dead} {story}");
        assert_eq!(
            delivery["attempts"][0]["error_code"],
            json!("NO_RESOURCE"),
            "{story}"
        );
    }
    let totals = local.look("metrics").await["totals"].clone();
    let wanted =
        json!({ "FailedInvocations": 5, "InvocationsSentToDLQ": 1, "InvocationsFailedToBeSentToDLQ": 4 });
    assert!(has(&totals, &wanted), "{totals}");
    local.stop().await;
}

#[tokio::test]
async fn what_a_policy_must_not_hold_is_refused_when_it_is_set() {
    let local = Local::start(Config::default()).await;
    local
        .run(&[
            (C, "logs.CreateLogGroup", r#"{"logGroupName":"g"}"#, "ok"),
            (C, "sqs.CreateQueue", r#"{"QueueName":"q"}"#, "ok"),
        ])
        .await;
    let url = format!("{}/{C}/q", local.url);
    for (changes, fine) in [
        (json!({}), true),
        (
            json!({ "Condition": { "ArnLike": { "aws:SourceArn": "arn:*" }, "Bool": { "aws:SecureTransport": "true" } } }),
            true,
        ),
        (
            json!({ "Condition": { "StringEquals": { "aws:UserAgent": "x" } } }),
            false,
        ),
        (
            json!({ "Condition": { "IpAddress": { "aws:SourceArn": "x" } } }),
            false,
        ),
        (
            json!({ "Condition": { "StringEqualsIfExists": { "aws:SourceAccount": "x" } } }),
            false,
        ),
        (
            json!({ "Condition": { "ForAnyValue:StringEquals": { "aws:SourceAccount": "x" } } }),
            false,
        ),
        (json!({ "NotPrincipal": "*" }), false),
        (json!({ "Effect": "Maybe" }), false),
        (json!({ "Principal": { "Robot": "x" } }), false),
    ] {
        let document = |action: &str, resource: &str| policy(&json!(action), resource, &changes);
        let bus = document("events:PutEvents", &arn("events", "event-bus/default"));
        let bus: Value = serde_json::from_str(&bus).unwrap();
        let mut bus = bus;
        bus["Statement"][0]["Sid"] = json!("s");
        let logs = document("logs:PutLogEvents", "*");
        let steps = [
            (
                "logs.PutResourcePolicy",
                json!({ "policyName": "p", "policyDocument": logs }),
                "InvalidParameterException",
            ),
            (
                "sqs.SetQueueAttributes",
                json!({ "QueueUrl": url, "Attributes": { "Policy": document("sqs:*", &arn("sqs", "q")) } }),
                "InvalidAttributeValue",
            ),
            (
                "events.PutPermission",
                json!({ "Policy": bus.to_string() }),
                "ValidationException",
            ),
        ];
        for (operation, body, refusal) in steps {
            let expected = if fine { "ok" } else { refusal };
            local.run(&[(C, operation, &body.to_string(), expected)]).await;
        }
    }
    local.stop().await;
}
