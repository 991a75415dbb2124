//! From an event that is published to what the target of a subscriber receives.

use aws_sdk_eventbridgev2::types::{
    InvokeConfiguration, OrderingType, PutEventsRequestEntry, PutEventsSystemMetadata, RetryPolicy,
    SubscriberState, SuccessCode, Transformer, TransformerType,
};
use serde_json::{Value, json};

use super::{QUEUE, ROLE, bus, delete_queue, make_queue, received};
use crate::client::REGION;
use crate::sqs;

#[tokio::test]
async fn an_event_goes_from_a_bus_to_a_queue() {
    let bus = bus().await;
    bus.subscribe("all", Some(r#"{"detail":{"result":["errored"]}}"#))
        .await;
    bus.put(r#"{"result":"applied"}"#, "g").await;
    let (id, code) = bus.put(r#"{"result":"errored","n":1.50}"#, "g").await;
    assert_eq!(code, "PUBLISHED");
    let messages = bus.messages().await;
    assert_eq!(messages.len(), 1, "{messages:?}");
    let event = &messages[0];
    assert_eq!(event["detail"].to_string(), r#"{"n":1.50,"result":"errored"}"#);
    assert_eq!(
        (&event["source"], &event["detail-type"], &event["region"]),
        (&json!("acme"), &json!("Run"), &json!(REGION))
    );
    assert_ne!(event["id"], json!(id), "the data has an id of its own");
    bus.local.stop().await;
}

#[tokio::test]
async fn a_stopped_subscriber_keeps_a_backlog() {
    let bus = bus().await;
    let arn = bus.subscribe("s", None).await;
    for (resume, expected) in [(None, 2), (Some("LATEST"), 0), (Some("LAST_PROCESSED"), 2)] {
        let change =
            |state: SubscriberState| bus.client.update_subscriber().subscriber_arn(&arn).state(state);
        change(SubscriberState::Stopped).send().await.unwrap();
        bus.put("{}", "a").await;
        bus.put("{}", "b").await;
        assert_eq!(bus.messages().await.len(), 0);
        let start = change(SubscriberState::Running).set_resume_position(resume.map(Into::into));
        start.send().await.unwrap();
        assert_eq!(bus.messages().await.len(), expected, "{resume:?}");
    }
    bus.local.stop().await;
}

#[tokio::test]
async fn what_cannot_be_delivered_is_tried_again_and_recorded() {
    let bus = bus().await;
    make_queue(&bus.local, "dead").await;
    let arn = bus.subscribe("s", None).await;
    let dead = aws_sdk_eventbridgev2::types::OnFailureConfiguration::builder();
    let update = bus.client.update_subscriber().subscriber_arn(&arn);
    let update = update.on_failure_configuration(dead.arn(sqs::arn("dead")).build());
    let retry = RetryPolicy::builder().max_retry_attempts(2).build();
    update.retry_policy(retry).send().await.unwrap();
    delete_queue(&bus.local, "q").await;
    let (id, _) = bus.put(r#"{"n":1}"#, "g").await;
    assert_eq!(received(&bus.local, "dead").await.len(), 0);
    // Two retries, a second and two after it at most.
    bus.pass(1).await;
    bus.pass(2).await;
    let letters = received(&bus.local, "dead").await;
    let letter = &letters[0];
    for (name, expected) in [
        ("version", json!("1.0")),
        ("subscriberArn", json!(arn)),
        ("busArn", json!(bus.arn)),
        ("targetArn", json!(QUEUE)),
        ("errorCode", json!("RESOURCE_NOT_FOUND")),
        ("exhaustedRetryCondition", json!("MaximumRetryAttempts")),
        ("retryAttempts", json!(2)),
    ] {
        assert_eq!(letter[name], expected, "{name} {letter}");
    }
    assert_eq!(
        (
            &letter["failedMessages"][0]["eventId"],
            &letter["failedMessages"][0]["eventGroupId"]
        ),
        (&json!(id), &json!("g"))
    );
    bus.local.stop().await;
}

#[tokio::test]
async fn a_failing_event_holds_up_its_group_alone() {
    let bus = bus().await;
    let target = InvokeConfiguration::builder()
        .target_arn(QUEUE)
        .role_arn(ROLE)
        .build()
        .unwrap();
    let create = bus
        .client
        .create_subscriber()
        .name("s")
        .event_bus_arn(&bus.arn)
        .r#type(OrderingType::Fifo);
    create.invoke_configuration(target).send().await.unwrap();
    delete_queue(&bus.local, "q").await;
    bus.put(r#"{"n":1}"#, "a").await;
    make_queue(&bus.local, "q").await;
    for (detail, group) in [(r#"{"n":2}"#, "a"), (r#"{"n":3}"#, "b"), (r#"{"n":4}"#, "a")] {
        bus.put(detail, group).await;
    }
    let numbers = |messages: Vec<Value>| {
        messages
            .iter()
            .map(|event| event["detail"]["n"].to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(bus.messages().await), ["3"]);
    bus.pass(1).await;
    assert_eq!(numbers(bus.messages().await), ["1", "2", "4"]);
    bus.local.stop().await;
}

#[tokio::test]
async fn the_metadata_of_an_event_is_delivered_where_it_is_asked_for() {
    let bus = bus().await;
    let arn = bus.subscribe("s", None).await;
    let transformer = Transformer::builder()
        .r#type(TransformerType::WithMetadata)
        .build();
    bus.client
        .update_subscriber()
        .subscriber_arn(arn)
        .transformer(transformer)
        .send()
        .await
        .unwrap();
    let (id, _) = bus.put("{}", "g").await;
    let message = &bus.messages().await[0];
    let system = &message["SystemMetadata"];
    for (name, expected) in [
        ("aws:EventId", id.as_str()),
        ("aws:SequenceNumber", "10000000000000001000"),
        ("aws:DeliveryType", "LIVE"),
        ("aws:Source", "acme"),
        ("aws:DetailType", "Run"),
        ("EventGroupId", "g"),
        ("ContentType", "application/eventbridge+json"),
    ] {
        assert_eq!(system[name], json!(expected), "{name} {message}");
    }
    assert_eq!(
        (&message["Metadata"], &message["Data"]["detail"]),
        (&json!({}), &json!({}))
    );
    bus.local.stop().await;
}

#[tokio::test]
async fn a_deduplication_id_publishes_once() {
    let bus = bus().await;
    bus.subscribe("s", None).await;
    let put = |detail: &str| {
        let metadata = PutEventsSystemMetadata::builder()
            .event_group_id("g")
            .deduplication_id("d")
            .build();
        let entry = PutEventsRequestEntry::builder()
            .source("s")
            .detail_type("t")
            .detail(detail);
        let entry = entry.system_metadata(metadata).build().unwrap();
        bus.client
            .put_events()
            .event_bus_arn(&bus.arn)
            .entries(entry)
            .send()
    };
    let (first, second) = (put("{}").await.unwrap(), put("{}").await.unwrap());
    assert_eq!(first.entries()[0].event_id(), second.entries()[0].event_id());
    assert_eq!(
        second.entries()[0].success_code().map(SuccessCode::as_str),
        Some("DEDUPLICATED")
    );
    bus.pass(301).await;
    put("{}").await.unwrap();
    assert_eq!(bus.messages().await.len(), 2);
    bus.local.stop().await;
}

#[tokio::test]
async fn a_subscriber_begins_where_it_is_asked_to() {
    let bus = bus().await;
    bus.put(r#"{"n":1}"#, "g").await;
    bus.pass(400).await;
    bus.put(r#"{"n":2}"#, "g").await;
    let target = InvokeConfiguration::builder()
        .target_arn(QUEUE)
        .role_arn(ROLE)
        .build()
        .unwrap();
    let horizon = aws_sdk_eventbridgev2::types::PointInTimeConfiguration::builder();
    let horizon = horizon.point_type("HORIZON".into()).build().unwrap();
    let create = bus
        .client
        .create_subscriber()
        .name("replay")
        .event_bus_arn(&bus.arn)
        .invoke_configuration(target);
    let create = create
        .starting_position("POINT_IN_TIME".into())
        .point_in_time_configuration(horizon);
    let transformer = Transformer::builder()
        .r#type(TransformerType::WithMetadata)
        .build();
    create.transformer(transformer).send().await.unwrap();
    bus.put(r#"{"n":3}"#, "g").await;
    let seen: Vec<_> = bus.messages().await;
    let seen: Vec<_> = seen
        .iter()
        .map(|event| {
            (
                event["Data"]["detail"]["n"].to_string(),
                event["SystemMetadata"]["aws:DeliveryType"].clone(),
            )
        })
        .collect();
    let (replayed, live) = (json!("REPLAY"), json!("LIVE"));
    assert_eq!(
        seen,
        [
            ("1".to_owned(), replayed.clone()),
            ("2".to_owned(), replayed),
            ("3".to_owned(), live)
        ]
    );
    bus.local.stop().await;
}
