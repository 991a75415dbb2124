//! What an event bus logs of the events that it processes, in the log groups that its vended-log deliveries lead to.
//!
//! The steps, their levels and the members of a record are those of AWS's guide (eb-event-bus-logs, eb-event-logs-schema);
//! the stream's name and `event_bus_name` are on record. `docs/guides/local-aws.md` lists what is left out of it, or is our
//! reading.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! record         a record and its text
//! ```

use std::sync::Arc;

use uuid::Uuid;

use super::attempt::{Invocation, Nth};
use super::envelope::Envelope;
use super::miss::Miss;
use super::permission::{Writer, may_log};
use super::transformer;
use crate::arn::{Arn, arn};
use crate::clock::Millis;
use crate::state::RealmId;
use crate::state::bus::LogLevel;
use crate::state::log_group::{EVENT_MEMORY, event_bytes};
use crate::turn::{BusLog, Turn};

mod record;

use record::{Arrived, Attempted, Called, Details, Ended, Failure, Matched, Record, Started, Step};

/// The stream that a bus's records go to.
const STREAM: &str = "EventBridgeEventBusLogs";
/// What a record takes of what a turn may log, besides the event and the target's input.
const RECORD_BYTES: usize = 2 * 1024;
/// The same for a delivery source that was looked at.
const SOURCE_BYTES: usize = 64;

/// The log of a bus; none where it logs nothing, or nothing that reaches a log group here.
pub(super) fn of(turn: &mut Turn<'_>, realm: &RealmId, bus: &str) -> Option<Arc<BusLog>> {
    let logs = turn.world.realm_at(realm)?.buses.get(bus)?.logs()?;
    let key = (realm.clone(), bus.to_owned());
    if let Some(known) = turn.bus_logs.get(&key) {
        return known.clone();
    }
    let found = find(turn, realm, bus, logs).map(Arc::new);
    turn.bus_logs.insert(key, found.clone());
    found
}

/// A delivery gets the records of its source's log type, unless the group's policies do not let them in.
fn find(
    turn: &mut Turn<'_>,
    realm: &RealmId,
    bus: &str,
    (highest, details): (LogLevel, bool),
) -> Option<BusLog> {
    let (region, account) = (realm.region(), realm.account());
    let bus_arn = arn("events", region, account, &format!("event-bus/{bus}"));
    let vended = &turn.world.realm_at(realm)?.vended;
    let looked_at = (vended.sources.len() + vended.deliveries.len()) * SOURCE_BYTES;
    if !turn.take_log_bytes(looked_at) {
        return None;
    }
    let vended = &turn.world.realm_at(realm)?.vended;
    let of_bus = vended
        .sources
        .iter()
        .filter(|(_, source)| source.resource_arn == bus_arn);
    let group = |(name, level): (&String, LogLevel)| {
        let mut deliveries = vended.deliveries.values();
        let delivery = deliveries.find(|delivery| delivery.source == *name && delivery.kind == "CWL")?;
        let (to, group) = turn.world.delivered_to(delivery)?;
        let policies = turn.world.realm_at(&to)?.log_policies.values();
        let source_arn = arn("logs", region, account, &format!("delivery-source:{name}"));
        let writer = Writer::delivery_source(&source_arn, account);
        may_log(group, policies, &to, STREAM, &writer).then(|| (level, to.clone(), group.name.clone()))
    };
    let groups: Vec<_> = of_bus
        .filter_map(|(name, source)| Some((name, LogLevel::named(source.log_type.strip_suffix("_LOGS")?)?)))
        .filter(|(_, level)| *level <= highest)
        .filter_map(group)
        .collect();
    (!groups.is_empty()).then(|| BusLog {
        bus: bus.to_owned(),
        arn: bus_arn,
        details,
        groups,
    })
}

/// The bus got an event, and matches it against its rules.
pub(super) fn arrived(turn: &mut Turn<'_>, log: &BusLog, envelope: &Envelope) {
    for step in [
        Step::EVENT_RECEIPT,
        Step::EVENT_INGEST_SUCCESS,
        Step::RULE_MATCH_START,
    ] {
        if is_logged(turn, log, step, envelope.text.len())
            && let Some(event) = Arrived::read(envelope, log.details)
        {
            write_event(turn, log, envelope, (step, Details::Arrived(event)));
        }
    }
}

