//! What differs from a Classic bus, row by row of "Where a guess from the Classic bus is wrong" in the guide to custom event buses.
//!
//! Here are the rows that no other test of this folder is about. The others: names and ids, states, quotas and codes in `buses`;
//! partners in `sources`; backlogs, retries, records and order in `delivery`; other accounts in `policies`; paths and headers in
//! `wire`.

use aws_sdk_eventbridgev2::config::http::HttpResponse;
use aws_sdk_eventbridgev2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_eventbridgev2::primitives::Blob;
use aws_sdk_eventbridgev2::types::{
    FilterConfiguration, InvokeConfiguration, JsonataConfiguration, OnFailureConfiguration,
    PutEventsRequestEntry, PutRawEventsRequestEntry, PutRawEventsSystemMetadata, RetryPolicy, Transformer,
    TransformerType,
};
use serde_json::json;

use super::sources::{create, partner, partner_source, send_as_partner};
use super::{Bus, QUEUE, ROLE, SOURCE, bus, data_filter, entry, make_queue, received, refused};
use crate::client::{CUSTOMER, PARTNER, REGION};
use crate::iam::role_for;
use crate::sqs;

async fn publish(bus: &Bus, entries: Vec<PutEventsRequestEntry>) -> String {
    let put = bus.client.put_events().event_bus_arn(&bus.arn);
    match put.set_entries(Some(entries)).send().await {
        Ok(put) => format!("{} failed of {}", put.failed_entry_count, put.entries().len()),
        Err(refused) => refused.code().unwrap_or_default().to_owned(),
    }
}

#[tokio::test]
async fn a_request_has_100_entries_and_a_mebibyte() {
    let bus = bus().await;
    let large = |bytes: usize| {
        let detail = format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 8));
        let large = PutEventsRequestEntry::builder().source("s").detail_type("t");
        large.detail(detail).build().unwrap()
    };
    for (entries, expected) in [
        (vec![], "InvalidInputException"),
        (vec![entry(); 100], "0 failed of 100"),
        (vec![entry(); 101], "InvalidInputException"),
        (vec![large(1_048_574)], "0 failed of 1"),
        (vec![large(1_048_575)], "InvalidInputException"),
        (vec![large(524_286), large(524_286)], "0 failed of 2"),
        (vec![large(524_286), large(524_287)], "InvalidInputException"),
    ] {
        let count = entries.len();
        assert_eq!(publish(&bus, entries).await, expected, "{count} entries");
    }
    bus.local.stop().await;
}

#[tokio::test]
async fn errors_have_the_status_of_the_model() {
    fn status<T, E>(answer: Result<T, SdkError<E, HttpResponse>>) -> u16 {
        let refused = answer.err().unwrap();
        refused.raw_response().unwrap().status().as_u16()
    }
    let bus = bus().await;
    let describe = |arn: String| bus.client.describe_event_bus().event_bus_arn(arn).send();
    assert_eq!(
        status(bus.client.create_event_bus().name("a/b").send().await),
        400
    );
    assert_eq!(status(describe(bus.arn.replace(CUSTOMER, PARTNER)).await), 403);
    assert_eq!(status(describe(bus.arn.replace("/scalr/", "/other/")).await), 404);
    assert_eq!(
        status(bus.client.create_event_bus().name("scalr").send().await),
        409
    );
    bus.local.stop().await;
}

