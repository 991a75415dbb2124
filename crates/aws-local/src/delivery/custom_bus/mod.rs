//! Custom event buses: from a kept event to what the targets of subscribers receive.
//!
//! A subscriber has a position in the log of its bus. While it runs, it is given each event behind that position in order; what
//! cannot be delivered is tried again by itself, and in a FIFO subscriber holds up the events of its group. One that follows its
//! bus is given what is published in the same turn. What is behind it, or is tried again, is read without the engine's lock, and
//! given to it in a turn of its own (`reading`).
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! failure place    why a delivery failed; which subscriber it is of
//! payload role     what a target is given; what the subscriber's role allows
//! record universal   what is sent to a dead-letter queue; calls of AWS's APIs
//! target             the kinds of targets
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use event_pattern::{EventError, Parts};

use super::attempt::record as tell;
use super::envelope::Envelope;
use crate::clock::{Dice, Millis};
use crate::state::RealmId;
use crate::state::custom_bus::{
    ContentType, Event, Failing, Kept, NewEvent, Ordering, Origin, Subscriber, managed_rule,
};
use crate::state::story::{Attempt, Delivery, DeliveryRef, Pass};
use crate::state::timers::Timer;
use crate::turn::{self, Turn};

mod failure;
mod payload;
mod place;
mod reading;
mod record;
mod role;
mod target;
mod universal;

pub(crate) use place::To;
use place::resource;
pub(crate) use reading::{Ask, Next, give, go_on, next};

/// The steps of a delivery, besides those of its filters.
const DELIVERY_STEPS: usize = 200;
/// The steps of a turn that are left to others.
const STEPS_LEFT: usize = turn::STEPS_MAX / 4;
/// As many events of one subscriber may wait, for another attempt or for their group; it takes no more before some are done.
const WAITING_MAX: usize = 10_000;
/// A turn with as many steps is one that a subscriber has nearly for itself.
const FRESH_STEPS: usize = turn::STEPS_MAX / 2;
const BACKOFF_MS_MAX: Millis = 60_000;

/// Keeps an event and gives it to the running subscribers; `None` where there is no such bus, or where it cannot be kept.
pub(crate) fn publish(turn: &mut Turn<'_>, realm: &RealmId, bus: &str, new: NewEvent) -> Option<Arc<Event>> {
    keep_and_offer(turn, realm, bus, new, |_| None)
}

