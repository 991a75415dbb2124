//! What an event bus logs: which records of which level, what they say, and which log groups get them.

use aws_local::Config;
use serde_json::{Value, json};

use crate::client::{CUSTOMER, Local, PARTNER, REGION};
use crate::outside::endpoint;
use crate::script::has;
use crate::targets::{arn, policy, queue, send};

const C: &str = CUSTOMER;
const STREAM: &str = "EventBridgeEventBusLogs";
const TYPES: [&str; 3] = ["ERROR_LOGS", "INFO_LOGS", "TRACE_LOGS"];
/// What an event that arrives is logged as, before any rule.
const ARRIVED: [&str; 3] = [
    "TRACE EVENT_RECEIPT",
    "INFO EVENT_INGEST_SUCCESS",
    "TRACE RULE_MATCH_START",
];
const DELIVERED: [&str; 4] = [
    "INFO INVOCATION_START",
    "TRACE INVOCATION_ATTEMPT_START",
    "TRACE INVOCATION_ATTEMPT_SUCCESS",
    "INFO INVOCATION_SUCCESS",
];

/// Lets a bus log to the group of its name: records of these types.
async fn log(local: &Local, bus: &str, level: &str, detail: &str, types: &[&str]) {
    let config = json!({ "Name": bus, "LogConfig": { "Level": level, "IncludeDetail": detail } });
    let group = json!({ "logGroupName": bus });
    local
        .run(&[
            (C, "events.UpdateEventBus", &config.to_string(), "ok"),
            (C, "logs.CreateLogGroup", &group.to_string(), "ok"),
        ])
        .await;
    deliver(local, bus, &arn("logs", &format!("log-group:{bus}")), types).await;
}

async fn deliver(local: &Local, bus: &str, to: &str, types: &[&str]) {
    let name = bus.replace(['/', '.'], "-");
    let to = json!({ "name": name, "deliveryDestinationConfiguration": { "destinationResourceArn": to } });
    local
        .run(&[(C, "logs.PutDeliveryDestination", &to.to_string(), "ok")])
        .await;
    for kind in types {
        let source = format!("{name}-{kind}");
        let bus = arn("events", &format!("event-bus/{bus}"));
        let put = json!({ "name": source, "resourceArn": bus, "logType": kind }).to_string();
        let destination = arn("logs", &format!("delivery-destination:{name}"));
        let create =
            json!({ "deliverySourceName": source, "deliveryDestinationArn": destination }).to_string();
        local
            .run(&[
                (C, "logs.PutDeliverySource", &put, "ok"),
                (C, "logs.CreateDelivery", &create, "ok"),
            ])
            .await;
    }
}

/// The records in a group, oldest first.
async fn records(local: &Local, group: &str) -> Vec<Value> {
    let (mut found, mut token) = (Vec::new(), Value::Null);
    loop {
        let mut body = json!({ "logGroupName": group, "logStreamNames": [STREAM] });
        if !token.is_null() {
            body["nextToken"] = token;
        }
        let (status, mut page) = local.ask(C, "logs.FilterLogEvents", &body.to_string()).await;
        if status != 200 {
            // There is no such stream before the first record.
            return found;
        }
        let messages = page["events"].as_array().unwrap().iter();
        found.extend(messages.map(|event| serde_json::from_str(event["message"].as_str().unwrap()).unwrap()));
        token = page["nextToken"].take();
        if token.is_null() {
            return found;
        }
    }
}

fn text<'r>(record: &'r Value, member: &str) -> &'r str {
    record[member].as_str().unwrap()
}

fn names(records: &[Value]) -> Vec<String> {
    let name = |record: &Value| format!("{} {}", text(record, "log_level"), text(record, "message_type"));
    records.iter().map(name).collect()
}

fn all(parts: &[&[&str]]) -> Vec<String> {
    parts.concat().into_iter().map(str::to_owned).collect()
}

