//! A running subscriber: what is due of it, whether it wants an event, and that events are read for it.

use event_pattern::{EventError, Parts, Scope};

use super::batch::{later, start};
use super::place::To;
use crate::state::custom_bus::{Event, Subscriber};
use crate::turn::{self, Turn};

/// The steps of a turn that are left to others.
pub(super) const STEPS_LEFT: usize = turn::STEPS_MAX / 4;
/// As many events of one subscriber may wait, for another attempt or for their group; it takes no more before some are done.
pub(super) const WAITING_MAX: usize = 10_000;
/// A turn with as many steps is one that a subscriber has nearly for itself.
pub(super) const FRESH_STEPS: usize = turn::STEPS_MAX / 2;

/// Gives a running subscriber what is due of its batches, as many as the turn allows; the rest follows in turns of its own. What
/// is not at hand, and what is behind, has to be read.
pub(crate) fn run(turn: &mut Turn<'_>, to: &To<'_>) {
    let now = turn.now;
    loop {
        if turn.steps < STEPS_LEFT {
            return later(turn, to, now);
        }
        let Some((log, subscriber)) = to.subscriber_of(&mut *turn.world) else {
            return;
        };
        if !subscriber.running || subscriber.revoked {
            return;
        }
        let is_at_hand = |number| turn.at_hand.contains_key(&(log, number));
        let first = subscriber.deliveries.first_due(now);
        match first.map(|mut numbers| numbers.all(is_at_hand)) {
            Some(false) => return want(turn, to),
            Some(true) => {
                if let Some(batch) = subscriber.deliveries.take_due(now) {
                    start(turn, to, batch);
                }
                continue;
            }
            None => {}
        }
        let (ordering, batching) = (subscriber.ordering, subscriber.batching());
        if subscriber.deliveries.cut_if_due(ordering, &batching, now) {
            continue;
        }
        if let Some(due) = subscriber.deliveries.next_due(&batching) {
            later(turn, to, due);
        }
        return go_on(turn, to);
    }
}

/// Has the events read that a subscriber wants next.
fn want(turn: &mut Turn<'_>, to: &To<'_>) {
    turn.world.wanted.insert(to.id());
}

/// What is due of a subscriber is sent: it goes on with what is behind its position.
fn go_on(turn: &mut Turn<'_>, to: &To<'_>) {
    follow(turn, to);
    if to
        .subscriber(turn)
        .is_some_and(|subscriber| subscriber.next.is_some())
    {
        want(turn, to);
    }
}

/// A subscriber that has looked at all events follows its bus from then on.
fn follow(turn: &mut Turn<'_>, to: &To<'_>) {
    let Some(bus) = to.bus(turn) else { return };
    let count = bus.log.count;
    let Some(subscriber) = bus.subscribers.get_mut(to.name) else {
        return;
    };
    if subscriber.running && subscriber.next.is_some_and(|next| next > count) {
        subscriber.next = None;
        bus.subscriber_changed(to.name);
    }
}

/// A subscriber goes on from an event by itself, in turns of its own.
pub(super) fn fall_behind(turn: &mut Turn<'_>, to: &To<'_>, number: u64) {
    let Some(bus) = to.bus(turn) else { return };
    if let Some(subscriber) = bus.subscribers.get_mut(to.name) {
        subscriber.next.get_or_insert(number);
    }
    bus.subscriber_changed(to.name);
    want(turn, to);
}

/// Whether a subscriber wants an event whose one scope has matched already; none where that takes more steps than there are.
pub(super) fn wants(
    subscriber: &Subscriber,
    event: &Event,
    matched: Option<Scope>,
    steps: &mut usize,
) -> Option<bool> {
    if subscriber.filters.texts.is_empty() {
        return Some(true);
    }
    let Some(filters) = subscriber.filters.compiled() else {
        return Some(false);
    };
    // What no filter looks at is not written.
    let (mut metadata, mut system) = (String::new(), String::new());
    if filters.look_at(Scope::Metadata) {
        metadata = serde_json::to_string(&event.metadata).unwrap_or_default();
    }
    if filters.look_at(Scope::SystemMetadata) {
        let replayed = event.number <= subscriber.replayed_to;
        system = event.system_metadata(replayed).to_string();
    }
    let parts = Parts {
        data: &event.json(),
        metadata: &metadata,
        system_metadata: &system,
    };
    match filters.matches_within(&parts, matched, steps) {
        Ok(matched) => Some(matched),
        Err(EventError::TooComplex) => None,
        Err(_) => Some(false),
    }
}
