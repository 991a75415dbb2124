//! From an accepted event to what its targets receive.
//!
//! Log groups, queues and buses are state like any other, so delivery to them happens here, within the turn that
//! accepted the event. Only requests over HTTP leave the core; their results come back as changes of their own.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! envelope permission miss   the event; who may deliver; why an attempt failed
//! recipe                     what is made of the events of a subscriber, and its expressions
//! queue                      messages to queues
//! attempt                    one target, one event, and how the result is recorded
//! transformer dead_letter role    the payload of a target; events that failed for good; what a target's role allows
//! bus_log/                   what a bus logs of all that
//! http/                      deliveries that leave the process
//! target job                 the kinds of targets; what leaves the core to be done
//! custom_bus/                from a custom event bus to its subscribers
//! ```

use std::cell::OnceCell;
use std::sync::Arc;

use crate::arn;
use crate::state::RealmId;
use crate::state::archive::Archived;
use crate::state::few::Few;
use crate::state::rule::Target;
use crate::state::story::{Delivery, Pass};
use crate::turn::{BusLog, Forward, Turn};

mod attempt;
mod bus_log;
pub(crate) mod custom_bus;
mod dead_letter;
pub(crate) mod envelope;
pub(crate) mod http;
pub(crate) mod job;
mod miss;
mod permission;
mod queue;
pub(crate) mod recipe;
mod role;
mod target;
mod transformer;

use attempt::{Invocation, Nth, Sent, count, record};
use dead_letter::send_to_dead_letter_queue;
use envelope::Envelope;
use job::Job;
use miss::Miss;
pub(crate) use permission::{Writer, may_log, may_put};

/// An event that came from another bus is not forwarded to a third, as with AWS: no loop can form.
const HOPS_MAX: usize = 1;
/// The steps of an invocation, besides those of its payload.
const INVOCATION_STEPS: usize = 200;

/// Records an event that is dropped although its sender is answered with success.
pub(crate) fn drop_event(turn: &mut Turn<'_>, envelope: &Envelope, why: String) {
    turn.world
        .stories
        .begin(&envelope.id, Arc::clone(&envelope.text), Some(why), turn.now);
}

/// Publishes an event on a bus: its archives store it, and the targets of every enabled rule that matches get it.
pub(crate) fn publish(turn: &mut Turn<'_>, realm: &RealmId, bus: &str, envelope: &Envelope) {
    archive(turn, realm, bus, envelope);
    publish_to(turn, realm, bus, envelope.clone(), &[]);
    custom_bus::feed(turn, realm, bus, envelope);
}

/// Stores an event in the archives of a bus.
fn archive(turn: &mut Turn<'_>, realm: &RealmId, bus: &str, envelope: &Envelope) {
    let now = turn.now;
    let mut steps = turn.part();
    let before = steps;
    let archives = &mut turn.world.realm(realm).archives;
    for archive in archives
        .values_mut()
        .filter(|archive| arn::bus_name(&archive.bus_arn) == bus)
    {
        let event = Archived {
            at: now,
            id: envelope.id.clone(),
            time: envelope.time,
            text: Arc::clone(&envelope.text),
        };
        archive.take(event, &mut steps);
    }
    turn.steps -= before - steps;
}

/// What follows from a turn at its end: subscribers that took events get what is due, and what custom event buses send to other
/// buses is published.
pub(crate) fn finish(turn: &mut Turn<'_>) {
    loop {
        while let Some(forward) = turn.forwards.pop_front() {
            match forward {
                Forward::Classic {
                    to,
                    bus,
                    id,
                    time,
                    text,
                } => publish(turn, &to, &bus, &Envelope { id, time, text }),
                Forward::Custom { to, bus, event } => {
                    custom_bus::forward(turn, &to, &bus, event);
                }
            }
        }
        let Some(subscriber) = turn.touched.pop_first() else {
            return;
        };
        custom_bus::run(turn, &custom_bus::To::named(&subscriber));
    }
}

/// Whether a number is that of a call for a subscriber, and not of a delivery for a rule.
fn is_call(turn: &Turn<'_>, id: u64) -> bool {
    turn.world.outbox.calls.contains_key(&id)
}

