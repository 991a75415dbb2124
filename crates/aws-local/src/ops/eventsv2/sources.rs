//! Event sources: a partner's Classic event source is activated by one, with a managed Classic bus and rule that forward its events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use event_pattern::Pattern;
use serde::Deserialize;
use serde_json::{Value, json};

use super::arns::{bus, check_state, here, source, source_arn};
use super::faults::{exists, invalid, limit, not_here, state};
use super::tags;
use super::token::{Made, once};
use crate::arn::Arn;
use crate::assumptions::{DeletedSource, OtherPartnerSource};
use crate::clock::epoch_seconds;
use crate::fault::Fault;
use crate::model::parse;
use crate::ops::{Answer, Call, EVENTSV2_PAGES, Op, Operation, without_nulls};
use crate::state::bus::Bus;
use crate::state::custom_bus::{BusState, EventSource, managed_rule, new_id};
use crate::state::pattern::EventPattern;
use crate::state::rule::{DeadLetterConfig, Rule, Target};
use crate::state::source::{Source, State};
use crate::state::{RealmId, Tags};

/// AWS's default quota of event sources in an account and region.
const SOURCES_MAX: usize = 200;
/// The name that AWS shows as the manager of what an event source makes.
pub(crate) const MANAGER: &str = "events.amazonaws.com";

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("CreateEventSource", create_once),
    &Op::write("DeleteEventSource", |call, input| delete(call, &input)),
    &Op::write("UpdateEventSource", update),
    &Op::read("DescribeEventSource", |call, input| describe(call, &input)),
    &Op::read("ListEventSources", |call, input| list(call, &input)),
    &Op::write("RotateWebhookCredentials", |_, _: Value| -> Answer {
        Err(not_here("Webhook event sources"))
    }),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    name: String,
    event_bus_arn: String,
    configuration: Value,
    description: Option<String>,
    #[serde(default)]
    tags: Tags,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    event_source_arn: String,
    configuration: Option<Value>,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    event_source_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    event_bus_arn: Option<String>,
    name_prefix: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

/// `PartnerEventsConfiguration`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Partner {
    #[serde(rename = "PartnerEventSourceArn")]
    classic_source_arn: String,
    pattern: Option<String>,
    #[serde(rename = "PartnerBusKmsKeyIdentifier")]
    classic_bus_key: Option<String>,
    on_failure_configuration: Option<DeadLetterConfig>,
}

impl Partner {
    fn read(configuration: &Value, stored: bool) -> Result<Self, Fault> {
        if configuration.get("WebhookEventsConfiguration").is_some() {
            return Err(not_here("Webhook event sources"));
        }
        if configuration.get("AwsServiceEventsConfiguration").is_some() {
            return Err(not_here("Event sources of AWS services"));
        }
        let given = configuration.get("PartnerEventsConfiguration").cloned();
        let partner: Self = parse(given.unwrap_or_default())?;
        if let Some(pattern) = partner.pattern.as_ref().filter(|_| !stored) {
            check_pattern(pattern)?;
        }
        let queue = partner
            .on_failure_configuration
            .as_ref()
            .and_then(|config| config.arn.as_deref());
        if queue.is_some_and(|queue| queue.rsplit('.').next() == Some("fifo")) {
            return Err(invalid(
                "OnFailureConfiguration.Arn must name a standard SQS queue: FIFO queues are not supported as EventSource \
                 dead-letter queues",
            ));
        }
        Ok(partner)
    }

    /// The name in the ARN of the partner's event source.
    fn source(&self) -> &str {
        let arn = Arn::parse(&self.classic_source_arn);
        arn.and_then(|arn| arn.resource.strip_prefix("event-source/"))
            .unwrap_or_default()
    }
}

fn check_pattern(text: &str) -> Result<(), Fault> {
    Pattern::compile_for_eventbridge(text)
        .map_err(|error| invalid(format!("Pattern: {}", error.first_line())))?;
    let fields: Value = serde_json::from_str(text).unwrap_or_default();
    let reserved = ["source", "account", "region"];
    match reserved.into_iter().find(|name| fields.get(name).is_some()) {
        Some(name) => Err(invalid(format!(
            "Pattern must not filter on the top-level field `{name}`"
        ))),
        None => Ok(()),
    }
}

fn create_once(call: &mut Call<'_>, input: Value) -> Answer {
    // AWS's agent skill says so of event sources alone.
    if input.get("ClientToken").is_none() {
        return Err(invalid("ClientToken is required."));
    }
    once(call, "CreateEventSource", input, create)
}

