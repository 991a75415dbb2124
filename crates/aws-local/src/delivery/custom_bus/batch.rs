//! The way of a wanted event: it is gathered into a batch, the batch is tried, and what fails is tried again or recorded.
//!
//! First in, first out, an event waits behind the batch of its group, and nothing else does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::attempt::Attempt;
use super::failure::Failure;
use super::place::To;
use super::target::Sent;
use super::trial::{Item, Outcome, Trial};
use super::{http, record, target};
use crate::clock::Millis;
use crate::delivery::attempt::record as tell;
use crate::delivery::http::HttpResult;
use crate::delivery::job::{Evaluation, Job};
use crate::delivery::recipe::{Payload, Recipe, complete};
use crate::state::custom_bus::{Batch, Event, Made, Next, Ordering, Queued, Rendered, Subscriber, Whole};
use crate::state::few::Few;
use crate::state::outbox::{Call, Work};
use crate::state::rule::Target;
use crate::state::story::{Attempt as Tried, Delivery, DeliveryRef};
use crate::state::timers::Timer;
use crate::turn::Turn;

/// The steps of gathering an event, and of delivering it, besides those of its filters and expressions.
const GATHER_STEPS: usize = 50;
const DELIVERY_STEPS: usize = 200;
const BACKOFF_MS_MAX: Millis = 60_000;
/// The limit that a record names where events are too old.
const AGE_EXHAUSTED: &str = "MaximumEventAgeInSeconds";

/// Sets the timer of a subscriber.
pub(super) fn later(turn: &mut Turn<'_>, to: &To<'_>, due: Millis) {
    let timer = Timer::Subscriber {
        realm: to.realm.clone(),
        bus: to.bus.to_owned(),
        name: to.name.to_owned(),
    };
    turn.world.timers.set(due, timer);
}

/// Takes an event that a subscriber wants; what is due of it is sent before the turn ends.
pub(super) fn gather(turn: &mut Turn<'_>, to: &To<'_>, name: &Arc<str>, event: &Event) {
    turn.steps = turn.steps.saturating_sub(GATHER_STEPS);
    let now = turn.now;
    let (realm, stories) = turn.world.realm_and_stories(to.realm);
    let Some(bus) = realm.custom_buses.buses.get_mut(to.bus) else {
        return;
    };
    let label = bus.label();
    let Some(subscriber) = bus.subscribers.get_mut(to.name) else {
        return;
    };
    let (ordering, batching) = (subscriber.ordering, subscriber.batching());
    let is_held = ordering == Ordering::Fifo && subscriber.deliveries.holds(&event.group);
    let in_story = (!is_held).then(|| {
        let delivery = waiting(Arc::clone(name), Arc::clone(&subscriber.target));
        stories.deliver_on(&event.story, (to.realm, &label), delivery)
    });
    let queued = Queued {
        in_story,
        id: Arc::clone(&event.id),
        deduplication: event.deduplication.clone(),
        ..Queued::new(event.number, event.data.len(), Arc::clone(&event.group))
    };
    subscriber.deliveries.take(queued, ordering, &batching, now);
    turn.touched.insert(to.realm, to.bus, to.name);
}

/// A delivery of which nothing is known yet.
fn waiting(rule: Arc<str>, target: Arc<Target>) -> Delivery {
    Delivery {
        rule,
        target,
        attempts: Few::default(),
        outcome: "waiting",
        dead_letter: None,
        unknown_role: false,
    }
}

/// The place of a delivery in the event's story.
fn place(turn: &mut Turn<'_>, to: &To<'_>, target: Arc<Target>, event: &Event) -> DeliveryRef {
    let label = to.resource(turn);
    let stories = &mut turn.world.stories;
    stories.deliver_on(&event.story, (to.realm, &label), waiting(to.name.into(), target))
}

/// Tries a batch that is due, with what its expressions came to if that is known.
pub(super) fn start(turn: &mut Turn<'_>, to: &To<'_>, mut batch: Batch) {
    let rendered = batch.rendered.take();
    let Some(subscriber) = to.subscriber(turn).map(Subscriber::outline) else {
        return;
    };
    let Some(trial) = load(turn, to, &subscriber, batch) else {
        return;
    };
    let cost = DELIVERY_STEPS * trial.items.len();
    turn.steps = turn.steps.saturating_sub(cost);
    if let Some(rendered) = rendered {
        return send(turn, to, &subscriber, trial, Arc::unwrap_or_clone(rendered));
    }
    if subscriber.program.has_expressions() {
        return evaluate(turn, to, &subscriber, trial);
    }
    let events = trial.items.iter().filter_map(|item| item.event.clone()).collect();
    let rendered = recipe(turn, &subscriber, events).make();
    send(turn, to, &subscriber, trial, rendered);
}

