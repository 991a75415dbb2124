//! What a subscriber is given of the retained events: it asks, they are read without the engine's lock, and it is given them.
//!
//! What it asks for is decided by the state, and when it is read by the engine. A page that is given is a change of its own, which
//! the journal has; one that does not fit the state any more is dropped, and the subscriber asks again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::batch::gather;
use super::place::To;
use super::running::{FRESH_STEPS, STEPS_LEFT, WAITING_MAX, run, wants};
use crate::arn::Arn;
use crate::clock::Millis;
use crate::segments::LogId;
use crate::state::custom_bus::{Event, Subscriber};
use crate::state::{RealmId, World};
use crate::turn::Turn;

/// As many events are asked for at once.
const NUMBERS_MAX: usize = 250;
/// With as many bytes of messages in its queue a subscriber gets nothing from behind: they are in memory, and its events are not.
const QUEUE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What a subscriber asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ask {
    /// What is behind its position, up to where it goes on then.
    Behind { position: u64, next: u64 },
    /// These, for another attempt; what was not read of them is no longer kept.
    Again { numbers: Vec<u64> },
}

/// What is to be done for a subscriber that may want something.
pub(crate) enum Wish {
    Nothing,
    /// Not now.
    Later,
    /// The events behind a position, from a number on; without any it goes on at the end.
    Behind {
        log: LogId,
        position: u64,
        from: u64,
        end: u64,
    },
    /// The events with these numbers.
    Again {
        log: LogId,
        numbers: Vec<u64>,
    },
}

/// What a subscriber wants to be read next.
pub(crate) fn wish(world: &mut World, to: &To<'_>, now: Millis) -> Wish {
    let Some(bus) = world.realm(to.realm).custom_buses.buses.get_mut(to.bus) else {
        return Wish::Nothing;
    };
    let (log, oldest) = (bus.log.id, bus.log.number_at(bus.window_start(now)));
    let end = bus.log.count + 1;
    let Some(subscriber) = bus.subscribers.get_mut(to.name) else {
        return Wish::Nothing;
    };
    if !subscriber.running || subscriber.revoked {
        return Wish::Nothing;
    }
    let numbers = subscriber.deliveries.due_numbers(now, NUMBERS_MAX);
    if !numbers.is_empty() {
        return Wish::Again { log, numbers };
    }
    let has_room = subscriber.deliveries.count() < WAITING_MAX;
    let Some(position) = subscriber.next.filter(|_| has_room) else {
        return Wish::Nothing;
    };
    let target = Arc::clone(&subscriber.target);
    if is_full(world, &target.arn) {
        return Wish::Later;
    }
    let from = position.max(oldest);
    Wish::Behind {
        log,
        position,
        from,
        end,
    }
}

/// Whether a target is a queue with much in it.
fn is_full(world: &World, target: &str) -> bool {
    let Some(arn) = Arn::parse(target).filter(|arn| arn.service == "sqs") else {
        return false;
    };
    let there = world.realm_at(&RealmId::new(arn.account, arn.region));
    let queue = there.and_then(|realm| realm.queues.get(arn.resource));
    queue.is_some_and(|queue| queue.messages.bytes() >= QUEUE_BYTES_MAX)
}

/// Gives a subscriber what was read for it.
pub(crate) fn give(turn: &mut Turn<'_>, to: &To<'_>, log: LogId, ask: &Ask, events: &[Arc<Event>]) {
    if to.bus(turn).is_none_or(|bus| bus.log.id != log) {
        return;
    }
    let read = events
        .iter()
        .map(|event| ((log, event.number), Some(Arc::clone(event))));
    match ask {
        Ask::Behind { position, next } => {
            turn.at_hand.extend(read);
            behind(turn, to, (*position, *next), events);
        }
        Ask::Again { numbers } => {
            turn.at_hand
                .extend(numbers.iter().map(|number| ((log, *number), None)));
            turn.at_hand.extend(read);
        }
    }
    run(turn, to);
}

/// Gives a running subscriber the events behind its position, as many as the turn allows.
fn behind(turn: &mut Turn<'_>, to: &To<'_>, (position, next): (u64, u64), events: &[Arc<Event>]) {
    let is_there = |subscriber: &mut Subscriber| subscriber.next == Some(position);
    if !to.subscriber(turn).is_some_and(is_there) {
        return;
    }
    let name = to.name.into();
    for event in events {
        if turn.steps < STEPS_LEFT {
            return;
        }
        match look_at(turn, to, event) {
            Look::Wanted => gather(turn, to, &name, event),
            Look::Unwanted => {}
            Look::NotNow => return,
        }
    }
    if let Some(subscriber) = to.subscriber(turn).filter(|subscriber| subscriber.next.is_some()) {
        subscriber.next = Some(next);
    }
}

/// What a subscriber makes of an event.
enum Look {
    Wanted,
    Unwanted,
    /// It is to be looked at again.
    NotNow,
}

fn look_at(turn: &mut Turn<'_>, to: &To<'_>, event: &Event) -> Look {
    let (mut steps, now) = (turn.part(), turn.now);
    let before = steps;
    let Some(bus) = to.bus(turn) else {
        return Look::NotNow;
    };
    let start = bus.window_start(now);
    let Some(subscriber) = bus.subscribers.get_mut(to.name) else {
        return Look::NotNow;
    };
    if !subscriber.running || subscriber.revoked || subscriber.deliveries.count() >= WAITING_MAX {
        return Look::NotNow;
    }
    if subscriber.end.is_some_and(|end| event.at >= end) {
        // It is not offered what comes then.
        subscriber.next = None;
        bus.subscriber_changed(to.name);
        return Look::NotNow;
    }
    let mut wanted = false;
    if event.at >= start.max(subscriber.from) {
        // What a turn of its own cannot decide never will be.
        wanted = match wants(subscriber, event, None, &mut steps) {
            None if before < FRESH_STEPS => return Look::NotNow,
            wanted => wanted.unwrap_or(false),
        };
    }
    subscriber.next = Some(event.number + 1);
    turn.steps = turn.steps.saturating_sub(before - steps);
    if wanted { Look::Wanted } else { Look::Unwanted }
}
