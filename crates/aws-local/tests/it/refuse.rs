//! What AWS refuses, by AWS's names.

use aws_local::Config;

use crate::client::{CUSTOMER, Local};
use crate::script::has;

const C: &str = CUSTOMER;

#[tokio::test]
async fn bad_requests_are_refused_by_their_names() {
    let local = Local::start(Config::default()).await;
    let long = format!(r#"{{"Name":"{}","EventPattern":"{{}}"}}"#, "r".repeat(65));
    let wide = format!(
        r#"{{"Entries":[{{"Source":"s","DetailType":"{}","Detail":"{{}}"}}]}}"#,
        "t".repeat(129)
    );
    let fat = format!(
        r#"{{"Entries":[{{"Source":"s","DetailType":"t","Detail":"{{\"a\":\"{}\"}}"}}]}}"#,
        "x".repeat(1 << 20)
    );
    let deep = format!(
        r#"{{"Entries":[{{"Source":"s","DetailType":"t","Detail":"{{\"a\":{}1{}}}"}}]}}"#,
        "[".repeat(900),
        "]".repeat(900)
    );
    local
        .run(&[
            (C, "events.Nonsense", "{}", "UnknownOperationException"),
            (C, "events.CreateEndpoint", r#"{"Name":"x"}"#, "UnknownOperationException"),
            (C, "logs.StartQuery", "{}", "UnknownOperationException"),
            (C, "events.ListRules", r#"{"Limit":"x"}"#, "SerializationException"),
            (C, "events.ListRules", "[]", "SerializationException"),
            (C, "events.ListRules", r#"{"Limit":0}"#, "ValidationException"),
            (C, "events.ListRules", r#"{"NextToken":"bogus"}"#, "ValidationException"),
            (C, "events.PutRule", &long, "ValidationException"),
            (C, "events.PutRule", r#"{"Name":"a/b","EventPattern":"{}"}"#, "ValidationException"),
            (C, "events.PutRule", r#"{"Name":"r"}"#, "ValidationException"),
            (C, "events.PutRule", r#"{"Name":"r","EventPattern":"{\"a\":1}"}"#, "InvalidEventPatternException"),
            (C, "events.PutRule", r#"{"Name":"r","ScheduleExpression":"rate(1 hours)"}"#, "ValidationException"),
            (C, "events.PutRule", r#"{"Name":"r","EventBusName":"nope","EventPattern":"{\"a\":[1]}"}"#, "ResourceNotFoundException"),
            (C, "events.EnableRule", r#"{"Name":"nope"}"#, "ResourceNotFoundException"),
            (C, "events.DeleteRule", r#"{"Name":"nope"}"#, "ok"),
            (C, "events.DeleteEventBus", r#"{"Name":"default"}"#, "ValidationException"),
            (C, "events.DeleteEventBus", r#"{"Name":"nope"}"#, "ok"),
            (C, "events.CreateEventBus", r#"{"Name":"default"}"#, "ResourceAlreadyExistsException"),
            (C, "events.CreateEventBus", r#"{"Name":"a/b"}"#, "ValidationException"),
            (C, "events.CreateEventBus", r#"{"Name":"b"}"#, "ok"),
            (C, "events.PutRule", r#"{"Name":"r","EventBusName":"b","ScheduleExpression":"rate(1 hour)"}"#, "ValidationException"),
            (C, "events.PutRule", r#"{"Name":"r","EventPattern":"{\"source\":[\"s\"]}"}"#, "ok"),
            (C, "events.PutTargets", r#"{"Rule":"r","Targets":[{"Id":"1","Arn":"x"}]}"#, "ValidationException"),
            (C, "events.PutTargets", r#"{"Rule":"r","Targets":[{"Id":"1","Arn":"arn:aws:sqs:r:1:q"}]}"#, "ok"),
            (C, "events.DeleteRule", r#"{"Name":"r"}"#, "ValidationException"),
            (C, "events.PutEvents", r#"{"Entries":[]}"#, "ValidationException"),
            (C, "events.PutEvents", r#"{"Entries":[{"Source":"s"}]}"#, r#"ok{"FailedEntryCount":1,"Entries":[{"ErrorCode":"InvalidArgument","ErrorMessage":"Parameter DetailType is not valid. Reason: DetailType is a required argument."}]}"#),
            (C, "events.PutPartnerEvents", r#"{"Entries":[{"Source":"aws.partner/a/b"}]}"#, "ValidationException"),
            (C, "events.PutEvents", &wide, r#"ok{"Entries":[{"ErrorCode":"InvalidArgument"}]}"#),
            (C, "events.PutEvents", &fat, "ValidationException"),
            (C, "events.PutEvents", &deep, r#"ok{"FailedEntryCount":0}"#),
            (
                C,
                "events.PutEvents",
                r#"{"Entries":[{"Source":"s","DetailType":"t","Detail":"{}"},{"Source":"s","DetailType":"t","Detail":"[]"},{"Source":"s"},{"Source":"aws.x","DetailType":"t","Detail":"{}"}]}"#,
                r#"ok{"FailedEntryCount":3,"Entries":[{},{"ErrorCode":"MalformedDetail"},{"ErrorCode":"InvalidArgument"},{"ErrorCode":"NotAuthorizedForSourceException"}]}"#,
            ),
            (C, "logs.CreateLogGroup", r#"{"logGroupName":"a b"}"#, "InvalidParameterException"),
            (C, "logs.DeleteLogGroup", r#"{"logGroupName":"nope"}"#, "ResourceNotFoundException"),
            (C, "logs.CreateLogGroup", r#"{"logGroupName":"g"}"#, "ok"),
            (C, "logs.CreateLogGroup", r#"{"logGroupName":"g"}"#, "ResourceAlreadyExistsException"),
            (C, "logs.PutRetentionPolicy", r#"{"logGroupName":"g","retentionInDays":2}"#, "InvalidParameterException"),
            (C, "sqs.GetQueueUrl", r#"{"QueueName":"nope"}"#, "QueueDoesNotExist"),
        ])
        .await;
    local.stop().await;
}

#[tokio::test]
async fn rules_and_targets_are_counted() {
    let local = Local::start(Config::default()).await;
    local
        .run(&[(
            C,
            "events.PutRule",
            r#"{"Name":"r","EventPattern":"{\"source\":[\"s\"]}"}"#,
            "ok",
        )])
        .await;
    let target = |n: u32| format!(r#"{{"Id":"{n}","Arn":"arn:aws:sqs:eu-west-1:{C}:q{n}"}}"#);
    let five: Vec<String> = (1..=5).map(target).collect();
    let put = |rows: &[String]| format!(r#"{{"Rule":"r","Targets":[{}]}}"#, rows.join(","));
    local
        .run(&[
            (C, "events.PutTargets", &put(&five), r#"ok{"FailedEntryCount":0}"#),
            (
                C,
                "events.PutTargets",
                &put(&[target(6)]),
                "LimitExceededException",
            ),
            (
                C,
                "events.RemoveTargets",
                r#"{"Rule":"r","Ids":["1","9"]}"#,
                r#"ok{"FailedEntryCount":1}"#,
            ),
        ])
        .await;
    let (_, first) = local
        .ask(C, "events.ListTargetsByRule", r#"{"Rule":"r","Limit":3}"#)
        .await;
    let token = first["NextToken"].as_str().unwrap();
    let rest = format!(r#"{{"Rule":"r","Limit":3,"NextToken":"{token}"}}"#);
    let (_, rest) = local.ask(C, "events.ListTargetsByRule", &rest).await;
    assert!(
        has(&rest, &serde_json::json!({ "Targets": [{ "Id": "5" }] })),
        "{rest}"
    );
    assert!(rest.get("NextToken").is_none(), "{rest}");
    local.stop().await;
}

#[tokio::test]
async fn pages_and_foreign_hosts_are_kept_out() {
    let local = Local::start(Config::default()).await;
    for (name, value) in [("origin", "http://localhost"), ("host", "evil.example")] {
        let request = reqwest::Client::new()
            .post(format!("{}/_local/reset", local.url))
            .header(name, value);
        assert_eq!(
            request.send().await.unwrap().status().as_u16(),
            403,
            "{name}: {value}"
        );
    }
    assert_eq!(
        local.tell("reset", "").await,
        serde_json::json!({ "reset": true })
    );
    local.stop().await;
}