fn recipe(turn: &mut Turn<'_>, subscriber: &Subscriber, events: Vec<Arc<Event>>) -> Recipe {
    let is_whole = target::is_whole(&subscriber.target.arn);
    Recipe::new(subscriber, is_whole, events, turn.now, turn.dice.roll())
}

/// The expressions of a batch are evaluated outside of the core, which takes long; the batch waits for what they come to.
fn evaluate(turn: &mut Turn<'_>, to: &To<'_>, subscriber: &Subscriber, trial: Trial) {
    if !turn.world.outbox.has_room("") {
        let failure = Failure::throttled("too many deliveries wait already");
        return fail_all(turn, to, subscriber, trial, &failure, 0);
    }
    let id = turn.world.outbox.add_call(Call {
        realm: to.realm.clone(),
        bus: to.bus.to_owned(),
        subscriber: to.name.to_owned(),
        batch: trial.items.first().map_or(0, |item| item.queued.number),
        work: Work::Evaluation,
        under_way: true,
    });
    if let Some(subscriber) = to.subscriber(turn) {
        subscriber.deliveries.put(trial.batch(Next::Call(id)));
    }
    turn.effects.push(id);
}

/// What a call evaluates, of events that are at hand; `None` where nothing waits for it any more.
fn evaluation(turn: &mut Turn<'_>, id: u64, call: &Call) -> Option<Recipe> {
    let to = To::of(call);
    let found = to.bus(turn)?;
    let subscriber = found.subscribers.get_mut(to.name)?;
    let batch = subscriber.deliveries.called(call.batch, id)?;
    let numbers: Vec<u64> = batch.events.iter().map(|event| event.number).collect();
    let subscriber = subscriber.outline();
    let log = found.log.id;
    let at_hand = |number| turn.at_hand.get(&(log, number)).cloned().flatten();
    let events: Vec<_> = numbers.into_iter().filter_map(at_hand).collect();
    (!events.is_empty()).then(|| recipe(turn, &subscriber, events))
}

/// The events of a batch, each with a place in its story. Those that their bus no longer keeps have failed.
fn load(turn: &mut Turn<'_>, to: &To<'_>, subscriber: &Subscriber, batch: Batch) -> Option<Trial> {
    let now = turn.now;
    let bus = to.bus(turn)?;
    let (log, start) = (bus.log.id, bus.window_start(now));
    let (mut items, mut expired) = (Vec::with_capacity(batch.events.len()), Vec::new());
    for mut queued in batch.events {
        let found = turn.at_hand.get(&(log, queued.number)).and_then(Option::as_ref);
        let Some(event) = found.filter(|event| event.at >= start).cloned() else {
            expired.push(queued);
            continue;
        };
        let in_story = queued
            .in_story
            .clone()
            .unwrap_or_else(|| place(turn, to, Arc::clone(&subscriber.target), &event));
        queued.id = Arc::clone(&event.id);
        queued.deduplication.clone_from(&event.deduplication);
        items.push(Item {
            queued,
            event: Some(event),
            in_story,
        });
    }
    let trial = Trial {
        items,
        retries: batch.retries,
        since: batch.since.unwrap_or(now),
    };
    let gone: Vec<Arc<str>> = expired.iter().map(|queued| Arc::clone(&queued.group)).collect();
    give_up(turn, to, subscriber, &trial, expired);
    release(turn, to, &gone, &trial.items);
    (!trial.items.is_empty()).then_some(trial)
}

/// Records events of a batch that their bus no longer keeps. Of those that were never looked at nothing can be said.
fn give_up(turn: &mut Turn<'_>, to: &To<'_>, subscriber: &Subscriber, batch: &Trial, expired: Vec<Queued>) {
    let count = expired.len();
    let trial = batch.of(expired.into_iter().filter_map(Item::without_event).collect());
    if let Some(subscriber) = to.subscriber(turn) {
        subscriber.metrics.dropped += (count - trial.items.len()) as u64;
    }
    if trial.items.is_empty() {
        return;
    }
    let failure = Failure::new("RESOURCE_NOT_FOUND", "the bus no longer keeps the event");
    failed(turn, &trial, &failure, "failed");
    let attempt = Attempt {
        to,
        subscriber,
        trial: &trial,
    };
    record::send(turn, &attempt, (&failure, AGE_EXHAUSTED));
}

