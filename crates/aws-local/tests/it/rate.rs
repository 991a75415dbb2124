//! The rate of an API destination, and what its connection means for its deliveries.

use aws_local::Config;
use serde_json::{Value, json};

use crate::client::{CUSTOMER, Local};
use crate::outside::endpoint;

const C: &str = CUSTOMER;

/// A rule whose five targets are one API destination that takes `rate` requests a second.
async fn wire_up(local: &Local, url: &str, rate: u32) {
    let auth = json!({ "BasicAuthParameters": { "Username": "u", "Password": "p" } });
    let connection = json!({ "Name": "c", "AuthorizationType": "BASIC", "AuthParameters": auth }).to_string();
    let (_, made) = local.ask(C, "events.CreateConnection", &connection).await;
    let destination = json!({
        "Name": "d",
        "ConnectionArn": made["ConnectionArn"],
        "InvocationEndpoint": url,
        "HttpMethod": "POST",
        "InvocationRateLimitPerSecond": rate,
    });
    let (_, made) = local
        .ask(C, "events.CreateApiDestination", &destination.to_string())
        .await;
    let target = |n: u32| {
        json!({
            "Id": n.to_string(),
            "Arn": made["ApiDestinationArn"],
            "RoleArn": format!("arn:aws:iam::{C}:role/r"),
            "RetryPolicy": { "MaximumEventAgeInSeconds": 60 },
        })
    };
    let targets = json!({ "Rule": "r", "Targets": (1..=5).map(target).collect::<Vec<_>>() });
    local
        .run(&[
            (
                C,
                "events.PutRule",
                r#"{"Name":"r","EventPattern":"{\"source\":[\"s\"]}"}"#,
                "ok",
            ),
            (C, "events.PutTargets", &targets.to_string(), "ok"),
        ])
        .await;
}

async fn put(local: &Local, count: usize) -> String {
    let entry = json!({ "Source": "s", "DetailType": "t", "Detail": "{}" });
    let (_, put) = local
        .ask(
            C,
            "events.PutEvents",
            &json!({ "Entries": vec![entry; count] }).to_string(),
        )
        .await;
    put["Entries"][0]["EventId"].as_str().unwrap().to_owned()
}

async fn now_ms(local: &Local) -> i64 {
    local.look("clock").await["epoch_ms"].as_i64().unwrap()
}

async fn deliveries(local: &Local, id: &str) -> Vec<Value> {
    let story = local.look(&format!("events/{id}")).await;
    story["buses"][0]["deliveries"].as_array().unwrap().clone()
}

#[tokio::test]
async fn no_second_holds_more_requests_than_the_rate() {
    let (url, _told) = endpoint(vec![]).await;
    let local = Local::start(Config::default()).await;
    wire_up(&local, &url, 4).await;
    let before = now_ms(&local).await;
    let id = put(&local, 1).await;
    loop {
        let rows = deliveries(&local, &id).await;
        if rows.iter().all(|row| row["outcome"] == "delivered") {
            break;
        }
        tokio::task::yield_now().await;
    }
    let took = now_ms(&local).await - before;
    assert!(took >= 1000, "the fifth request came after {took} ms");
    local.stop().await;
}

#[tokio::test]
async fn an_event_that_the_rate_delays_too_long_is_given_up() {
    let (url, _told) = endpoint(vec![]).await;
    let local = Local::start(Config::default()).await;
    wire_up(&local, &url, 1).await;
    for _ in 0..2 {
        put(&local, 10).await;
    }
    local.tell("clock", r#"{"advance_seconds":120}"#).await;
    let totals = local.look("metrics").await["totals"].clone();
    let failed = totals["FailedInvocations"].as_u64().unwrap_or_default();
    assert!((1..100).contains(&failed), "{totals}");
    local.stop().await;
}

#[tokio::test]
async fn a_connection_without_authorization_delivers_nothing() {
    let (url, _told) = endpoint(vec![]).await;
    let local = Local::start(Config::default()).await;
    wire_up(&local, &url, 300).await;
    local
        .run(&[(C, "events.DeauthorizeConnection", r#"{"Name":"c"}"#, "ok")])
        .await;
    let id = put(&local, 1).await;
    for row in deliveries(&local, &id).await {
        assert_eq!(row["outcome"], "failed", "{row}");
        assert_eq!(row["attempts"][0]["error_code"], "NO_PERMISSIONS", "{row}");
    }
    local
        .run(&[(C, "events.DeleteConnection", r#"{"Name":"c"}"#, "ok")])
        .await;
    let id = put(&local, 1).await;
    assert_eq!(
        deliveries(&local, &id).await[0]["attempts"][0]["error_code"],
        "NO_RESOURCE"
    );
    local.stop().await;
}
