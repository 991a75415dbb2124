//! Buses: their states, what is refused, and what outlives the process.

use aws_local::Config;
use aws_sdk_eventbridgev2::error::ProvideErrorMetadata;
use aws_sdk_eventbridgev2::operation::create_event_bus::CreateEventBusOutput;
use aws_sdk_eventbridgev2::types::{BusState, EncryptionConfiguration, InvokeConfiguration, SubscriberState};

use super::{Bus, QUEUE, ROLE, bus, bus_on, data_filter, entry, refused};
use crate::client::{CUSTOMER, Local, PARTNER};

const LOG_GROUP: &str = "arn:aws:logs:eu-west-1:222222222222:log-group:g";

#[tokio::test]
async fn a_bus_lives_as_its_states_say() {
    let local = Local::start(Config::default()).await;
    let client = local.events_v2(CUSTOMER);
    let made = client.create_event_bus().name("b").send().await.unwrap();
    assert_eq!(made.state.as_ref().map(BusState::as_str), Some("CREATING"));
    let arn = made.event_bus_arn.unwrap();
    let id = arn.rsplit('/').next().unwrap();
    assert_eq!((id.len(), arn.contains(":event-busv2/b/")), (25, true), "{arn}");
    let bus = Bus { local, client, arn };
    let put = bus.client.put_events().event_bus_arn(&bus.arn).entries(entry());
    let early = put.send().await.unwrap_err();
    let why =
        "EventBus is in invalid state for PutEvents. Must be in one of [ACTIVE, UPDATING, UPDATE_FAILED]";
    assert_eq!(
        (early.code(), early.message()),
        (Some("InvalidStateException"), Some(why))
    );
    bus.pass(1).await;
    assert_eq!(bus.state().await, "ACTIVE");
    let found = bus.client.describe_event_bus().event_bus_arn(&bus.arn);
    let kept = found.send().await.unwrap().storage_configuration.unwrap();
    assert_eq!(kept.retention_period_in_days, Some(1));
    let listed = bus
        .client
        .list_event_buses()
        .name_prefix("b")
        .send()
        .await
        .unwrap();
    assert_eq!(listed.event_buses()[0].event_bus_arn(), Some(bus.arn.as_str()));
    // With another key it is UPDATING.
    let key = EncryptionConfiguration::builder().kms_key_identifier("k").build();
    let update = bus.client.update_event_bus().event_bus_arn(&bus.arn);
    update.encryption_configuration(key).send().await.unwrap();
    assert_eq!(bus.state().await, "UPDATING");
    bus.pass(1).await;
    assert_eq!(bus.state().await, "ACTIVE");
    bus.local.stop().await;
}

#[tokio::test]
async fn a_bus_with_subscribers_is_not_deleted() {
    let bus = bus().await;
    let subscriber = bus.subscribe("s", None).await;
    let delete = || bus.client.delete_event_bus().event_bus_arn(&bus.arn).send();
    assert_eq!(refused(delete().await), "ResourceInUseException");
    let subscriber = bus.client.delete_subscriber().subscriber_arn(subscriber);
    subscriber.send().await.unwrap();
    delete().await.unwrap();
    assert_eq!(bus.state().await, "DELETING");
    bus.pass(2).await;
    assert_eq!(bus.state().await, "ResourceNotFoundException");
    bus.local.stop().await;
}

#[tokio::test]
async fn a_client_token_gives_the_same_answer_for_eight_hours() {
    let bus = bus().await;
    let create = || bus.client.create_event_bus().name("b").client_token("t");
    let arn = |made: CreateEventBusOutput| made.event_bus_arn.unwrap();
    let first = arn(create().send().await.unwrap());
    bus.pass(8 * 3600 - 10).await;
    assert_eq!(arn(create().send().await.unwrap()), first);
    let other = create().description("other").send().await;
    assert_eq!(refused(other), "IdempotentParameterMismatchException");
    let without = bus.client.create_event_bus().name("b").send().await;
    assert_eq!(refused(without), "ResourceAlreadyExistsException");
    bus.pass(20).await;
    assert_eq!(refused(create().send().await), "ResourceAlreadyExistsException");
    // What was deleted is made again, as another one.
    let delete = bus.client.delete_event_bus().event_bus_arn(&first);
    delete.send().await.unwrap();
    bus.pass(2).await;
    assert_ne!(arn(create().send().await.unwrap()), first);
    bus.local.stop().await;
}

