//! Which log groups get the records of an event bus, and how many they may be.

use aws_local::Config;
use serde_json::{Value, json};

use crate::bus_logs::{ARRIVED, DELIVERED, TYPES, all, deliver, log, names, records, rule, text};
use crate::client::{CUSTOMER, Local};
use crate::targets::{arn, policy, queue, send};

const C: &str = CUSTOMER;

type Case = (&'static [(&'static str, &'static str)], bool, bool);

/// The policy of the group (`g`) and of the account (`*`) before the delivery is made, each but a change of one that lets
/// logs in; whether the group gets one of its own, and whether records arrive.
const POLICIES: &[Case] = &[
    (&[], true, true),
    (&[("*", "{}")], false, true),
    (
        &[(
            "*",
            r#"{"Condition":{"StringEquals":{"aws:SourceAccount":"ME"},"ArnLike":{"aws:SourceArn":"HERE:delivery-source:default-INFO_LOGS"}}}"#,
        )],
        false,
        true,
    ),
    // What lets in another delivery lets in none, and the group has no policy yet.
    (
        &[(
            "*",
            r#"{"Condition":{"ArnLike":{"aws:SourceArn":"HERE:delivery-source:other"}}}"#,
        )],
        true,
        true,
    ),
    (&[("g", "{}")], false, true),
    // It has one, so none is made.
    (
        &[("g", r#"{"Principal":{"Service":"events.amazonaws.com"}}"#)],
        false,
        false,
    ),
    (
        &[(
            "g",
            r#"{"Condition":{"ArnLike":{"aws:SourceArn":"HERE:log-group:default"}}}"#,
        )],
        false,
        false,
    ),
    (&[("*", r#"{"Effect":"Deny"}"#), ("g", "{}")], false, false),
];

/// The rule and the policy of AWS's guide (AWS-logs-infrastructure-V2-CloudWatchLogs).
#[tokio::test]
async fn a_group_takes_records_when_a_policy_lets_log_delivery_in() {
    let local = Local::start(Config::default()).await;
    let group = arn("logs", "log-group:default");
    for (policies, made, arrive) in POLICIES {
        local.tell("reset", "").await;
        local
            .run(&[(C, "logs.CreateLogGroup", r#"{"logGroupName":"default"}"#, "ok")])
            .await;
        for (scope, changes) in *policies {
            let mut all = json!({ "Principal": { "Service": "delivery.logs.amazonaws.com" } });
            let changes = changes
                .replace("HERE", arn("logs", "").trim_end_matches(':'))
                .replace("ME", C);
            for (member, value) in serde_json::from_str::<Value>(&changes)
                .unwrap()
                .as_object()
                .unwrap()
            {
                all[member] = value.clone();
            }
            let both = json!(["logs:CreateLogStream", "logs:PutLogEvents"]);
            let document = policy(&both, &format!("{group}:log-stream:*"), &all);
            let put = match *scope {
                "g" => json!({ "resourceArn": group, "policyDocument": document }),
                _ => json!({ "policyName": "p", "policyDocument": document }),
            };
            local
                .run(&[(C, "logs.PutResourcePolicy", &put.to_string(), "ok")])
                .await;
        }
        let config = r#"{"Name":"default","LogConfig":{"Level":"INFO"}}"#;
        local.run(&[(C, "events.UpdateEventBus", config, "ok")]).await;
        deliver(&local, "default", &group, &["INFO_LOGS"]).await;
        let shown = json!({ "resourceArn": group }).to_string();
        let (_, own) = local.ask(C, "logs.DescribeResourcePolicies", &shown).await;
        let is_made = own.to_string().contains("AWSLogDeliveryWrite20150319");
        assert_eq!(is_made, *made, "{policies:?} {own}");
        send(&local, "{}").await;
        let found = records(&local, "default").await.len();
        assert_eq!(found, if *arrive { 2 } else { 0 }, "{policies:?}");
        let (_, streams) = local
            .ask(C, "logs.DescribeLogStreams", r#"{"logGroupName":"default"}"#)
            .await;
        let validated = streams
            .to_string()
            .contains("log_stream_created_by_aws_to_validate");
        assert_eq!(validated, *arrive, "{policies:?} {streams}");
        if *made {
            check_policy_taken_away(&local, &own, &group).await;
        }
    }
    local.stop().await;
}

/// Without the policy that was made for it, a group gets no more.
async fn check_policy_taken_away(local: &Local, own: &Value, group: &str) {
    let revision = &own["resourcePolicies"][0]["revisionId"];
    let gone = json!({ "resourceArn": group, "expectedRevisionId": revision }).to_string();
    local.run(&[(C, "logs.DeleteResourcePolicy", &gone, "ok")]).await;
    send(local, "{}").await;
    assert_eq!(records(local, "default").await.len(), 2);
}

#[tokio::test]
async fn a_delivery_gets_the_records_of_its_type_while_it_is_there() {
    let local = Local::start(Config::default()).await;
    log(&local, "default", "TRACE", "NONE", &["INFO_LOGS"]).await;
    send(&local, "{}").await;
    let expected = ["INFO EVENT_INGEST_SUCCESS", "INFO NO_STANDARD_RULES_MATCHED"];
    assert_eq!(names(&records(&local, "default").await), all(&[&expected]));
    let (_, all_of_them) = local.ask(C, "logs.DescribeDeliveries", "{}").await;
    let gone = json!({ "id": all_of_them["deliveries"][0]["id"] }).to_string();
    local.run(&[(C, "logs.DeleteDelivery", &gone, "ok")]).await;
    send(&local, "{}").await;
    assert_eq!(records(&local, "default").await.len(), 2);

    // Neither a bucket nor a group that is gone gets any, and the event is delivered all the same.
    queue(&local, "q", json!({})).await;
    rule(&local, "default", &json!([{ "Id": "1", "Arn": arn("sqs", "q") }])).await;
    deliver(
        &local,
        "default",
        &arn("logs", "log-group:default"),
        &["TRACE_LOGS"],
    )
    .await;
    local
        .run(&[(C, "logs.DeleteLogGroup", r#"{"logGroupName":"default"}"#, "ok")])
        .await;
    let bucket =
        r#"{"name":"s3","deliveryDestinationConfiguration":{"destinationResourceArn":"arn:aws:s3:::b"}}"#;
    let to = arn("logs", "delivery-destination:s3");
    let create =
        json!({ "deliverySourceName": "default-INFO_LOGS", "deliveryDestinationArn": to }).to_string();
    local
        .run(&[
            (C, "logs.PutDeliveryDestination", bucket, "ok"),
            (C, "logs.CreateDelivery", &create, "ok"),
        ])
        .await;
    let id = send(&local, "{}").await;
    let story = local.look(&format!("events/{id}")).await;
    assert_eq!(
        story["buses"][0]["deliveries"][0]["outcome"],
        json!("delivered"),
        "{story}"
    );
    local.stop().await;
}

/// Fields go in the order of the guide, and are named.
#[tokio::test]
async fn a_record_that_is_too_long_loses_its_longest_field() {
    let local = Local::start(Config::default()).await;
    log(&local, "default", "TRACE", "FULL", &TYPES).await;
    queue(&local, "q", json!({ "MaximumMessageSize": "1048576" })).await;
    rule(&local, "default", &json!([{ "Id": "1", "Arn": arn("sqs", "q") }])).await;
    // Each quote takes two bytes in the event, and four where that is text in a record.
    let detail = json!({ "quotes": "\"".repeat(300_000) }).to_string();
    send(&local, &detail).await;
    let found = records(&local, "default").await;
    assert_eq!(names(&found), all(&[&ARRIVED, &["INFO RULE_MATCH"], &DELIVERED]));
    for record in found {
        let dropped = match text(&record, "message_type") {
            "EVENT_RECEIPT" | "EVENT_INGEST_SUCCESS" | "RULE_MATCH_START" => json!(["event_detail"]),
            "INVOCATION_START" | "INVOCATION_ATTEMPT_START" | "INVOCATION_SUCCESS" => json!(["target_input"]),
            _ => Value::Null,
        };
        assert_eq!(record["dropped_fields"], dropped, "{record}");
        assert!(record.to_string().len() < 2_000);
    }
    local.stop().await;
}

#[tokio::test]
async fn what_one_request_logs_is_bounded_and_what_it_delivers_is_not() {
    let local = Local::start(Config::default()).await;
    log(&local, "default", "TRACE", "FULL", &TYPES).await;
    queue(&local, "q", json!({})).await;
    let target = |id: u32| json!({ "Id": id.to_string(), "Arn": arn("sqs", "q") });
    rule(&local, "default", &json!((1..=5).map(target).collect::<Vec<_>>())).await;
    let detail = json!({ "x": "x".repeat(100_000) }).to_string();
    let entry = json!({ "Source": "s", "DetailType": "t", "Detail": detail });
    let put = json!({ "Entries": vec![entry; 10] }).to_string();
    local
        .run(&[(C, "events.PutEvents", &put, r#"ok{"FailedEntryCount":0}"#)])
        .await;
    let bytes = local.look("metrics").await["logs"]["bytes"].as_u64().unwrap();
    assert!((15 << 20..17 << 20).contains(&bytes), "{bytes}");
    let totals = local.look("metrics").await["totals"].clone();
    assert_eq!(totals["Invocations"], json!(50), "{totals}");
    assert!(totals.get("FailedInvocations").is_none(), "{totals}");
    // The next request has room of its own.
    send(&local, "{}").await;
    let more = local.look("metrics").await["logs"]["bytes"].as_u64().unwrap() - bytes;
    assert!((10_000..50_000).contains(&more), "{more}");
    local.stop().await;
}

#[tokio::test]
async fn the_same_records_are_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let config = || Config {
        data_dir: Some(dir.path().to_owned()),
        ..Config::default()
    };
    let local = Local::start(config()).await;
    log(&local, "default", "TRACE", "FULL", &TYPES).await;
    queue(&local, "q", json!({})).await;
    let targets = ["q", "none"].map(|name| json!({ "Id": name, "Arn": arn("sqs", name) }));
    rule(&local, "default", &json!(targets)).await;
    for _ in 0..3 {
        send(&local, r#"{"k":1}"#).await;
    }
    let before = records(&local, "default").await;
    local.stop().await;
    let local = Local::start(config()).await;
    assert_eq!(records(&local, "default").await, before);
    assert_eq!(before.len(), 3 * (ARRIVED.len() + 1 + 2 * DELIVERED.len()));
    local.stop().await;
}
