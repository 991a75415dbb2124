//! The blocks of custom event buses and of what leads to them. Pure.

use super::account::{Account, Connection, CustomBus, EventSource};
use super::hcl::{Attributes, Value, given, tags, text};
use super::names::Wanted;

pub(super) const CUSTOM_BUS: &str = "scalr_eventbridge_custom_bus";
pub(super) const EVENT_SOURCE: &str = "scalr_eventbridge_event_source";
/// What the provider sets where a configuration does not.
const RETENTION_DEFAULT: i64 = 1;

impl EventSource {
    /// It has the events of the connection's source.
    pub(super) fn is_of(&self, connection: &Connection) -> bool {
        connection.source.as_ref() == Some(&self.source)
            && connection.region == self.region
            && connection.aws_account_id == self.aws_account_id
    }
}

/// The buses that need names.
pub(super) fn buses(account: &Account) -> impl Iterator<Item = Wanted<'_>> {
    account.custom_buses.iter().map(|bus| Wanted {
        id: bus.arn.clone(),
        parts: vec![&bus.name],
        apart: vec![&bus.region, &bus.aws_account_id],
    })
}

/// The event sources that need names.
pub(super) fn event_sources(account: &Account) -> impl Iterator<Item = Wanted<'_>> {
    account.event_sources.iter().map(|source| Wanted {
        id: source.arn.clone(),
        parts: vec![&source.name],
        apart: vec![&source.region, &source.aws_account_id],
    })
}

/// Its region is written and not referred to: several connections may feed it.
pub(super) fn bus(bus: &CustomBus) -> Attributes {
    let mut attributes = vec![("name", text(&bus.name)), ("region", text(&bus.region))];
    let days = bus.retention_in_days.filter(|days| *days != RETENTION_DEFAULT);
    attributes.extend(days.map(|days| ("retention_in_days", Value::Number(days))));
    attributes.extend(given("description", bus.description.as_ref()));
    attributes.extend(given("kms_key_identifier", bus.kms_key_identifier.as_ref()));
    attributes.extend(tags(&bus.tags));
    attributes
}

/// `bus` and `partner`: the references to their ARNs.
pub(super) fn event_source(source: &EventSource, bus: Value, partner: Value) -> Attributes {
    let mut attributes = vec![
        ("name", text(&source.name)),
        ("event_bus_arn", bus),
        ("partner_event_source_arn", partner),
    ];
    let pattern = source.event_pattern.clone();
    attributes.extend(pattern.map(|pattern| ("event_pattern", Value::Json(pattern))));
    attributes.extend(given("kms_key_identifier", source.kms_key_identifier.as_ref()));
    attributes.extend(given("dead_letter_arn", source.dead_letter_arn.as_ref()));
    attributes.extend(given("description", source.description.as_ref()));
    attributes.extend(tags(&source.tags));
    attributes
}
