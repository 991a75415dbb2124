//! The history of each event, for those who ask why it did not arrive. Bounded: the oldest stories are dropped first.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::RealmId;
use super::bus::NamedPattern;
use super::few::Few;
use super::rule::Target;
use crate::clock::Millis;

const STORIES_MAX: usize = 10_000;
const BYTES_MAX: usize = 64 * 1024 * 1024;
/// Estimated overhead of a story, of an event on a bus and of a delivery.
const STORY_BYTES: usize = 256;
const PASS_BYTES: usize = 192;
const DELIVERY_BYTES: usize = 192;
/// The most buses in one story.
const PASSES_MAX: usize = 32;

/// The stories of the latest events.
#[derive(Debug, Default)]
pub(crate) struct Stories {
    by_id: HashMap<Arc<str>, Story>,
    order: VecDeque<Arc<str>>,
    /// How many were dropped: the number of the first in `order`.
    dropped: u64,
    bytes: usize,
}

/// One event's story.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) accepted: Millis,
    /// Why no bus got it although its sender was answered with success.
    pub(crate) dropped: Option<String>,
    pub(crate) event: Arc<str>,
    pub(crate) passes: Few<Pass>,
    /// Its size in memory, estimated.
    bytes: usize,
}

/// The event on one bus.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) realm: RealmId,
    pub(crate) bus: Arc<str>,
    /// The rules as they were then.
    pub(crate) rules: Arc<[NamedPattern]>,
    /// The names of those that matched, in order.
    pub(crate) matched: Few<Arc<str>>,
    /// The names of those of which it is not known, since matching the event took more steps than it may.
    pub(crate) undecided: Vec<Arc<str>>,
    pub(crate) deliveries: Few<Delivery>,
}

/// The event and one target.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) rule: Arc<str>,
    pub(crate) target: Arc<Target>,
    pub(crate) attempts: Few<Attempt>,
    /// `delivered`, `failed` or `waiting`.
    pub(crate) outcome: &'static str,
    pub(crate) dead_letter: Option<String>,
    /// Its role was never created here, and counted as one that allows it.
    pub(crate) unknown_role: bool,
}

/// One attempt.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) at: Millis,
    pub(crate) error: Option<(String, String)>,
}

/// The place of a delivery in the stories.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct DeliveryRef {
    pub(crate) event: Arc<str>,
    pub(crate) pass: usize,
    pub(crate) delivery: usize,
}

impl Stories {
    pub(crate) fn begin(&mut self, id: &Arc<str>, event: Arc<str>, dropped: Option<String>, now: Millis) {
        if self.by_id.contains_key(id) {
            return;
        }
        let bytes = event.len() + STORY_BYTES;
        self.order.push_back(Arc::clone(id));
        self.bytes += bytes;
        self.by_id.insert(
            Arc::clone(id),
            Story {
                accepted: now,
                dropped,
                event,
                passes: Few::default(),
                bytes,
            },
        );
        while self.order.len() > STORIES_MAX || (self.bytes > BYTES_MAX && self.order.len() > 1) {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            self.dropped += 1;
            self.bytes -= self.by_id.remove(&oldest).map_or(0, |story| story.bytes);
        }
    }

    /// Records that the event reached a bus; gives the index in the story. `fresh_bytes` is the size of the rules where no
    /// earlier story has them.
    pub(crate) fn pass(&mut self, id: &str, pass: Pass, fresh_bytes: usize) -> usize {
        let Some(story) = self
            .by_id
            .get_mut(id)
            .filter(|story| story.passes.len() < PASSES_MAX)
        else {
            return usize::MAX;
        };
        let names = pass.matched.len() + pass.undecided.len();
        let bytes = fresh_bytes + names * size_of::<Arc<str>>() + PASS_BYTES;
        story.passes.push(pass);
        story.bytes += bytes;
        self.bytes += bytes;
        story.passes.len() - 1
    }

    pub(crate) fn deliver(&mut self, id: &Arc<str>, pass: usize, delivery: Delivery) -> DeliveryRef {
        self.place(id, |_| Some(pass), delivery)
    }

    /// The same on a bus that the story names, for a subscriber that wanted the event.
    pub(crate) fn deliver_on(
        &mut self,
        id: &Arc<str>,
        (realm, bus): (&RealmId, &str),
        delivery: Delivery,
    ) -> DeliveryRef {
        let name = Arc::clone(&delivery.rule);
        let pass = |story: &mut Story| {
            let is_it = |pass: &Pass| pass.realm == *realm && *pass.bus == *bus;
            let at = story.passes.iter().rposition(is_it)?;
            let matched = &mut story.passes.get_mut(at)?.matched;
            if let Err(place) = matched.binary_search(&name) {
                matched.insert(place, name);
            }
            Some(at)
        };
        self.place(id, pass, delivery)
    }

    /// The place of a delivery, which is nowhere where no story has it.
    fn place(
        &mut self,
        id: &Arc<str>,
        pass: impl FnOnce(&mut Story) -> Option<usize>,
        delivery: Delivery,
    ) -> DeliveryRef {
        let story = self.by_id.get_mut(id);
        let found = story.and_then(|story| {
            let pass = pass(story)?;
            let bytes = delivery.rule.len() + DELIVERY_BYTES;
            let deliveries = &mut story.passes.get_mut(pass)?.deliveries;
            deliveries.push(delivery);
            story.bytes += bytes;
            self.bytes += bytes;
            Some((pass, deliveries.len() - 1))
        });
        let (pass, delivery) = found.unwrap_or((usize::MAX, usize::MAX));
        DeliveryRef {
            event: Arc::clone(id),
            pass,
            delivery,
        }
    }

    /// Records an attempt.
    pub(crate) fn record_attempt(&mut self, at: &DeliveryRef, outcome: &'static str, attempt: Attempt) {
        let error = attempt.error.as_ref();
        let bytes = error.map_or(0, |(code, why)| code.len() + why.len()) + size_of::<Attempt>();
        if let Some(story) = self.by_id.get_mut(&at.event)
            && let Some(pass) = story.passes.get_mut(at.pass)
            && let Some(delivery) = pass.deliveries.get_mut(at.delivery)
        {
            delivery.outcome = outcome;
            delivery.attempts.push(attempt);
            story.bytes += bytes;
            self.bytes += bytes;
        }
    }

    pub(crate) fn delivery(&mut self, at: &DeliveryRef) -> Option<&mut Delivery> {
        self.by_id
            .get_mut(&at.event)?
            .passes
            .get_mut(at.pass)?
            .deliveries
            .get_mut(at.delivery)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Story> {
        self.by_id.get(id)
    }

    /// The latest events with their numbers and ids, newest first; only those before a number if one is given.
    pub(crate) fn latest(&self, before: Option<u64>) -> impl Iterator<Item = (u64, &Arc<str>, &Story)> {
        let end = before.map_or(usize::MAX, |before| {
            usize::try_from(before.saturating_sub(self.dropped)).unwrap_or(usize::MAX)
        });
        let known = self.order.range(..end.min(self.order.len()));
        let first = self.dropped;
        let numbered = known
            .enumerate()
            .rev()
            .map(move |(at, id)| (first + at as u64, id));
        numbered.filter_map(|(number, id)| Some((number, id, self.by_id.get(id)?)))
    }
}
