//! The kinds of targets of subscribers, and how each takes an event.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::attempt::Attempt;
use super::failure::Failure;
use super::messages::{find_queue, to_queue};
use super::place::To;
use super::trial::Outcome;
use super::{http, universal};
use crate::arn::{Arn, arn};
use crate::delivery::envelope::{Envelope, Parts};
use crate::delivery::recipe::Payload;
use crate::jsontext::compact_object;
use crate::state::RealmId;
use crate::state::custom_bus::{ContentType, Event, NewEvent, Ordering, Subscriber, resource};
use crate::state::outbox::InvocationRecord;
use crate::turn::{Forward, Turn};

/// As many buses may an event pass.
const BUSES_MAX: usize = 8;

/// How the resource of a universal target begins; its service and action follow.
const UNIVERSAL: &str = "aws-sdk:";

/// How far an attempt got.
pub(super) enum Sent {
    /// What became of each event; none failed with the whole call.
    Each(Vec<Outcome>),
    /// It waits for the end of a call.
    Later(u64),
}

/// Whether the parameters of a target are those of a call for a whole batch: `$events` is an array in their expressions.
pub(super) fn is_whole(target: &str) -> bool {
    Arn::parse(target)
        .is_some_and(|arn| matches!(arn.service, "lambda" | "states") || arn.resource.starts_with(UNIVERSAL))
}

/// Delivers the events of a batch to the target of their subscriber. A failure is that of the whole call.
pub(super) fn send(
    turn: &mut Turn<'_>,
    attempt: &Attempt<'_>,
    payloads: &[Payload],
    whole: Option<Value>,
) -> Result<Sent, Failure> {
    let target = Arc::clone(&attempt.subscriber.target);
    let Some(arn) = Arn::parse(&target.arn) else {
        return Err(Failure::no_resource("the target"));
    };
    let there = RealmId::new(arn.account, arn.region);
    if arn.service == "sqs" {
        attempt.may(turn, "sqs:SendMessage", &target.arn)?;
        find_queue(turn, &there, arn.resource)?;
        let put = |turn: &mut Turn<'_>, _: &Event, payload: &Payload| {
            let (body, parameters) = (Arc::clone(&payload.text), payload.parameters.as_ref());
            to_queue(turn, &there, arn.resource, body, parameters)
        };
        return Ok(each(turn, attempt, payloads, put));
    }
    if let Some(bus) = arn.event_bus() {
        attempt.may(turn, "events:PutEvents", &target.arn)?;
        let put = |turn: &mut Turn<'_>, event: &Event, _: &Payload| to_classic(turn, &there, bus, event);
        return Ok(each(turn, attempt, payloads, put));
    }
    if let Some(resource) = arn
        .resource
        .strip_prefix("event-busv2/")
        .filter(|_| arn.service == "events")
    {
        let (name, id) = resource.split_once('/').unwrap_or((resource, ""));
        let put = |turn: &mut Turn<'_>, event: &Event, payload: &Payload| {
            attempt.may(turn, action_for(event), &target.arn)?;
            let data = for_bus(attempt.subscriber, event, payload);
            to_custom_bus(turn, attempt.to, (&there, name, id), event, data)
        };
        return Ok(each(turn, attempt, payloads, put));
    }
    let body: Arc<str> = if let Some(api) = arn.resource.strip_prefix(UNIVERSAL) {
        let input = whole.unwrap_or_default();
        let body = input.to_string().into();
        if universal::call(turn, attempt, api, input)? {
            return Ok(all_delivered(payloads));
        }
        body
    } else {
        body(turn, attempt, &arn, payloads)
    };
    if arn.service == "sns" {
        attempt.may(turn, "sns:Publish", &target.arn)?;
    }
    if http::is_over(turn, &arn, &target.arn) {
        return http::call(turn, attempt, &arn, body, payloads).map(Sent::Later);
    }
    // A URL that the operator gave for a topic stands in its place.
    if arn.service == "sns" {
        universal::find_topic(turn, &there, arn.resource)?;
    }
    keep(turn, attempt, body);
    Ok(all_delivered(payloads))
}

fn all_delivered(payloads: &[Payload]) -> Sent {
    Sent::Each(vec![Outcome::Delivered; payloads.len()])
}