fn create(call: &mut Call<'_>, input: Value) -> Result<Made, Fault> {
    let input: Create = parse(input)?;
    if input.name.starts_with("aws.") {
        return Err(invalid(format!(
            "1 validation error detected: Value '{}' at 'name' failed to satisfy constraint: Member must not begin with aws.",
            input.name
        )));
    }
    tags::check(&input.tags)?;
    let partner = Partner::read(&input.configuration, call.stored)?;
    let (now, realm) = (call.turn.now, call.here());
    let found = bus(call, &input.event_bus_arn)?;
    let allowed = [BusState::Active, BusState::Updating];
    check_state(found, now, "CreateEventSource", &allowed)?;
    let bus_name = found.name.clone();
    if here(call)?.sources.contains_key(&input.name) {
        return Err(exists("Event source", &input.name));
    }
    if here(call)?.sources.len() >= SOURCES_MAX {
        return Err(limit(format!(
            "An account can have {SOURCES_MAX} event sources in a region."
        )));
    }
    check_offered(call, partner.source(), None)?;
    let new = EventSource {
        name: input.name.clone(),
        id: new_id(&mut call.turn.dice),
        bus_arn: input.event_bus_arn,
        bus: bus_name,
        partner_source: partner.source().to_owned(),
        configuration: input.configuration,
        description: input.description.filter(|text| !text.is_empty()),
        tags: input.tags,
        created: now,
        modified: now,
        revoked: false,
    };
    forward(call, &new, &partner);
    let arn = source_arn(&realm, &new);
    let answer = json!({
        "EventSourceArn": arn,
        "Name": new.name,
        "EventBusArn": new.bus_arn,
        "State": "ACTIVE",
        "CreationTime": epoch_seconds(now),
    });
    here(call)?.sources.insert(input.name, new);
    Ok(Made { arn, answer })
}

/// The Classic source has to be offered to the caller, and to wait for a bus or to be the event source's already.
fn check_offered(call: &mut Call<'_>, name: &str, id: Option<&str>) -> Result<(), Fault> {
    let (account, region) = (call.caller.account.clone(), call.caller.region.clone());
    let bus = call.realm().buses.get(name);
    let is_own = id.is_some() && bus.is_some_and(|bus| bus.managed_for.as_deref() == id);
    let is_taken = bus.is_some() && !is_own;
    let is_ours = |source: &&Source| source.customer == account;
    let found = call
        .turn
        .world
        .sources_in(&region)
        .get(name)
        .filter(is_ours)
        .map(|source| source.state);
    let why = match found {
        None => {
            return Err(invalid(format!(
                "The partner event source {name} does not exist, or is not offered to this account in {region}."
            )));
        }
        Some(_) if is_taken => format!("The event bus {name} exists: it has to be deleted first."),
        Some(State::Pending) => return Ok(()),
        Some(State::Active) if is_own => return Ok(()),
        Some(state) => format!(
            "The partner event source {name} is in state {}; PENDING is needed.",
            state.as_str()
        ),
    };
    Err(call.turn.world.assumptions.source_not_pending.fault(why))
}

/// Makes the managed Classic bus and its rule, or what of them is missing, and activates the Classic source.
fn forward(call: &mut Call<'_>, source: &EventSource, partner: &Partner) {
    let (now, region) = (call.turn.now, call.caller.region.clone());
    let (name, by) = (source.partner_source.clone(), call.caller.account.clone());
    let managed = call
        .realm()
        .buses
        .entry(name.clone())
        .or_insert_with(|| Bus::new(&name, now));
    managed.managed_by = Some(MANAGER.to_owned());
    managed.managed_for = Some(source.id.clone());
    managed.kms_key.clone_from(&partner.classic_bus_key);
    let target = Target {
        id: source.id.clone(),
        arn: source.bus_arn.clone(),
        dead_letter_config: partner.on_failure_configuration.clone(),
        ..Target::default()
    };
    let pattern = partner.pattern.clone();
    let pattern = pattern.unwrap_or_else(|| json!({ "source": [{ "prefix": "" }] }).to_string());
    let rule = Rule {
        name: managed_rule(&source.id),
        pattern: Some(EventPattern::new(&pattern)),
        schedule: None,
        state: "ENABLED".to_owned(),
        next_fire: None,
        description: None,
        role_arn: None,
        created_by: by,
        managed_by: Some(MANAGER.to_owned()),
        tags: Tags::new(),
        targets: BTreeMap::from([(target.id.clone(), Arc::new(target))]),
        places: BTreeMap::new(),
    };
    managed.rules_mut().insert(rule.name.clone(), rule);
    if let Some(offered) = call.turn.world.sources_in(&region).get_mut(&name)
        && offered.state == State::Pending
    {
        offered.activate();
    }
}

/// Removes them. What is gone already is no error, and what is another's stays; the Classic source waits for a bus again.
fn stop_forwarding(call: &mut Call<'_>, source: &EventSource) {
    let (now, region) = (call.turn.now, call.caller.region.clone());
    let name = &source.partner_source;
    let buses = &mut call.realm().buses;
    let is_own = |bus: &Bus| bus.managed_for.as_ref() == Some(&source.id);
    if !buses.get(name).is_some_and(is_own) {
        return;
    }
    buses.remove(name);
    match call.turn.world.sources_in(&region).get_mut(name) {
        Some(offered) if offered.state == State::Active => {
            offered.suspend(now);
            call.turn.world.watch_source(&region, name);
        }
        Some(offered) if offered.state == State::Deleted => {
            call.turn.world.sources_in(&region).remove(name);
        }
        _ => {}
    }
}

