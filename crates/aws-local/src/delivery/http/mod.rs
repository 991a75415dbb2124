//! Deliveries over HTTP: to API destinations, and to the URLs that the operator gave for targets which are not emulated.
//!
//! The core decides what is sent, when it is retried and when it is given up; the edge only sends the request.

use std::cell::OnceCell;
use std::sync::Arc;

use super::attempt::{Invocation, Nth, Sent, count, record};
use super::dead_letter::send_to_dead_letter_queue;
use super::envelope::Envelope;
use super::miss::Miss;
use super::role::role_allows;
use super::{bus_log, transformer};
use crate::arn::{Arn, bus_of_rule};
use crate::clock::Millis;
use crate::state::RealmId;
use crate::state::api_destination::{ApiDestination, Connection};
use crate::state::outbox::{InvocationRecord, Pending};
use crate::state::timers::Timer;
use crate::turn::Turn;

mod request;
mod result;

pub(super) use request::Asked;
pub(crate) use request::{Job, OAuth, encode};
pub(crate) use result::HttpResult;
pub(super) use result::judge;

/// AWS's default of a target's retry policy.
const RETRIES_MAX: u32 = 185;
const BACKOFF_MS_MAX: i64 = 15 * 60 * 1000;
/// The longest wait between attempts; no event is kept for longer.
const EVENT_AGE_SECONDS_MAX: i64 = 24 * 60 * 60;

/// Starts a delivery that leaves the process.
pub(super) fn send(turn: &mut Turn<'_>, invocation: &Invocation, arn: &Arn<'_>) -> Result<Sent, Miss> {
    let payload = transformer::payload(turn, invocation)?;
    let is_destination = arn.service == "events" && arn.resource.starts_with("api-destination/");
    if !is_destination {
        record_invocation(turn, invocation, Arc::clone(&payload));
        if !turn.world.targets.contains_key(&invocation.target.arn) {
            let why = format!(
                "targets of `{}` are not emulated and no URL was given for this one",
                arn.service
            );
            return Err(Miss::NoResource(why));
        }
    } else if find_destination(turn, &RealmId::new(arn.account, arn.region), arn.resource).is_none() {
        return Err(Miss::NoResource(format!("{} does not exist", arn.resource)));
    } else {
        role_allows(turn, invocation, "events:InvokeApiDestination")?;
    }
    if !turn.world.outbox.has_room(&payload) {
        return Err(Miss::Http(
            Miss::THROTTLING,
            "too many deliveries wait already".to_owned(),
        ));
    }
    let id = turn.world.outbox.add(Pending {
        realm: invocation.realm.clone(),
        rule_arn: invocation.rule_arn.clone(),
        target: Arc::clone(&invocation.target),
        event: Arc::clone(&invocation.envelope.text),
        payload,
        in_story: invocation.in_story.clone(),
        retries: 0,
        since: turn.now,
        under_way: false,
        admitted: false,
        began: None,
        throttled: false,
    });
    admit(turn, id);
    Ok(Sent::Later)
}

/// Keeps what a target that is not emulated, or a topic, got.
pub(super) fn record_invocation(turn: &mut Turn<'_>, invocation: &Invocation, payload: Arc<str>) {
    turn.world.outbox.record(InvocationRecord {
        at: turn.now,
        account: invocation.realm.account().to_owned(),
        region: invocation.realm.region().to_owned(),
        rule_arn: invocation.rule_arn.clone(),
        target: Arc::clone(&invocation.target),
        event_id: invocation.envelope.id.clone(),
        payload,
    });
}

/// Sends a delivery now, or sets a timer for when its API destination's rate allows it.
fn admit(turn: &mut Turn<'_>, id: u64) {
    let now = turn.now;
    let Some(pending) = turn.world.outbox.pending.get(&id) else {
        return;
    };
    let (target, deadline) = (Arc::clone(&pending.target), pending.deadline());
    let at = slot(turn, &target.arn, deadline).unwrap_or(deadline + 1);
    if at <= now {
        return depart(turn, id);
    }
    if let Some(pending) = turn.world.outbox.pending.get_mut(&id) {
        (pending.admitted, pending.under_way) = (true, false);
        turn.world.timers.set(at, Timer::Retry { id });
    }
}

/// When the rate of an API destination allows its next request; `None` if that is after the deadline. Other targets have no
/// rate.
pub(super) fn slot(turn: &mut Turn<'_>, target: &str, deadline: Millis) -> Option<Millis> {
    let now = turn.now;
    let arn = Arn::parse(target);
    let destination =
        arn.and_then(|arn| destination_mut(turn, &RealmId::new(arn.account, arn.region), arn.resource));
    destination.map_or(Some(now), |to| to.take_slot(now, deadline))
}

