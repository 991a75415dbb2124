//! Partner sources at their edges: names, entries, time, pages.

use aws_local::Config;
use serde_json::{Value, json};

use crate::client::{CUSTOMER, Local, PARTNER};

const SOURCE: &str = "aws.partner/scalr.com/acme/prod";
const DAY: i64 = 24 * 60 * 60;

async fn make(local: &Local, name: &str, account: &str) -> String {
    let body = json!({ "Name": name, "Account": account }).to_string();
    let (status, answer) = local.ask(PARTNER, "events.CreatePartnerEventSource", &body).await;
    if status == 200 {
        return "ok".to_owned();
    }
    answer["__type"].as_str().unwrap().to_owned()
}

/// What the customer sees of the source: its state, or the error's name.
async fn state(local: &Local, name: &str) -> String {
    let body = json!({ "Name": name }).to_string();
    let (_, answer) = local.ask(CUSTOMER, "events.DescribeEventSource", &body).await;
    let shown = answer.get("State").unwrap_or(&answer["__type"]);
    shown.as_str().unwrap().to_owned()
}

async fn customer(local: &Local, operation: &str, body: Value) {
    local
        .run(&[(CUSTOMER, &format!("events.{operation}"), &body.to_string(), "ok")])
        .await;
}

async fn pass(local: &Local, seconds: i64) {
    local
        .tell("clock", &json!({ "advance_seconds": seconds }).to_string())
        .await;
}

#[tokio::test]
async fn names_are_held_to_the_model() {
    let local = Local::start(Config::default()).await;
    let longest = format!("aws.partner/a/{}", "n".repeat(242));
    for (name, account, expected) in [
        ("aws.partner/a/b", CUSTOMER, "ok"),
        ("aws.partner/scalr.com/A_b-.9/x/y/z", CUSTOMER, "ok"),
        (&longest, CUSTOMER, "ok"),
        (&format!("{longest}n"), CUSTOMER, "ValidationException"),
        ("aws.partner/a", CUSTOMER, "ValidationException"),
        ("aws.partner//b", CUSTOMER, "ValidationException"),
        ("aws.partner/a/b/", CUSTOMER, "ValidationException"),
        ("aws.partner/a b/c", CUSTOMER, "ValidationException"),
        ("aws.partner/a/é", CUSTOMER, "ValidationException"),
        ("AWS.partner/a/b", CUSTOMER, "ValidationException"),
        ("awsxpartner/a/b", CUSTOMER, "ValidationException"),
        ("mypartner/a/b", CUSTOMER, "ValidationException"),
        ("", CUSTOMER, "ValidationException"),
        ("aws.partner/a/c", "22222222222", "ValidationException"),
        ("aws.partner/a/c", "2222222222222", "ValidationException"),
        ("aws.partner/a/c", "22222222222x", "ValidationException"),
    ] {
        assert_eq!(
            make(&local, name, account).await,
            expected,
            "{name} for {account}"
        );
    }
    local.stop().await;
}

#[tokio::test]
async fn entries_are_judged_one_by_one() {
    let local = Local::start(Config::default()).await;
    assert_eq!(make(&local, SOURCE, CUSTOMER).await, "ok");
    let good = json!({ "Source": SOURCE, "DetailType": "t", "Detail": "{}" });
    let with = |member: &str, value: Value| {
        let mut entry = good.clone();
        entry[member] = value;
        entry
    };
    let long = "é".repeat(128);
    for (entry, expected) in [
        (good.clone(), ""),
        (with("DetailType", json!(long)), ""),
        (with("DetailType", json!(format!("{long}x"))), "InvalidArgument"),
        (with("DetailType", Value::Null), "InvalidArgument"),
        (with("DetailType", json!("")), "InvalidArgument"),
        (with("Source", Value::Null), "InvalidArgument"),
        (with("Detail", Value::Null), "InvalidArgument"),
        (with("Detail", json!("[]")), "MalformedDetail"),
        (with("Detail", json!("\"{}\"")), "MalformedDetail"),
        (with("Detail", json!("{\"a\":}")), "MalformedDetail"),
        (
            with("Source", json!("aws.partner/scalr.com/acme/none")),
            "NotAuthorizedForSourceException",
        ),
    ] {
        let body = json!({ "Entries": [entry, good] }).to_string();
        let (_, answer) = local.ask(PARTNER, "events.PutPartnerEvents", &body).await;
        let code = answer["Entries"][0]["ErrorCode"].as_str().unwrap_or_default();
        assert_eq!(code, expected, "{entry} {answer}");
        assert_eq!(
            answer["FailedEntryCount"],
            u8::from(!expected.is_empty()),
            "{entry}"
        );
        assert!(
            answer["Entries"][1]["EventId"].is_string(),
            "{entry}: the other one stands"
        );
    }
    for (entries, expected) in [
        (vec![good.clone(); 20], "ok"),
        (vec![good.clone(); 21], "ValidationException"),
        (vec![], "ValidationException"),
        (
            vec![with("Detail", Value::Null), with("DetailType", Value::Null)],
            "ValidationException",
        ),
        (vec![with("Source", json!("scalr"))], "ValidationException"),
    ] {
        let body = json!({ "Entries": entries }).to_string();
        local
            .run(&[(PARTNER, "events.PutPartnerEvents", &body, expected)])
            .await;
    }
    local.stop().await;
}