/// The same for an event that a caller publishes: it is delivered again from what is kept of it, without the request.
pub(crate) fn publish_directly(
    turn: &mut Turn<'_>,
    realm: &RealmId,
    (bus, publisher): (&str, &str),
    new: NewEvent,
) -> Option<Arc<Event>> {
    let group = new.group.clone().unwrap_or_default();
    let origin = |turn: &Turn<'_>| {
        Some(Origin {
            publisher: publisher.to_owned(),
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
        (turn.dice, turn.events) = (Dice::new(origin.dice), origin.share);
    }
    offer(turn, realm, bus, &Arc::new(event));
}

fn keep_and_offer(
    turn: &mut Turn<'_>,
    realm: &RealmId,
    bus: &str,
    new: NewEvent,
    origin: impl FnOnce(&Turn<'_>) -> Option<Origin>,
) -> Option<Arc<Event>> {
    let now = turn.now;
    let id: Arc<str> = turn.dice.uuid().into();
    let group = new.group.unwrap_or_else(|| turn.dice.uuid());
    let origin = origin(turn);
    let mut event = Event {
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
    };
    let found = turn.world.realm(realm).custom_buses.buses.get_mut(bus)?;
    if !event.can_be_kept() {
        let why = format!("The event and its metadata are too long for the event bus {bus}.");
        turn.world.stories.begin(&event.story, event.json(), Some(why), now);
        return None;
    }
    found.expire(now);
    found.log.append(&mut event);
    if let Some(origin) = &origin {
        found.log.remember(origin, &event);
    }
    let (log, event) = (found.log.id, Arc::new(event));
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
    let label = resource(&found.name, &found.id);
    let candidates = found.candidates(event, &mut steps);
    turn.steps = turn.steps.saturating_sub(before - steps);
    turn.world.stories.begin(&event.story, event.json(), None, turn.now);
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
        if is_offered(turn, &to, event) {
            turn.steps = turn.steps.saturating_sub(DELIVERY_STEPS);
            deliver(turn, &to, event, None);
        }
    }
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
    let is_full = subscriber.waiting() >= WAITING_MAX;
    let wanted = match wants(subscriber, event, &mut steps) {
        Some(wanted) if !is_late && !is_full => wanted && !is_held_up(subscriber, event),
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
    bus.subscribers_changed();
    want(turn, to);
}

/// Has the events read that a subscriber wants next.
fn want(turn: &mut Turn<'_>, to: &To<'_>) {
    turn.world.wanted.insert(to.id());
}

/// Sets the timer of a subscriber.
fn later(turn: &mut Turn<'_>, to: &To<'_>, due: Millis) {
    let timer = Timer::Subscriber {
        realm: to.realm.clone(),
        bus: to.bus.to_owned(),
        name: to.name.to_owned(),
    };
    turn.world.timers.set(due, timer);
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
    let Some((bus, rule)) = live.find_map(|source| Some((source.bus.clone(), is_fed_by(&source.id)?))) else {
        return;
    };
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
    publish(turn, realm, &bus, new);
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

/// Whether a subscriber wants an event; none where that takes more steps than there are.
fn wants(subscriber: &Subscriber, event: &Event, steps: &mut usize) -> Option<bool> {
    if subscriber.filters.texts.is_empty() {
        return Some(true);
    }
    let Some(filters) = subscriber.filters.compiled() else {
        return Some(false);
    };
    let metadata = serde_json::to_string(&event.metadata).unwrap_or_default();
    let replayed = event.number <= subscriber.replayed_to;
    let parts = Parts {
        data: &event.json(),
        metadata: &metadata,
        system_metadata: &event.system_metadata(replayed).to_string(),
    };
    match filters.matches_within(&parts, steps) {
        Ok(matched) => Some(matched),
        Err(EventError::TooComplex) => None,
        Err(_) => Some(false),
    }
}

/// First in, first out: an event waits behind a failing one of its group.
fn is_held_up(subscriber: &mut Subscriber, event: &Event) -> bool {
    if subscriber.ordering != Ordering::Fifo {
        return false;
    }
    let Some(behind) = subscriber.behind.get_mut(&event.group) else {
        return false;
    };
    behind.push_back(event.number);
    subscriber.behind_count += 1;
    true
}

/// Tries to deliver an event, and decides what follows. A retry continues the failing delivery that is given.
fn deliver(turn: &mut Turn<'_>, to: &To<'_>, event: &Arc<Event>, failing: Option<Failing>) {
    let Some(subscriber) = to.subscriber(turn).map(Subscriber::outline) else {
        return;
    };
    let failing = failing.unwrap_or_else(|| Failing {
        retries: 0,
        since: turn.now,
        due: turn.now,
        in_story: place(turn, to, &subscriber, event),
        group: Arc::clone(&event.group),
    });
    let result = target::send(turn, to, &subscriber, event, &failing.in_story);
    let Err(failure) = result else {
        tell(turn, &failing.in_story, None, "delivered");
        return release(turn, to, event.number, &event.group);
    };
    let at = turn.now;
    let attempt = Attempt {
        at,
        error: Some((failure.code.to_owned(), failure.message.clone())),
    };
    let wait = backoff(turn, failing.retries);
    let exhausted = exhausted(&subscriber, &failing, at + wait);
    let outcome = if exhausted.is_some() { "failed" } else { "waiting" };
    turn.world
        .stories
        .record_attempt(&failing.in_story, outcome, attempt);
    if let Some(limit) = exhausted {
        record::send(turn, to, &subscriber, event, &failing, (&failure, limit));
        return release(turn, to, event.number, &event.group);
    }
    let again = Failing {
        retries: failing.retries + 1,
        due: at + wait,
        ..failing
    };
    later(turn, to, again.due);
    if let Some(found) = to.subscriber(turn) {
        if found.ordering == Ordering::Fifo {
            found.behind.entry(Arc::clone(&event.group)).or_default();
        }
        found.failing.insert(event.number, again);
    }
}

/// The limit that forbids another attempt at that time, if one does.
fn exhausted(subscriber: &Subscriber, failing: &Failing, next: Millis) -> Option<&'static str> {
    let retry = subscriber.retry;
    if failing.retries >= retry.attempts_max {
        Some("MaximumRetryAttempts")
    } else if next > failing.since + retry.age_seconds_max * 1000 {
        Some("MaximumEventAgeInSeconds")
    } else {
        None
    }
}

/// Exponential backoff from a second, half of it random. AWS's own curve is not known.
fn backoff(turn: &mut Turn<'_>, retries: u32) -> Millis {
    let full = 1_000_i64.saturating_mul(1 << retries.min(20)).min(BACKOFF_MS_MAX);
    let jitter = i64::try_from(turn.dice.roll() % 1000).unwrap_or(0) * full / 2000;
    full / 2 + jitter
}

/// A delivery is over: the events of its group go on, up to the next that fails.
fn release(turn: &mut Turn<'_>, to: &To<'_>, number: u64, group: &Arc<str>) {
    let due = turn.now;
    let Some(subscriber) = to.subscriber(turn) else {
        return;
    };
    subscriber.failing.remove(&number);
    let Some(behind) = subscriber.behind.get_mut(group) else {
        return;
    };
    let Some(next) = behind.pop_front() else {
        subscriber.behind.remove(group);
        return;
    };
    subscriber.behind_count = subscriber.behind_count.saturating_sub(1);
    // It has to be read, or was read with the failing one; either way it does not nest. Its place in a story is made when it is tried.
    let in_story = DeliveryRef {
        event: Arc::default(),
        pass: usize::MAX,
        delivery: usize::MAX,
    };
    let waiting = Failing {
        retries: 0,
        since: due,
        due,
        in_story,
        group: Arc::clone(group),
    };
    subscriber.failing.insert(next, waiting);
    want(turn, to);
}

/// The place of a delivery in the event's story.
fn place(turn: &mut Turn<'_>, to: &To<'_>, subscriber: &Subscriber, event: &Event) -> DeliveryRef {
    let label = to.resource(turn);
    let delivery = Delivery {
        rule: subscriber.name.as_str().into(),
        target: Arc::clone(&subscriber.target),
        attempts: Vec::new(),
        outcome: "waiting",
        dead_letter: None,
        unknown_role: false,
    };
    let stories = &mut turn.world.stories;
    let pass = stories.pass_on(&event.story, to.realm, &label);
    stories.matched(&event.story, pass, &delivery.rule);
    stories.deliver(&event.story, pass, delivery)
}

/// Tries an event again.
fn again(turn: &mut Turn<'_>, to: &To<'_>, event: &Arc<Event>, mut failing: Failing) {
    if failing.in_story.delivery == usize::MAX
        && let Some(subscriber) = to.subscriber(turn).map(Subscriber::outline)
    {
        failing.in_story = place(turn, to, &subscriber, event);
    }
    deliver(turn, to, event, Some(failing));
}
