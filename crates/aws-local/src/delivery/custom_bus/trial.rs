//! A batch with its events, while it is tried.

use std::sync::Arc;

use super::failure::Failure;
use crate::clock::Millis;
use crate::state::custom_bus::{Batch, Delivering, Event, Next, Queued};
use crate::state::story::DeliveryRef;

/// A batch that is taken out of its subscriber, to be tried.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) items: Vec<Item>,
    pub(super) retries: u32,
    /// When it was first tried.
    pub(super) since: Millis,
}

/// One event of it.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) queued: Queued,
    /// None where a call that carries it has ended, and where it has expired.
    pub(super) event: Option<Arc<Event>>,
    pub(super) in_story: DeliveryRef,
}

impl Item {
    /// None of an event that has no place in a story yet.
    pub(super) fn without_event(queued: Queued) -> Option<Self> {
        let in_story = queued.in_story.clone()?;
        Some(Self {
            queued,
            event: None,
            in_story,
        })
    }
}

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Delivered,
    Failed(Failure),
    /// First in, first out: not tried, since an earlier one of its group failed.
    Held,
    /// It is still to be sent.
    Ready,
}

impl Outcome {
    pub(super) fn count(&self, metrics: &mut Delivering) {
        match self {
            Self::Delivered => {
                metrics.attempts += 1;
                metrics.delivered += 1;
            }
            Self::Failed(failure) => {
                metrics.attempts += 1;
                metrics.transformation_failures += u64::from(failure.is_transformation());
            }
            Self::Held | Self::Ready => {}
        }
    }
}

impl Trial {
    /// What is stored of it.
    pub(super) fn batch(self, next: Next) -> Batch {
        let queued = |item: Item| Queued {
            in_story: Some(item.in_story),
            ..item.queued
        };
        Batch {
            events: self.items.into_iter().map(queued).collect(),
            retries: self.retries,
            since: Some(self.since),
            next,
            rendered: None,
        }
    }

    /// The same batch with other events.
    pub(super) fn of(&self, items: Vec<Item>) -> Self {
        Self { items, ..*self }
    }
}
