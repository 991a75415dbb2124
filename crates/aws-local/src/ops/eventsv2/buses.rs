//! Custom event buses.

use serde::Deserialize;
use serde_json::{Value, json};

use super::arns::{allowed_bus, bus, bus_arn, check_state, here};
use super::faults::{exists, in_use, limit};
use super::tags;
use super::token::{Made, once};
use crate::clock::epoch_seconds;
use crate::fault::Fault;
use crate::model::parse;
use crate::ops::{Answer, Call, EVENTSV2_PAGES, Op, Operation, without_nulls};
use crate::state::custom_bus::{BusState, CustomBus, new_id};
use crate::state::timers::Timer;
use crate::state::{RealmId, Tags};

/// AWS's default quota of custom event buses in an account and region.
const BUSES_MAX: usize = 5;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("CreateEventBus", |call, input| {
        once(call, "CreateEventBus", input, create)
    }),
    &Op::write("DeleteEventBus", |call, input| delete(call, &input)),
    &Op::write("UpdateEventBus", update),
    &Op::read("DescribeEventBus", |call, input| describe(call, &input)),
    &Op::read("ListEventBuses", |call, input| list(call, &input)),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    name: String,
    #[serde(flatten)]
    settings: Settings,
    #[serde(default)]
    tags: Tags,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    event_bus_arn: String,
    #[serde(flatten)]
    settings: Settings,
}

/// What may be changed of a bus. An absent member leaves it as it is.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    description: Option<String>,
    encryption_configuration: Option<Encryption>,
    storage_configuration: Option<Storage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encryption {
    kms_key_identifier: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Storage {
    retention_period_in_days: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Bus {
    event_bus_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    name_prefix: Option<String>,
    event_bus_account_id: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

impl Settings {
    /// Gives whether the key is another one.
    fn write(self, bus: &mut CustomBus) -> bool {
        if let Some(description) = self.description {
            bus.description = Some(description).filter(|text| !text.is_empty());
        }
        if let Some(days) = self
            .storage_configuration
            .and_then(|storage| storage.retention_period_in_days)
        {
            bus.retention_days = days;
        }
        let Some(encryption) = self.encryption_configuration else {
            return false;
        };
        let key = encryption.kms_key_identifier.filter(|key| !key.is_empty());
        let is_other = key != bus.kms_key;
        bus.kms_key = key;
        is_other
    }
}

fn create(call: &mut Call<'_>, input: Value) -> Result<Made, Fault> {
    let input: Create = parse(input)?;
    tags::check(&input.tags)?;
    let (now, realm) = (call.turn.now, call.here());
    let (id, creating) = (
        new_id(&mut call.turn.dice),
        call.turn.world.assumptions.creating_ms,
    );
    let buses = &here(call)?.buses;
    if buses.contains_key(&input.name) {
        return Err(exists("Event bus", &input.name));
    }
    if buses.len() >= BUSES_MAX {
        return Err(limit(format!(
            "An account can have {BUSES_MAX} custom event buses in a region; ask AWS for more, or delete one."
        )));
    }
    let log = call.turn.world.new_log();
    let buses = &mut here(call)?.buses;
    let mut bus = CustomBus::new(&input.name, id, log, (now, creating));
    input.settings.write(&mut bus);
    bus.tags = input.tags;
    let mut answer = view(&realm, &bus, now);
    without(&mut answer, "LastModifiedTime");
    buses.insert(input.name, bus);
    let arn = answer["EventBusArn"].as_str().unwrap_or_default().to_owned();
    Ok(Made { arn, answer })
}

fn delete(call: &mut Call<'_>, input: &Bus) -> Answer {
    let (now, realm, takes) = (
        call.turn.now,
        call.here(),
        call.turn.world.assumptions.creating_ms,
    );
    let found = bus(call, &input.event_bus_arn)?;
    let allowed = [BusState::Active];
    check_state(found, now, "DeleteEventBus", &allowed)?;
    if found.subscribers.values().any(|subscriber| !subscriber.revoked) {
        return Err(in_use(
            "The event bus has subscribers: delete or revoke them first.",
        ));
    }
    let name = found.name.clone();
    let is_fed = |custom: &crate::state::custom_bus::CustomBuses| {
        custom
            .sources
            .values()
            .any(|source| source.bus == name && !source.revoked)
    };
    if is_fed(here(call)?) {
        return Err(in_use(
            "The event bus has event sources: delete or revoke them first.",
        ));
    }
    bus(call, &input.event_bus_arn)?.deleted = Some(now);
    here(call)?.forget(&input.event_bus_arn);
    call.turn
        .world
        .timers
        .set(now + takes, Timer::CustomBusGone { realm, name });
    Ok(json!({}))
}

fn update(call: &mut Call<'_>, input: Update) -> Answer {
    let (now, realm, takes) = (
        call.turn.now,
        call.here(),
        call.turn.world.assumptions.creating_ms,
    );
    let found = bus(call, &input.event_bus_arn)?;
    check_state(found, now, "UpdateEventBus", &[BusState::Active])?;
    if input.settings.write(found) {
        found.updating_until = now + takes;
    }
    found.modified = now;
    found.expire(now);
    let mut answer = view(&realm, found, now);
    without(&mut answer, "CreationTime");
    Ok(answer)
}

fn describe(call: &mut Call<'_>, input: &Bus) -> Answer {
    let now = call.turn.now;
    let (realm, found) = allowed_bus(call, &input.event_bus_arn, "events:DescribeEventBus")?;
    Ok(view(&realm, found, now))
}

fn list(call: &mut Call<'_>, input: &List) -> Answer {
    let (now, realm) = (call.turn.now, call.here());
    let prefix = input.name_prefix.as_deref().unwrap_or_default();
    let owner = input.event_bus_account_id.as_deref();
    let is_ours = owner.is_none_or(|owner| owner == realm.account());
    let buses = here(call)?
        .buses
        .iter()
        .filter(|(name, _)| is_ours && name.starts_with(prefix));
    let rows = buses.map(|(name, bus)| {
        let mut row = view(&realm, bus, now);
        without(&mut row, "EncryptionConfiguration");
        without(&mut row, "StorageConfiguration");
        row["EventBusAccountId"] = json!(realm.account());
        (name.as_str(), row)
    });
    let page = EVENTSV2_PAGES.page(
        "ListEventBuses",
        rows,
        input.next_token.as_deref(),
        input.max_results,
    )?;
    Ok(without_nulls(
        json!({ "EventBuses": page.items, "NextToken": page.next }),
    ))
}

fn without(view: &mut Value, member: &str) {
    if let Some(members) = view.as_object_mut() {
        members.remove(member);
    }
}

fn view(realm: &RealmId, bus: &CustomBus, now: i64) -> Value {
    let key = bus.kms_key.as_ref().map(|key| json!({ "KmsKeyIdentifier": key }));
    without_nulls(json!({
        "EventBusArn": bus_arn(realm, bus),
        "Name": bus.name,
        "Description": bus.description,
        "EncryptionConfiguration": key,
        "StorageConfiguration": {
            "RetentionPeriodInDays": bus.retention_days,
            "RetentionWindowStartTime": epoch_seconds(bus.window_start(now)),
        },
        "CreationTime": epoch_seconds(bus.created),
        "LastModifiedTime": epoch_seconds(bus.modified),
        "State": bus.state(now).as_str(),
    }))
}
