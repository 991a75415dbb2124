//! From an event that is published to what the target of a subscriber receives.

use aws_sdk_eventbridgev2::error::ProvideErrorMetadata;
use aws_sdk_eventbridgev2::primitives::Blob;
use aws_sdk_eventbridgev2::types::{
    InvokeConfiguration, JsonataConfiguration, OnFailureConfiguration, OrderingType, PutEventsRequestEntry,
    PutEventsSystemMetadata, PutRawEventsRequestEntry, PutRawEventsSystemMetadata, RetryPolicy,
    SubscriberState, SuccessCode, Transformer, TransformerType, UniversalTargetParameters,
};
use serde_json::{Value, json};

use super::{Bus, QUEUE, ROLE, batch, bus, delete_queue, make_queue, received};
use crate::client::{CUSTOMER, REGION};
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

/// A subscriber of the universal target for log groups.
async fn subscribe_logs(bus: &Bus, input: &str) -> Result<(), String> {
    let input = UniversalTargetParameters::builder().input(input).build().unwrap();
    let target = InvokeConfiguration::builder()
        .target_arn("arn:aws:events:::aws-sdk:cloudwatchlogs:putLogEvents")
        .role_arn(ROLE)
        .universal_target_parameters(input)
        .build()
        .unwrap();
    let create = bus
        .client
        .create_subscriber()
        .name("logs")
        .event_bus_arn(&bus.arn)
        .batch_configuration(batch(10, 0));
    let made = create.invoke_configuration(target).send().await;
    made.map(drop)
        .map_err(|refused| refused.message().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn events_reach_a_log_group_through_an_input_of_expressions() {
    let bus = bus().await;
    let logs = bus.local.logs(CUSTOMER);
    logs.create_log_group().log_group_name("g").send().await.unwrap();
    let stream = logs.create_log_stream().log_group_name("g").log_stream_name("s");
    stream.send().await.unwrap();
    let message = "{% $events.{ 'Timestamp': $millis(), 'Message': $string(Data.detail) } %}";
    let input =
        |events: &str| json!({ "LogGroupName": "g", "LogStreamName": "s", "LogEvents": events }).to_string();
    let broken = subscribe_logs(&bus, &input("{% $events.( %}")).await.unwrap_err();
    assert!(
        broken.starts_with("InvokeConfiguration: `LogEvents`: "),
        "{broken}"
    );
    subscribe_logs(
        &bus,
        &input(
            &message
                .replace("$events.{", "[$events.{")
                .replace("} %}", "}] %}"),
        ),
    )
    .await
    .unwrap();
    let (id, _) = bus.put(r#"{"n":1}"#, "g").await;
    bus.tried(&id, 1).await;
    let found = logs
        .get_log_events()
        .log_group_name("g")
        .log_stream_name("s")
        .send()
        .await
        .unwrap();
    let messages: Vec<_> = found
        .events()
        .iter()
        .map(|event| event.message().unwrap_or_default())
        .collect();
    assert_eq!(messages, [r#"{"n":1}"#]);
    bus.local.stop().await;
}

#[tokio::test]
async fn an_expression_makes_the_message_and_its_group() {
    let bus = bus().await;
    let jsonata = |text: &str| {
        let expression = JsonataConfiguration::builder().expression(text).build().unwrap();
        Transformer::builder()
            .r#type(TransformerType::Jsonata)
            .jsonata_configuration(expression)
            .build()
    };
    let arn = bus.subscribe("s", None).await;
    let update = |text: &str| {
        let update = bus.client.update_subscriber().subscriber_arn(&arn);
        update.transformer(jsonata(text)).send()
    };
    assert_eq!(super::refused(update("{% ( %}").await), "InvalidInputException");
    for (text, expected) in [
        ("{% $events.Data.detail.duration / 1000000000 %}", json!(137)),
        (
            "{% {'run': $events.Data.detail.id, 'from': $events.SystemMetadata.\"aws:Source\"} %}",
            json!({ "from": "acme", "run": "r" }),
        ),
    ] {
        update(text).await.unwrap();
        let (id, _) = bus.put(r#"{"id":"r","duration":137000000000.0}"#, "g").await;
        bus.tried(&id, 1).await;
        assert_eq!(bus.messages().await, [expected], "{text}");
    }
    // Nothing cannot be sent: the delivery fails, and is tried again.
    update("{% $events.Data.detail.none %}").await.unwrap();
    let (id, _) = bus.put("{}", "g").await;
    let delivery = bus.tried(&id, 1).await;
    let code = &delivery["attempts"][0]["error_code"];
    assert_eq!(*code, json!("INPUT_TRANSFORMATION_FAILURE"), "{delivery}");
    bus.local.stop().await;
}

/// A retry that comes due while the subscriber is stopped is made when it runs again.
#[tokio::test]
async fn what_was_failing_is_tried_again_after_a_stop() {
    for kind in [OrderingType::Unordered, OrderingType::Fifo] {
        let bus = bus().await;
        let target = InvokeConfiguration::builder()
            .target_arn(QUEUE)
            .role_arn(ROLE)
            .build();
        let create = bus.client.create_subscriber().name("s").event_bus_arn(&bus.arn);
        let create = create.r#type(kind.clone()).invoke_configuration(target.unwrap());
        let arn = create.send().await.unwrap().subscriber_arn.unwrap();
        delete_queue(&bus.local, "q").await;
        bus.put(r#"{"n":1}"#, "a").await;
        bus.put(r#"{"n":2}"#, "a").await;
        let change = |state| {
            bus.client
                .update_subscriber()
                .subscriber_arn(&arn)
                .state(state)
                .send()
        };
        change(SubscriberState::Stopped).await.unwrap();
        make_queue(&bus.local, "q").await;
        bus.pass(60).await;
        assert_eq!(bus.messages().await.len(), 0, "{kind:?}");
        change(SubscriberState::Running).await.unwrap();
        // Events behind a failing one of their group follow in turns of their own.
        bus.pass(1).await;
        assert_eq!(bus.messages().await.len(), 2, "{kind:?}");
        bus.local.stop().await;
    }
}

/// An event that its bus no longer keeps does not hold up its group for ever.
#[tokio::test]
async fn a_failing_event_that_expires_releases_its_group() {
    let bus = bus().await;
    let target = InvokeConfiguration::builder()
        .target_arn(QUEUE)
        .role_arn(ROLE)
        .build();
    let retry = RetryPolicy::builder()
        .max_retry_attempts(185)
        .max_event_age_in_seconds(86_400)
        .build();
    let create = bus.client.create_subscriber().name("s").event_bus_arn(&bus.arn);
    let create = create.r#type(OrderingType::Fifo).retry_policy(retry);
    let arn = create
        .invoke_configuration(target.unwrap())
        .send()
        .await
        .unwrap()
        .subscriber_arn
        .unwrap();
    delete_queue(&bus.local, "q").await;
    bus.put(r#"{"n":1}"#, "a").await;
    bus.put(r#"{"n":2}"#, "a").await;
    let change = |state| {
        bus.client
            .update_subscriber()
            .subscriber_arn(&arn)
            .state(state)
            .send()
    };
    change(SubscriberState::Stopped).await.unwrap();
    bus.pass(25 * 3600).await;
    make_queue(&bus.local, "q").await;
    change(SubscriberState::Running).await.unwrap();
    bus.put(r#"{"n":3}"#, "a").await;
    bus.pass(1).await;
    let numbers: Vec<_> = bus
        .messages()
        .await
        .iter()
        .map(|event| event["detail"]["n"].clone())
        .collect();
    assert_eq!(numbers, [json!(3)]);
    bus.local.stop().await;
}

/// What was tried and expires before the next attempt has failed, and is recorded.
#[tokio::test]
async fn a_failing_event_that_expires_is_recorded() {
    let bus = bus().await;
    make_queue(&bus.local, "dead").await;
    let target = InvokeConfiguration::builder()
        .target_arn(QUEUE)
        .role_arn(ROLE)
        .build();
    let dead = OnFailureConfiguration::builder().arn(sqs::arn("dead")).build();
    let create = bus.client.create_subscriber().name("s").event_bus_arn(&bus.arn);
    let create = create
        .invoke_configuration(target.unwrap())
        .on_failure_configuration(dead);
    let arn = create.send().await.unwrap().subscriber_arn.unwrap();
    delete_queue(&bus.local, "q").await;
    let (id, _) = bus.put("{}", "a").await;
    bus.tried(&id, 1).await;
    let change = |state| {
        bus.client
            .update_subscriber()
            .subscriber_arn(&arn)
            .state(state)
            .send()
    };
    change(SubscriberState::Stopped).await.unwrap();
    bus.pass(25 * 3600).await;
    assert_eq!(super::received(&bus.local, "dead").await.len(), 0);
    change(SubscriberState::Running).await.unwrap();
    let records = super::received(&bus.local, "dead").await;
    let [record] = records.as_slice() else {
        panic!("{records:?}");
    };
    assert_eq!(record["failedMessages"][0]["eventId"], json!(id));
    assert_eq!(record["exhaustedRetryCondition"], "MaximumEventAgeInSeconds");
    let why = record["errorMessage"].as_str().unwrap();
    assert!(why.contains("no longer keeps"), "{why}");
    let delivery = bus.tried(&id, 2).await;
    assert_eq!(delivery["outcome"], "failed", "{delivery}");
    bus.local.stop().await;
}

#[tokio::test]
async fn bytes_pass_from_bus_to_bus_unchanged() {
    let bus = bus().await;
    let second = bus.client.create_event_bus().name("second").send().await.unwrap();
    let second = Bus {
        local: bus.local,
        client: bus.client,
        arn: second.event_bus_arn.unwrap(),
    };
    second.pass(2).await;
    second.subscribe("out", None).await;
    let forward = InvokeConfiguration::builder()
        .target_arn(&second.arn)
        .role_arn(ROLE)
        .build();
    let create = second
        .client
        .create_subscriber()
        .name("in")
        .event_bus_arn(&bus.arn);
    create
        .invoke_configuration(forward.unwrap())
        .send()
        .await
        .unwrap();
    let metadata = PutRawEventsSystemMetadata::builder()
        .content_type("application/octet-stream")
        .build();
    let entry = PutRawEventsRequestEntry::builder()
        .data(Blob::new("hello"))
        .system_metadata(metadata.unwrap());
    let put = second
        .client
        .put_raw_events()
        .event_bus_arn(&bus.arn)
        .entries(entry.build().unwrap());
    assert_eq!(put.send().await.unwrap().failed_entry_count, 0);
    let messages = sqs::receive(&second.local, "q").await;
    assert_eq!(messages[0]["Body"], json!("hello"));
    second.local.stop().await;
}
