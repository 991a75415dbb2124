//! What resource policies let callers of other accounts do.

use aws_sdk_eventbridgev2::error::ProvideErrorMetadata;
use aws_sdk_eventbridgev2::primitives::Blob;
use aws_sdk_eventbridgev2::types::{
    EventBusV2Parameters, InvokeConfiguration, PutRawEventsRequestEntry, PutRawEventsSystemMetadata,
};
use serde_json::json;

use super::sources::{create, partner_source, send_as_partner};
use super::{Bus, bus, entry, refused};
use crate::client::{CUSTOMER, PARTNER};
use crate::iam::role_for;

fn code<T, E: ProvideErrorMetadata>(answer: &Result<T, E>) -> String {
    match answer {
        Ok(_) => "ok".to_owned(),
        Err(refused) => refused.code().unwrap_or_default().to_owned(),
    }
}

fn statement(effect: &str, principal: &str, action: &str, resource: &str) -> serde_json::Value {
    json!({ "Effect": effect, "Principal": { "AWS": principal }, "Action": action, "Resource": resource })
}

async fn put_policy(bus: &Bus, statements: &[serde_json::Value]) -> String {
    let document = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    let put = bus.client.put_resource_policy().resource_arn(&bus.arn);
    code(&put.policy_document(document).send().await)
}

/// What an account gets when it publishes, publishes raw, describes and deletes the bus.
async fn tried(bus: &Bus, account: &str) -> [String; 4] {
    let client = bus.local.events_v2(account);
    let raw = PutRawEventsSystemMetadata::builder().content_type("application/json");
    let raw = PutRawEventsRequestEntry::builder()
        .data(Blob::new("{}"))
        .system_metadata(raw.build().unwrap())
        .build()
        .unwrap();
    [
        code(
            &client
                .put_events()
                .event_bus_arn(&bus.arn)
                .entries(entry())
                .send()
                .await,
        ),
        code(
            &client
                .put_raw_events()
                .event_bus_arn(&bus.arn)
                .entries(raw)
                .send()
                .await,
        ),
        code(&client.describe_event_bus().event_bus_arn(&bus.arn).send().await),
        code(&client.delete_event_bus().event_bus_arn(&bus.arn).send().await),
    ]
}

const DENIED: &str = "AccessDeniedException";

#[tokio::test]
async fn other_accounts_may_do_what_the_policy_of_a_bus_says() {
    let bus = bus().await;
    let (arn, root) = (bus.arn.clone(), format!("arn:aws:iam::{PARTNER}:root"));
    let all = |effect: &str| statement(effect, PARTNER, "*", "*");
    for (statements, expected) in [
        (vec![], [DENIED; 4]),
        (
            vec![statement("Allow", PARTNER, "events:PutEvents", &arn)],
            ["ok", DENIED, DENIED, DENIED],
        ),
        (
            vec![statement("Allow", &root, "events:Put*", &arn)],
            ["ok", "ok", DENIED, DENIED],
        ),
        // What changes the bus is its owner's, whatever the policy says.
        (vec![all("Allow")], ["ok", "ok", "ok", DENIED]),
        (
            vec![
                all("Allow"),
                statement("Deny", PARTNER, "events:PutRawEvents", &arn),
            ],
            ["ok", DENIED, "ok", DENIED],
        ),
        (vec![statement("Allow", "333333333333", "*", "*")], [DENIED; 4]),
        (
            vec![statement("Allow", PARTNER, "*", &arn.replace("scalr", "other"))],
            [DENIED; 4],
        ),
    ] {
        if !statements.is_empty() {
            assert_eq!(put_policy(&bus, &statements).await, "ok", "{statements:?}");
        }
        assert_eq!(tried(&bus, PARTNER).await, expected, "{statements:?}");
    }
    // Which buses there are is not for everybody.
    let other = bus.arn.replace("/scalr/", "/other/");
    let other = bus.local.events_v2(PARTNER).put_events().event_bus_arn(other);
    assert_eq!(refused(other.entries(entry()).send().await), DENIED);
    bus.local.stop().await;
}

/// The event is on the owner's bus, and says who published it.
#[tokio::test]
async fn an_event_of_another_account_is_delivered() {
    let bus = bus().await;
    bus.subscribe("s", None).await;
    let allow = statement("Allow", PARTNER, "events:PutEvents", &bus.arn);
    assert_eq!(put_policy(&bus, &[allow]).await, "ok");
    let client = bus.local.events_v2(PARTNER);
    let put = client.put_events().event_bus_arn(&bus.arn).entries(entry());
    let put = put.send().await.unwrap();
    assert_eq!(put.failed_entry_count(), 0);
    let messages = bus.messages().await;
    assert_eq!((messages.len(), &messages[0]["account"]), (1, &json!(PARTNER)));
    bus.local.stop().await;
}

#[tokio::test]
async fn a_policy_names_other_accounts() {
    let bus = bus().await;
    for (principal, expected) in [
        (PARTNER, "ok"),
        ("*", "PublicPolicyException"),
        (CUSTOMER, "InvalidInputException"),
        ("arn:aws:iam::222222222222:role/r", "InvalidInputException"),
    ] {
        let allow = statement("Allow", principal, "events:PutEvents", &bus.arn);
        assert_eq!(put_policy(&bus, &[allow]).await, expected, "{principal}");
    }
    bus.local.stop().await;
}

/// The role of a subscriber whose target is another bus: one action for the events of partners, another for one's own.
#[tokio::test]
async fn a_role_allows_partner_events_and_others_by_different_actions() {
    for (action, partners, own) in [
        ("events:PutEvents", 1, 0),
        ("events:PutRawEvents", 0, 1),
        ("events:Put*", 1, 1),
    ] {
        let bus = bus().await;
        let target = bus.client.create_event_bus().name("target").send().await.unwrap();
        let target = target.event_bus_arn.unwrap();
        bus.pass(2).await;
        partner_source(&bus.local).await;
        create(&bus, "scalr", None).await.unwrap();
        let role = role_for(&bus.local, "to-bus", action, &target).await;
        let invoke = InvokeConfiguration::builder()
            .target_arn(&target)
            .role_arn(role)
            .event_bus_v2_parameters(EventBusV2Parameters::builder().build());
        let made = bus
            .client
            .create_subscriber()
            .name("to-bus")
            .event_bus_arn(&bus.arn);
        made.invoke_configuration(invoke.build().unwrap())
            .send()
            .await
            .unwrap();
        bus.pass(1).await;
        let there = Bus {
            client: bus.local.events_v2(CUSTOMER),
            arn: target,
            local: bus.local,
        };
        there.subscribe("s", None).await;
        send_as_partner(&there.local, "{}").await;
        assert_eq!(there.messages().await.len(), partners, "{action}");
        let put = there.client.put_events().event_bus_arn(&bus.arn).entries(entry());
        put.send().await.unwrap();
        assert_eq!(there.messages().await.len(), own, "{action}");
        there.local.stop().await;
    }
}