/// No policy of a queue counts; the role delivers, and writes the record of what failed.
#[tokio::test]
async fn the_role_delivers_and_writes_the_record() {
    for (action, resource, delivered, recorded) in [
        ("sqs:SendMessage", "*", 1, 0),
        ("sqs:SendMessage", "arn:aws:sqs:*:*:dead", 0, 1),
        ("sqs:ReceiveMessage", "*", 0, 0),
    ] {
        let bus = bus().await;
        make_queue(&bus.local, "dead").await;
        let role = role_for(&bus.local, "deliver", action, resource).await;
        let invoke = InvokeConfiguration::builder().target_arn(QUEUE).role_arn(role);
        let create = bus.client.create_subscriber().name("s").event_bus_arn(&bus.arn);
        let dead = OnFailureConfiguration::builder().arn(sqs::arn("dead")).build();
        let create = create
            .invoke_configuration(invoke.build().unwrap())
            .on_failure_configuration(dead)
            .retry_policy(RetryPolicy::builder().max_retry_attempts(0).build());
        create.send().await.unwrap();
        bus.put("{}", "g").await;
        let letters = received(&bus.local, "dead").await;
        assert_eq!(
            (bus.messages().await.len(), letters.len()),
            (delivered, recorded),
            "{action} {resource}"
        );
        let code = letters.first().map(|letter| letter["errorCode"].clone());
        assert!(
            code.is_none_or(|code| code == json!("ACCESS_DENIED")),
            "{letters:?}"
        );
        bus.local.stop().await;
    }
}

/// What no retry can mend is retried all the same: five times by default.
#[tokio::test]
async fn a_failing_expression_is_retried() {
    let bus = bus().await;
    make_queue(&bus.local, "dead").await;
    let arn = bus.subscribe("s", None).await;
    let nothing = JsonataConfiguration::builder().expression("{% $events.Data.detail.none %}");
    let transformer = Transformer::builder()
        .r#type(TransformerType::Jsonata)
        .jsonata_configuration(nothing.build().unwrap());
    let dead = OnFailureConfiguration::builder().arn(sqs::arn("dead")).build();
    let update = bus.client.update_subscriber().subscriber_arn(&arn);
    let update = update
        .transformer(transformer.build())
        .on_failure_configuration(dead);
    update.send().await.unwrap();
    let (id, _) = bus.put("{}", "g").await;
    bus.tried(&id, 1).await;
    assert_eq!(received(&bus.local, "dead").await.len(), 0);
    for (retries, seconds) in [1, 2, 4, 8, 16].into_iter().enumerate() {
        bus.pass(seconds).await;
        bus.tried(&id, retries + 2).await;
    }
    let letters = received(&bus.local, "dead").await;
    assert_eq!(
        (&letters[0]["errorCode"], &letters[0]["retryAttempts"]),
        (&json!("INPUT_TRANSFORMATION_FAILURE"), &json!(5))
    );
    bus.local.stop().await;
}