/// A rule matches the event, and these targets of it are invoked.
pub(super) fn rule_matched(
    turn: &mut Turn<'_>,
    log: &BusLog,
    envelope: &Envelope,
    rule_arn: &str,
    invocations: &[Invocation],
) {
    let step = Step::RULE_MATCH;
    let targets: usize = invocations.iter().map(|one| one.target.arn.len() + 40).sum();
    if is_logged(turn, log, step, targets) {
        let details = Details::Matched(Matched {
            rule_arn,
            target_arns: invocations.iter().map(|one| one.target.arn.as_str()).collect(),
            invocation_ids: invocations.iter().map(invocation_id).collect(),
        });
        write_event(turn, log, envelope, (step, details));
    }
}

/// No rule matches the event.
pub(super) fn no_rule_matched(turn: &mut Turn<'_>, log: &BusLog, envelope: &Envelope) {
    let step = Step::NO_STANDARD_RULES_MATCHED;
    if is_logged(turn, log, step, 0) {
        write_event(turn, log, envelope, (step, Details::None {}));
    }
}

/// A target is to be invoked.
pub(super) fn started(turn: &mut Turn<'_>, invocation: &Invocation) {
    start(turn, invocation, Step::INVOCATION_START);
}

/// An attempt begins.
pub(super) fn attempt_started(turn: &mut Turn<'_>, invocation: &Invocation) {
    start(turn, invocation, Step::INVOCATION_ATTEMPT_START);
}

fn start(turn: &mut Turn<'_>, invocation: &Invocation, step: Step) {
    with_input(turn, invocation, step, None, |input| {
        Details::Started(Started {
            called: called(invocation),
            attempt_count: invocation.nth.retries + 1,
            target_input: input,
        })
    });
}

/// How an attempt ended: well, or not, and whether another is made.
pub(super) fn attempted(turn: &mut Turn<'_>, invocation: &Invocation, failed: Option<(&Miss, bool)>) {
    let step = match failed {
        None => Step::INVOCATION_ATTEMPT_SUCCESS,
        Some((_, false)) => Step::INVOCATION_ATTEMPT_PERMANENT_FAILURE,
        Some((miss, true)) if miss.code() == Miss::THROTTLING => Step::INVOCATION_ATTEMPT_THROTTLE,
        Some((_, true)) => Step::INVOCATION_ATTEMPT_RETRYABLE_FAILURE,
    };
    let Some(log) = invocation.log.as_deref() else {
        return;
    };
    if !is_logged(turn, log, step, 0) {
        return;
    }
    let nth = invocation.nth;
    let miss = failed.map(|(miss, _)| miss);
    let details = Details::Attempted(Attempted {
        called: called(invocation),
        attempt_type: match (nth.retries, nth.throttled) {
            (0, _) => "FIRST",
            (_, true) => "THROTTLE",
            (_, false) => "RETRY",
        },
        attempt_count: nth.retries + 1,
        invocation_status: status(miss),
        target_duration_ms: nth.began.map(|began| turn.now - began),
    });
    write(
        turn,
        log,
        &about(invocation),
        (step, details),
        failure(invocation, miss),
    );
}

/// How an invocation ended, after so many attempts: well, or not, and whether the dead-letter queue got the event.
pub(super) fn ended(
    turn: &mut Turn<'_>,
    invocation: &Invocation,
    attempts: u32,
    failed: Option<(&Miss, bool)>,
) {
    let step = match failed {
        None => Step::INVOCATION_SUCCESS,
        Some((_, true)) => Step::INVOCATION_DLQ,
        Some((_, false)) => Step::INVOCATION_FAILURE,
    };
    let miss = failed.map(|(miss, _)| miss);
    let (nth, now) = (invocation.nth, turn.now);
    let (is_only, since_began) = (attempts == 1, nth.began.map(|began| now - began));
    with_input(turn, invocation, step, miss, |input| {
        Details::Ended(Ended {
            called: called(invocation),
            target_input: input,
            total_attempts: attempts,
            final_invocation_status: status(miss),
            ingestion_to_start_latency_ms: nth.began.filter(|_| is_only).map(|began| began - nth.since),
            ingestion_to_complete_latency_ms: is_only.then_some(now - nth.since),
            ingestion_to_success_latency_ms: miss.is_none().then_some(now - nth.since),
            target_duration_ms: since_began.filter(|_| attempts > 0),
        })
    });
}

