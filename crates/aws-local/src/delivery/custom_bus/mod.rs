//! Custom event buses: from a kept event to what the targets of subscribers receive.
//!
//! A subscriber has a position in the log of its bus. While it runs, it is given each event behind that position in order; what
//! cannot be delivered is tried again by itself, and in a FIFO subscriber holds up the events of its group.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! failure place      why a delivery failed; which subscriber it is of
//! payload trial      what is made of events; a batch while it is tried
//! attempt            one attempt, and what the subscriber's role allows
//! record universal http   what is sent to a dead-letter queue; calls of AWS's APIs; calls over HTTP
//! target             the kinds of targets
//! batch              from a wanted event to the end of its delivery
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use event_pattern::{EventError, Parts, Scope};

use super::envelope::Envelope;
use crate::state::RealmId;
use crate::state::custom_bus::{ContentType, Event, NewEvent, Subscriber, managed_rule};
use crate::state::story::Pass;
use crate::turn::{self, Turn};

mod attempt;
mod batch;
mod failure;
mod http;
mod payload;
mod place;
mod record;
mod target;
mod trial;
mod universal;

pub(super) use batch::{depart, job, record_result};
use batch::{gather, later, start};
pub(crate) use place::To;
use place::resource;

/// The steps of a turn that are left to others.
const STEPS_LEFT: usize = turn::STEPS_MAX / 4;
/// As many events of one subscriber may wait, for another attempt or for their group; it takes no more before some are done.
const WAITING_MAX: usize = 10_000;
/// A turn with as many steps is one that a subscriber has nearly for itself.
const FRESH_STEPS: usize = turn::STEPS_MAX / 2;

/// Keeps an event and gives it to the running subscribers; `None` where there is no such bus.
pub(crate) fn publish(turn: &mut Turn<'_>, realm: &RealmId, bus: &str, new: NewEvent) -> Option<Arc<Event>> {
    let now = turn.now;
    let id: Arc<str> = turn.dice.uuid().into();
    let group = new.group.unwrap_or_else(|| turn.dice.uuid());
    let found = turn.world.realm(realm).custom_buses.buses.get_mut(bus)?;
    found.expire(now);
    let label = resource(&found.name, &found.id);
    let event = found.log.append(Event {
        number: 0,
        at: now,
        story: new.story.unwrap_or_else(|| Arc::clone(&id)),
        id,
        data: new.data,
        content: new.content,
        group: group.into(),
        deduplication: new.deduplication,
        source: new.source,
        detail_type: new.detail_type,
        metadata: new.metadata,
        passed: new.passed,
    });
    let mut steps = turn.steps / turn.events.max(1);
    let before = steps;
    let Some(found) = turn.world.realm(realm).custom_buses.buses.get_mut(bus) else {
        return Some(event);
    };
    let candidates = found.candidates(&event, &mut steps);
    turn.steps = turn.steps.saturating_sub(before - steps);
    turn.world.stories.begin(&event.story, event.json(), None, now);
    let pass = Pass {
        realm: realm.clone(),
        bus: label,
        rules: candidates.named,
        matched: Vec::new(),
        undecided: Vec::new(),
        deliveries: Vec::new(),
    };
    turn.world
        .stories
        .pass(&event.story, pass, candidates.fresh_bytes);
    for name in candidates.undecided {
        let to = To {
            realm,
            bus,
            name: &name,
        };
        fall_behind(turn, &to, event.number);
    }
    for name in candidates.names {
        let to = To {
            realm,
            bus,
            name: &name,
        };
        if is_offered(turn, &to, &event) {
            gather(turn, &to, &event);
        }
    }
    Some(event)
}

/// Whether a new event is delivered to a subscriber that follows the bus, now: not where the turn has taken too much or too many
/// events wait, when the subscriber falls behind and goes on by itself.
fn is_offered(turn: &mut Turn<'_>, to: &To<'_>, event: &Event) -> bool {
    let (mut steps, is_late) = (turn.part(), turn.steps < STEPS_LEFT);
    let before = steps;
    let Some(subscriber) = to.subscriber(turn) else {
        return false;
    };
    if !subscriber.is_live() || subscriber.end.is_some_and(|end| event.at >= end) {
        return false;
    }
    let is_full = subscriber.deliveries.count() >= WAITING_MAX;
    let wanted = match wants(subscriber, event, &mut steps) {
        Some(wanted) if !is_late && !is_full => wanted,
        _ => {
            fall_behind(turn, to, event.number);
            false
        }
    };
    turn.steps = turn.steps.saturating_sub(before - steps);
    wanted
}

/// A subscriber goes on from an event by itself, in turns of its own.
fn fall_behind(turn: &mut Turn<'_>, to: &To<'_>, number: u64) {
    let Some(bus) = to.bus(turn) else { return };
    if let Some(subscriber) = bus.subscribers.get_mut(to.name) {
        subscriber.next.get_or_insert(number);
    }
    bus.subscriber_changed(to.name);
    later(turn, to, turn.now);
}

