//! State over a process that is killed.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use aws_local::{Config, DataError, Error, Server};
use serde_json::json;

use crate::client::{CUSTOMER, Local, PARTNER};

const C: &str = CUSTOMER;

fn config(dir: &Path) -> Config {
    Config {
        data_dir: Some(dir.to_owned()),
        ..Config::default()
    }
}

#[tokio::test]
async fn what_was_answered_is_there_again() {
    let dir = tempfile::tempdir().unwrap();
    let local = Local::start(config(dir.path())).await;
    let made = format!(r#"{{"Name":"aws.partner/a/b","Account":"{C}"}}"#);
    local
        .run(&[
            (PARTNER, "events.CreatePartnerEventSource", &made, "ok"),
            (
                C,
                "events.CreateEventBus",
                r#"{"Name":"aws.partner/a/b","EventSourceName":"aws.partner/a/b"}"#,
                "ok",
            ),
            (C, "logs.CreateLogGroup", r#"{"logGroupName":"g"}"#, "ok"),
            (
                C,
                "logs.CreateLogStream",
                r#"{"logGroupName":"g","logStreamName":"s"}"#,
                "ok",
            ),
        ])
        .await;
    let now = local.look("clock").await["epoch_ms"].clone();
    let put = json!({ "logGroupName": "g", "logStreamName": "s", "logEvents": [{ "timestamp": now, "message": "m" }] });
    local
        .run(&[(C, "logs.PutLogEvents", &put.to_string(), "ok")])
        .await;
    local.tell("clock", r#"{"advance_seconds":86400}"#).await;
    let moved = local.look("clock").await["epoch_ms"].as_i64().unwrap();
    let busy = Server::bind(config(dir.path())).await;
    assert!(matches!(busy, Err(Error::Data(DataError::InUse(_)))), "{busy:?}");
    local.stop().await;

    // A crash in the middle of a write leaves half a line.
    let mut journal = OpenOptions::new()
        .append(true)
        .open(dir.path().join("journal-0.ndjson"))
        .unwrap();
    journal.write_all(br#"{"at":1,"seed":2,"change":{"ca"#).unwrap();
    drop(journal);
    let local = Local::start(config(dir.path())).await;
    local
        .run(&[
            (
                C,
                "events.DescribeEventSource",
                r#"{"Name":"aws.partner/a/b"}"#,
                r#"ok{"State":"ACTIVE"}"#,
            ),
            (
                C,
                "logs.FilterLogEvents",
                r#"{"logGroupName":"g"}"#,
                r#"ok{"events":[{"message":"m"}]}"#,
            ),
            (C, "events.CreateEventBus", r#"{"Name":"after"}"#, "ok"),
        ])
        .await;
    assert!(
        local.look("clock").await["epoch_ms"].as_i64().unwrap() >= moved,
        "the clock stays moved"
    );
    local.stop().await;
    let local = Local::start(config(dir.path())).await;
    local
        .run(&[(C, "events.DescribeEventBus", r#"{"Name":"after"}"#, "ok")])
        .await;
    local.stop().await;
}

#[tokio::test]
async fn corruption_is_reported_and_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("journal-0.ndjson"), "{\"journal\":99}\n").unwrap();
    let refused = Server::bind(config(dir.path())).await;
    assert!(
        matches!(refused, Err(Error::Data(DataError::Damaged { .. }))),
        "{refused:?}"
    );
}