/// Says in the stories of a batch's events that an attempt has failed.
fn failed(turn: &mut Turn<'_>, trial: &Trial, failure: &Failure, outcome: &'static str) {
    for item in &trial.items {
        let tried = Tried {
            at: turn.now,
            error: Some((failure.code.to_owned(), failure.message.clone())),
        };
        turn.world.stories.record_attempt(&item.in_story, outcome, tried);
    }
}

/// Sends what was made of a batch.
fn send(turn: &mut Turn<'_>, to: &To<'_>, subscriber: &Subscriber, trial: Trial, rendered: Rendered) {
    if rendered.each.is_empty() {
        let why = "nothing was made of the events";
        return fail_all(turn, to, subscriber, trial, &Failure::transformation(why), 0);
    }
    let whole = match rendered.whole {
        None => None,
        Some(Whole::Done(parameters)) => Some(parameters),
        Some(Whole::Failed(why)) => {
            return fail_all(turn, to, subscriber, trial, &Failure::transformation(why), 0);
        }
    };
    let (trial, made) = leave_rest(turn, to, trial, rendered.each);
    let (outcomes, payloads) = sift(subscriber, &trial, made);
    let Some(trial) = settle(turn, to, subscriber, trial, outcomes, 0) else {
        return;
    };
    let attempt = Attempt {
        to,
        subscriber,
        trial: &trial,
    };
    if let Some(subscriber) = to.subscriber(turn) {
        subscriber.metrics.call(trial.retries);
    }
    match target::send(turn, &attempt, &payloads, whole) {
        Ok(Sent::Later(call)) => {
            if let Some(subscriber) = to.subscriber(turn) {
                subscriber.deliveries.put(trial.batch(Next::Call(call)));
            }
        }
        Ok(Sent::Each(outcomes)) => {
            settle(turn, to, subscriber, trial, outcomes, 0);
        }
        Err(failure) => fail_all(turn, to, subscriber, trial, &failure, 0),
    }
}

/// Leaves the events of which nothing was made to another batch.
fn leave_rest(
    turn: &mut Turn<'_>,
    to: &To<'_>,
    mut trial: Trial,
    mut made: BTreeMap<u64, Made>,
) -> (Trial, Vec<Made>) {
    let (mut rest, mut all) = (Vec::new(), Vec::new());
    for item in std::mem::take(&mut trial.items) {
        match made.remove(&item.queued.number) {
            Some(made) => {
                trial.items.push(item);
                all.push(made);
            }
            None => rest.push(item),
        }
    }
    let now = turn.now;
    if let Some(subscriber) = to.subscriber(turn).filter(|_| !rest.is_empty()) {
        let groups: Vec<Arc<str>> = rest.iter().map(|item| Arc::clone(&item.queued.group)).collect();
        if subscriber.ordering == Ordering::Fifo {
            let rest = rest.into_iter().map(|item| item.queued).collect();
            subscriber.deliveries.hold(rest);
            release(turn, to, &groups, &trial.items);
        } else {
            let rest = trial.of(rest).batch(Next::Due(now));
            subscriber.deliveries.put(rest);
        }
    }
    (trial, all)
}

/// The payloads that can be sent, and what is to be said of the other events. First in, first out, an event fails only where none
/// of its group is still to be sent before it.
fn sift(subscriber: &Subscriber, trial: &Trial, made: Vec<Made>) -> (Vec<Outcome>, Vec<Payload>) {
    let is_fifo = subscriber.ordering == Ordering::Fifo;
    let (mut ready, mut over) = (BTreeSet::new(), BTreeSet::new());
    let mut payloads = Vec::with_capacity(made.len());
    let outcomes = trial.items.iter().zip(made).map(|(item, made)| {
        let group = &item.queued.group;
        if over.contains(group) {
            return Outcome::Held;
        }
        // An attempt has its events.
        let Some(event) = &item.event else {
            return Outcome::Held;
        };
        match complete(subscriber, event, made) {
            Ok(payload) => {
                ready.insert(group);
                payloads.push(payload);
                Outcome::Ready
            }
            Err(why) => {
                if is_fifo {
                    over.insert(group);
                }
                if is_fifo && ready.contains(group) {
                    return Outcome::Held;
                }
                Outcome::Failed(Failure::transformation(why))
            }
        }
    });
    (outcomes.collect(), payloads)
}