/// Forwards an event of a partner's managed Classic bus to the custom event bus that its event source feeds, as long as the
/// managed rule and its target are there.
pub(crate) fn feed(turn: &mut Turn<'_>, realm: &RealmId, classic: &str, envelope: &Envelope) {
    let here = turn.world.realm(realm);
    let rules = here.buses.get(classic).map(|bus| &bus.rules);
    let is_fed_by = |id: &str| {
        let rule = rules.and_then(|rules| rules.get(&managed_rule(id)));
        rule.filter(|rule| rule.is_enabled() && !rule.targets.is_empty())
    };
    let sources = here.custom_buses.sources.values();
    let mut live = sources.filter(|source| source.partner_source == classic && !source.revoked);
    let Some((source, rule)) = live.find_map(|source| Some((source, is_fed_by(&source.id)?))) else {
        return;
    };
    let (bus, source) = (source.bus.clone(), [&source.name, "/", &source.id].concat());
    let mut steps = turn.steps;
    let pattern = rule.pattern.as_ref().and_then(|pattern| pattern.compiled());
    let matched = pattern.is_some_and(|pattern| {
        pattern
            .matches_within(&envelope.text, &mut steps)
            .unwrap_or(false)
    });
    turn.steps = steps;
    if !matched {
        return;
    }
    let new = from_classic(turn, realm, classic, envelope);
    if let Some(kept) = publish(turn, realm, &bus, new)
        && let Some(bus) = turn.world.realm(realm).custom_buses.buses.get_mut(&bus)
    {
        bus.metrics.forwarded(&source);
        bus.metrics.stored(realm.account(), kept.data.len());
    }
}

/// Publishes an event of another custom event bus, as a call with one entry does.
pub(crate) fn forward(turn: &mut Turn<'_>, realm: &RealmId, bus: &str, new: NewEvent) {
    if let Some(kept) = publish(turn, realm, bus, new)
        && let Some(bus) = turn.world.realm(realm).custom_buses.buses.get_mut(bus)
    {
        bus.metrics.call(1, 0);
        bus.metrics.stored(realm.account(), kept.data.len());
    }
}

/// A Classic event as it comes to a custom event bus.
fn from_classic(turn: &Turn<'_>, realm: &RealmId, classic: &str, envelope: &Envelope) -> NewEvent {
    let fields: serde_json::Value = serde_json::from_str(&envelope.text).unwrap_or_default();
    let text = |name: &str| fields.get(name).and_then(|value| value.as_str()).map(Arc::from);
    let source = if turn.world.assumptions.partner_source_from_envelope {
        text("source")
    } else {
        Some(classic.into())
    };
    NewEvent {
        story: Some(Arc::clone(&envelope.id)),
        data: Arc::clone(&envelope.text),
        content: ContentType::EventBridge,
        group: None,
        deduplication: None,
        source,
        detail_type: text("detail-type"),
        metadata: BTreeMap::new(),
        passed: vec![
            crate::arn::arn(
                "events",
                realm.region(),
                realm.account(),
                &["event-bus/", classic].concat(),
            )
            .into(),
        ],
    }
}

/// Gives a running subscriber what is due: its batches, and the events behind its position, as many as the turn allows; the
/// rest follows at once, in turns of its own.
pub(crate) fn run(turn: &mut Turn<'_>, to: &To<'_>) {
    let now = turn.now;
    loop {
        if turn.steps < STEPS_LEFT {
            return later(turn, to, now);
        }
        let Some(subscriber) = to.subscriber(turn) else {
            return;
        };
        if !subscriber.running || subscriber.revoked {
            return;
        }
        if let Some(batch) = subscriber.deliveries.take_due(now) {
            start(turn, to, batch);
            continue;
        }
        if let Some(event) = take(turn, to) {
            gather(turn, to, &event);
            continue;
        }
        let Some(subscriber) = to.subscriber(turn) else {
            return;
        };
        let (ordering, batching) = (subscriber.ordering, subscriber.batching());
        if subscriber.deliveries.cut_if_due(ordering, &batching, now) {
            continue;
        }
        if let Some(due) = subscriber.deliveries.next_due(&batching) {
            later(turn, to, due);
        }
        return;
    }
}

/// The next event that a subscriber wants. One that has come to the end follows the bus from then on.
fn take(turn: &mut Turn<'_>, to: &To<'_>) -> Option<Arc<Event>> {
    let (mut steps, now) = (turn.part(), turn.now);
    let before = steps;
    let taken = loop {
        let found = to.bus(turn)?;
        let oldest = found.log.number_at(found.window_start(now));
        let subscriber = found.subscribers.get_mut(to.name)?;
        if !subscriber.running || subscriber.revoked || subscriber.deliveries.count() >= WAITING_MAX {
            break None;
        }
        let Some(event) = found.log.next_from(subscriber.next?.max(oldest)) else {
            subscriber.next = None;
            found.subscriber_changed(to.name);
            break None;
        };
        if subscriber.end.is_some_and(|end| event.at >= end) {
            break None;
        }
        let event = Arc::clone(event);
        // What a turn of its own cannot decide never will be.
        let wanted = match wants(subscriber, &event, &mut steps) {
            None if before < FRESH_STEPS => {
                later(turn, to, now);
                break None;
            }
            wanted => wanted.unwrap_or(false),
        };
        subscriber.next = Some(event.number + 1);
        if wanted {
            break Some(event);
        }
        if steps == 0 {
            later(turn, to, now);
            break None;
        }
    };
    turn.steps = turn.steps.saturating_sub(before - steps);
    taken
}

/// Whether a subscriber wants an event; none where that takes more steps than there are.
fn wants(subscriber: &Subscriber, event: &Event, steps: &mut usize) -> Option<bool> {
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
    match filters.matches_within(&parts, steps) {
        Ok(matched) => Some(matched),
        Err(EventError::TooComplex) => None,
        Err(_) => Some(false),
    }
}