/// Anybody may write a `source` into what is published raw; the bus does not say that it is AWS's.
#[tokio::test]
async fn the_source_in_the_data_proves_nothing() {
    let bus = bus().await;
    let arn = bus.subscribe("s", None).await;
    let update = bus.client.update_subscriber().subscriber_arn(&arn);
    let transformer = Transformer::builder()
        .r#type(TransformerType::WithMetadata)
        .build();
    update.transformer(transformer).send().await.unwrap();
    let metadata = PutRawEventsSystemMetadata::builder().content_type("application/json");
    let raw = PutRawEventsRequestEntry::builder()
        .data(Blob::new(r#"{"source":"aws.s3","detail-type":"t","detail":{}}"#))
        .system_metadata(metadata.build().unwrap());
    let put = bus.client.put_raw_events().event_bus_arn(&bus.arn);
    put.entries(raw.build().unwrap()).send().await.unwrap();
    let messages = bus.messages().await;
    assert_eq!(messages[0]["Data"]["source"], json!("aws.s3"));
    assert_eq!(
        messages[0]["SystemMetadata"].get("aws:Source"),
        None,
        "{messages:?}"
    );
    bus.local.stop().await;
}

/// `--tags Key=team,Value=x` of the command line, as it is written for other services.
#[tokio::test]
async fn tags_are_a_map() {
    let bus = bus().await;
    let made = bus
        .client
        .create_event_bus()
        .name("b")
        .tags("Key", "team")
        .tags("Value", "x");
    let arn = made.send().await.unwrap().event_bus_arn.unwrap();
    let tags = bus
        .client
        .list_tags_for_resource()
        .resource_arn(arn)
        .send()
        .await
        .unwrap();
    let mut tags: Vec<_> = tags.tags().into_iter().flatten().collect();
    tags.sort();
    let text = |text: &str| text.to_owned();
    assert_eq!(
        tags,
        [(&text("Key"), &text("team")), (&text("Value"), &text("x"))]
    );
    bus.local.stop().await;
}

/// What is left out of an update stays; a block that is given takes the place of the whole one.
#[tokio::test]
async fn an_update_replaces_the_blocks_that_it_has() {
    let bus = bus().await;
    let arn = bus.subscribe("s", Some(r#"{"detail":{"n":[1]}}"#)).await;
    let update = || bus.client.update_subscriber().subscriber_arn(&arn);
    let retry = RetryPolicy::builder()
        .max_retry_attempts(1)
        .max_event_age_in_seconds(60);
    let dead = OnFailureConfiguration::builder().arn(QUEUE).build();
    let first = update()
        .retry_policy(retry.build())
        .on_failure_configuration(dead);
    first.send().await.unwrap();
    let retry = RetryPolicy::builder().max_retry_attempts(2).build();
    update().retry_policy(retry).send().await.unwrap();
    let found = bus
        .client
        .describe_subscriber()
        .subscriber_arn(&arn)
        .send()
        .await
        .unwrap();
    let retry = found.retry_policy().unwrap();
    assert_eq!(
        (retry.max_retry_attempts(), retry.max_event_age_in_seconds()),
        (Some(2), Some(300))
    );
    assert_eq!(
        found
            .on_failure_configuration()
            .and_then(OnFailureConfiguration::arn),
        Some(QUEUE)
    );
    assert_eq!(
        found.filter_configuration().map(|all| all.filters().len()),
        Some(1)
    );

    // The pattern of an event source is lost with an update of its queue alone.
    partner_source(&bus.local).await;
    let source = create(&bus, "scalr", Some(r#"{"detail":{"n":[1]}}"#))
        .await
        .unwrap();
    let classic = format!("arn:aws:events:{REGION}::event-source/{SOURCE}");
    let update = bus.client.update_event_source().event_source_arn(&source);
    update
        .configuration(partner(&classic, None))
        .send()
        .await
        .unwrap();
    update_filters(&bus, &arn, FilterConfiguration::builder().build())
        .await
        .unwrap();
    send_as_partner(&bus.local, r#"{"n":2}"#).await;
    assert_eq!(bus.messages().await.len(), 1);
    bus.local.stop().await;
}

async fn update_filters(bus: &Bus, arn: &str, filters: FilterConfiguration) -> Result<(), String> {
    let update = bus.client.update_subscriber().subscriber_arn(arn);
    let update = update.filter_configuration(filters).send().await;
    update
        .map(drop)
        .map_err(|refused| refused.code().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn no_filters_are_left_out_at_creation_and_empty_in_an_update() {
    let bus = bus().await;
    let empty = || FilterConfiguration::builder().build();
    let invoke = InvokeConfiguration::builder()
        .target_arn(QUEUE)
        .role_arn(ROLE)
        .build()
        .unwrap();
    let made = bus.client.create_subscriber().name("s").event_bus_arn(&bus.arn);
    let made = made.invoke_configuration(invoke).filter_configuration(empty());
    assert_eq!(refused(made.send().await), "InvalidInputException");
    let arn = bus.subscribe("s", Some(r#"{"detail":{"n":[1]}}"#)).await;
    bus.put(r#"{"n":2}"#, "g").await;
    update_filters(&bus, &arn, empty()).await.unwrap();
    bus.put(r#"{"n":3}"#, "g").await;
    update_filters(&bus, &arn, data_filter(r#"{"detail":{"n":[1]}}"#))
        .await
        .unwrap();
    bus.put(r#"{"n":4}"#, "g").await;
    let messages = bus.messages().await;
    let numbers: Vec<_> = messages.iter().map(|message| &message["detail"]["n"]).collect();
    assert_eq!(numbers, [&json!(3)]);
    bus.local.stop().await;
}
