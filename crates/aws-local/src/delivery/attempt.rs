//! One attempt to give one target one event, and how its result is recorded: in the metrics and in the event's story.

use std::cell::OnceCell;
use std::sync::Arc;

use super::envelope::Envelope;
use super::miss::Miss;
use crate::arn::Arn;
use crate::clock::Millis;
use crate::state::RealmId;
use crate::state::rule::Target;
use crate::state::story::{Attempt, DeliveryRef};
use crate::turn::{BusLog, Turn};

/// One target of one matched rule, and the event for it.
pub(super) struct Invocation {
    pub(super) realm: RealmId,
    pub(super) rule_arn: Arc<str>,
    pub(super) target: Arc<Target>,
    pub(super) envelope: Envelope,
    pub(super) in_story: DeliveryRef,
    /// The log of the rule's bus, if it has one.
    pub(super) log: Option<Arc<BusLog>>,
    pub(super) nth: Nth,
    /// Made once, for the target and for the log.
    pub(super) payload: OnceCell<Result<Arc<str>, Miss>>,
}

/// Which attempt of an invocation it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nth {
    pub(super) retries: u32,
    /// The target took no more at the attempt before.
    pub(super) throttled: bool,
    /// When the bus got the event.
    pub(super) since: Millis,
    /// When the attempt began, if that is known.
    pub(super) began: Option<Millis>,
}

impl Nth {
    /// The first, made when the bus got the event.
    pub(super) fn first(now: Millis) -> Self {
        Self {
            retries: 0,
            throttled: false,
            since: now,
            began: Some(now),
        }
    }
}

/// How far an attempt got within the core.
pub(super) enum Sent {
    Done,
    /// To be published on another bus.
    Forward(RealmId, String, Envelope),
    /// To be sent over HTTP.
    Later,
}

impl Invocation {
    /// Counts under one of AWS's metric names of the rule.
    pub(super) fn count(&self, turn: &mut Turn<'_>, metric: &'static str) {
        count(turn, &self.realm, &self.rule_arn, metric);
    }
}

/// Counts under one of AWS's metric names of a rule: its ARN from `rule/` on.
pub(super) fn count(turn: &mut Turn<'_>, realm: &RealmId, rule_arn: &str, metric: &'static str) {
    let rule = Arn::parse(rule_arn).map_or(rule_arn, |arn| arn.resource);
    turn.world.realm(realm).metrics.count(rule, metric);
}

/// Records an attempt in the event's story; `missed` is the state that a miss leaves the delivery in.
pub(super) fn record(turn: &mut Turn<'_>, at: &DeliveryRef, miss: Option<&Miss>, missed: &'static str) {
    let error = miss.map(|miss| (miss.code().to_owned(), miss.message().to_owned()));
    let outcome = if error.is_none() { "delivered" } else { missed };
    let attempt = Attempt { at: turn.now, error };
    turn.world.stories.record_attempt(at, outcome, attempt);
}