async fn rule(local: &Local, bus: &str, targets: &Value) {
    let put = json!({ "Name": "r", "EventBusName": bus, "EventPattern": r#"{"source":["s"]}"# }).to_string();
    local.run(&[(C, "events.PutRule", &put, "ok")]).await;
    if targets != &json!([]) {
        let put = json!({ "Rule": "r", "EventBusName": bus, "Targets": targets }).to_string();
        local
            .run(&[(C, "events.PutTargets", &put, r#"ok{"FailedEntryCount":0}"#)])
            .await;
    }
}

/// The targets of the rule that matches, if there is one, and what is logged after the event has arrived. The queues `q` and
/// `dead` are there.
const HAPPENED: &[(Option<&str>, &[&str])] = &[
    (None, &["INFO NO_STANDARD_RULES_MATCHED"]),
    (Some("[]"), &["INFO RULE_MATCH"]),
    (
        Some(r#"[{"Id":"1","Arn":"SQS:q"}]"#),
        &[
            "INFO RULE_MATCH",
            "INFO INVOCATION_START",
            "TRACE INVOCATION_ATTEMPT_START",
            "TRACE INVOCATION_ATTEMPT_SUCCESS",
            "INFO INVOCATION_SUCCESS",
        ],
    ),
    (
        Some(r#"[{"Id":"1","Arn":"SQS:none"}]"#),
        &[
            "INFO RULE_MATCH",
            "INFO INVOCATION_START",
            "TRACE INVOCATION_ATTEMPT_START",
            "ERROR INVOCATION_ATTEMPT_PERMANENT_FAILURE",
            "ERROR INVOCATION_FAILURE",
        ],
    ),
    (
        Some(r#"[{"Id":"1","Arn":"SQS:none","DeadLetterConfig":{"Arn":"SQS:dead"}}]"#),
        &[
            "INFO RULE_MATCH",
            "INFO INVOCATION_START",
            "TRACE INVOCATION_ATTEMPT_START",
            "ERROR INVOCATION_ATTEMPT_PERMANENT_FAILURE",
            "ERROR INVOCATION_DLQ",
        ],
    ),
    (
        Some(r#"[{"Id":"1","Arn":"SQS:none","DeadLetterConfig":{"Arn":"SQS:gone"}}]"#),
        &[
            "INFO RULE_MATCH",
            "INFO INVOCATION_START",
            "TRACE INVOCATION_ATTEMPT_START",
            "ERROR INVOCATION_ATTEMPT_PERMANENT_FAILURE",
            "ERROR INVOCATION_FAILURE",
        ],
    ),
];

/// The table of AWS's guide (eb-event-bus-logs, "Specifying event bus log level").
#[tokio::test]
async fn a_level_has_its_steps_and_those_of_the_levels_below() {
    for (targets, expected) in HAPPENED {
        for (level, below) in [
            ("OFF", &[][..]),
            ("ERROR", &["ERROR "][..]),
            ("INFO", &["ERROR ", "INFO "][..]),
            ("TRACE", &["ERROR ", "INFO ", "TRACE "][..]),
        ] {
            let local = Local::start(Config::default()).await;
            log(&local, "default", level, "NONE", &TYPES).await;
            queue(&local, "q", json!({})).await;
            queue(&local, "dead", json!({})).await;
            if let Some(targets) = targets {
                let targets = targets.replace("SQS", arn("sqs", "").trim_end_matches(':'));
                rule(&local, "default", &serde_json::from_str(&targets).unwrap()).await;
            }
            send(&local, "{}").await;
            let mut expected = all(&[&ARRIVED, expected]);
            expected.retain(|line| below.iter().any(|level| line.starts_with(level)));
            let found = names(&records(&local, "default").await);
            assert_eq!(found, expected, "{level} {targets:?}");
            local.stop().await;
        }
    }
}

/// The members of eb-event-logs-schema.
#[tokio::test]
async fn records_say_what_the_guide_lists() {
    let local = Local::start(Config::default()).await;
    log(&local, "default", "TRACE", "FULL", &TYPES).await;
    queue(&local, "q", json!({})).await;
    let (q, none, role) = (
        arn("sqs", "q"),
        arn("sqs", "none"),
        format!("arn:aws:iam::{C}:role/r"),
    );
    let target = json!({ "Id": "1", "Arn": q, "InputPath": "$.detail" });
    let fails = json!({ "Id": "2", "Arn": none, "RoleArn": role, "Input": "7" });
    rule(&local, "default", &json!([target, fails])).await;
    let id = send(&local, r#"{"n": 1.50}"#).await;
    let found = records(&local, "default").await;
    let rule = arn("events", "rule/r");
    let event = json!({
        "caller_account_id": C, "source_time_ms": 1_795_000_000_000_i64, "source": "s", "detail_type": "t \"x\"",
        "resources": [], "event_detail": r#"{"n":1.50}"#,
    });
    let called = json!({ "rule_arn": rule, "target_arn": q, "target_input": r#"{"n":1.50}"# });
    let attempt = json!({ "rule_arn": rule, "target_arn": q, "attempt_type": "FIRST", "attempt_count": 1, "target_duration_ms": 0 });
    let ended = json!({
        "total_attempts": 1, "ingestion_to_start_latency_ms": 0, "ingestion_to_complete_latency_ms": 0,
        "target_duration_ms": 0,
    });
    for (name, at, wanted) in [
        ("EVENT_RECEIPT", 0, &event),
        ("EVENT_INGEST_SUCCESS", 0, &event),
        ("RULE_MATCH_START", 0, &event),
        (
            "RULE_MATCH",
            0,
            &json!({ "rule_arn": rule, "target_arns": [q, none] }),
        ),
        ("INVOCATION_START", 0, &called),
        ("INVOCATION_START", 0, &json!({ "attempt_count": 1 })),
        (
            "INVOCATION_START",
            1,
            &json!({ "role_arn": role, "target_input": "7" }),
        ),
        ("INVOCATION_ATTEMPT_START", 0, &called),
        ("INVOCATION_ATTEMPT_SUCCESS", 0, &attempt),
        (
            "INVOCATION_ATTEMPT_SUCCESS",
            0,
            &json!({ "invocation_status": "SUCCESS" }),
        ),
        (
            "INVOCATION_ATTEMPT_PERMANENT_FAILURE",
            0,
            &json!({ "invocation_status": "NO_RESOURCE" }),
        ),
        ("INVOCATION_SUCCESS", 0, &called),
        ("INVOCATION_SUCCESS", 0, &ended),
        (
            "INVOCATION_SUCCESS",
            0,
            &json!({ "final_invocation_status": "SUCCESS", "ingestion_to_success_latency_ms": 0 }),
        ),
        ("INVOCATION_FAILURE", 0, &ended),
        (
            "INVOCATION_FAILURE",
            0,
            &json!({ "final_invocation_status": "NO_RESOURCE" }),
        ),
    ] {
        let record = found
            .iter()
            .filter(|record| record["message_type"] == name)
            .nth(at)
            .unwrap();
        let frame = json!({ "resource_arn": arn("events", "event-bus/default"), "event_bus_name": "default", "event_id": id });
        assert!(has(record, &frame), "{record}");
        assert!(has(&record["details"], wanted), "{record} {wanted}");
        assert!(record["message_timestamp_ms"].is_i64(), "{record}");
        assert_eq!(
            record.get("invocation_id").is_some(),
            name.starts_with("INVOCATION"),
            "{record}"
        );
        assert_eq!(
            record.get("error").is_some(),
            name.ends_with("FAILURE"),
            "{record}"
        );
    }
    check_ids(&found);
    let error = json!({ "error_message": "queue none does not exist", "aws_service": "sqs" });
    assert_eq!(found.last().unwrap()["error"], error);
    local.stop().await;
}

/// The invocations have the ids that the match names, and the records of one event have one request id.
fn check_ids(found: &[Value]) {
    let named = found
        .iter()
        .find(|record| record["message_type"] == "RULE_MATCH")
        .unwrap();
    let named = named["details"]["invocation_ids"].as_array().unwrap();
    let started = found
        .iter()
        .filter(|record| record["message_type"] == "INVOCATION_START");
    let started: Vec<&Value> = started.map(|record| &record["invocation_id"]).collect();
    assert_eq!(started, named.iter().collect::<Vec<_>>());
    assert_ne!(started[0], started[1]);
    let request = &found[0]["request_id"];
    assert!(found.iter().all(|record| record["request_id"] == *request));
}

#[tokio::test]
async fn without_details_neither_the_event_nor_the_input_is_logged() {
    let local = Local::start(Config::default()).await;
    log(&local, "default", "TRACE", "NONE", &TYPES).await;
    queue(&local, "q", json!({})).await;
    rule(&local, "default", &json!([{ "Id": "1", "Arn": arn("sqs", "q") }])).await;
    send(&local, r#"{"secret":"x"}"#).await;
    let found = records(&local, "default").await;
    assert_eq!(names(&found), all(&[&ARRIVED, &["INFO RULE_MATCH"], &DELIVERED]));
    for record in found {
        assert!(record["details"].get("event_detail").is_none(), "{record}");
        assert!(record["details"].get("target_input").is_none(), "{record}");
    }
    local.stop().await;
}

/// The statuses that a target's URL answers with, then 200; how many retries its policy allows; and what is logged of each
/// attempt (type, count, status) and in the end.
const ANSWERED: &[(&[u16], u32, &[&str], &str)] = &[
    (
        &[],
        5,
        &["TRACE INVOCATION_ATTEMPT_SUCCESS FIRST 1 SUCCESS null"],
        "INFO INVOCATION_SUCCESS 1 SUCCESS null",
    ),
    (
        &[400],
        5,
        &["ERROR INVOCATION_ATTEMPT_PERMANENT_FAILURE FIRST 1 SDK_CLIENT_ERROR 400"],
        "ERROR INVOCATION_FAILURE 1 SDK_CLIENT_ERROR 400",
    ),
    (
        &[503, 429],
        5,
        &[
            "ERROR INVOCATION_ATTEMPT_RETRYABLE_FAILURE FIRST 1 SERVER_ERROR 503",
            "ERROR INVOCATION_ATTEMPT_THROTTLE RETRY 2 THROTTLING 429",
            "TRACE INVOCATION_ATTEMPT_SUCCESS THROTTLE 3 SUCCESS null",
        ],
        "INFO INVOCATION_SUCCESS 3 SUCCESS null",
    ),
    (
        &[500, 500],
        1,
        &[
            "ERROR INVOCATION_ATTEMPT_RETRYABLE_FAILURE FIRST 1 SERVER_ERROR 500",
            "ERROR INVOCATION_ATTEMPT_RETRYABLE_FAILURE RETRY 2 SERVER_ERROR 500",
        ],
        "ERROR INVOCATION_FAILURE 2 SERVER_ERROR 500",
    ),
];

#[tokio::test]
async fn each_attempt_over_http_is_logged() {
    let function = format!("arn:aws:lambda:{REGION}:{C}:function:f");
    for (statuses, retries, attempts, end) in ANSWERED {
        let (url, _told) = endpoint(statuses.to_vec()).await;
        let local = Local::start(Config {
            targets: vec![(function.clone(), url)],
            ..Config::default()
        })
        .await;
        log(&local, "default", "TRACE", "FULL", &TYPES).await;
        let target =
            json!({ "Id": "1", "Arn": function, "RetryPolicy": { "MaximumRetryAttempts": retries } });
        rule(&local, "default", &json!([target])).await;
        send(&local, "{}").await;
        let found = until_ended(&local).await;
        let found = &found[ARRIVED.len() + 2..];
        let mut expected = Vec::new();
        for attempt in *attempts {
            expected.push("TRACE INVOCATION_ATTEMPT_START".to_owned());
            expected.push((*attempt).to_owned());
        }
        expected.push((*end).to_owned());
        let shown: Vec<String> = found.iter().map(attempt).collect();
        assert_eq!(shown, expected, "{statuses:?}");
        local.stop().await;
    }
}

fn attempt(record: &Value) -> String {
    let details = &record["details"];
    let mut line = names(std::slice::from_ref(record)).concat();
    if record["message_type"] == "INVOCATION_ATTEMPT_START" {
        return line;
    }
    if let Some(kind) = details["attempt_type"].as_str() {
        line = format!("{line} {kind} {}", details["attempt_count"]);
    } else {
        line = format!("{line} {}", details["total_attempts"]);
    }
    let status = details["invocation_status"].as_str();
    let status = status.or(details["final_invocation_status"].as_str());
    format!(
        "{line} {} {}",
        status.unwrap(),
        record["error"]["http_status_code"]
    )
}

/// Moves the clock on after each attempt, until the invocation has ended.
async fn until_ended(local: &Local) -> Vec<Value> {
    let mut seen = 0;
    loop {
        let found = records(local, "default").await;
        let ended = |record: &Value| record["details"].get("total_attempts").is_some();
        if found.iter().any(ended) {
            return found;
        }
        let attempts = found
            .iter()
            .filter(|record| record["details"].get("attempt_type").is_some());
        let attempts = attempts.count();
        if attempts > seen {
            seen = attempts;
            local.tell("clock", r#"{"advance_seconds":60}"#).await;
        }
        tokio::task::yield_now().await;
    }
}

/// Every way that AWS's guide names as logged: other buses, schedules, partners, replays.
#[tokio::test]
async fn events_are_logged_however_they_come() {
    let local = Local::start(Config::default()).await;
    let partner = "aws.partner/a/b";
    let source = json!({ "Name": partner, "Account": C }).to_string();
    let bus = json!({ "Name": partner, "EventSourceName": partner }).to_string();
    local
        .run(&[
            (PARTNER, "events.CreatePartnerEventSource", &source, "ok"),
            (C, "events.CreateEventBus", &bus, "ok"),
            (C, "events.CreateEventBus", r#"{"Name":"b"}"#, "ok"),
        ])
        .await;
    for bus in ["default", "b", partner] {
        log(&local, bus, "TRACE", "NONE", &TYPES).await;
    }
    let to = |bus: &str| json!([{ "Id": "1", "Arn": arn("events", &format!("event-bus/{bus}")), "RoleArn": format!("arn:aws:iam::{C}:role/r") }]);
    rule(&local, "default", &to("b")).await;
    rule(&local, "b", &to("default")).await;
    send(&local, "{}").await;
    let forwarded = all(&[&ARRIVED, &["INFO RULE_MATCH"], &DELIVERED]);
    assert_eq!(names(&records(&local, "default").await), forwarded);
    let refused = [
        "INFO RULE_MATCH",
        "INFO INVOCATION_START",
        "TRACE INVOCATION_ATTEMPT_START",
        "ERROR INVOCATION_ATTEMPT_PERMANENT_FAILURE",
        "ERROR INVOCATION_FAILURE",
    ];
    let found = records(&local, "b").await;
    assert_eq!(names(&found), all(&[&ARRIVED, &refused]));
    let why = json!({ "error_message": "an event that came from another bus is not sent on to a third", "aws_service": "events" });
    assert_eq!(found.last().unwrap()["error"], why);

    let entry =
        r#"{"Entries":[{"Source":"aws.partner/a/b","DetailType":"t","Detail":"{}","Resources":["x"]}]}"#;
    local
        .run(&[(
            PARTNER,
            "events.PutPartnerEvents",
            entry,
            r#"ok{"FailedEntryCount":0}"#,
        )])
        .await;
    let unmatched = all(&[&ARRIVED, &["INFO NO_STANDARD_RULES_MATCHED"]]);
    assert_eq!(names(&records(&local, partner).await), unmatched);

    let before = forwarded.len();
    let every = r#"{"Name":"every","ScheduleExpression":"rate(1 hour)"}"#;
    local.run(&[(C, "events.PutRule", every, "ok")]).await;
    local.tell("clock", r#"{"advance_seconds":3660}"#).await;
    let found = names(&records(&local, "default").await);
    assert_eq!(found[before..], all(&[&ARRIVED, &["INFO RULE_MATCH"]]));
    local.stop().await;
}

#[tokio::test]
async fn replayed_events_are_logged_again() {
    let local = Local::start(Config::default()).await;
    let bus = arn("events", "event-bus/default");
    let archive = json!({ "ArchiveName": "a", "EventSourceArn": bus }).to_string();
    local.run(&[(C, "events.CreateArchive", &archive, "ok")]).await;
    send(&local, "{}").await;
    log(&local, "default", "INFO", "NONE", &TYPES).await;
    for name in ["r", "other"] {
        let put = json!({ "Name": name, "EventPattern": r#"{"source":["s"]}"# }).to_string();
        local.run(&[(C, "events.PutRule", &put, "ok")]).await;
    }
    let start = json!({
        "ReplayName": "again", "EventSourceArn": arn("events", "archive/a"), "EventStartTime": 0,
        "EventEndTime": 9_999_999_999_i64, "Destination": { "Arn": bus, "FilterArns": [arn("events", "rule/other")] },
    });
    local
        .run(&[(C, "events.StartReplay", &start.to_string(), "ok")])
        .await;
    local.tell("clock", r#"{"advance_seconds":2}"#).await;
    let found = records(&local, "default").await;
    let expected = ["INFO EVENT_INGEST_SUCCESS", "INFO RULE_MATCH"];
    assert_eq!(names(&found), all(&[&expected]));
    assert_eq!(
        found[1]["details"]["rule_arn"],
        json!(arn("events", "rule/other"))
    );
    local.stop().await;
}

/// The policy of the group (`g`) and of the account (`*`) before the delivery is made, each but a change of one that lets
/// logs in; whether the group gets one of its own, and whether records arrive.
const POLICIES: &[(&[(&str, &str)], bool, bool)] = &[
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