fn delete(call: &mut Call<'_>, input: &Named) -> Answer {
    let found = source(call, &input.event_source_arn)?.clone();
    stop_forwarding(call, &found);
    let here = here(call)?;
    here.sources.remove(&found.name);
    here.forget(&input.event_source_arn);
    Ok(json!({}))
}

fn update(call: &mut Call<'_>, input: Update) -> Answer {
    let now = call.turn.now;
    let mut changed = source(call, &input.event_source_arn)?.clone();
    if changed.revoked {
        return Err(state("The event source is revoked: it can only be deleted."));
    }
    let found = bus(call, &changed.bus_arn)?;
    check_state(
        found,
        now,
        "UpdateEventSource",
        &[BusState::Active, BusState::Updating],
    )?;
    if let Some(configuration) = input.configuration {
        let partner = Partner::read(&configuration, call.stored)?;
        let is_other = partner.source() != changed.partner_source;
        if is_other && call.turn.world.assumptions.other_partner_source == OtherPartnerSource::Refused {
            return Err(invalid(
                "PartnerEventSourceArn cannot be changed: make another event source for it.",
            ));
        }
        check_offered(call, partner.source(), Some(&changed.id))?;
        if is_other {
            stop_forwarding(call, &changed);
            partner.source().clone_into(&mut changed.partner_source);
        }
        changed.configuration = configuration;
        forward(call, &changed, &partner);
    }
    if let Some(description) = input.description {
        changed.description = Some(description).filter(|text| !text.is_empty());
    }
    changed.modified = now;
    let answer = json!({
        "EventSourceArn": input.event_source_arn,
        "Name": changed.name,
        "EventBusArn": changed.bus_arn,
        "State": state_of(&changed, &lost(call)),
        "LastModifiedTime": epoch_seconds(now),
    });
    *source(call, &input.event_source_arn)? = changed;
    Ok(answer)
}

fn describe(call: &mut Call<'_>, input: &Named) -> Answer {
    let (realm, lost) = (call.here(), lost(call));
    let found = source(call, &input.event_source_arn)?;
    let mut view = view(&realm, found, &lost);
    view["Configuration"] = found.configuration.clone();
    if let Some(description) = &found.description {
        view["Description"] = json!(description);
    }
    Ok(view)
}

fn list(call: &mut Call<'_>, input: &List) -> Answer {
    let (realm, lost) = (call.here(), lost(call));
    if let Some(arn) = &input.event_bus_arn {
        bus(call, arn)?;
    }
    let prefix = input.name_prefix.as_deref().unwrap_or_default();
    let is_on = |source: &EventSource| {
        input
            .event_bus_arn
            .as_ref()
            .is_none_or(|arn| *arn == source.bus_arn)
    };
    let sources = here(call)?.sources.iter();
    let rows = sources
        .filter(|(name, source)| name.starts_with(prefix) && is_on(source))
        .map(|(name, source)| {
            let mut row = view(&realm, source, &lost);
            row["Type"] = json!("PARTNER_EVENTS");
            row["EventSourceAccountId"] = json!(realm.account());
            (name.as_str(), row)
        });
    let page = EVENTSV2_PAGES.page(
        "ListEventSources",
        rows,
        input.next_token.as_deref(),
        input.max_results,
    )?;
    Ok(without_nulls(
        json!({ "EventSources": page.items, "NextToken": page.next }),
    ))
}

/// The Classic sources that their partners have deleted, where that is assumed to show in the state of an event source.
fn lost(call: &mut Call<'_>) -> BTreeSet<String> {
    if call.turn.world.assumptions.deleted_source == DeletedSource::Active {
        return BTreeSet::new();
    }
    let (region, realm) = (call.caller.region.clone(), call.here());
    let world = &mut *call.turn.world;
    let fed = world.realm(&realm).custom_buses.sources.values();
    let mut lost: BTreeSet<String> = fed.map(|source| source.partner_source.clone()).collect();
    let offered = world.sources_in(&region);
    lost.retain(|name| {
        offered
            .get(name)
            .is_none_or(|source| source.state == State::Deleted)
    });
    lost
}

fn state_of(source: &EventSource, lost: &BTreeSet<String>) -> &'static str {
    if lost.contains(&source.partner_source) {
        "UPDATE_FAILED"
    } else {
        "ACTIVE"
    }
}

/// What a description and a listing have in common.
fn view(realm: &RealmId, source: &EventSource, lost: &BTreeSet<String>) -> Value {
    without_nulls(json!({
        "EventSourceArn": source_arn(realm, source),
        "Name": source.name,
        "EventBusArn": source.bus_arn,
        "State": state_of(source, lost),
        "Revoked": source.revoked.then_some(true),
        "CreationTime": epoch_seconds(source.created),
        "LastModifiedTime": epoch_seconds(source.modified),
    }))
}
