//! What AWS's documents leave open, in each reading that can be assumed.

use aws_local::{Assumptions, Config};
use aws_sdk_eventbridgev2::error::ProvideErrorMetadata;
use aws_sdk_eventbridgev2::operation::describe_event_source::DescribeEventSourceOutput;
use aws_sdk_eventbridgev2::types::{FilterScope, OnFailureConfiguration, PutEventsRequestEntry};

use super::sources::{create, partner, partner_source, send_as_partner, source_state};
use super::{Bus, QUEUE, ROLE, SOURCE, bus_on, filter, refused};
use crate::client::{CUSTOMER, Local, PARTNER, REGION};

/// A bus with one assumption; none by an empty text.
async fn assuming(text: &str) -> Bus {
    let mut assumptions = Assumptions::default();
    if !text.is_empty() {
        assumptions.set(text).unwrap();
    }
    let config = Config {
        assumptions,
        ..Config::default()
    };
    bus_on(Local::start(config).await).await
}

fn code<T, E: ProvideErrorMetadata>(answer: &Result<T, E>) -> String {
    match answer {
        Ok(_) => "ok".to_owned(),
        Err(refused) => refused.code().unwrap_or_default().to_owned(),
    }
}

async fn described(bus: &Bus, arn: &str) -> DescribeEventSourceOutput {
    let found = bus.client.describe_event_source().event_source_arn(arn);
    found.send().await.unwrap()
}

#[tokio::test]
async fn a_source_that_is_not_pending_is_refused() {
    for (assumption, expected) in [
        ("", "InvalidStateException"),
        ("source-not-pending=invalid-input", "InvalidInputException"),
    ] {
        let bus = assuming(assumption).await;
        partner_source(&bus.local).await;
        create(&bus, "scalr", None).await.unwrap();
        assert_eq!(
            create(&bus, "other", None).await.unwrap_err(),
            expected,
            "{assumption}"
        );
        bus.local.stop().await;
    }
}