/// A delivery's request is sent once the change is stored.
fn depart(turn: &mut Turn<'_>, id: u64) {
    let Some(pending) = turn.world.outbox.pending.get_mut(&id) else {
        return;
    };
    (pending.admitted, pending.under_way) = (false, true);
    pending.began = Some(turn.now);
    let pending = pending.clone();
    turn.effects.push(id);
    let invocation = invocation_of(turn, pending);
    bus_log::attempt_started(turn, &invocation);
}

/// The invocation that a delivery is of.
fn invocation_of(turn: &mut Turn<'_>, pending: Pending) -> Invocation {
    let log = bus_log::of(turn, &pending.realm, bus_of_rule(&pending.rule_arn));
    Invocation {
        envelope: Envelope {
            id: pending.in_story.event.clone(),
            time: pending.since,
            text: pending.event,
        },
        realm: pending.realm,
        rule_arn: pending.rule_arn,
        target: pending.target,
        in_story: pending.in_story,
        log,
        nth: Nth {
            retries: pending.retries,
            throttled: pending.throttled,
            since: pending.since,
            began: pending.began,
        },
        payload: OnceCell::from(Ok(pending.payload)),
    }
}

/// A delivery is due: for another attempt, or because its destination's rate allows it now.
pub(super) fn retry(turn: &mut Turn<'_>, id: u64) {
    let now = turn.now;
    let Some(pending) = turn.world.outbox.pending.get_mut(&id) else {
        return;
    };
    if !pending.admitted {
        admit(turn, id);
    } else if now > pending.deadline() {
        let why = "the rate of the API destination let it wait too long".to_owned();
        let (miss, attempts) = (Miss::Http(Miss::THROTTLING, why), pending.retries);
        give_up(turn, id, attempts, &miss, Some("MaximumEventAgeInSeconds"));
    } else {
        depart(turn, id);
    }
}

/// The request of a pending delivery; `None` when its API destination is gone, and the delivery is given up.
pub(super) fn job(turn: &mut Turn<'_>, id: u64) -> Option<Job> {
    let pending = turn.world.outbox.pending.get(&id)?.clone();
    match request_to(turn, id, &pending.target.arn, &Asked::from(&pending)) {
        Ok(job) => Some(job),
        Err(miss) => not_sent(turn, id, &pending, &miss),
    }
}

/// The request to the URL that the operator gave for a target, or to an API destination.
pub(super) fn request_to(turn: &mut Turn<'_>, id: u64, target: &str, asked: &Asked<'_>) -> Result<Job, Miss> {
    let json = (
        "content-type".to_owned(),
        "application/json; charset=utf-8".to_owned(),
    );
    if let Some(url) = turn.world.targets.get(target) {
        return Ok(Job {
            id,
            method: "POST".to_owned(),
            url: url.clone().into(),
            headers: vec![json].into(),
            body: Arc::clone(asked.payload).into(),
            oauth: None,
        });
    }
    let (destination, connection) = destination_of(turn, target)?;
    if !turn.take(request::steps(asked, &connection)) {
        let why = "the requests of one turn may not cost more: put fewer or smaller events at once";
        return Err(Miss::Http("SDK_CLIENT_ERROR", why.to_owned()));
    }
    Ok(request::request(id, asked, &destination, &connection, json))
}

fn not_sent(turn: &mut Turn<'_>, id: u64, pending: &Pending, miss: &Miss) -> Option<Job> {
    record(turn, &pending.in_story, Some(miss), "waiting");
    let invocation = invocation_of(turn, pending.clone());
    bus_log::attempted(turn, &invocation, Some((miss, false)));
    give_up(turn, id, pending.retries + 1, miss, None);
    None
}

/// The API destination of that ARN and the connection it authenticates with.
pub(super) fn destination_of(
    turn: &mut Turn<'_>,
    target_arn: &str,
) -> Result<(ApiDestination, Connection), Miss> {
    let gone = |what: &str| Miss::NoResource(format!("{what} does not exist"));
    let arn = Arn::parse(target_arn).ok_or_else(|| gone(target_arn))?;
    let realm = RealmId::new(arn.account, arn.region);
    let destination = find_destination(turn, &realm, arn.resource).ok_or_else(|| gone(arn.resource))?;
    let destination = destination.clone();
    let there = &turn.world.realm(&realm).connections;
    let connection = Connection::find(there, &destination.connection_arn);
    let connection = connection.ok_or_else(|| gone(&destination.connection_arn))?;
    if !connection.authorized {
        let why = format!("the connection {} is not authorized", connection.name);
        return Err(Miss::NoPermissions(why));
    }
    Ok((destination, connection.clone()))
}

