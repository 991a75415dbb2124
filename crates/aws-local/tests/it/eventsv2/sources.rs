//! A partner's event source on a custom event bus, and what it makes on the Classic side.

use aws_sdk_eventbridge::types::PutPartnerEventsRequestEntry;
use aws_sdk_eventbridgev2::error::ProvideErrorMetadata;
use aws_sdk_eventbridgev2::types::{EventSourceConfiguration, PartnerEventsSourceConfiguration};
use serde_json::json;

use super::{Bus, SOURCE, bus, refused};
use crate::client::{CUSTOMER, Local, PARTNER, REGION};

pub(super) async fn partner_source(local: &Local) -> String {
    let made = local
        .events(PARTNER)
        .create_partner_event_source()
        .name(SOURCE)
        .account(CUSTOMER)
        .send()
        .await;
    made.unwrap().event_source_arn.unwrap()
}

pub(super) async fn send_as_partner(local: &Local, detail: &str) {
    let entry = PutPartnerEventsRequestEntry::builder()
        .source(SOURCE)
        .detail_type("RunExecuted")
        .detail(detail)
        .build();
    let put = local
        .events(PARTNER)
        .put_partner_events()
        .entries(entry)
        .send()
        .await
        .unwrap();
    assert_eq!(put.failed_entry_count, 0);
}

pub(super) async fn source_state(local: &Local, name: &str) -> String {
    let found = local
        .events(CUSTOMER)
        .describe_event_source()
        .name(name)
        .send()
        .await
        .unwrap();
    found.state.unwrap().to_string()
}

pub(super) fn partner(arn: &str, pattern: Option<&str>) -> EventSourceConfiguration {
    let partner = PartnerEventsSourceConfiguration::builder()
        .partner_event_source_arn(arn)
        .set_pattern(pattern.map(str::to_owned))
        .build()
        .unwrap();
    EventSourceConfiguration::PartnerEventsConfiguration(partner)
}

/// An event source of one result alone.
pub(super) async fn create(bus: &Bus, name: &str, pattern: Option<&str>) -> Result<String, String> {
    let arn = format!("arn:aws:events:{REGION}::event-source/{SOURCE}");
    let create = bus.client.create_event_source().name(name);
    let create = create
        .event_bus_arn(&bus.arn)
        .configuration(partner(&arn, pattern));
    let made = create
        .send()
        .await
        .map_err(|refused| refused.code().unwrap_or_default().to_owned());
    made.map(|made| made.event_source_arn.unwrap())
}

const ERRORED: Option<&str> = Some(r#"{"detail":{"result":["errored"]}}"#);

#[tokio::test]
async fn a_partners_source_feeds_a_bus_until_it_is_deleted() {
    let bus = bus().await;
    partner_source(&bus.local).await;
    bus.subscribe("all", None).await;
    let arn = create(&bus, "scalr", ERRORED).await.unwrap();
    assert!(arn.contains(":event-sourcev2/aws.partner/scalr/"), "{arn}");
    assert_eq!(source_state(&bus.local, SOURCE).await, "ACTIVE");
    assert_eq!(
        create(&bus, "other", None).await.unwrap_err(),
        "InvalidStateException"
    );
    send_as_partner(&bus.local, r#"{"result":"applied"}"#).await;
    send_as_partner(&bus.local, r#"{"result":"errored"}"#).await;
    let messages = bus.messages().await;
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(
        (&messages[0]["source"], &messages[0]["detail"]["result"]),
        (&json!(SOURCE), &json!("errored"))
    );
    let delete = bus.client.delete_event_source().event_source_arn(&arn);
    delete.send().await.unwrap();
    assert_eq!(source_state(&bus.local, SOURCE).await, "PENDING");
    let classic = bus.local.events(CUSTOMER);
    let gone = classic.describe_event_bus().name(SOURCE).send().await;
    assert_eq!(refused(gone), "ResourceNotFoundException");
    create(&bus, "scalr", None).await.unwrap();
    bus.local.stop().await;
}

#[tokio::test]
async fn the_classic_side_of_an_event_source_is_locked() {
    let bus = bus().await;
    partner_source(&bus.local).await;
    create(&bus, "scalr", None).await.unwrap();
    let classic = bus.local.events(CUSTOMER);
    let managed = classic.list_rules().event_bus_name(SOURCE).send().await.unwrap();
    assert_eq!(managed.rules()[0].managed_by(), Some("events.amazonaws.com"));
    let put = classic.put_rule().name("r").event_bus_name(SOURCE);
    let put = put.event_pattern(r#"{"source":["s"]}"#).send().await;
    assert_eq!(refused(put), "ManagedRuleException");
    let update = classic.update_event_bus().name(SOURCE).description("mine");
    assert_eq!(refused(update.send().await), "OperationDisabledException");
    // Its deletion is allowed, and the feed ends.
    bus.subscribe("all", None).await;
    classic.delete_event_bus().name(SOURCE).send().await.unwrap();
    assert_eq!(source_state(&bus.local, SOURCE).await, "PENDING");
    send_as_partner(&bus.local, "{}").await;
    assert_eq!(bus.messages().await.len(), 0);
    bus.local.stop().await;
}

#[tokio::test]
async fn an_update_makes_again_what_was_removed_on_the_classic_side() {
    let bus = bus().await;
    partner_source(&bus.local).await;
    bus.subscribe("all", None).await;
    let arn = create(&bus, "scalr", None).await.unwrap();
    let classic = bus.local.events(CUSTOMER);
    let managed = classic.list_rules().event_bus_name(SOURCE).send().await.unwrap();
    let rule = managed.rules()[0].name().unwrap();
    let targets = classic.list_targets_by_rule().rule(rule).event_bus_name(SOURCE);
    let targets = targets.send().await.unwrap();
    let removal = || {
        let removal = classic.remove_targets().rule(rule).event_bus_name(SOURCE);
        removal.ids(targets.targets()[0].id())
    };
    assert_eq!(refused(removal().send().await), "ManagedRuleException");
    removal().force(true).send().await.unwrap();
    send_as_partner(&bus.local, "{}").await;
    assert_eq!(bus.messages().await.len(), 0);
    let partner_arn = format!("arn:aws:events:{REGION}::event-source/{SOURCE}");
    let update = bus.client.update_event_source().event_source_arn(&arn);
    let update = update.configuration(partner(&partner_arn, ERRORED));
    update.send().await.unwrap();
    send_as_partner(&bus.local, r#"{"result":"errored"}"#).await;
    send_as_partner(&bus.local, r#"{"result":"applied"}"#).await;
    assert_eq!(bus.messages().await.len(), 1);
    bus.local.stop().await;
}

#[tokio::test]
async fn a_classic_bus_stands_in_the_way_of_an_event_source() {
    let bus = bus().await;
    partner_source(&bus.local).await;
    let classic = bus.local.events(CUSTOMER).create_event_bus();
    let classic = classic.name(SOURCE).event_source_name(SOURCE);
    classic.send().await.unwrap();
    assert_eq!(
        create(&bus, "scalr", None).await.unwrap_err(),
        "InvalidStateException"
    );
    bus.local.stop().await;
}
