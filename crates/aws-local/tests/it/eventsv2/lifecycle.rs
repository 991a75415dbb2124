//! The life of a partner's event source on a custom event bus, step by step: after each one, what the partner sees, what the customer sees of
//! both kinds of bus, and whether an event arrives.

use aws_sdk_eventbridge::types::PutPartnerEventsRequestEntry;
use serde_json::json;

use super::sources::{create, partner, partner_source};
use super::{Bus, SOURCE, bus, received, refused};
use crate::client::{CUSTOMER, Local, PARTNER, REGION};
use crate::targets;

/// The name of a partner's event source for a Classic bus.
const CLASSIC: &str = "aws.partner/scalr.com/acme/classic";

/// What is to be seen after a step.
struct Seen {
    /// The state of the partner's event source: as the partner sees it, and as the customer does.
    source: [&'static str; 2],
    /// Whether a source that waits for a bus says when it expires.
    expires: bool,
    /// Who manages the Classic bus of that name; nothing where there is none.
    bus: &'static str,
    /// Who manages its rule.
    rule: &'static str,
    /// Where the rule leads; the custom event bus is `B`.
    target: &'static str,
    /// The event source on the custom event bus.
    event_source: &'static str,
    /// How many of one event arrive in the subscriber's queue.
    arrived: usize,
}

const MANAGER: &str = "events.amazonaws.com";
const OFFERED: Seen = Seen {
    source: ["PENDING", "PENDING"],
    expires: true,
    bus: "",
    rule: "",
    target: "",
    event_source: "",
    arrived: 0,
};
const FLOWING: Seen = Seen {
    source: ["ACTIVE", "ACTIVE"],
    expires: false,
    bus: MANAGER,
    rule: MANAGER,
    target: "B",
    event_source: "ACTIVE",
    arrived: 1,
};

async fn check(bus: &Bus, step: &str, want: &Seen) {
    let found = look(bus).await;
    let wanted = format!(
        "partner {}, customer {}, expires {}, bus '{}', rule '{}', target '{}', event source '{}', {} arrived",
        want.source[0],
        want.source[1],
        want.expires,
        want.bus,
        want.rule,
        want.target,
        want.event_source,
        want.arrived
    );
    assert_eq!(found, wanted, "after: {step}");
}

async fn look(bus: &Bus) -> String {
    let (offers, classic) = (bus.local.events(PARTNER), bus.local.events(CUSTOMER));
    let accounts = offers.list_partner_event_source_accounts();
    let offered = match accounts.event_source_name(SOURCE).send().await {
        Ok(found) => match found.partner_event_source_accounts() {
            [one] => one.state().unwrap().to_string(),
            _ => "none".to_owned(),
        },
        Err(_) => "none".to_owned(),
    };
    let source = classic.describe_event_source().name(SOURCE).send().await;
    let expires = source
        .as_ref()
        .is_ok_and(|source| source.expiration_time().is_some());
    let source = source.map_or("none".to_owned(), |source| source.state().unwrap().to_string());
    let managed = classic.describe_event_bus().name(SOURCE).send().await;
    let managed = managed.map_or(String::new(), |bus| bus.managed_by.unwrap_or_default());
    let (rule, target) = rule(bus).await;
    let listed = bus.client.list_event_sources().send().await.unwrap();
    let event_source = listed.event_sources().first();
    let event_source = event_source.map_or(String::new(), |one| one.state().unwrap().to_string());
    send(&bus.local, SOURCE).await;
    let arrived = bus.messages().await.len();
    format!(
        "partner {offered}, customer {source}, expires {expires}, bus '{managed}', rule '{rule}', target '{target}', event source \
         '{event_source}', {arrived} arrived"
    )
}

/// Who manages the only rule of the Classic bus, and where it leads.
async fn rule(bus: &Bus) -> (String, String) {
    let classic = bus.local.events(CUSTOMER);
    let Ok(rules) = classic.list_rules().event_bus_name(SOURCE).send().await else {
        return (String::new(), String::new());
    };
    let [rule] = rules.rules() else {
        return (format!("{} rules", rules.rules().len()), String::new());
    };
    let targets = classic.list_targets_by_rule().event_bus_name(SOURCE);
    let targets = targets.rule(rule.name().unwrap()).send().await.unwrap();
    let arns: Vec<_> = targets
        .targets()
        .iter()
        .map(|target| target.arn().replace(&bus.arn, "B"))
        .collect();
    (rule.managed_by().unwrap_or_default().to_owned(), arns.join(" "))
}

/// An event of the partner's; it may be refused, where the source is gone.
async fn send(local: &Local, source: &str) {
    let entry = PutPartnerEventsRequestEntry::builder()
        .source(source)
        .detail_type("RunExecuted")
        .detail("{}")
        .build();
    let put = local.events(PARTNER).put_partner_events().entries(entry);
    put.send().await.unwrap();
}

async fn delete_source(bus: &Bus, arn: &str) {
    let delete = bus.client.delete_event_source().event_source_arn(arn);
    delete.send().await.unwrap();
}

/// What of the Classic side is locked, and what is not.
async fn check_locked(bus: &Bus) {
    let classic = bus.local.events(CUSTOMER);
    let rules = classic.list_rules().event_bus_name(SOURCE).send().await.unwrap();
    let rule = rules.rules()[0].name().unwrap();
    let anything = r#"{"source":["s"]}"#;
    let put = |name: &str| {
        let put = classic.put_rule().name(name).event_bus_name(SOURCE);
        put.event_pattern(anything).send()
    };
    assert_eq!(refused(put("mine").await), "ManagedRuleException");
    assert_eq!(refused(put(rule).await), "ManagedRuleException");
    let disable = classic.disable_rule().name(rule).event_bus_name(SOURCE);
    assert_eq!(refused(disable.send().await), "ManagedRuleException");
    let delete = classic.delete_rule().name(rule).event_bus_name(SOURCE);
    assert_eq!(refused(delete.send().await), "ManagedRuleException");
    let update = classic.update_event_bus().name(SOURCE).description("mine");
    assert_eq!(refused(update.send().await), "OperationDisabledException");
}

#[tokio::test]
async fn a_partners_source_from_its_offer_to_its_end() {
    let bus = bus().await;
    bus.subscribe("all", None).await;
    assert_eq!(
        create(&bus, "scalr", None).await.unwrap_err(),
        "InvalidInputException",
        "nothing is offered yet"
    );
    partner_source(&bus.local).await;
    check(&bus, "the partner offers it", &OFFERED).await;

    let arn = create(&bus, "scalr", None).await.unwrap();
    check(&bus, "the event source is made", &FLOWING).await;
    check_locked(&bus).await;
    check(&bus, "changes were refused", &FLOWING).await;

    // Target and rule go, by force; an update with the configuration makes them again.
    let classic = bus.local.events(CUSTOMER);
    let rules = classic.list_rules().event_bus_name(SOURCE).send().await.unwrap();
    let rule = rules.rules()[0].name().unwrap();
    let targets = classic.list_targets_by_rule().rule(rule).event_bus_name(SOURCE);
    let targets = targets.send().await.unwrap();
    let remove = classic.remove_targets().rule(rule).event_bus_name(SOURCE);
    let remove = remove.ids(targets.targets()[0].id()).force(true);
    remove.send().await.unwrap();
    let without_target = Seen {
        target: "",
        arrived: 0,
        ..FLOWING
    };
    check(&bus, "the rule's target is removed", &without_target).await;
    let delete = classic.delete_rule().name(rule).event_bus_name(SOURCE);
    delete.force(true).send().await.unwrap();
    let without_rule = Seen {
        rule: "0 rules",
        ..without_target
    };
    check(&bus, "the rule is deleted", &without_rule).await;
    let again = || {
        let classic = format!("arn:aws:events:{REGION}::event-source/{SOURCE}");
        let update = bus.client.update_event_source().event_source_arn(&arn);
        update.configuration(partner(&classic, None)).send()
    };
    again().await.unwrap();
    check(&bus, "it is updated", &FLOWING).await;

    // So does the bus, with the rule.
    classic.delete_event_bus().name(SOURCE).send().await.unwrap();
    let without_bus = Seen {
        event_source: "ACTIVE",
        ..OFFERED
    };
    check(&bus, "its Classic bus is deleted", &without_bus).await;
    again().await.unwrap();
    check(&bus, "it is updated once more", &FLOWING).await;

    delete_source(&bus, &arn).await;
    check(&bus, "the event source is deleted", &OFFERED).await;
    assert_eq!(bus.state().await, "ACTIVE", "the custom event bus stays");
    let second = create(&bus, "scalr", None).await.unwrap();
    assert_ne!(second, arn);
    check(&bus, "it is made once more", &FLOWING).await;

    check_end(&bus, &second).await;
    bus.local.stop().await;
}

/// The partner deletes its source, and the customer the event source on it.
async fn check_end(bus: &Bus, event_source: &str) {
    let withdraw = bus.local.events(PARTNER).delete_partner_event_source();
    withdraw.name(SOURCE).account(CUSTOMER).send().await.unwrap();
    let withdrawn = Seen {
        source: ["DELETED", "DELETED"],
        arrived: 0,
        ..FLOWING
    };
    check(bus, "the partner deletes its source", &withdrawn).await;
    delete_source(bus, event_source).await;
    let nothing = Seen {
        source: ["none", "none"],
        expires: false,
        ..OFFERED
    };
    check(bus, "the event source follows", &nothing).await;
}

/// One account has both: each gets its own events, and the end of one is none of the other.
#[tokio::test]
async fn both_kinds_of_bus_side_by_side() {
    let bus = bus().await;
    let (local, classic) = (&bus.local, bus.local.events(CUSTOMER));
    bus.subscribe("all", None).await;
    partner_source(local).await;
    let offer = local.events(PARTNER).create_partner_event_source();
    offer.name(CLASSIC).account(CUSTOMER).send().await.unwrap();
    let arn = create(&bus, "scalr", None).await.unwrap();
    let beside = classic.create_event_bus().name(CLASSIC);
    beside.event_source_name(CLASSIC).send().await.unwrap();
    // A queue lets a rule in by its policy; a subscriber has a role.
    targets::queue(local, "classic", json!({})).await;
    let rule = classic.put_rule().name("all").event_bus_name(CLASSIC);
    let rule = rule.event_pattern(json!({ "source": [CLASSIC] }).to_string());
    rule.send().await.unwrap();
    let target = aws_sdk_eventbridge::types::Target::builder()
        .id("q")
        .arn(targets::arn("sqs", "classic"));
    let put = classic.put_targets().rule("all").event_bus_name(CLASSIC);
    put.targets(target.build().unwrap()).send().await.unwrap();

    let listed = classic.list_event_buses().name_prefix("aws.partner/");
    let listed = listed.send().await.unwrap();
    let managed: Vec<_> = listed
        .event_buses()
        .iter()
        .map(|bus| (bus.name().unwrap_or_default(), bus.managed_by()))
        .collect();
    assert_eq!(managed, [(CLASSIC, None), (SOURCE, Some(MANAGER))]);

    for (step, sent, want) in [
        ("both", [SOURCE, CLASSIC], [1, 1]),
        ("custom alone", [SOURCE, SOURCE], [2, 0]),
        ("Classic alone", [CLASSIC, CLASSIC], [0, 2]),
    ] {
        for source in sent {
            send(local, source).await;
        }
        assert_eq!(arrived(local).await, want, "{step}");
    }
    delete_source(&bus, &arn).await;
    send(local, SOURCE).await;
    send(local, CLASSIC).await;
    assert_eq!(arrived(local).await, [0, 1], "the event source is gone");
    create(&bus, "scalr", None).await.unwrap();
    let remove = classic.remove_targets().rule("all").event_bus_name(CLASSIC);
    remove.ids("q").send().await.unwrap();
    let delete = classic.delete_rule().name("all").event_bus_name(CLASSIC);
    delete.send().await.unwrap();
    classic.delete_event_bus().name(CLASSIC).send().await.unwrap();
    send(local, SOURCE).await;
    send(local, CLASSIC).await;
    assert_eq!(arrived(local).await, [1, 0], "the Classic bus is gone");
    bus.local.stop().await;
}

/// How many events wait behind the custom event bus and behind the Classic one.
async fn arrived(local: &Local) -> [usize; 2] {
    [
        received(local, "q").await.len(),
        received(local, "classic").await.len(),
    ]
}
