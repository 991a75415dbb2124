//! Event buses.

use serde::Deserialize;
use serde_json::{Value, json};

use super::DEFAULT_BUS;
use super::sources::offered;
use super::tags::{TagList, read_tags};
use crate::arn::{Arn, arn, bus_name};
use crate::clock::epoch_seconds;
use crate::fault::Fault;
use crate::ops::{Answer, Call, EVENTS_PAGES, Op, Operation, without_nulls};
use crate::state::bus::Bus;
use crate::state::rule::DeadLetterConfig;
use crate::state::source::State;

/// AWS's default quota of buses in an account and region.
const BUSES_MAX: usize = 100;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("CreateEventBus", create),
    &Op::write("DeleteEventBus", |call, input| delete(call, &input)),
    &Op::write("UpdateEventBus", update),
    &Op::read("DescribeEventBus", |call, input| describe(call, &input)),
    &Op::read("ListEventBuses", |call, input| list(call, &input)),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    name: String,
    event_source_name: Option<String>,
    #[serde(flatten)]
    settings: Settings,
    tags: Option<TagList>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    name: Option<String>,
    #[serde(flatten)]
    settings: Settings,
}

/// What may be changed of a bus.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    description: Option<String>,
    kms_key_identifier: Option<String>,
    dead_letter_config: Option<DeadLetterConfig>,
    log_config: Option<Value>,
}

impl Settings {
    fn check(&self) -> Result<(), Fault> {
        let queue = self.dead_letter_config.as_ref();
        check_dead_letters(queue.and_then(|config| config.arn.as_deref()))
    }

    /// An absent member leaves the setting as it is; an empty one removes it.
    fn write(self, bus: &mut Bus) {
        let set = |there: &mut Option<String>, given: Option<String>| {
            if let Some(given) = given {
                *there = Some(given).filter(|text| !text.is_empty());
            }
        };
        set(&mut bus.description, self.description);
        set(&mut bus.kms_key, self.kms_key_identifier);
        if let Some(config) = self.dead_letter_config {
            bus.dead_letter_config = Some(config).filter(|config| config.arn.is_some());
        }
        bus.log_config = self.log_config.or_else(|| bus.log_config.take());
    }
}

