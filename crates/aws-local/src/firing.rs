//! What the clock sets off: schedules, replays, retries of deliveries, the end of PENDING sources.

use crate::arn;
use crate::clock::Millis;
use crate::delivery::envelope::{Envelope, Parts};
use crate::delivery::{self, custom_bus, fire_rule};
use crate::ops::events::replays;
use crate::state::RealmId;
use crate::state::rule::Rule;
use crate::state::source::State;
use crate::state::timers::Timer;
use crate::turn::{self, Turn};

/// How many timers one step fires; the rest stay due and fire with the next, as they do where a step has taken much.
const FIRED_MAX: usize = 1_000;
/// The steps of the turn at which a step ends.
const STEPS_LEFT: usize = turn::STEPS_MAX / 2;
/// Of the times that a schedule has missed no more are fired: the clock may be moved by a century.
const MISSED_MAX: Millis = 1_000;

/// Fires the timers that are due.
pub(crate) fn fire(turn: &mut Turn<'_>) {
    for _ in 0..FIRED_MAX {
        let Some((at, timer)) = turn.world.timers.take_due(turn.now) else {
            return;
        };
        match timer {
            Timer::Source { region, name } => expire_source(turn, &region, &name),
            Timer::Schedule { realm, rule } => fire_schedule(turn, &realm, &rule, at),
            Timer::Replay { realm, name } => replays::step(turn, &realm, &name),
            Timer::Retry { id } => delivery::retry(turn, id),
            Timer::CustomBusGone { realm, name } => remove_custom_bus(turn, &realm, &name, at),
            Timer::Subscriber { realm, bus, name } => {
                let to = custom_bus::To {
                    realm: &realm,
                    bus: &bus,
                    name: &name,
                };
                custom_bus::run(turn, &to);
            }
        }
        if turn.steps < STEPS_LEFT {
            return;
        }
    }
}

/// Fires the rule whose timer was set for `at`, and sets the next one.
fn fire_schedule(turn: &mut Turn<'_>, realm: &RealmId, name: &str, at: Millis) {
    let Some(bus) = turn.world.realm(realm).buses.get_mut("default") else {
        return;
    };
    let Some(rule) = bus.rules.get_mut(name).filter(|rule| rule.next_fire == Some(at)) else {
        return;
    };
    if let Some(next) = next_of(rule, at, turn.now) {
        turn.world.timers.set(
            next,
            Timer::Schedule {
                realm: realm.clone(),
                rule: name.to_owned(),
            },
        );
    }
    let envelope = Envelope::new(Parts {
        id: turn.dice.id(),
        detail_type: "Scheduled Event",
        source: "aws.events",
        account: realm.account(),
        time: at,
        region: realm.region(),
        resources: &[arn::rule(realm.region(), realm.account(), "default", name)],
        detail: "{}",
    });
    fire_rule(turn, realm, "default", name, &envelope);
}

/// The time after `at` when the rule fires; where too many lie before now, one of the latest.
fn next_of(rule: &mut Rule, at: Millis, now: Millis) -> Option<Millis> {
    let next = rule.schedule_next(at)?;
    let latest = now - MISSED_MAX.saturating_mul(next - at);
    if next < latest {
        return rule.schedule_next(latest);
    }
    Some(next)
}

/// Removes a bus whose deletion is over.
fn remove_custom_bus(turn: &mut Turn<'_>, realm: &RealmId, name: &str, at: Millis) {
    let here = &mut turn.world.realm(realm).custom_buses;
    let found = here.buses.get(name);
    if found.is_some_and(|bus| bus.deleted.is_some_and(|deleted| deleted <= at))
        && let Some(gone) = here.remove_bus(name)
    {
        turn.gone_logs.push(gone.log.id);
        turn.dropped.push(Box::new(gone));
    }
}

/// Deletes a source that stayed PENDING; it is listed as DELETED while a bus of its name exists.
fn expire_source(turn: &mut Turn<'_>, region: &str, name: &str) {
    let now = turn.now;
    let sources = turn.world.sources_in(region);
    let Some(source) = sources.get_mut(name).filter(|source| source.is_due(now)) else {
        return;
    };
    source.expires = None;
    source.state = State::Deleted;
    let customer = RealmId::new(&source.customer, region);
    let has_bus = turn
        .world
        .realm_if_any(&customer)
        .is_some_and(|realm| realm.buses.contains_key(name));
    if !has_bus {
        turn.world.sources_in(region).remove(name);
    }
}
