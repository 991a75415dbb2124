//! What happens by itself when its time comes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::arn;
use crate::clock::Millis;
use crate::delivery::envelope::{Envelope, Parts};
use crate::delivery::{fire_rule, outside};
use crate::ops::Cx;
use crate::ops::events::replays;
use crate::state::RealmId;
use crate::state::source::State;

/// How many timers one step fires; the rest are due still and come with the next.
const FIRED_MAX: usize = 1_000;

/// Things to come, in the order of time. A timer whose cause is gone does nothing when it fires.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Timers(BTreeSet<(Millis, Timer)>);

/// One thing to come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Timer {
    /// A PENDING source's two weeks are over.
    Source { region: String, name: String },
    /// A rule of the default bus fires by its schedule.
    Schedule { realm: RealmId, rule: String },
    /// A replay goes a step on.
    Replay { realm: RealmId, name: String },
    /// A delivery is to be tried again.
    Retry { id: u64 },
}

impl Timers {
    pub(crate) fn set(&mut self, at: Millis, timer: Timer) {
        self.0.insert((at, timer));
    }

    pub(crate) fn next_due(&self) -> Option<Millis> {
        self.0.first().map(|(at, _)| *at)
    }

    fn take_due(&mut self, now: Millis) -> Option<(Millis, Timer)> {
        if self.next_due()? > now {
            return None;
        }
        self.0.pop_first()
    }
}

/// Fires the timers that are due.
pub(crate) fn fire(cx: &mut Cx<'_>) {
    for _ in 0..FIRED_MAX {
        let Some((at, timer)) = cx.world.timers.take_due(cx.now) else {
            return;
        };
        match timer {
            Timer::Source { region, name } => expire_source(cx, &region, &name),
            Timer::Schedule { realm, rule } => fire_schedule(cx, &realm, &rule, at),
            Timer::Replay { realm, name } => replays::step(cx, &realm, &name),
            Timer::Retry { id } => outside::retry(cx, id),
        }
    }
}

/// The rule that `at` was set for fires, and its next time is set.
fn fire_schedule(cx: &mut Cx<'_>, realm: &RealmId, name: &str, at: Millis) {
    let Some(bus) = cx.world.realm(realm).buses.get_mut("default") else {
        return;
    };
    let Some(rule) = bus.rules.get_mut(name).filter(|rule| rule.next_fire == Some(at)) else {
        return;
    };
    if let Some(next) = rule.wind(at) {
        cx.world.timers.set(
            next,
            Timer::Schedule {
                realm: realm.clone(),
                rule: name.to_owned(),
            },
        );
    }
    let envelope = Envelope::new(Parts {
        id: cx.dice.uuid(),
        detail_type: "Scheduled Event",
        source: "aws.events",
        account: realm.account(),
        time: at,
        region: realm.region(),
        resources: &[arn::rule(realm.region(), realm.account(), "default", name)],
        detail: "{}",
    });
    fire_rule(cx, realm, "default", name, &envelope);
}

/// A source that stayed PENDING is deleted; DELETED is seen of it while a bus of its name stands.
fn expire_source(cx: &mut Cx<'_>, region: &str, name: &str) {
    let now = cx.now;
    let sources = cx.world.sources_in(region);
    let Some(source) = sources.get_mut(name).filter(|source| source.is_due(now)) else {
        return;
    };
    source.expires = None;
    source.state = State::Deleted;
    let customer = RealmId::new(&source.customer, region);
    let has_bus = cx
        .world
        .realm_if_any(&customer)
        .is_some_and(|realm| realm.buses.contains_key(name));
    if !has_bus {
        cx.world.sources_in(region).remove(name);
    }
}
