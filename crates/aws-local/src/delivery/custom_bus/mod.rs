//! Custom event buses: from a kept event to what the targets of subscribers receive.
//!
//! A subscriber has a position in the log of its bus. While it runs, it is given each event behind that position in order; what
//! cannot be delivered is tried again by itself, and in a FIFO subscriber holds up the events of its group. What is published is
//! delivered in the same turn. What is behind, or is tried later, is read without the engine's lock, and given to the subscriber
//! in a turn of its own (`reading`).
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! failure place      why a delivery failed; which subscriber it is of
//! messages           queues
//! trial              a batch while it is tried
//! attempt            one attempt, and what the subscriber's role allows
//! record universal http   what is sent to a dead-letter queue; calls of AWS's APIs; calls over HTTP
//! target             the kinds of targets
//! batch              from a wanted event to the end of its delivery
//! running            what is due of a subscriber; whether it wants an event
//! reading            events that are not at hand: what a subscriber asks for, and what it is given
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use event_pattern::Scope;

use super::envelope::Envelope;
use crate::clock::Dice;
use crate::state::RealmId;
use crate::state::custom_bus::{ContentType, Event, Kept, NewEvent, Origin, managed_rule};
use crate::state::few::Few;
use crate::state::story::Pass;
use crate::turn::Turn;

mod attempt;
mod batch;
mod failure;
mod http;
mod messages;
mod place;
mod reading;
mod record;
mod running;
mod target;
mod trial;
mod universal;

use batch::gather;
pub(crate) use batch::record_evaluation;
pub(super) use batch::{depart, job, record_result};
pub(crate) use place::To;
pub(crate) use reading::{Ask, Wish, give, wish};
pub(crate) use running::run;
use running::{STEPS_LEFT, WAITING_MAX, fall_behind, wants};

/// Keeps an event and gives it to the running subscribers; `None` where there is no such bus, or where it cannot be kept.
pub(crate) fn publish(turn: &mut Turn<'_>, realm: &RealmId, bus: &str, new: NewEvent) -> Option<Arc<Event>> {
    keep_and_offer(turn, realm, bus, new, |_| None)
}

/// The same for an event that a caller publishes: it is delivered again from what is kept of it, without the request.
pub(crate) fn publish_directly(
    turn: &mut Turn<'_>,
    realm: &RealmId,
    (bus, publisher): (&str, &Arc<str>),
    new: NewEvent,
) -> Option<Arc<Event>> {
    let group = new.group.clone().unwrap_or_default();
    let origin = |turn: &Turn<'_>| {
        Some(Origin {
            publisher: Arc::clone(publisher),
            group,
            dice: turn.dice.state(),
            share: turn.events,
        })
    };
    keep_and_offer(turn, realm, bus, new, origin)
}

/// Publishes what was published before, when the journal is replayed: it is kept already.
pub(crate) fn publish_again(turn: &mut Turn<'_>, realm: &RealmId, bus: &str, kept: Kept) {
    let Some(found) = turn.world.realm(realm).custom_buses.buses.get_mut(bus) else {
        return;
    };
    let mut event = Arc::unwrap_or_clone(kept.event);
    found.expire(turn.now);
    found.log.append(&mut event);
    if let Some(origin) = &kept.origin {
        found.log.remember(origin, &event);
        found.metrics.stored(&origin.publisher, event.data.len());
        (turn.dice, turn.events) = (Dice::new(origin.dice), origin.share);
    }
    let (log, event) = (found.log.id, Arc::new(event));
    turn.at_hand.insert((log, event.number), Some(Arc::clone(&event)));
    offer(turn, realm, bus, &event);
}

fn keep_and_offer(
    turn: &mut Turn<'_>,
    realm: &RealmId,
    bus: &str,
    new: NewEvent,
    origin: impl FnOnce(&Turn<'_>) -> Option<Origin>,
) -> Option<Arc<Event>> {
    let now = turn.now;
    let id = turn.dice.id();
    let group = new.group.map_or_else(|| turn.dice.id(), Arc::from);
    let origin = origin(turn);
    let mut event = Event {
        number: 0,
        at: now,
        story: new.story.unwrap_or_else(|| Arc::clone(&id)),
        id,
        data: new.data,
        content: new.content,
        group,
        deduplication: new.deduplication,
        source: new.source,
        detail_type: new.detail_type,
        metadata: new.metadata,
        passed: new.passed,
    };
    let found = turn.world.realm(realm).custom_buses.buses.get_mut(bus)?;
    if !event.can_be_kept() {
        let why = format!("The event and its metadata are too long for the event bus {bus}.");
        turn.world
            .stories
            .begin(&event.story, event.json(), Some(why), now);
        return None;
    }
    found.expire(now);
    found.log.append(&mut event);
    if let Some(origin) = &origin {
        found.log.remember(origin, &event);
        found.metrics.stored(&origin.publisher, event.data.len());
    }
    let (log, event) = (found.log.id, Arc::new(event));
    turn.at_hand.insert((log, event.number), Some(Arc::clone(&event)));
    turn.kept.push(Kept {
        log,
        event: Arc::clone(&event),
        origin,
    });
    offer(turn, realm, bus, &event);
    Some(event)
}

/// Gives a new event to the running subscribers that follow the bus.
fn offer(turn: &mut Turn<'_>, realm: &RealmId, bus: &str, event: &Arc<Event>) {
    let mut steps = turn.part();
    let before = steps;
    let Some(found) = turn.world.realm(realm).custom_buses.buses.get_mut(bus) else {
        return;
    };
    let label = found.label();
    let candidates = found.candidates(event, &mut steps);
    turn.steps = turn.steps.saturating_sub(before - steps);
    turn.world
        .stories
        .begin(&event.story, event.json(), None, turn.now);
    let pass = Pass {
        realm: realm.clone(),
        bus: label,
        rules: candidates.named,
        matched: Few::default(),
        undecided: Vec::new(),
        deliveries: Few::default(),
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
    for candidate in candidates.all {
        let to = To {
            realm,
            bus,
            name: &candidate.name,
        };
        if is_offered(turn, &to, event, candidate.matched) {
            gather(turn, &to, &candidate.name, event);
        }
    }
}

/// Whether a new event is delivered to a subscriber that follows the bus, now: not where the turn has taken too much or too many
/// events wait, when the subscriber falls behind and goes on by itself.
fn is_offered(turn: &mut Turn<'_>, to: &To<'_>, event: &Event, matched: Option<Scope>) -> bool {
    let (mut steps, is_late) = (turn.part(), turn.steps < STEPS_LEFT);
    let before = steps;
    let Some(subscriber) = to.subscriber(turn) else {
        return false;
    };
    if !subscriber.is_live() || subscriber.end.is_some_and(|end| event.at >= end) {
        return false;
    }
    let is_full = subscriber.deliveries.count() >= WAITING_MAX;
    let wanted = match wants(subscriber, event, matched, &mut steps) {
        Some(wanted) if !is_late && !is_full => wanted,
        _ => {
            fall_behind(turn, to, event.number);
            false
        }
    };
    turn.steps = turn.steps.saturating_sub(before - steps);
    wanted
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