fn find_destination<'c>(
    turn: &'c mut Turn<'_>,
    realm: &RealmId,
    resource: &str,
) -> Option<&'c ApiDestination> {
    destination_mut(turn, realm, resource).map(|there| &*there)
}

fn destination_mut<'c>(
    turn: &'c mut Turn<'_>,
    realm: &RealmId,
    resource: &str,
) -> Option<&'c mut ApiDestination> {
    let name = ApiDestination::name_in(resource)?;
    turn.world.realm(realm).api_destinations.get_mut(name)
}

/// Records how a request ended: the delivery is done, is retried later, or failed for good.
pub(super) fn record_result(turn: &mut Turn<'_>, id: u64, result: &HttpResult) {
    let Some(pending) = turn.world.outbox.pending.get_mut(&id) else {
        return;
    };
    pending.under_way = false;
    let pending = pending.clone();
    let result = judge(result);
    // Whether it was the last attempt is recorded by [`give_up`].
    let miss = result.as_ref().err().map(|(miss, _)| miss);
    record(turn, &pending.in_story, miss, "waiting");
    let (invocation, attempts) = (invocation_of(turn, pending.clone()), pending.retries + 1);
    let failed = result.as_ref().err();
    let failed = failed.map(|(miss, again)| (miss, again.is_some()));
    bus_log::attempted(turn, &invocation, failed);
    let (miss, again) = match result {
        Ok(()) => {
            turn.world.outbox.remove(id);
            return bus_log::ended(turn, &invocation, attempts, None);
        }
        Err(failed) => failed,
    };
    let exhausted = again.and_then(|asked_seconds| retry_later(turn, id, &pending, asked_seconds));
    if again.is_none() || exhausted.is_some() {
        give_up(turn, id, attempts, &miss, exhausted);
    } else if let Some(pending) = turn.world.outbox.pending.get_mut(&id) {
        pending.throttled = miss.code() == Miss::THROTTLING;
    }
}

/// Sets the time of the next attempt, or names the limit that forbids it.
fn retry_later(turn: &mut Turn<'_>, id: u64, pending: &Pending, asked_seconds: i64) -> Option<&'static str> {
    let now = turn.now;
    let policy = pending.target.retry_policy.as_ref();
    let retries_max = policy
        .and_then(|policy| policy.maximum_retry_attempts)
        .unwrap_or(RETRIES_MAX);
    let wait = wait_ms(turn, pending.retries, asked_seconds);
    if pending.retries >= retries_max {
        return Some("MaximumRetryAttempts");
    }
    if now + wait > pending.deadline() {
        return Some("MaximumEventAgeInSeconds");
    }
    if let Some(pending) = turn.world.outbox.pending.get_mut(&id) {
        pending.retries += 1;
    }
    count(turn, &pending.realm, &pending.rule_arn, "RetryInvocationAttempts");
    turn.world.timers.set(now + wait, Timer::Retry { id });
    None
}

/// A delivery failed for good, after so many attempts.
fn give_up(turn: &mut Turn<'_>, id: u64, attempts: u32, miss: &Miss, exhausted: Option<&'static str>) {
    let Some(pending) = turn.world.outbox.remove(id) else {
        return;
    };
    if let Some(delivery) = turn.world.stories.delivery(&pending.in_story) {
        delivery.outcome = "failed";
    }
    let retries = pending.retries;
    let invocation = invocation_of(turn, pending);
    let is_dead = send_to_dead_letter_queue(turn, &invocation, miss, exhausted, retries);
    bus_log::ended(turn, &invocation, attempts, Some((miss, is_dead)));
}

/// Exponential backoff from a second, half of it random, and no sooner than the other side asked.
fn wait_ms(turn: &mut Turn<'_>, retries: u32, asked_seconds: i64) -> Millis {
    let full = 1000_i64.saturating_mul(1 << retries.min(20)).min(BACKOFF_MS_MAX);
    let jitter = i64::try_from(turn.dice.roll() % 1000).unwrap_or(0) * full / 2000;
    (full / 2 + jitter).max(asked_seconds.clamp(0, EVENT_AGE_SECONDS_MAX) * 1000)
}