/// A delivery that left the process is due: for another attempt, or because the rate of its API destination allows it now.
pub(crate) fn retry(turn: &mut Turn<'_>, id: u64) {
    if is_call(turn, id) {
        custom_bus::depart(turn, id);
    } else {
        http::retry(turn, id);
    }
}

/// What a delivery needs done; `None` where it cannot be made, and the delivery has failed.
pub(crate) fn job(turn: &mut Turn<'_>, id: u64) -> Option<Job> {
    if is_call(turn, id) {
        custom_bus::job(turn, id)
    } else {
        http::job(turn, id).map(Job::Http)
    }
}

/// Records how a request ended.
pub(crate) fn record_result(turn: &mut Turn<'_>, id: u64, result: &http::HttpResult) {
    if is_call(turn, id) {
        custom_bus::record_result(turn, id, result);
    } else {
        http::record_result(turn, id, result);
    }
}

/// Publishes an event on a bus without archiving it; to the rules in `only` alone, if it names any by ARN.
pub(crate) fn publish_to(
    turn: &mut Turn<'_>,
    realm: &RealmId,
    bus: &str,
    envelope: Envelope,
    only: &[String],
) {
    let exists = turn.world.realm(realm).buses.contains_key(bus);
    let dropped = (!exists).then(|| format!("The event bus {bus} does not exist in {realm}."));
    turn.world
        .stories
        .begin(&envelope.id, Arc::clone(&envelope.text), dropped, turn.now);
    route(turn, (realm.clone(), bus.to_owned(), envelope), 0, only);
}

/// Matches an event that has passed `hops` buses on one more, and on those that its rules forward it to.
fn route(turn: &mut Turn<'_>, to: (RealmId, String, Envelope), hops: usize, only: &[String]) {
    let mut waiting = vec![(to.0, to.1, to.2, hops)];
    while let Some((realm, bus, envelope, hops)) = waiting.pop() {
        let only: &[String] = if hops > 0 { &[] } else { only };
        for invocation in match_rules(turn, &realm, &bus, &envelope, only) {
            if let Sent::Forward(to, bus, envelope) = invoke(turn, &invocation, hops) {
                archive(turn, &to, &bus, &envelope);
                waiting.push((to, bus, envelope, hops + 1));
            }
        }
    }
}

/// Matches an event against the rules of a bus and lists what is to be invoked: of the rules in `only` alone, if it names
/// any by ARN.
fn match_rules(
    turn: &mut Turn<'_>,
    realm: &RealmId,
    bus: &str,
    envelope: &Envelope,
    only: &[String],
) -> Vec<Invocation> {
    let log = bus_log::of(turn, realm, bus);
    if let Some(log) = &log {
        bus_log::arrived(turn, log, envelope);
    }
    let mut steps = turn.part();
    let before = steps;
    let here = turn.world.realm(realm);
    let Some(found) = here.buses.get_mut(bus) else {
        return Vec::new();
    };
    let matched = found.matching(&envelope.text, &mut steps);
    if !matched.hits.is_empty() {
        here.metrics.count(&format!("event-bus/{bus}"), "MatchedEvents");
    }
    turn.steps -= before - steps;
    let pass = Pass {
        realm: realm.clone(),
        bus: bus.into(),
        rules: matched.rules,
        matched: matched.hits.iter().map(|(name, _)| Arc::clone(name)).collect(),
        undecided: matched.undecided,
        deliveries: Few::default(),
    };
    let pass = turn.world.stories.pass(&envelope.id, pass, matched.fresh_bytes);
    let (mut invocations, mut any) = (Vec::new(), false);
    for (rule, targets) in matched.hits {
        let fired = InvokedRule::new(realm, bus, &rule);
        count(turn, realm, &fired.arn, "TriggeredRules");
        let of_rule = invocations_of(turn, (realm, log.as_ref()), &fired, &targets, envelope, pass);
        if only.is_empty() || only.iter().any(|arn| **arn == *fired.arn) {
            any = true;
            if let Some(log) = &log {
                bus_log::rule_matched(turn, log, envelope, &fired.arn, &of_rule);
            }
            invocations.extend(of_rule);
        }
    }
    if let Some(log) = log.filter(|_| !any) {
        bus_log::no_rule_matched(turn, &log, envelope);
    }
    invocations
}

