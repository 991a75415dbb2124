//! `GET /_local/metrics`: the counters of custom event buses, under the names and dimensions of CloudWatch.

use aws_sdk_eventbridgev2::types::{OnFailureConfiguration, PutEventsRequestEntry, RetryPolicy};
use serde_json::{Value, json};

use super::sources::{create, partner_source, send_as_partner};
use super::{bus, delete_queue, entry, make_queue};
use crate::client::{CUSTOMER, REGION};
use crate::sqs;

#[tokio::test]
async fn what_is_published_is_counted() {
    let bus = bus().await;
    partner_source(&bus.local).await;
    let source = create(&bus, "scalr", None).await.unwrap();
    let subscriber = bus.subscribe("s", None).await;
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
    let of_subscriber = json!({ "EventBus": label(&bus.arn), "Subscriber": label(&subscriber) });
    let by_source = json!({ "EventBus": label(&bus.arn), "EventSource": label(&source) });
    for (dimensions, name, expected) in [
        (&all, "PublishEventsApproximateCallCount", json!(2)),
        (&all, "PublishEventsApproximateSuccessCallCount", json!(2)),
        (&all, "PublishEventsEntryCount", json!(3)),
        (&all, "PublishEventsFailedEntriesCount", json!(1)),
        (&by_source, "PublishEventsEntryCount", json!(1)),
        (&of_subscriber, "EventDeliveryAttempts", json!(2)),
        (&of_subscriber, "EventsDelivered", json!(2)),
        (&of_subscriber, "TargetInvocations", json!(2)),
        // What is zero is not there.
        (&of_subscriber, "EventsDropped", Value::Null),
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

/// Of each failure: the retries by their number, and what became of the event.
#[tokio::test]
async fn what_fails_is_counted() {
    for (dead, expected) in [
        (None, json!({ "EventsDropped": 1 })),
        (Some("dead"), json!({ "OnFailureDestinationDelivered": 1 })),
        (Some("none"), json!({ "OnFailureDestinationFailed": 1 })),
    ] {
        let bus = bus().await;
        make_queue(&bus.local, "dead").await;
        let arn = bus.subscribe("s", None).await;
        let update = bus.client.update_subscriber().subscriber_arn(&arn);
        let queue = dead.map(|name| OnFailureConfiguration::builder().arn(sqs::arn(name)).build());
        let retry = RetryPolicy::builder().max_retry_attempts(2).build();
        let update = update.set_on_failure_configuration(queue).retry_policy(retry);
        update.send().await.unwrap();
        delete_queue(&bus.local, "q").await;
        bus.put("{}", "g").await;
        bus.pass(1).await;
        bus.pass(2).await;
        let found = bus.local.look("metrics").await;
        let rows = found["events_v2"][0]["metrics"].as_array().unwrap();
        let row = rows
            .iter()
            .find(|row| row["dimensions"]["Subscriber"].is_string());
        let mut all =
            json!({ "EventDeliveryAttempts": 3, "TargetInvocations": 3, "RetryInvocationAttempts": 3 });
        for (name, count) in expected.as_object().unwrap() {
            all[name] = count.clone();
        }
        assert_eq!(row.map(|row| &row["metrics"]), Some(&all), "{dead:?}");
        bus.local.stop().await;
    }
}
