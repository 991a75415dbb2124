//! An event source of a custom event bus, and what it makes on the Classic side.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Millis;
use crate::state::names::Tags;

/// A partner's event source that a custom event bus takes events from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EventSource {
    pub(crate) name: String,
    /// The end of its ARN.
    pub(crate) id: String,
    pub(crate) bus_arn: String,
    /// The name of the bus in it.
    pub(crate) bus: String,
    /// The Classic partner event source, which is the name of the managed Classic bus too.
    pub(crate) partner_source: String,
    /// As it was given.
    pub(crate) configuration: Value,
    pub(crate) description: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) created: Millis,
    pub(crate) modified: Millis,
    pub(crate) revoked: bool,
}

/// The name of the managed rule on the managed Classic bus. AWS's own is not known.
pub(crate) fn managed_rule(source_id: &str) -> String {
    format!("EventsV2-EventSource-{source_id}")
}