/// Both readings are one here: PutPartnerEvents takes no other `Source` than the name of the event source.
#[tokio::test]
async fn the_source_of_a_partners_event_is_in_its_metadata() {
    for assumption in ["", "partner-source=envelope"] {
        let bus = assuming(assumption).await;
        partner_source(&bus.local).await;
        create(&bus, "scalr", None).await.unwrap();
        let pattern = format!(r#"{{"aws:Source":["{SOURCE}"]}}"#);
        let filter = filter(FilterScope::SystemMetadata, &pattern);
        bus.subscribe_by("s", Some(filter)).await;
        send_as_partner(&bus.local, "{}").await;
        assert_eq!(bus.messages().await.len(), 1, "{assumption}");
        bus.local.stop().await;
    }
}

#[tokio::test]
async fn the_partner_deletes_its_source() {
    for (assumption, expected) in [("", "ACTIVE"), ("deleted-source=update-failed", "UPDATE_FAILED")] {
        let bus = assuming(assumption).await;
        partner_source(&bus.local).await;
        let arn = create(&bus, "scalr", None).await.unwrap();
        let delete = bus.local.events(PARTNER).delete_partner_event_source();
        delete.name(SOURCE).account(CUSTOMER).send().await.unwrap();
        let state = described(&bus, &arn).await.state.unwrap().to_string();
        assert_eq!(state, expected, "{assumption}");
        let listed = bus.client.list_event_sources().send().await.unwrap();
        let state = listed.event_sources()[0].state().map(ToString::to_string);
        assert_eq!(state.as_deref(), Some(expected), "{assumption}");
        let classic = format!("arn:aws:events:{REGION}::event-source/{SOURCE}");
        let update = bus.client.update_event_source().event_source_arn(&arn);
        let update = update.configuration(partner(&classic, None)).send().await;
        assert_eq!(refused(update), "InvalidStateException", "{assumption}");
        let delete = bus.client.delete_event_source().event_source_arn(&arn);
        delete.send().await.unwrap();
        bus.local.stop().await;
    }
}

#[tokio::test]
async fn an_event_source_is_given_another_partners_source() {
    for (assumption, expected, states) in [
        ("", "InvalidInputException", ["ACTIVE", "PENDING"]),
        ("other-partner-source=taken", "ok", ["PENDING", "ACTIVE"]),
    ] {
        let bus = assuming(assumption).await;
        let other = format!("{SOURCE}2");
        partner_source(&bus.local).await;
        let made = bus.local.events(PARTNER).create_partner_event_source();
        let made = made.name(&other).account(CUSTOMER).send().await.unwrap();
        let arn = create(&bus, "scalr", None).await.unwrap();
        let update = bus.client.update_event_source().event_source_arn(&arn);
        let update = update.configuration(partner(&made.event_source_arn.unwrap(), None));
        assert_eq!(code(&update.send().await), expected, "{assumption}");
        let found = [
            source_state(&bus.local, SOURCE).await,
            source_state(&bus.local, &other).await,
        ];
        assert_eq!(found, states, "{assumption}");
        bus.local.stop().await;
    }
}

#[tokio::test]
async fn the_source_of_a_custom_event_bus_is_deactivated() {
    for (assumption, expected, state) in [
        ("", "ok", "PENDING"),
        ("deactivation=refused", "OperationDisabledException", "ACTIVE"),
    ] {
        let bus = assuming(assumption).await;
        partner_source(&bus.local).await;
        create(&bus, "scalr", None).await.unwrap();
        let deactivate = bus.local.events(CUSTOMER).deactivate_event_source();
        assert_eq!(
            code(&deactivate.name(SOURCE).send().await),
            expected,
            "{assumption}"
        );
        assert_eq!(source_state(&bus.local, SOURCE).await, state, "{assumption}");
        bus.local.stop().await;
    }
}

#[tokio::test]
async fn an_empty_on_failure_configuration_is_read() {
    for (assumption, expected, kept) in [
        ("", "ok", None),
        ("empty-on-failure=kept", "ok", Some(QUEUE)),
        ("empty-on-failure=refused", "InvalidInputException", Some(QUEUE)),
    ] {
        let bus = assuming(assumption).await;
        let arn = bus.subscribe("s", None).await;
        let update = |on_failure: OnFailureConfiguration| {
            let update = bus.client.update_subscriber().subscriber_arn(&arn);
            update.on_failure_configuration(on_failure).send()
        };
        let queue = OnFailureConfiguration::builder().arn(QUEUE).build();
        update(queue).await.unwrap();
        let empty = update(OnFailureConfiguration::builder().build()).await;
        assert_eq!(code(&empty), expected, "{assumption}");
        let found = bus.client.describe_subscriber().subscriber_arn(&arn);
        let found = found.send().await.unwrap();
        let found = found.on_failure_configuration().and_then(|queue| queue.arn());
        assert_eq!(found, kept, "{assumption}");
        bus.local.stop().await;
    }
}

#[tokio::test]
async fn an_entry_of_awss_own_source_is_refused() {
    for (assumption, expected) in [
        ("", "VALIDATION_ERROR"),
        (
            "aws-source-entry=not-authorized-for-source",
            "NotAuthorizedForSourceException",
        ),
    ] {
        let bus = assuming(assumption).await;
        let entry = PutEventsRequestEntry::builder().source("aws.s3").detail_type("t");
        let put = bus.client.put_events().event_bus_arn(&bus.arn);
        let put = put.entries(entry.build().unwrap()).send().await.unwrap();
        assert_eq!(put.entries()[0].error_code(), Some(expected), "{assumption}");
        bus.local.stop().await;
    }
}

/// With the longest wait that can be assumed, what fails is not tried again within its 300 seconds.
#[tokio::test]
async fn a_failing_delivery_waits_for_its_retry() {
    for (assumption, expected) in [("", 1), ("retry-wait=600000", 0)] {
        let bus = assuming(assumption).await;
        bus.subscribe("s", None).await;
        super::delete_queue(&bus.local, "q").await;
        bus.put("{}", "g").await;
        bus.pass(61).await;
        super::make_queue(&bus.local, "q").await;
        bus.pass(230).await;
        assert_eq!(bus.messages().await.len(), expected, "{assumption}");
        bus.local.stop().await;
    }
}

/// A target block that came after this version's model, and a member of a known one.
#[tokio::test]
async fn members_that_the_model_does_not_have_are_refused_or_ignored() {
    for (assumption, expected) in [("", 400), ("unknown-members=ignored", 200)] {
        let bus = assuming(assumption).await;
        let text = |text: &str| [&[0x78, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        let map = |pairs: &[(&str, Vec<u8>)]| {
            let pairs_of = |(name, value): &(&str, Vec<u8>)| [text(name), value.clone()].concat();
            let head = vec![0xA0 | u8::try_from(pairs.len()).unwrap()];
            [head, pairs.iter().flat_map(pairs_of).collect()].concat()
        };
        let body = map(&[
            ("Name", text("s")),
            ("EventBusArn", text(&bus.arn)),
            ("Odd", text("x")),
            (
                "InvokeConfiguration",
                map(&[
                    ("TargetArn", text(QUEUE)),
                    ("RoleArn", text(ROLE)),
                    ("OddParameters", map(&[])),
                ]),
            ),
        ]);
        let answer = bus.local.cbor(CUSTOMER, "CreateSubscriber", body).await;
        assert_eq!(answer.0, expected, "{assumption} {}", answer.1);
        assert_eq!(
            answer.1.contains("'odd' failed"),
            expected == 400,
            "{assumption} {}",
            answer.1
        );
        bus.local.stop().await;
    }
}