/// A rule whose targets are invoked.
struct InvokedRule {
    name: Arc<str>,
    arn: Arc<str>,
}

impl InvokedRule {
    fn new(realm: &RealmId, bus: &str, rule: &Arc<str>) -> Self {
        Self {
            name: Arc::clone(rule),
            arn: arn::rule(realm.region(), realm.account(), bus, rule).into(),
        }
    }
}

/// One invocation for each target, with a place in the event's story.
fn invocations_of(
    turn: &mut Turn<'_>,
    (realm, log): (&RealmId, Option<&Arc<BusLog>>),
    rule: &InvokedRule,
    targets: &[Arc<Target>],
    envelope: &Envelope,
    pass: usize,
) -> Vec<Invocation> {
    let mut invocation = |target: &Arc<Target>| {
        let target = Arc::clone(target);
        let delivery = Delivery {
            rule: Arc::clone(&rule.name),
            target: Arc::clone(&target),
            attempts: Few::default(),
            outcome: "waiting",
            dead_letter: None,
            unknown_role: false,
        };
        let in_story = turn.world.stories.deliver(&envelope.id, pass, delivery);
        Invocation {
            realm: realm.clone(),
            rule_arn: Arc::clone(&rule.arn),
            target,
            envelope: envelope.clone(),
            in_story,
            log: log.cloned(),
            nth: Nth::first(turn.now),
            payload: OnceCell::new(),
        }
    };
    targets.iter().map(&mut invocation).collect()
}

/// A rule fires by its schedule: its targets get an event that was matched against no pattern.
pub(crate) fn fire_rule(turn: &mut Turn<'_>, realm: &RealmId, bus: &str, rule: &str, envelope: &Envelope) {
    let found = turn
        .world
        .realm(realm)
        .buses
        .get_mut(bus)
        .and_then(|bus| bus.rules.get(rule));
    let Some(targets) = found.map(|rule| rule.targets.values().cloned().collect::<Vec<_>>()) else {
        return;
    };
    turn.world
        .stories
        .begin(&envelope.id, Arc::clone(&envelope.text), None, turn.now);
    let pass = Pass {
        realm: realm.clone(),
        bus: bus.into(),
        rules: Arc::default(),
        matched: Few::default(),
        undecided: Vec::new(),
        deliveries: Few::default(),
    };
    let pass = turn.world.stories.pass(&envelope.id, pass, 0);
    let fired = InvokedRule::new(realm, bus, &rule.into());
    count(turn, realm, &fired.arn, "TriggeredRules");
    let log = bus_log::of(turn, realm, bus);
    let invocations = invocations_of(turn, (realm, log.as_ref()), &fired, &targets, envelope, pass);
    if let Some(log) = &log {
        bus_log::arrived(turn, log, envelope);
        bus_log::rule_matched(turn, log, envelope, &fired.arn, &invocations);
    }
    for invocation in invocations {
        if let Sent::Forward(to, bus, envelope) = invoke(turn, &invocation, 0) {
            archive(turn, &to, &bus, &envelope);
            route(turn, (to, bus, envelope), 1, &[]);
        }
    }
}

/// Invokes a target and counts; an event that cannot be delivered goes to the dead-letter queue.
fn invoke(turn: &mut Turn<'_>, invocation: &Invocation, hops: usize) -> Sent {
    turn.steps = turn.steps.saturating_sub(INVOCATION_STEPS);
    invocation.count(turn, "Invocations");
    bus_log::started(turn, invocation);
    let sent = match target::send(turn, invocation) {
        // It is logged, too, when its request is sent.
        Ok(Sent::Later) => return Sent::Later,
        Ok(Sent::Forward(..)) if hops >= HOPS_MAX => Err(Miss::TooManyHops),
        sent => sent,
    };
    bus_log::attempt_started(turn, invocation);
    let miss = sent.as_ref().err();
    record(turn, &invocation.in_story, miss, "failed");
    bus_log::attempted(turn, invocation, miss.map(|miss| (miss, false)));
    let is_dead = miss.is_some_and(|miss| {
        *miss != Miss::TooManyHops && send_to_dead_letter_queue(turn, invocation, miss, None, 0)
    });
    bus_log::ended(turn, invocation, 1, miss.map(|miss| (miss, is_dead)));
    sent.unwrap_or(Sent::Done)
}
