//! The history of each event, for those who ask why it did not arrive. Bounded: the oldest stories are dropped first.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::RealmId;
use super::bus::CompiledRule;
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
    bytes: usize,
}

/// One event's story.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) accepted: Millis,
    /// Why no bus got it although its sender was answered with success.
    pub(crate) dropped: Option<String>,
    pub(crate) event: Arc<str>,
    pub(crate) passes: Vec<Pass>,
    /// Its size in memory, estimated.
    bytes: usize,
}

/// The event on one bus.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) realm: RealmId,
    pub(crate) bus: String,
    /// The rules as they were then.
    pub(crate) rules: Arc<[Arc<CompiledRule>]>,
    /// The indexes in `rules` of those that matched.
    pub(crate) matched: Vec<usize>,
    pub(crate) deliveries: Vec<Delivery>,
}

/// The event and one target.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) rule: Arc<str>,
    pub(crate) target: Arc<Target>,
    pub(crate) attempts: Vec<Attempt>,
    /// `delivered`, `failed` or `waiting`.
    pub(crate) outcome: &'static str,
    pub(crate) dead_letter: Option<String>,
}

/// One attempt.
#[derive(Debug)]
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
                passes: Vec::new(),
                bytes,
            },
        );
        while self.order.len() > STORIES_MAX || (self.bytes > BYTES_MAX && self.order.len() > 1) {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            self.bytes -= self.by_id.remove(&oldest).map_or(0, |story| story.bytes);
        }
    }

    /// Records that the event reached a bus; gives the index in the story.
    pub(crate) fn pass(&mut self, id: &str, pass: Pass) -> usize {
        let Some(story) = self
            .by_id
            .get_mut(id)
            .filter(|story| story.passes.len() < PASSES_MAX)
        else {
            return usize::MAX;
        };
        let bytes = (pass.rules.len() + pass.matched.len()) * size_of::<usize>() + PASS_BYTES;
        story.passes.push(pass);
        story.bytes += bytes;
        self.bytes += bytes;
        story.passes.len() - 1
    }

    pub(crate) fn deliver(&mut self, id: &Arc<str>, pass: usize, delivery: Delivery) -> DeliveryRef {
        let mut place = usize::MAX;
        if let Some(story) = self.by_id.get_mut(id)
            && let Some(pass) = story.passes.get_mut(pass)
        {
            let bytes = delivery.rule.len() + DELIVERY_BYTES;
            story.bytes += bytes;
            self.bytes += bytes;
            place = pass.deliveries.len();
            pass.deliveries.push(delivery);
        }
        DeliveryRef {
            event: Arc::clone(id),
            pass,
            delivery: place,
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

    /// The ids of the latest events, newest first.
    pub(crate) fn latest(&self) -> impl Iterator<Item = (&Arc<str>, &Story)> {
        self.order
            .iter()
            .rev()
            .filter_map(|id| Some((id, self.by_id.get(id)?)))
    }
}
