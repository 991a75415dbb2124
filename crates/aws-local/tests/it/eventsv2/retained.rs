//! What a custom event bus keeps, over restarts: in segments, and nowhere else.

use std::fs;
use std::path::Path;

use aws_local::Config;
use aws_sdk_eventbridgev2::types::{
    InvokeConfiguration, PointInTimeConfiguration, PutEventsRequestEntry, PutEventsSystemMetadata,
    SuccessCode,
};
use serde_json::{Value, json};

use super::{Bus, QUEUE, ROLE, bus_on, delete_queue, make_queue};
use crate::client::{CUSTOMER, Local};

async fn start(dir: &Path) -> Local {
    let config = Config {
        data_dir: Some(dir.to_owned()),
        ..Config::default()
    };
    Local::start(config).await
}

async fn restarted(bus: Bus, dir: &Path) -> Bus {
    bus.local.stop().await;
    let local = start(dir).await;
    Bus {
        client: local.events_v2(CUSTOMER),
        local,
        arn: bus.arn,
    }
}

/// The numbers of the events in the queue.
async fn numbers(bus: &Bus) -> Vec<Value> {
    let messages = bus.messages().await;
    messages
        .iter()
        .map(|event| event["detail"]["n"].clone())
        .collect()
}

#[tokio::test]
async fn what_was_not_delivered_is_delivered_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut bus = bus_on(start(dir.path()).await).await;
    bus.subscribe("s", None).await;
    bus.put(r#"{"n":1}"#, "g").await;
    bus = restarted(bus, dir.path()).await;
    assert_eq!(numbers(&bus).await, [json!(1)]);
    delete_queue(&bus.local, "q").await;
    bus.put(r#"{"n":2}"#, "g").await;
    bus = restarted(bus, dir.path()).await;
    make_queue(&bus.local, "q").await;
    bus.pass(2).await;
    assert_eq!(numbers(&bus).await, [json!(2)]);
    bus = restarted(bus, dir.path()).await;
    assert_eq!(
        numbers(&bus).await,
        [] as [Value; 0],
        "the first ones are in flight"
    );
    bus.local.stop().await;
}

#[tokio::test]
async fn events_are_replayed_from_before_a_restart_and_are_not_in_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let mut bus = bus_on(start(dir.path()).await).await;
    for n in 1..=3 {
        bus.put(&json!({ "n": n, "text": "kept-apart" }).to_string(), "g")
            .await;
    }
    bus.pass(400).await;
    bus = restarted(bus, dir.path()).await;
    let target = InvokeConfiguration::builder().target_arn(QUEUE).role_arn(ROLE);
    let horizon = PointInTimeConfiguration::builder().point_type("HORIZON".into());
    let create = bus
        .client
        .create_subscriber()
        .name("replay")
        .event_bus_arn(&bus.arn);
    let create = create
        .invoke_configuration(target.build().unwrap())
        .starting_position("POINT_IN_TIME".into())
        .point_in_time_configuration(horizon.build().unwrap());
    create.send().await.unwrap();
    bus.put(r#"{"n":4}"#, "g").await;
    assert_eq!(numbers(&bus).await, [1, 2, 3, 4].map(|n| json!(n)));
    bus = restarted(bus, dir.path()).await;
    let has_text = |path: &Path| {
        let bytes = fs::read(path).unwrap();
        bytes.windows(10).any(|part| part == b"kept-apart")
    };
    assert!(!has_text(&dir.path().join("journal-0.ndjson")));
    assert!(has_text(&dir.path().join("segments/segment-1.events")));
    bus.local.stop().await;
}

#[tokio::test]
async fn a_deduplication_id_is_remembered_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut bus = bus_on(start(dir.path()).await).await;
    let mut ids = Vec::new();
    for expected in ["PUBLISHED", "DEDUPLICATED", "DEDUPLICATED"] {
        let metadata = PutEventsSystemMetadata::builder()
            .event_group_id("g")
            .deduplication_id("d");
        let entry = PutEventsRequestEntry::builder()
            .source("s")
            .detail_type("t")
            .system_metadata(metadata.build());
        let put = bus.client.put_events().event_bus_arn(&bus.arn);
        let put = put.entries(entry.build().unwrap()).send().await.unwrap();
        let entry = &put.entries()[0];
        assert_eq!(entry.success_code().map(SuccessCode::as_str), Some(expected));
        ids.push(entry.event_id().map(str::to_owned));
        bus = restarted(bus, dir.path()).await;
    }
    assert!(ids.iter().all(|id| *id == ids[0]));
    bus.local.stop().await;
}

/// A bus that is made again under its name has none of the events of the one before.
#[tokio::test]
async fn a_bus_that_is_gone_takes_its_events_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut bus = bus_on(start(dir.path()).await).await;
    bus.put(r#"{"n":1}"#, "g").await;
    bus.client
        .delete_event_bus()
        .event_bus_arn(&bus.arn)
        .send()
        .await
        .unwrap();
    bus.pass(2).await;
    bus = restarted(bus, dir.path()).await;
    let made = bus.client.create_event_bus().name("scalr").send().await.unwrap();
    bus.arn = made.event_bus_arn.unwrap();
    bus.pass(2).await;
    bus.put(r#"{"n":2}"#, "g").await;
    bus.pass(400).await;
    bus = restarted(bus, dir.path()).await;
    let target = InvokeConfiguration::builder().target_arn(QUEUE).role_arn(ROLE);
    let horizon = PointInTimeConfiguration::builder().point_type("HORIZON".into());
    let create = bus
        .client
        .create_subscriber()
        .name("replay")
        .event_bus_arn(&bus.arn);
    let create = create
        .invoke_configuration(target.build().unwrap())
        .starting_position("POINT_IN_TIME".into())
        .point_in_time_configuration(horizon.build().unwrap());
    create.send().await.unwrap();
    assert_eq!(numbers(&bus).await, [json!(2)]);
    bus.local.stop().await;
}
