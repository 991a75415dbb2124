//! Timers: what is due, and when. `firing` carries it out.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::RealmId;
use crate::clock::Millis;

/// Timers in the order of time. A timer whose cause was removed does nothing when it fires.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Timers(BTreeSet<(Millis, Timer)>);

/// What is due at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Timer {
    /// A PENDING source's two weeks are over.
    Source { region: String, name: String },
    /// A rule of the default bus fires by its schedule.
    Schedule { realm: RealmId, rule: String },
    /// A replay enters its next state.
    Replay { realm: RealmId, name: String },
    /// A custom event bus that is DELETING is gone.
    CustomBusGone { realm: RealmId, name: String },
    /// A subscriber of a custom event bus has something to deliver.
    Subscriber {
        realm: RealmId,
        bus: String,
        name: String,
    },
    /// A delivery is due: for a retry, or at its rate.
    Retry { id: u64 },
}

impl Timers {
    pub(crate) fn set(&mut self, at: Millis, timer: Timer) {
        self.0.insert((at, timer));
    }

    pub(crate) fn next_due(&self) -> Option<Millis> {
        self.0.first().map(|(at, _)| *at)
    }

    /// Takes the earliest timer, if it is due.
    pub(crate) fn take_due(&mut self, now: Millis) -> Option<(Millis, Timer)> {
        if self.next_due()? > now {
            return None;
        }
        self.0.pop_first()
    }
}