#[tokio::test]
async fn refusals_have_the_codes_of_the_model() {
    let bus = bus().await;
    let client = &bus.client;
    let subscribe = |name: &str, queue: &str, pattern: Option<&str>| {
        let target = InvokeConfiguration::builder()
            .target_arn(queue)
            .role_arn(ROLE)
            .build();
        client
            .create_subscriber()
            .name(name)
            .event_bus_arn(&bus.arn)
            .invoke_configuration(target.unwrap())
            .set_filter_configuration(pattern.map(data_filter))
            .send()
    };
    let foreign = bus.arn.replace(CUSTOMER, PARTNER);
    let foreign = client.describe_event_bus().event_bus_arn(foreign).send().await;
    assert_eq!(refused(foreign), "AccessDeniedException");
    let missing = bus.arn.replace("/scalr/", "/other/");
    let missing = client.put_events().event_bus_arn(missing).entries(entry());
    assert_eq!(refused(missing.send().await), "ResourceNotFoundException");
    let name = client.create_event_bus().name("a/b").send().await.unwrap_err();
    let why = name.message().unwrap_or_default();
    assert!(
        why.starts_with("1 validation error detected: Value 'a/b' at 'name' failed"),
        "{why}"
    );
    let wild = subscribe("s", QUEUE, Some(r#"{"source":[{"wildcard":"a*"}]}"#)).await;
    let wild = wild.unwrap_err();
    let why = wild.message().unwrap_or_default();
    assert!(why.contains("must not contain wildcard"), "{why}");
    for error in [
        name.code(),
        wild.code(),
        subscribe("s", LOG_GROUP, None).await.unwrap_err().code(),
    ] {
        assert_eq!(error, Some("InvalidInputException"));
    }
    subscribe("s", QUEUE, None).await.unwrap();
    assert_eq!(
        refused(subscribe("t", QUEUE, None).await),
        "ConcurrentModificationException"
    );
    assert_eq!(
        refused(subscribe("s", QUEUE, None).await),
        "ResourceAlreadyExistsException"
    );
    let create = |n: usize| client.create_event_bus().name(format!("b{n}")).send();
    for n in 2..=5 {
        create(n).await.unwrap();
    }
    assert_eq!(refused(create(6).await), "LimitExceededException");
    bus.local.stop().await;
}

/// What a bus keeps, how far its subscribers are and what waits for another attempt outlive the process.
#[tokio::test]
async fn a_bus_is_as_it_was_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let config = || Config {
        data_dir: Some(dir.path().to_owned()),
        ..Config::default()
    };
    let first = bus_on(Local::start(config()).await).await;
    let arn = first.subscribe("s", None).await;
    let stop = first.client.update_subscriber().subscriber_arn(&arn);
    stop.state(SubscriberState::Stopped).send().await.unwrap();
    first.put(r#"{"n":1}"#, "g").await;
    first.put(r#"{"n":2}"#, "g").await;
    let bus_arn = first.arn.clone();
    first.local.stop().await;

    let local = Local::start(config()).await;
    let second = Bus {
        client: local.events_v2(CUSTOMER),
        arn: bus_arn,
        local,
    };
    let start = second.client.update_subscriber().subscriber_arn(&arn);
    start.state(SubscriberState::Running).send().await.unwrap();
    assert_eq!(second.messages().await.len(), 2);
    second.put(r#"{"n":3}"#, "g").await;
    assert_eq!(second.messages().await.len(), 1);
    second.local.stop().await;
}