/// Carries out what became of the events of a batch. Gives those that are still to be sent.
fn settle(
    turn: &mut Turn<'_>,
    to: &To<'_>,
    subscriber: &Subscriber,
    trial: Trial,
    outcomes: Vec<Outcome>,
    wait_min: Millis,
) -> Option<Trial> {
    let groups: Vec<Arc<str>> = trial
        .items
        .iter()
        .map(|item| Arc::clone(&item.queued.group))
        .collect();
    let (mut ready, mut held, mut failed) = (Vec::new(), Vec::new(), Vec::<(Failure, Vec<Item>)>::new());
    let rest = trial.of(Vec::new());
    if let Some(subscriber) = to.subscriber(turn) {
        for outcome in &outcomes {
            outcome.count(&mut subscriber.metrics);
        }
    }
    for (item, outcome) in trial.items.into_iter().zip(outcomes) {
        match outcome {
            Outcome::Delivered => tell(turn, &item.in_story, None, "delivered"),
            Outcome::Ready => ready.push(item),
            Outcome::Held => held.push(item.queued),
            Outcome::Failed(failure) => match failed.iter_mut().find(|(known, _)| *known == failure) {
                Some((_, items)) => items.push(item),
                None => failed.push((failure, vec![item])),
            },
        }
    }
    let mut kept = BTreeSet::new();
    for (failure, items) in failed {
        let (failing, own) = (rest.of(items), |item: &Item| Arc::clone(&item.queued.group));
        let own: Vec<_> = failing.items.iter().map(own).collect();
        if fail(turn, to, subscriber, failing, &failure, wait_min) {
            kept.extend(own);
        }
    }
    if let Some(subscriber) = to.subscriber(turn) {
        subscriber.deliveries.hold(held);
    }
    let over: Vec<_> = groups.into_iter().filter(|group| !kept.contains(group)).collect();
    release(turn, to, &over, &ready);
    (!ready.is_empty()).then(|| rest.of(ready))
}

/// The same where the whole call failed.
fn fail_all(
    turn: &mut Turn<'_>,
    to: &To<'_>,
    subscriber: &Subscriber,
    trial: Trial,
    failure: &Failure,
    wait_min: Millis,
) {
    let outcomes = vec![Outcome::Failed(failure.clone()); trial.items.len()];
    settle(turn, to, subscriber, trial, outcomes, wait_min);
}

/// Groups of which a batch is over, but for the events that are left of it: what waits behind goes on.
fn release(turn: &mut Turn<'_>, to: &To<'_>, groups: &[Arc<str>], left: &[Item]) {
    let now = turn.now;
    let Some(subscriber) = to.subscriber(turn) else {
        return;
    };
    if subscriber.ordering != Ordering::Fifo || groups.is_empty() {
        return;
    }
    let left: BTreeSet<&Arc<str>> = left.iter().map(|item| &item.queued.group).collect();
    let over: BTreeSet<&Arc<str>> = groups.iter().filter(|group| !left.contains(group)).collect();
    let batching = subscriber.batching();
    subscriber
        .deliveries
        .release(over, Ordering::Fifo, &batching, now);
}

/// Records a failed attempt: the batch is tried again later, or given up. Whether it is tried again.
fn fail(
    turn: &mut Turn<'_>,
    to: &To<'_>,
    subscriber: &Subscriber,
    trial: Trial,
    failure: &Failure,
    wait_min: Millis,
) -> bool {
    let at = turn.now;
    let wait = backoff(turn, trial.retries).max(wait_min);
    let exhausted = exhausted(subscriber, &trial, at + wait);
    let outcome = if exhausted.is_some() { "failed" } else { "waiting" };
    failed(turn, &trial, failure, outcome);
    if let Some(limit) = exhausted {
        let attempt = Attempt {
            to,
            subscriber,
            trial: &trial,
        };
        record::send(turn, &attempt, (failure, limit));
        return false;
    }
    let again = Trial {
        retries: trial.retries + 1,
        ..trial
    };
    if let Some(subscriber) = to.subscriber(turn) {
        subscriber.deliveries.put(again.batch(Next::Due(at + wait)));
    }
    later(turn, to, at + wait);
    true
}

/// The limit that forbids another attempt at that time, if one does.
fn exhausted(subscriber: &Subscriber, trial: &Trial, next: Millis) -> Option<&'static str> {
    let retry = subscriber.retry;
    if trial.retries >= retry.attempts_max {
        Some("MaximumRetryAttempts")
    } else if next > trial.since + retry.age_seconds_max * 1000 {
        Some(AGE_EXHAUSTED)
    } else {
        None
    }
}

/// Exponential backoff from a second, half of it random. AWS's own curve is not known.
fn backoff(turn: &mut Turn<'_>, retries: u32) -> Millis {
    let first = turn.world.assumptions.retry_wait_ms;
    let full = first
        .saturating_mul(1 << retries.min(20))
        .min(BACKOFF_MS_MAX.max(first));
    let jitter = i64::try_from(turn.dice.roll() % 1000).unwrap_or(0) * full / 2000;
    full / 2 + jitter
}

