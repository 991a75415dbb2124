//! Calls that the companion has and Scalr's own API has not: events that are accepted as if they had just happened, events that
//! are held, and runs that fail on request.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ConnectionId, RunInput, WorkspaceId, bounded};

/// Path of the events that are accepted and held, under the host's root.
pub const EVENTS_PATH: &str = "_companion/events";
/// Path that starts runs which fail, under the host's root.
pub const FAILING_RUNS_PATH: &str = "_companion/runs";

/// An event to be accepted: its type and detail.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub struct Emit {
    /// The event's `detail-type`.
    pub detail_type: String,
    /// Its `detail`.
    pub detail: Value,
}

/// An event that was accepted.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct Emitted {
    /// Its id, by which consumers recognise a duplicate.
    #[serde(deserialize_with = "bounded::name")]
    pub event_id: String,
    /// The connections that receive it.
    pub connections: Vec<ConnectionId>,
}

/// The oldest of the events that are held.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct Held {
    /// The events, oldest first.
    pub events: Vec<HeldEvent>,
    /// Whether more are held than are listed.
    pub more: bool,
}

/// An event that waits to be sent.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct HeldEvent {
    /// Its id.
    #[serde(deserialize_with = "bounded::name")]
    pub event_id: String,
    /// The connection that it is held for.
    pub connection_id: ConnectionId,
    /// Its type.
    #[serde(deserialize_with = "bounded::word")]
    pub detail_type: String,
    /// When it was accepted (RFC 3339).
    #[serde(deserialize_with = "bounded::word")]
    pub accepted_at: String,
    /// The size of its detail.
    pub bytes: i64,
    /// How often it was sent.
    pub attempts: u32,
    /// Why the last attempt failed.
    #[serde(default, deserialize_with = "bounded::text")]
    pub last_error: Option<String>,
}

/// A run that ends as errored.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct FailingRun {
    /// The workspace to run in.
    pub workspace: WorkspaceId,
    /// What else it is started with.
    #[serde(flatten)]
    pub input: RunInput,
}
