//! What a connection holds, has delivered and has dropped: `/_companion/connections/{id}/delivery`, and its deliveries that are over:
//! `/_companion/connections/{id}/deliveries`. The companion gives them; Scalr's own API has no such paths.

use serde::{Deserialize, Serialize};

use crate::{ConnectionId, bounded};

/// Path of a connection's figures, under the host's root.
pub fn delivery_path(id: &ConnectionId) -> String {
    format!("_companion/connections/{id}/delivery")
}

/// Path of a connection's deliveries that are over, under the host's root.
pub fn deliveries_path(id: &ConnectionId) -> String {
    format!("_companion/connections/{id}/deliveries")
}

/// The figures of a connection's delivery. Times are in RFC 3339.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct Delivery {
    /// Events that are held.
    pub held: i64,
    /// Their size.
    pub held_bytes: i64,
    /// When the oldest of them was accepted.
    #[serde(default, deserialize_with = "bounded::code")]
    pub oldest_held_at: Option<String>,
    /// Events that were delivered.
    pub delivered: i64,
    /// When the last of them was.
    #[serde(default, deserialize_with = "bounded::code")]
    pub last_delivered_at: Option<String>,
    /// Tries that have failed since the last that did not.
    pub failures_in_a_row: i64,
    /// Why the last of them failed.
    #[serde(default, deserialize_with = "bounded::text")]
    pub last_error: Option<String>,
    /// Whether events are dropped for their age.
    pub clock: ClockStanding,
    /// Deliveries that were ever made: each is held, delivered, unconfirmed, failed, purged or dropped.
    #[serde(default)]
    pub made: i64,
    /// Events that AWS does not take, and that are kept for a person to decide on.
    #[serde(default)]
    pub failed: i64,
    /// Failed events that were purged.
    #[serde(default)]
    pub purged: i64,
    /// Events that AWS acknowledged before their event source was found not to be ACTIVE: they are sent again.
    #[serde(default)]
    pub unconfirmed: i64,
    /// Events that were dropped.
    pub dropped: DroppedCounts,
    /// The last of them, newest first.
    pub last_dropped: Vec<DroppedEvent>,
}

/// How many events were dropped, by reason.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct DroppedCounts {
    /// They had been held too long.
    pub too_old: i64,
    /// There were too many bytes.
    pub too_many_bytes: i64,
    /// AWS refused them. A version that keeps failed events drops none for this reason.
    pub refused: i64,
}

impl DroppedCounts {
    /// How many, for whatever reason.
    pub fn total(self) -> i64 {
        self.too_old
            .saturating_add(self.too_many_bytes)
            .saturating_add(self.refused)
    }
}

/// An event that was dropped.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct DroppedEvent {
    /// Its id.
    #[serde(deserialize_with = "bounded::name")]
    pub event_id: String,
    /// Its type.
    #[serde(deserialize_with = "bounded::word")]
    pub detail_type: String,
    /// `too-old`, `too-many-bytes` or `refused`.
    #[serde(deserialize_with = "bounded::word")]
    pub reason: String,
    /// Why, in a sentence.
    #[serde(default, deserialize_with = "bounded::text")]
    pub explanation: Option<String>,
    /// When.
    #[serde(deserialize_with = "bounded::word")]
    pub at: String,
}

/// How a delivery ended.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// AWS took it.
    Delivered,
    /// AWS did not.
    #[default]
    Failed,
    /// AWS took it, and its event source was not ACTIVE afterwards: it is not over, but sent again.
    Unconfirmed,
}

impl DeliveryState {
    /// The state as it is sent and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Unconfirmed => "unconfirmed",
        }
    }
}

/// Which deliveries that are over are meant, as the query of a list and the body of a change: all of one state, or of one event,
/// accepted at or after `from` and before `to` (RFC 3339). A long answer comes in steps: what `after` and `until` were in the one
/// before is sent again.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DeliveriesWanted {
    /// How they ended. A list may leave it out, which asks for those that have failed; a change names it.
    #[serde(default)]
    pub state: DeliveryState,
    /// The id of their event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// When the first was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Before when the last was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The delivery up to which the step before came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// The newest delivery when the first step was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
}

impl DeliveriesWanted {
    /// All of one state.
    pub const fn all(state: DeliveryState) -> Self {
        Self {
            state,
            event: None,
            from: None,
            to: None,
            after: None,
            until: None,
        }
    }
}

/// Deliveries that are over, oldest first.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct Deliveries {
    /// Some of them.
    pub deliveries: Vec<PastDelivery>,
    /// What to ask for as `after` to get more; none where there are no more.
    #[serde(default)]
    pub after: Option<i64>,
}

/// A delivery that is over: one event for one connection. Times are in RFC 3339.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct PastDelivery {
    /// How it ended.
    pub state: DeliveryState,
    /// The event's id.
    #[serde(deserialize_with = "bounded::name")]
    pub event_id: String,
    /// Its type.
    #[serde(deserialize_with = "bounded::word")]
    pub detail_type: String,
    /// The size of its detail, in bytes.
    pub bytes: i64,
    /// When the event was accepted.
    #[serde(deserialize_with = "bounded::word")]
    pub accepted_at: String,
    /// When the delivery ended.
    #[serde(deserialize_with = "bounded::word")]
    pub ended_at: String,
    /// How often it was sent.
    pub attempts: u32,
    /// Why it failed.
    #[serde(default, deserialize_with = "bounded::text")]
    pub error: Option<String>,
}

/// What one step of a change did.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct DeliveriesChanged {
    /// With how many deliveries it was done.
    pub deliveries: u64,
    /// What to send as `after` to go on; none once all are done.
    #[serde(default)]
    pub after: Option<i64>,
    /// What to send as `until` to go on.
    pub until: i64,
}

/// Whether held events are dropped for their age, and why not.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct ClockStanding {
    /// `confirmed`, `started` or `moved`.
    #[serde(deserialize_with = "bounded::word")]
    pub state: String,
    /// How far the wall clock has moved against the monotonic one.
    pub moved_seconds: i64,
    /// Why, in a sentence.
    #[serde(default, deserialize_with = "bounded::text")]
    pub explanation: Option<String>,
}