/// What a call is to do now; `None` where that cannot be, and its batch has failed.
pub(crate) fn job(turn: &mut Turn<'_>, id: u64) -> Option<Job> {
    let call = turn.world.outbox.calls.get(&id)?.clone();
    let made = match &call.work {
        Work::Evaluation => {
            let recipe = evaluation(turn, id, &call);
            if recipe.is_none() {
                turn.world.outbox.remove_call(id);
            }
            return recipe.map(|recipe| Job::Evaluation(Evaluation { id, recipe }));
        }
        Work::Http {
            target,
            payload,
            parameters,
        } => http::job(turn, id, target, payload, parameters.as_ref()),
    };
    let failure = match made {
        Ok(job) => return Some(Job::Http(job)),
        Err(failure) => failure,
    };
    end(turn, id, Err((failure, 0)));
    // The turn is over: what follows has one of its own.
    turn.touched.clear();
    later(turn, &To::of(&call), turn.now);
    None
}

/// A call is made: its time has come, or it is not known how it ended.
pub(crate) fn depart(turn: &mut Turn<'_>, id: u64) {
    let Some(call) = turn.world.outbox.calls.get(&id).cloned() else {
        return;
    };
    // The events of an evaluation are not at hand: they are read first. A subscriber that was stopped or deleted meanwhile
    // sends nothing; its batch waits until it runs again.
    if matches!(call.work, Work::Evaluation) || !waits(turn, &call, id) {
        return evaluated(turn, id, None);
    }
    if let Some(call) = turn.world.outbox.calls.get_mut(&id) {
        call.under_way = true;
    }
    turn.effects.push(id);
}

/// Whether a running subscriber waits for a call.
fn waits(turn: &mut Turn<'_>, call: &Call, id: u64) -> bool {
    let subscriber = To::of(call).subscriber(turn);
    subscriber.is_some_and(|subscriber| {
        let is_running = subscriber.running && !subscriber.revoked;
        is_running && subscriber.deliveries.called(call.batch, id).is_some()
    })
}

/// Records how a request ended.
pub(crate) fn record_result(turn: &mut Turn<'_>, id: u64, result: &HttpResult) {
    end(turn, id, http::judge(result));
}

/// Records what the expressions of a batch came to: it is sent once its events are read, unless its subscriber was stopped
/// meanwhile.
pub(crate) fn record_evaluation(turn: &mut Turn<'_>, id: u64, rendered: Rendered) {
    evaluated(turn, id, Some(Arc::new(rendered)));
}

/// An evaluation is over, and the batch that waits for it is due.
fn evaluated(turn: &mut Turn<'_>, id: u64, rendered: Option<Arc<Rendered>>) {
    let Some(call) = turn.world.outbox.remove_call(id) else {
        return;
    };
    let (to, now) = (&To::of(&call), turn.now);
    turn.touched.insert(to.realm, to.bus, to.name);
    let Some(subscriber) = to.subscriber(turn) else {
        return;
    };
    let is_running = subscriber.running && !subscriber.revoked;
    if let Some(batch) = subscriber.deliveries.take_called(call.batch, id) {
        subscriber.deliveries.put(Batch {
            next: Next::Due(now),
            rendered: rendered.filter(|_| is_running),
            ..batch
        });
    }
}

/// A call is over, and with it the attempt.
fn end(turn: &mut Turn<'_>, id: u64, result: Result<(), (Failure, Millis)>) {
    let Some(call) = turn.world.outbox.remove_call(id) else {
        return;
    };
    let to = &To::of(&call);
    turn.touched.insert(to.realm, to.bus, to.name);
    let Some((subscriber, trial)) = called(turn, to, &call, id) else {
        return;
    };
    match result {
        Ok(()) => {
            let outcomes = vec![Outcome::Delivered; trial.items.len()];
            settle(turn, to, &subscriber, trial, outcomes, 0);
        }
        Err((failure, wait_min)) => fail_all(turn, to, &subscriber, trial, &failure, wait_min),
    }
}

/// The batch that waits for a call, if it still does.
fn called(turn: &mut Turn<'_>, to: &To<'_>, call: &Call, id: u64) -> Option<(Subscriber, Trial)> {
    let found = to.subscriber(turn)?;
    let batch = found.deliveries.take_called(call.batch, id)?;
    let subscriber = found.outline();
    let trial = Trial {
        items: batch.events.into_iter().filter_map(Item::without_event).collect(),
        retries: batch.retries,
        since: batch.since.unwrap_or(turn.now),
    };
    Some((subscriber, trial))
}