/// Writes a record that has the target's input where the log has details.
fn with_input<'i>(
    turn: &mut Turn<'_>,
    invocation: &'i Invocation,
    step: Step,
    miss: Option<&'i Miss>,
    details: impl FnOnce(Option<Arc<str>>) -> Details<'i>,
) {
    let Some(log) = invocation.log.as_deref() else {
        return;
    };
    if group(log, step).is_none() {
        return;
    }
    let input = log
        .details
        .then(|| transformer::payload(turn, invocation).ok())
        .flatten();
    if is_logged(turn, log, step, input.as_ref().map_or(0, |input| input.len())) {
        let made = details(input);
        write(
            turn,
            log,
            &about(invocation),
            (step, made),
            failure(invocation, miss),
        );
    }
}

/// What a record is about: an event, at the time when the bus got it, and maybe an invocation.
struct About<'a> {
    event_id: &'a str,
    since: Millis,
    invocation: Option<&'a Invocation>,
}

fn about(invocation: &Invocation) -> About<'_> {
    About {
        event_id: &invocation.envelope.id,
        since: invocation.nth.since,
        invocation: Some(invocation),
    }
}

/// The group of a step's records.
fn group(log: &BusLog, step: Step) -> Option<&(LogLevel, RealmId, String)> {
    log.groups.iter().find(|(level, ..)| *level == step.level)
}

/// Whether a step is logged, and there is room for its record, which is taken.
fn is_logged(turn: &mut Turn<'_>, log: &BusLog, step: Step, bytes: usize) -> bool {
    group(log, step).is_some() && turn.take_log_bytes(RECORD_BYTES + bytes)
}

/// Writes a record of an event that the bus has just got.
fn write_event(turn: &mut Turn<'_>, log: &BusLog, envelope: &Envelope, step: (Step, Details<'_>)) {
    let about = About {
        event_id: &envelope.id,
        since: turn.now,
        invocation: None,
    };
    write(turn, log, &about, step, None);
}

fn write(
    turn: &mut Turn<'_>,
    log: &BusLog,
    about: &About<'_>,
    (step, details): (Step, Details<'_>),
    error: Option<Failure<'_>>,
) {
    let now = turn.now;
    let record = Record {
        resource_arn: &log.arn,
        event_bus_name: &log.bus,
        request_id: id(&[&log.arn, about.event_id], about.since),
        event_id: about.event_id,
        invocation_id: about.invocation.map(invocation_id),
        message_timestamp_ms: now,
        message_type: step.name,
        log_level: step.level,
        details,
        dropped_fields: Vec::new(),
        error,
    };
    let (Some((_, realm, name)), Some(message)) = (group(log, step), record.text()) else {
        return;
    };
    if let Some(group) = turn.world.realm(realm).log_groups.get_mut(name) {
        let bytes = event_bytes(&message) + EVENT_MEMORY;
        group.append_delivered(STREAM, now, now, message.into());
        turn.world.log_bytes_added += bytes;
    }
}

/// An id that is the same in all records of what it names, and at every replay. It takes nothing from the dice of the turn,
/// so that what is logged changes no other id.
fn id(of: &[&str], since: Millis) -> String {
    let name = [&of.join(" "), " ", &since.to_string()].concat();
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
}

fn invocation_id(invocation: &Invocation) -> String {
    let Nth { since, .. } = invocation.nth;
    let event = &invocation.envelope.id;
    id(&[&invocation.rule_arn, &invocation.target.id, event], since)
}

fn called(invocation: &Invocation) -> Called<'_> {
    Called {
        rule: &invocation.rule_arn,
        role: invocation.target.role_arn.as_deref(),
        target: &invocation.target.arn,
    }
}

/// A failure's status is the error code of its dead letter.
fn status(miss: Option<&Miss>) -> &str {
    miss.map_or("SUCCESS", Miss::code)
}

fn failure<'a>(invocation: &'a Invocation, miss: Option<&'a Miss>) -> Option<Failure<'a>> {
    let service = Arn::parse(&invocation.target.arn).map_or("", |arn| arn.service);
    miss.map(|miss| Failure {
        http_status_code: miss.status(),
        error_message: miss.message(),
        aws_service: service,
    })
}
