//! Custom event buses (EventBridge V2) of one account and region: buses, their event sources and subscribers. Data only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::{Dice, Millis};

mod batching;
mod bus;
mod deliveries;
mod event;
mod kept;
mod live;
mod log;
mod metrics;
mod program;
mod rendered;
mod source;
mod subscriber;
mod wanted;

pub(crate) use batching::{Batching, Sizes};
pub(crate) use bus::{BusPolicy, BusState, CustomBus, resource};
pub(crate) use deliveries::{Batch, Deliveries, Next, Queued};
pub(crate) use event::{ContentType, Event, NewEvent};
pub(crate) use kept::{Kept, Origin, PublishCall};
pub(crate) use log::sequence;
pub(crate) use metrics::{Delivering, Row as MetricsRow};
pub(crate) use program::Program;
pub(crate) use rendered::{Made, Output, Rendered, Whole};
pub(crate) use source::{EventSource, managed_rule};
pub(crate) use subscriber::{FilterSet, Ordering, Retry, Subscriber};
pub(crate) use wanted::{SubscriberId, Wanted};

/// How long a client token is remembered ("Idempotency" in AWS's guide to custom event buses).
pub(crate) const TOKEN_KEPT: Millis = 8 * 60 * 60 * 1000;
/// The most client tokens that are kept; the oldest go first.
const TOKENS_MAX: usize = 10_000;

/// What one account has of custom event buses in one region, each by its name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct CustomBuses {
    pub(crate) buses: BTreeMap<String, CustomBus>,
    pub(crate) sources: BTreeMap<String, EventSource>,
    tokens: BTreeMap<String, Stored>,
    /// The name of each subscriber's bus, by the subscriber's name; counted after the state was read from disk.
    #[serde(skip)]
    bus_names: BTreeMap<String, String>,
}

/// What a creation with a client token gave.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stored {
    pub(crate) operation: String,
    /// The request, without the token.
    pub(crate) input: Value,
    pub(crate) answer: Value,
    pub(crate) at: Millis,
    /// The ARN of what was made.
    pub(crate) arn: String,
}

impl CustomBuses {
    /// What a client token gave before, if it is remembered.
    pub(crate) fn stored(&self, token: &str, now: Millis) -> Option<&Stored> {
        self.tokens
            .get(token)
            .filter(|stored| now < stored.at + TOKEN_KEPT)
    }

    /// Remembers what a client token gave.
    pub(crate) fn store(&mut self, token: String, stored: Stored) {
        let now = stored.at;
        self.tokens.retain(|_, stored| now < stored.at + TOKEN_KEPT);
        if self.tokens.len() >= TOKENS_MAX
            && let Some(oldest) = self.tokens.iter().min_by_key(|(_, stored)| stored.at)
        {
            let oldest = oldest.0.clone();
            self.tokens.remove(&oldest);
        }
        self.tokens.insert(token, stored);
    }

    /// Forgets the tokens of what was deleted: the same request makes another one.
    pub(crate) fn forget(&mut self, arn: &str) {
        self.tokens.retain(|_, stored| stored.arn != arn);
    }

    /// The bus of a subscriber, by the subscriber's name.
    pub(crate) fn bus_of_subscriber(&mut self, name: &str) -> Option<&mut CustomBus> {
        self.buses.get_mut(self.bus_names.get(name)?)
    }

    /// Adds a subscriber to a bus that is there.
    pub(crate) fn add_subscriber(&mut self, bus: &str, new: Subscriber) {
        if let Some(found) = self.buses.get_mut(bus) {
            let name = new.name.clone();
            self.bus_names.insert(name.clone(), bus.to_owned());
            found.subscribers.insert(name.clone(), new);
            found.subscriber_changed(&name);
        }
    }

    pub(crate) fn remove_subscriber(&mut self, name: &str) {
        if let Some(bus) = self.bus_of_subscriber(name) {
            bus.subscribers.remove(name);
            bus.subscriber_changed(name);
        }
        self.bus_names.remove(name);
    }

    /// Removes a bus, with the revoked subscribers that it may still have.
    pub(crate) fn remove_bus(&mut self, name: &str) -> Option<CustomBus> {
        self.bus_names.retain(|_, bus| bus != name);
        self.buses.remove(name)
    }

    /// The counters of `AWS/EventsV2`.
    pub(crate) fn metrics(&self) -> Vec<MetricsRow> {
        let of_bus = |bus: &CustomBus| {
            let label = [&bus.name, "/", &bus.id].concat();
            let of_subscriber =
                |one: &Subscriber| one.metrics.row(&label, &[&one.name, "/", &one.id].concat());
            let mut rows = bus.metrics.rows(&label);
            rows.extend(bus.subscribers.values().filter_map(of_subscriber));
            rows
        };
        self.buses.values().flat_map(of_bus).collect()
    }

    /// Counts what is kept, after it was read from disk.
    pub(super) fn recount(&mut self) {
        let of_bus = |bus: &CustomBus| {
            let names = bus.subscribers.keys();
            names
                .map(|name| (name.clone(), bus.name.clone()))
                .collect::<Vec<_>>()
        };
        self.bus_names = self.buses.values().flat_map(of_bus).collect();
    }
}

/// The 25 characters that end an ARN, another each time that a name is used.
pub(crate) fn new_id(dice: &mut Dice) -> String {
    const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let letter = |_| {
        let at = usize::try_from(dice.roll() % 36).unwrap_or_default();
        char::from(ALPHABET[at])
    };
    (0..25).map(letter).collect()
}