/// Dead letters go to queues.
pub(super) fn check_dead_letters(queue: Option<&str>) -> Result<(), Fault> {
    if queue.is_none_or(|text| Arn::parse(text).is_some_and(|arn| arn.service == "sqs")) {
        return Ok(());
    }
    Err(Fault::validation(
        "Parameter DeadLetterConfig.Arn is not valid. Reason: Must contain the ARN of an SQS queue.",
    ))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Name {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Describe {
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    name_prefix: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

fn create(call: &mut Call<'_>, input: Create) -> Answer {
    let tags = read_tags(input.tags.clone().unwrap_or_default())?;
    input.settings.check()?;
    let taken_up = if let Some(source) = &input.event_source_name {
        associate(call, &input.name, source)?
    } else {
        custom_name(call, &input.name)?;
        false
    };
    let now = call.turn.now;
    if !taken_up && call.realm().buses.len() >= BUSES_MAX {
        return Err(Fault::quota());
    }
    let buses = &mut call.realm().buses;
    let bus = buses
        .entry(input.name.clone())
        .or_insert_with(|| Bus::new(&input.name, now));
    bus.tags.extend(tags);
    input.settings.write(bus);
    if input.event_source_name.is_some() {
        offered(call, &input.name)?.activate();
    }
    let answer = view(call, &input.name)?;
    let member = |name: &str| answer.get(name).cloned();
    Ok(without_nulls(json!({
        "EventBusArn": member("Arn"),
        "Description": member("Description"),
        "KmsKeyIdentifier": member("KmsKeyIdentifier"),
        "DeadLetterConfig": member("DeadLetterConfig"),
        "LogConfig": member("LogConfig"),
    })))
}

/// Checks that the bus may be associated with its source; true when an existing bus is adopted.
fn associate(call: &mut Call<'_>, name: &str, source_name: &str) -> Result<bool, Fault> {
    if name != source_name {
        return Err(Fault::validation(format!(
            "EventBus name {name} must match the name of the event source {source_name}."
        )));
    }
    let source = offered(call, source_name)?.clone();
    let bus_exists = call.realm().buses.contains_key(name);
    match source.state {
        State::Pending if bus_exists && source.bus_from_before => Ok(true),
        _ if bus_exists => Err(Fault::exists(format!("Event bus {name} already exists."))),
        State::Pending => Ok(false),
        State::Active | State::Deleted => Err(Fault::state(format!(
            "Event source {name} is in state {}; PENDING is needed.",
            source.state.as_str()
        ))),
    }
}

fn custom_name(call: &mut Call<'_>, name: &str) -> Result<(), Fault> {
    if name.starts_with("aws.") {
        return Err(Fault::validation(
            "EventBus name starting with 'aws.' is not valid.",
        ));
    }
    if name.contains('/') {
        return Err(Fault::validation("Event bus name must not contain '/'."));
    }
    if call.realm().buses.contains_key(name) {
        return Err(Fault::exists(format!("Event bus {name} already exists.")));
    }
    Ok(())
}

fn delete(call: &mut Call<'_>, input: &Name) -> Answer {
    if input.name == DEFAULT_BUS {
        return Err(Fault::validation("Cannot delete event bus default."));
    }
    let Some(bus) = call.realm().buses.get(&input.name) else {
        return Ok(json!({}));
    };
    // The rules of a managed bus go with it.
    if bus
        .rules
        .values()
        .any(|rule| bus.managed_by.is_none() || rule.managed_by.is_none())
    {
        return Err(Fault::validation("EventBus can't be deleted since it has rules."));
    }
    call.realm().buses.remove(&input.name);
    let (now, region) = (call.turn.now, call.caller.region.clone());
    let Ok(source) = offered(call, &input.name) else {
        return Ok(json!({}));
    };
    source.bus_from_before = false;
    match source.state {
        State::Deleted => {
            call.turn.world.sources_in(&region).remove(&input.name);
        }
        State::Active => {
            source.suspend(now);
            call.turn.world.watch_source(&region, &input.name);
        }
        State::Pending => {}
    }
    Ok(json!({}))
}

fn update(call: &mut Call<'_>, input: Update) -> Answer {
    let name = input.name.unwrap_or_else(|| DEFAULT_BUS.to_owned());
    let now = call.turn.now;
    input.settings.check()?;
    let bus = find(call, &name)?;
    if let Some(service) = &bus.managed_by {
        let why = format!("The event bus {name} is managed by {service}, which alone changes it.");
        return Err(Fault::new("OperationDisabledException", why));
    }
    input.settings.write(bus);
    bus.modified = now;
    let mut answer = view(call, &name)?;
    if let Some(members) = answer.as_object_mut() {
        for dropped in ["Policy", "CreationTime", "LastModifiedTime"] {
            members.remove(dropped);
        }
    }
    Ok(answer)
}

fn describe(call: &mut Call<'_>, input: &Describe) -> Answer {
    view(call, input.name.as_deref().unwrap_or(DEFAULT_BUS))
}

fn list(call: &mut Call<'_>, input: &List) -> Answer {
    let here = call.caller.clone();
    let prefix = input.name_prefix.as_deref().unwrap_or_default();
    let buses = call
        .realm()
        .buses
        .iter()
        .filter(|(name, _)| name.starts_with(prefix))
        .map(|(name, bus)| {
            let row = json!({
                "Name": name,
                "Arn": arn("events", &here.region, &here.account, &format!("event-bus/{name}")),
                "Description": bus.description,
                "ManagedBy": bus.managed_by,
                "Policy": bus.policy,
                "CreationTime": epoch_seconds(bus.created),
                "LastModifiedTime": epoch_seconds(bus.modified),
            });
            (name.as_str(), without_nulls(row))
        });
    let page = EVENTS_PAGES.page("ListEventBuses", buses, input.next_token.as_deref(), input.limit)?;
    Ok(without_nulls(
        json!({ "EventBuses": page.items, "NextToken": page.next }),
    ))
}

fn view(call: &mut Call<'_>, name_or_arn: &str) -> Answer {
    let here = call.caller.clone();
    let bus = find(call, name_or_arn)?;
    Ok(without_nulls(json!({
        "Name": bus.name,
        "Arn": arn("events", &here.region, &here.account, &format!("event-bus/{}", bus.name)),
        "Description": bus.description,
        "KmsKeyIdentifier": bus.kms_key,
        "DeadLetterConfig": bus.dead_letter_config,
        "LogConfig": bus.log_config,
        "ManagedBy": bus.managed_by,
        "Policy": bus.policy,
        "CreationTime": epoch_seconds(bus.created),
        "LastModifiedTime": epoch_seconds(bus.modified),
    })))
}

/// The caller's bus of that name or ARN; an ARN of another account or region names none of them.
pub(super) fn find<'c>(call: &'c mut Call<'_>, name_or_arn: &str) -> Result<&'c mut Bus, Fault> {
    let name = bus_name(name_or_arn).to_owned();
    let own = Arn::parse(name_or_arn)
        .is_none_or(|arn| arn.account == call.caller.account && arn.region == call.caller.region);
    call.realm()
        .buses
        .get_mut(&name)
        .filter(|_| own)
        .ok_or_else(|| Fault::not_found(format!("Event bus {name} does not exist.")))
}