#[tokio::test]
async fn two_weeks_are_counted_from_the_last_suspension() {
    let local = Local::start(Config::default()).await;
    let name = json!({ "Name": SOURCE });
    make(&local, SOURCE, CUSTOMER).await;
    pass(&local, 14 * DAY - 60).await;
    assert_eq!(state(&local, SOURCE).await, "PENDING");
    pass(&local, 61).await;
    assert_eq!(
        state(&local, SOURCE).await,
        "ResourceNotFoundException",
        "no bus, nothing left"
    );

    make(&local, SOURCE, CUSTOMER).await;
    customer(
        &local,
        "CreateEventBus",
        json!({ "Name": SOURCE, "EventSourceName": SOURCE }),
    )
    .await;
    pass(&local, 30 * DAY).await;
    assert_eq!(
        state(&local, SOURCE).await,
        "ACTIVE",
        "an active source does not expire"
    );
    customer(&local, "DeactivateEventSource", name.clone()).await;
    pass(&local, 13 * DAY).await;
    customer(&local, "ActivateEventSource", name.clone()).await;
    customer(&local, "DeactivateEventSource", name.clone()).await;
    pass(&local, 13 * DAY).await;
    assert_eq!(state(&local, SOURCE).await, "PENDING", "the time began again");
    pass(&local, 2 * DAY).await;
    assert_eq!(state(&local, SOURCE).await, "DELETED", "its bus stands");

    make(&local, SOURCE, CUSTOMER).await;
    assert_eq!(state(&local, SOURCE).await, "PENDING");
    customer(&local, "ActivateEventSource", name.clone()).await;
    assert_eq!(
        state(&local, SOURCE).await,
        "ACTIVE",
        "the old bus matches the new source"
    );
    customer(&local, "DeleteEventBus", name).await;
    pass(&local, 15 * DAY).await;
    assert_eq!(state(&local, SOURCE).await, "ResourceNotFoundException");
    local.stop().await;
}

#[tokio::test]
async fn sources_come_in_pages() {
    let local = Local::start(Config::default()).await;
    for n in 0..5 {
        make(&local, &format!("{SOURCE}/{n}"), CUSTOMER).await;
    }
    make(&local, "aws.partner/scalr.com/other/x", CUSTOMER).await;
    let prefix = "aws.partner/scalr.com/";
    for (key, operation, list) in [
        (CUSTOMER, "events.ListEventSources", "EventSources"),
        (PARTNER, "events.ListPartnerEventSources", "PartnerEventSources"),
    ] {
        for (limit, sizes) in [(4, vec![4, 2]), (6, vec![6]), (100, vec![6])] {
            let (mut seen, mut token) = (Vec::new(), Value::Null);
            loop {
                let body = json!({ "NamePrefix": prefix, "Limit": limit, "NextToken": token }).to_string();
                let (_, page) = local.ask(key, operation, &body).await;
                seen.push(page[list].as_array().unwrap().len());
                token = page["NextToken"].clone();
                if token.is_null() {
                    break;
                }
            }
            assert_eq!(seen, sizes, "{operation} by {limit}");
        }
        for refused in [
            json!({ "Limit": 0 }),
            json!({ "Limit": 101 }),
            json!({ "NextToken": "x" }),
        ] {
            let mut body = json!({ "NamePrefix": prefix });
            body.as_object_mut()
                .unwrap()
                .extend(refused.as_object().unwrap().clone());
            local
                .run(&[(key, operation, &body.to_string(), "ValidationException")])
                .await;
        }
    }
    local.stop().await;
}
