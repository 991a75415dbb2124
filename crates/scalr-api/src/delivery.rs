//! What a connection holds, has delivered and has dropped: `/_companion/connections/{id}/delivery`. The companion gives it;
//! Scalr's own API has no such path.

use serde::{Deserialize, Serialize};

use crate::{ConnectionId, bounded};

/// Path of a connection's figures, under the host's root.
pub fn delivery_path(id: &ConnectionId) -> String {
    format!("_companion/connections/{id}/delivery")
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
    /// AWS refused them.
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
