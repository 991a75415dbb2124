//! `GET /_local/metrics`: the counters of custom event buses, under the names and dimensions of CloudWatch.

use aws_sdk_eventbridgev2::types::PutEventsRequestEntry;
use serde_json::{Value, json};

use super::sources::{create, partner_source, send_as_partner};
use super::{bus, entry};
use crate::client::{CUSTOMER, REGION};

#[tokio::test]
async fn what_is_published_is_counted() {
    let bus = bus().await;
    partner_source(&bus.local).await;
    let source = create(&bus, "scalr", None).await.unwrap();
    let refused = PutEventsRequestEntry::builder().source("aws.s3").detail_type("t");
    let put = bus.client.put_events().event_bus_arn(&bus.arn).entries(entry());
    put.entries(refused.build().unwrap()).send().await.unwrap();
    send_as_partner(&bus.local, "{}").await;
    let found = bus.local.look("metrics").await;
    let here = &found["events_v2"][0];
    assert_eq!(
        (&here["account"], &here["region"]),
        (&json!(CUSTOMER), &json!(REGION))
    );
    let label = |arn: &str| {
        arn.rsplitn(3, '/')
            .take(2)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect::<Vec<_>>()
            .join("/")
    };
    let of = |dimensions: Value, name: &str| {
        let rows = here["metrics"].as_array().unwrap();
        let row = rows.iter().find(|row| row["dimensions"] == dimensions);
        row.map(|row| row["metrics"][name].clone()).unwrap_or_default()
    };
    let all = json!({ "EventBus": label(&bus.arn) });
    let by_source = json!({ "EventBus": label(&bus.arn), "EventSource": label(&source) });
    for (dimensions, name, expected) in [
        (&all, "PublishEventsApproximateCallCount", json!(2)),
        (&all, "PublishEventsApproximateSuccessCallCount", json!(2)),
        (&all, "PublishEventsEntryCount", json!(3)),
        (&all, "PublishEventsFailedEntriesCount", json!(1)),
        (&by_source, "PublishEventsEntryCount", json!(1)),
        // What is zero is not there.
        (&by_source, "PublishEventsFailedEntriesCount", Value::Null),
    ] {
        assert_eq!(
            of(dimensions.clone(), name),
            expected,
            "{dimensions} {name} {here}"
        );
    }
    let by_publisher = json!({ "EventBus": label(&bus.arn), "PublisherAccount": CUSTOMER });
    let bytes = of(by_publisher, "PublishEventsIngressBytes");
    assert_eq!(bytes, of(all, "PublishEventsIngressBytes"), "{here}");
    assert!(bytes.as_u64().is_some_and(|bytes| bytes > 100), "{here}");
    assert_eq!(found["custom_event_buses"]["dropped_events"], json!(0));
    bus.local.stop().await;
}