/// Sends each event by itself. First in, first out: what is behind one that failed, of its group, is not sent.
fn each(
    turn: &mut Turn<'_>,
    attempt: &Attempt<'_>,
    payloads: &[Payload],
    mut send: impl FnMut(&mut Turn<'_>, &Event, &Payload) -> Result<(), Failure>,
) -> Sent {
    let is_fifo = attempt.subscriber.ordering == Ordering::Fifo;
    let mut failed = BTreeSet::new();
    let items = attempt.trial.items.iter().zip(payloads);
    let outcomes = items.map(|(item, payload)| {
        if failed.contains(&item.queued.group) {
            return Outcome::Held;
        }
        // An attempt has its events.
        let Some(event) = &item.event else {
            return Outcome::Held;
        };
        match send(turn, event, payload) {
            Ok(()) => Outcome::Delivered,
            Err(failure) => {
                if is_fifo {
                    failed.insert(&item.queued.group);
                }
                Outcome::Failed(failure)
            }
        }
    });
    Sent::Each(outcomes.collect())
}

/// What one call carries: a JSON array, or the one event of a batch that never has more.
fn body(turn: &Turn<'_>, attempt: &Attempt<'_>, arn: &Arn<'_>, payloads: &[Payload]) -> Arc<str> {
    let of_lambda = arn.service == "lambda" && !turn.world.assumptions.lambda_batch_of_one_is_object;
    let is_array = of_lambda || attempt.subscriber.batching().is_array;
    match payloads {
        [one] if !is_array => Arc::clone(&one.text),
        all => {
            let all: Vec<Arc<str>> = all.iter().map(Payload::json).collect();
            ["[", &all.join(","), "]"].concat().into()
        }
    }
}

/// Keeps what a target that is not emulated would receive.
fn keep(turn: &mut Turn<'_>, attempt: &Attempt<'_>, payload: Arc<str>) {
    let Some(first) = attempt.trial.items.first() else {
        return;
    };
    turn.world.outbox.record(InvocationRecord {
        at: turn.now,
        account: attempt.to.realm.account().to_owned(),
        region: attempt.to.realm.region().to_owned(),
        rule_arn: Arc::clone(&attempt.subscriber.arn),
        target: Arc::clone(&attempt.subscriber.target),
        event_id: Arc::clone(&first.queued.id),
        payload,
    });
}

/// What the role has to allow on a custom event bus: `PutEvents` for the events of a partner, and `PutRawEvents` for others
/// ("Events that arrive without a publish call" in AWS's guide).
fn action_for(event: &Event) -> &'static str {
    let is_partners = |arn: &Arc<str>| arn.contains(":event-bus/aws.partner/");
    if event.passed.first().is_some_and(is_partners) {
        "events:PutEvents"
    } else {
        "events:PutRawEvents"
    }
}

/// As PutEvents of the envelope that the data is.
fn to_classic(turn: &mut Turn<'_>, there: &RealmId, bus: &str, event: &Event) -> Result<(), Failure> {
    let target = arn(
        "events",
        there.region(),
        there.account(),
        &["event-bus/", bus].concat(),
    );
    if event.passed.iter().any(|passed| **passed == *target) {
        // Dropped in silence, as with AWS: it came from there.
        return Ok(());
    }
    if !turn.world.realm(there).buses.contains_key(bus) {
        return Err(Failure::no_resource(&format!("event bus {bus}")));
    }
    let fields: Value = serde_json::from_str(&event.json()).unwrap_or_default();
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let (Some(source), Some(detail_type), Some(detail)) =
        (text("source"), text("detail-type"), fields.get("detail"))
    else {
        return Err(Failure::validation(
            "the data has no source, detail-type and detail for PutEvents",
        ));
    };
    let detail = detail.to_string();
    let detail =
        compact_object(&detail).ok_or_else(|| Failure::validation("the data's detail is no object"))?;
    let resources = fields
        .get("resources")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let resources: Vec<String> = resources
        .filter_map(|arn| arn.as_str().map(str::to_owned))
        .collect();
    let envelope = Envelope::new(Parts {
        id: turn.dice.id(),
        detail_type,
        source,
        account: there.account(),
        time: text("time")
            .and_then(|time| crate::clock::read_time(&time.into()))
            .unwrap_or(turn.now),
        region: there.region(),
        resources: &resources,
        detail: &detail,
    });
    turn.forwards.push_back(Forward::Classic {
        to: there.clone(),
        bus: bus.to_owned(),
        id: envelope.id,
        time: envelope.time,
        text: envelope.text,
    });
    Ok(())
}

/// What another custom event bus gets: the data as it is, or what a transformer makes of it, as JSON.
fn for_bus(subscriber: &Subscriber, event: &Event, payload: &Payload) -> (Arc<str>, ContentType) {
    let kind = subscriber
        .transformer
        .as_ref()
        .and_then(|transformer| transformer.get("Type"));
    if kind.is_none_or(|kind| kind == "RAW") {
        return (Arc::clone(&event.data), event.content);
    }
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&payload.text).is_ok();
    let data = if is_json {
        Arc::clone(&payload.text)
    } else {
        Value::from(&*payload.text).to_string().into()
    };
    (data, ContentType::Json)
}

/// A new event with the same content.
fn to_custom_bus(
    turn: &mut Turn<'_>,
    to: &To<'_>,
    (there, name, id): (&RealmId, &str, &str),
    event: &Event,
    (data, content): (Arc<str>, ContentType),
) -> Result<(), Failure> {
    let target = arn("events", there.region(), there.account(), &resource(name, id));
    let own = to.bus_arn(turn);
    if event.passed.len() >= BUSES_MAX || event.passed.iter().any(|passed| **passed == *target) {
        return Err(Failure::new(
            "LOOP_DETECTED",
            format!("the event came from {target} already"),
        ));
    }
    let is_there = turn
        .world
        .realm(there)
        .custom_buses
        .buses
        .get(name)
        .is_some_and(|bus| bus.id == id);
    if !is_there {
        return Err(Failure::no_resource(&target));
    }
    let is_raw = data == event.data;
    let mut passed = event.passed.clone();
    passed.push(own.into());
    let new = NewEvent {
        story: Some(Arc::clone(&event.story)),
        data,
        content,
        group: None,
        deduplication: None,
        source: event.source.clone().filter(|_| is_raw),
        detail_type: event.detail_type.clone().filter(|_| is_raw),
        metadata: BTreeMap::new(),
        passed,
    };
    turn.forwards.push_back(Forward::Custom {
        to: there.clone(),
        bus: name.to_owned(),
        event: new,
    });
    Ok(())
}
