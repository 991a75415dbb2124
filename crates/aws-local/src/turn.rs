//! One turn: what any change of the state may touch, whether a call, a timer or a result causes it.
//!
//! Time and randomness are arguments, so that a stored change replays to the same state. What a turn may cost is bounded
//! by the steps that it is given: matching and delivering take from them, and end early where none are left.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use crate::clock::{Dice, Millis};
use crate::policy::Policy;
use crate::segments::LogId;
use crate::state::bus::LogLevel;
use crate::state::custom_bus::{Event, Kept, NewEvent, PublishCall, SubscriberId};
use crate::state::{RealmId, World};

/// The steps of one turn, some ten nanoseconds each. As many as one event may take, or a turn of one event would be
/// refused what a pattern alone is not.
pub(crate) const STEPS_MAX: usize = event_pattern::STEPS_MAX;

/// The bytes that the logs of buses may write in one turn, so that a log costs little more than what it is of.
const LOG_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One change while it is made.
pub(crate) struct Turn<'w> {
    pub(crate) world: &'w mut World,
    pub(crate) now: Millis,
    pub(crate) dice: Dice,
    seed: u64,
    /// Deliveries over HTTP that are to be sent once the change is stored.
    pub(crate) effects: Vec<u64>,
    pub(crate) steps: usize,
    /// How many events still share the steps: a costly one leaves the later ones their part.
    pub(crate) events: usize,
    /// What input paths gave of the event that is being delivered: many targets have the same.
    pub(crate) picked: Picked,
    /// Queue policies that were read: all deliveries to a queue ask the same.
    pub(crate) policies: HashMap<String, Option<Arc<Policy>>>,
    /// The logs of the buses that events came to, found once.
    pub(crate) bus_logs: BTreeMap<(RealmId, String), Option<Arc<BusLog>>>,
    /// What they may still write.
    pub(crate) log_bytes: usize,
    /// What custom event buses send to other buses, published once the rest of the turn is done.
    pub(crate) forwards: VecDeque<Forward>,
    /// Events that custom event buses keep from now on, in their order; those that a caller published come first.
    pub(crate) kept: Vec<Kept>,
    /// The events that were published or read in this turn; none of one that its bus no longer keeps.
    pub(crate) at_hand: BTreeMap<(LogId, u64), Option<Arc<Event>>>,
    /// The call that published events on a custom event bus.
    pub(crate) published: Option<PublishCall>,
    /// Logs of events whose buses are gone.
    pub(crate) gone_logs: Vec<LogId>,
    /// The subscribers that have something to send before the turn ends.
    pub(crate) touched: Touched,
    /// What takes long to drop; it is dropped when the lock is released.
    pub(crate) dropped: Vec<Box<dyn Any + Send>>,
}

/// An event on its way from a custom event bus to another bus.
pub(crate) enum Forward {
    /// An envelope, for a Classic bus.
    Classic {
        to: RealmId,
        bus: String,
        id: Arc<str>,
        time: Millis,
        text: Arc<str>,
    },
    Custom {
        to: RealmId,
        bus: String,
        event: NewEvent,
    },
}

/// Subscribers, in order.
#[derive(Default)]
pub(crate) struct Touched {
    /// All but the one that was inserted last: it mostly comes again.
    before: BTreeSet<SubscriberId>,
    latest: Option<SubscriberId>,
}

impl Touched {
    pub(crate) fn insert(&mut self, realm: &RealmId, bus: &str, name: &str) {
        let is_it = |id: &SubscriberId| id.name == name && id.bus == bus && id.realm == *realm;
        if self.latest.as_ref().is_some_and(is_it) {
            return;
        }
        let id = SubscriberId {
            realm: realm.clone(),
            bus: bus.to_owned(),
            name: name.to_owned(),
        };
        self.before.extend(self.latest.replace(id));
    }

    pub(crate) fn pop_first(&mut self) -> Option<SubscriberId> {
        self.before.extend(self.latest.take());
        self.before.pop_first()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// The values at paths of one event.
#[derive(Default)]
pub(crate) struct Picked {
    pub(crate) event: Option<Arc<str>>,
    pub(crate) values: HashMap<String, Option<Arc<str>>>,
}

/// The log of a bus, as far as it reaches log groups here.
#[derive(Debug)]
pub(crate) struct BusLog {
    pub(crate) bus: String,
    pub(crate) arn: String,
    /// Whether records have the event and the target's input.
    pub(crate) details: bool,
    /// The log group of each level that is logged.
    pub(crate) groups: Vec<(LogLevel, RealmId, String)>,
}

impl<'w> Turn<'w> {
    pub(crate) fn new(world: &'w mut World, now: Millis, seed: u64) -> Self {
        Self {
            world,
            now,
            dice: Dice::new(seed),
            seed,
            effects: Vec::new(),
            steps: STEPS_MAX,
            events: 1,
            picked: Picked::default(),
            policies: HashMap::new(),
            bus_logs: BTreeMap::new(),
            log_bytes: LOG_BYTES_MAX,
            forwards: VecDeque::new(),
            kept: Vec::new(),
            at_hand: BTreeMap::new(),
            published: None,
            gone_logs: Vec::new(),
            touched: Touched::default(),
            dropped: Vec::new(),
        }
    }

    /// What a caller published on a custom event bus is kept. What follows from it must not depend on what of the request is not
    /// stored.
    pub(crate) fn published(&mut self, call: PublishCall) {
        let buses = &mut self.world.realm(&call.realm).custom_buses.buses;
        if let Some(bus) = buses.get_mut(&call.bus) {
            bus.metrics.call(call.entries, call.failed);
        }
        self.published = Some(call);
        self.events = 1;
        self.dice = Dice::new(!self.seed);
    }

    /// Takes steps before they are made; false where fewer are left.
    pub(crate) fn take(&mut self, steps: usize) -> bool {
        let left = self.steps.checked_sub(steps);
        self.steps = left.unwrap_or_default();
        left.is_some()
    }

    /// Takes bytes of what logs may write; false where fewer are left, and a smaller record may still be written.
    pub(crate) fn take_log_bytes(&mut self, bytes: usize) -> bool {
        let left = self.log_bytes.checked_sub(bytes);
        self.log_bytes = left.unwrap_or(self.log_bytes);
        left.is_some()
    }

    /// The part of the steps that the next event may take.
    pub(crate) fn part(&self) -> usize {
        self.steps / self.events.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_touched_is_given_once_and_in_order() {
        let (realms, mut touched) = (
            ["1", "2"].map(|account| RealmId::new(account, "r")),
            Touched::default(),
        );
        for (realm, bus, name) in [
            (1, "a", "a"),
            (0, "b", "a"),
            (0, "b", "a"),
            (0, "a", "b"),
            (0, "b", "a"),
        ] {
            touched.insert(&realms[realm], bus, name);
        }
        let first = touched.pop_first().unwrap();
        assert_eq!((first.bus.as_str(), first.name.as_str()), ("a", "b"));
        touched.insert(&realms[0], "a", "b");
        let rest: Vec<_> = std::iter::from_fn(|| touched.pop_first()).collect();
        let rest: Vec<_> = rest
            .iter()
            .map(|id| [id.realm.account(), &id.bus, &id.name].join(" "))
            .collect();
        assert_eq!(rest, ["1 a b", "1 b a", "2 a a"]);
    }
}
