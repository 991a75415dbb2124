//! The kinds of targets of subscribers, and how each takes an event.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::failure::Failure;
use super::place::{To, resource};
use super::role::may;
use super::{payload, universal};
use crate::arn::{Arn, arn};
use crate::delivery::envelope::{Envelope, Parts};
use crate::delivery::queue::{enqueue, message};
use crate::jsontext::compact_object;
use crate::state::RealmId;
use crate::state::custom_bus::{ContentType, Event, NewEvent, Subscriber};
use crate::state::outbox::InvocationRecord;
use crate::state::queue::{MessageAttribute, NewMessage};
use crate::state::story::DeliveryRef;
use crate::turn::{Forward, Turn};

/// As many buses may an event pass.
const BUSES_MAX: usize = 8;

/// Delivers an event to the target of a subscriber.
pub(super) fn send(
    turn: &mut Turn<'_>,
    to: &To<'_>,
    subscriber: &Subscriber,
    event: &Event,
    in_story: &DeliveryRef,
) -> Result<(), Failure> {
    let target = Arc::clone(&subscriber.target);
    let Some(arn) = Arn::parse(&target.arn) else {
        return Err(Failure::no_resource("the target"));
    };
    let there = RealmId::new(arn.account, arn.region);
    let role = |turn: &mut Turn<'_>, action: &str| may(turn, to, subscriber, (action, &target.arn), in_story);
    if arn.service == "sqs" {
        role(turn, "sqs:SendMessage")?;
        return to_queue(turn, &there, arn.resource, subscriber, event);
    }
    if let Some(bus) = arn.event_bus() {
        role(turn, "events:PutEvents")?;
        return to_classic(turn, &there, bus, event);
    }
    if let Some(resource) = arn
        .resource
        .strip_prefix("event-busv2/")
        .filter(|_| arn.service == "events")
    {
        role(turn, action_for(event))?;
        let (name, id) = resource.split_once('/').unwrap_or((resource, ""));
        let (data, content) = payload::for_bus(turn, subscriber, event)?;
        return to_custom_bus(turn, to, (&there, name, id), event, (data, content));
    }
    if arn.resource == universal::PUT_LOG_EVENTS {
        let input = payload::parameters(turn, subscriber, event, true)?;
        return universal::put_log_events(turn, to, subscriber, input.unwrap_or_default(), in_story);
    }
    let payload = if arn.resource.starts_with("aws-sdk:") {
        let input = payload::parameters(turn, subscriber, event, true)?;
        input.unwrap_or_default().to_string().into()
    } else {
        payload::of(turn, subscriber, event)?
    };
    turn.world.outbox.record(InvocationRecord {
        at: turn.now,
        account: to.realm.account().to_owned(),
        region: to.realm.region().to_owned(),
        rule_arn: Arc::clone(&subscriber.arn),
        target,
        event_id: Arc::clone(&event.id),
        payload,
    });
    Ok(())
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

fn to_queue(
    turn: &mut Turn<'_>,
    there: &RealmId,
    name: &str,
    subscriber: &Subscriber,
    event: &Event,
) -> Result<(), Failure> {
    let payload = payload::of(turn, subscriber, event)?;
    let parameters = payload::parameters(turn, subscriber, event, false)?;
    let message = message_of(turn, payload, parameters.as_ref())?;
    let now = turn.now;
    let queue = turn.world.realm(there).queues.get_mut(name);
    let queue = queue.ok_or_else(|| Failure::no_resource(&format!("queue {name}")))?;
    if queue.is_fifo() && message.group.is_none() {
        return Err(Failure::validation(format!(
            "the FIFO queue {name} needs SqsParameters.MessageGroupId"
        )));
    }
    if queue.is_fifo() && message.deduplication.is_none() && !queue.is_on("ContentBasedDeduplication") {
        return Err(Failure::validation(format!(
            "the FIFO queue {name} needs content-based deduplication or SqsParameters.MessageDeduplicationId"
        )));
    }
    enqueue(queue, message, now).map_err(|why| Failure::new("THROTTLING", why))
}

/// The message of an event, as `SqsParameters` has it.
fn message_of(
    turn: &mut Turn<'_>,
    body: Arc<str>,
    parameters: Option<&Value>,
) -> Result<NewMessage, Failure> {
    let parameter = |name: &str| parameters.and_then(|parameters| parameters.get(name));
    let delay = literal(parameter("DelaySeconds")).map(|seconds| {
        let parsed = seconds.parse::<i64>().ok();
        let parsed = parsed.filter(|seconds| (0..=900).contains(seconds));
        parsed.ok_or_else(|| Failure::validation(format!("DelaySeconds is {seconds}; it is 0 to 900")))
    });
    Ok(NewMessage {
        attributes: attributes(parameter("MessageAttributes")),
        system_attributes: attributes(parameter("MessageSystemAttributes")),
        deduplication: literal(parameter("MessageDeduplicationId")),
        delay_seconds: delay.transpose()?,
        ..message(turn.dice.uuid(), body, literal(parameter("MessageGroupId")))
    })
}

fn attributes(given: Option<&Value>) -> BTreeMap<String, MessageAttribute> {
    let members = given.and_then(Value::as_object).into_iter().flatten();
    let attribute = |(name, value): (&String, &Value)| {
        let attribute = MessageAttribute {
            data_type: literal(value.get("DataType")).unwrap_or_else(|| "String".to_owned()),
            string_value: literal(value.get("StringValue")),
            binary_value: literal(value.get("BinaryValue")),
        };
        (name.clone(), attribute)
    };
    members.map(attribute).collect()
}

/// A parameter as text; one that came to nothing is absent.
fn literal(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
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
        id: turn.dice.uuid(),
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
