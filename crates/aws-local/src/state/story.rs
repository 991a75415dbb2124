//! What became of each event, for those who ask why it did not arrive. Bounded: the oldest stories go first.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::RealmId;
use super::bus::Compiled;
use super::rule::Target;
use crate::clock::Millis;

const STORIES_MAX: usize = 10_000;
const BYTES_MAX: usize = 64 * 1024 * 1024;
/// An event that rules pass round could fill its story without end.
const PASSES_MAX: usize = 32;

/// The stories of the latest events.
#[derive(Debug, Default)]
pub(crate) struct Stories {
    by_id: BTreeMap<String, Story>,
    order: VecDeque<String>,
    bytes: usize,
}

/// One event's story.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) accepted: Millis,
    /// Why nobody sees it although its sender was told of success.
    pub(crate) dropped: Option<String>,
    pub(crate) event: Arc<str>,
    pub(crate) passes: Vec<Pass>,
}

/// The event on one bus.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) realm: RealmId,
    pub(crate) bus: String,
    /// The rules as they were then.
    pub(crate) rules: Arc<Compiled>,
    /// Those that matched, by their place in `rules`.
    pub(crate) matched: Vec<usize>,
    pub(crate) deliveries: Vec<Delivery>,
}

/// The event and one target.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) rule: String,
    pub(crate) target: Arc<Target>,
    pub(crate) attempts: Vec<Attempt>,
    /// `delivered`, `failed` or `waiting`.
    pub(crate) outcome: &'static str,
    pub(crate) dead_letter: Option<String>,
}

/// One try.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) at: Millis,
    pub(crate) error: Option<(String, String)>,
}

/// Where in the stories a delivery is told of.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Page {
    pub(crate) event: String,
    pub(crate) pass: usize,
    pub(crate) delivery: usize,
}

impl Stories {
    pub(crate) fn begin(&mut self, id: &str, event: Arc<str>, dropped: Option<String>, now: Millis) {
        if self.by_id.contains_key(id) {
            return;
        }
        self.bytes += event.len();
        self.order.push_back(id.to_owned());
        self.by_id.insert(
            id.to_owned(),
            Story {
                accepted: now,
                dropped,
                event,
                passes: Vec::new(),
            },
        );
        while self.order.len() > STORIES_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            self.bytes -= self.by_id.remove(&oldest).map_or(0, |story| story.event.len());
        }
    }

    /// The event reached a bus; gives the place of that in the story.
    pub(crate) fn pass(&mut self, id: &str, pass: Pass) -> usize {
        let Some(story) = self
            .by_id
            .get_mut(id)
            .filter(|story| story.passes.len() < PASSES_MAX)
        else {
            return usize::MAX;
        };
        story.passes.push(pass);
        story.passes.len() - 1
    }

    pub(crate) fn deliver(&mut self, id: &str, pass: usize, delivery: Delivery) -> Page {
        let deliveries = self
            .by_id
            .get_mut(id)
            .and_then(|story| story.passes.get_mut(pass))
            .map(|p| &mut p.deliveries);
        let at = deliveries.map_or(usize::MAX, |deliveries| {
            deliveries.push(delivery);
            deliveries.len() - 1
        });
        Page {
            event: id.to_owned(),
            pass,
            delivery: at,
        }
    }

    pub(crate) fn delivery(&mut self, page: &Page) -> Option<&mut Delivery> {
        self.by_id
            .get_mut(&page.event)?
            .passes
            .get_mut(page.pass)?
            .deliveries
            .get_mut(page.delivery)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Story> {
        self.by_id.get(id)
    }

    /// The ids of the latest events, newest first.
    pub(crate) fn latest(&self) -> impl Iterator<Item = (&String, &Story)> {
        self.order
            .iter()
            .rev()
            .filter_map(|id| Some((id, self.by_id.get(id)?)))
    }
}
