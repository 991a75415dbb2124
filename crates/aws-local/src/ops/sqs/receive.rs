//! Messages out of a queue.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::messages::{batch_answer, batch_ids, failure};
use super::validate::{bad_parameter, missing_parameter};
use super::{digest, locate, missing, queue, queue_arn};
use crate::arn::Arn;
use crate::fault::Fault;
use crate::model::parse;
use crate::ops::{Answer, Call, Op, Operation, without_nulls};
use crate::page;
use crate::state::RealmId;
use crate::state::queue::{Message, Queue};

const RECEIVED_MAX: i64 = 10;
const WAIT_SECONDS_MAX: i64 = 20;
/// The system attributes that may be requested of a message.
const SYSTEM: [&str; 11] = [
    "All",
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
    "SqsManagedSseEnabled",
];
const VISIBILITY_SECONDS_MAX: i64 = 43_200;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("ReceiveMessage", |call, input| receive(call, &input)),
    &Op::write("DeleteMessage", |call, input| delete_one(call, &input)),
    &Op::write("DeleteMessageBatch", |call, input| delete_batch(call, &input)),
    &Op::write("ChangeMessageVisibility", |call, input| change(call, &input)),
    &Op::write("ChangeMessageVisibilityBatch", |call, input| {
        change_batch(call, &input)
    }),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Receive {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete {
    queue_url: String,
    receipt_handle: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    queue_url: String,
    receipt_handle: String,
    visibility_timeout: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch {
    queue_url: String,
    entries: Vec<Value>,
}

fn receive(call: &mut Call<'_>, input: &Receive) -> Answer {
    check_receive(input)?;
    let count = input
        .max_number_of_messages
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or(1);
    let (now, receipt) = (call.turn.now, call.turn.dice.roll() >> 8);
    let (realm, name) = locate(call, &input.queue_url)?;
    let queue = call
        .turn
        .world
        .realm(&realm)
        .queues
        .get(&name)
        .ok_or_else(missing)?;
    let redrive = queue.redrive();
    // Where the dead-letter queue does not exist any more, spent messages stay, and are not received again.
    let receives_max = match &redrive {
        Some((to, most)) if !is_there(call, to) => Some(*most),
        _ => None,
    };
    let queue = call
        .turn
        .world
        .realm(&realm)
        .queues
        .get_mut(&name)
        .ok_or_else(missing)?;
    if !queue.has_visible(now, receives_max) {
        call.unchanged = true;
        return Ok(json!({}));
    }
    let hide = input
        .visibility_timeout
        .unwrap_or_else(|| queue.number("VisibilityTimeout"));
    let hide = hide * 1000;
    let taken = queue.receive(count, hide, now, receipt, receives_max);
    let (dead, alive): (Vec<_>, Vec<_>) = taken.into_iter().partition(|(_, message)| {
        redrive
            .as_ref()
            .is_some_and(|(_, most)| message.receive_count > *most)
    });
    if let Some((to, _)) = redrive {
        move_to_dead_letter_queue(call, &realm, &name, &to, dead);
    }
    let rows: Vec<Value> = alive
        .iter()
        .map(|(number, message)| view(&name, *number, message, input))
        .collect();
    Ok(if rows.is_empty() {
        json!({})
    } else {
        json!({ "Messages": rows })
    })
}

fn check_receive(input: &Receive) -> Result<(), Fault> {
    for (name, given, min, max) in [
        (
            "MaxNumberOfMessages",
            input.max_number_of_messages,
            1,
            RECEIVED_MAX,
        ),
        ("WaitTimeSeconds", input.wait_time_seconds, 0, WAIT_SECONDS_MAX),
        (
            "VisibilityTimeout",
            input.visibility_timeout,
            0,
            VISIBILITY_SECONDS_MAX,
        ),
    ] {
        if let Some(value) = given.filter(|value| !(min..=max).contains(value)) {
            let reason = format!("Must be between {min} and {max}, if provided.");
            return Err(bad_parameter(value, name, &reason));
        }
    }
    let mut names = input
        .attribute_names
        .iter()
        .chain(&input.message_system_attribute_names);
    if let Some(odd) = names.find(|name| !SYSTEM.contains(&name.as_str())) {
        return Err(Fault::new(
            "InvalidAttributeName",
            format!("Unknown Attribute {odd}."),
        ));
    }
    Ok(())
}

fn is_there(call: &mut Call<'_>, queue_arn: &str) -> bool {
    Arn::parse(queue_arn).is_some_and(|arn| {
        let realm = call.turn.world.realm(&RealmId::new(arn.account, arn.region));
        realm.queues.contains_key(arn.resource)
    })
}

/// Moves messages that were received too often to the dead-letter queue.
fn move_to_dead_letter_queue(
    call: &mut Call<'_>,
    realm: &RealmId,
    from: &str,
    to: &str,
    dead: Vec<(u64, Arc<Message>)>,
) {
    let now = call.turn.now;
    let Some(arn) = Arn::parse(to) else { return };
    let target = RealmId::new(arn.account, arn.region);
    for (number, message) in dead {
        let queues = &mut call.turn.world.realm(realm).queues;
        queues.get_mut(from).map(|queue| queue.messages.remove(number));
        if let Some(queue) = call.turn.world.realm(&target).queues.get_mut(arn.resource) {
            queue.enqueue_dead_letter(Arc::unwrap_or_clone(message), queue_arn(realm, from), now);
        }
    }
}

fn view(queue: &str, number: u64, message: &Message, input: &Receive) -> Value {
    let wanted = |names: &[String], name: &str| {
        names.iter().any(|n| {
            n == "All" || n == ".*" || n == name || n.strip_suffix(".*").is_some_and(|p| name.starts_with(p))
        })
    };
    let mut system = BTreeMap::from([
        ("SenderId", message.sender.to_string()),
        ("SentTimestamp", message.sent.to_string()),
        ("ApproximateReceiveCount", message.receive_count.to_string()),
        (
            "ApproximateFirstReceiveTimestamp",
            message.first_received.unwrap_or_default().to_string(),
        ),
    ]);
    if let Some(group) = &message.group {
        system.insert("MessageGroupId", group.clone());
    }
    if let Some(id) = &message.deduplication {
        system.insert("MessageDeduplicationId", id.clone());
        system.insert("SequenceNumber", format!("{:020}", number + 1));
    }
    if let Some(trace) = message
        .system_attributes
        .get("AWSTraceHeader")
        .and_then(|a| a.string_value.clone())
    {
        system.insert("AWSTraceHeader", trace);
    }
    if let Some(source) = &message.dead_letter_source {
        system.insert("DeadLetterQueueSourceArn", source.clone());
    }
    system.retain(|name, _| {
        wanted(&input.attribute_names, name) || wanted(&input.message_system_attribute_names, name)
    });
    let mut attributes = message.attributes.clone();
    attributes.retain(|name, _| wanted(&input.message_attribute_names, name));
    without_nulls(json!({
        "MessageId": message.id,
        "ReceiptHandle": page::encode_token(queue, &format!("{number}/{}", message.receipt)),
        "MD5OfBody": digest::of_body(&message.body),
        "Body": message.body,
        "Attributes": (!system.is_empty()).then_some(system),
        "MD5OfMessageAttributes": digest::of_attributes(&attributes),
        "MessageAttributes": (!attributes.is_empty()).then_some(attributes),
    }))
}

/// Any receipt of a message is valid, but a FIFO queue accepts only the latest, and only while it hides the message.
fn delete_one(call: &mut Call<'_>, input: &Delete) -> Answer {
    let now = call.turn.now;
    let queue = queue(call, &input.queue_url)?;
    let (number, receipt) = read_handle(queue, &input.receipt_handle)?;
    if let Some(message) = queue.messages.get(&number).filter(|_| queue.is_fifo())
        && (message.receipt != receipt || message.visible_from <= now)
    {
        let reason = "The receipt handle has expired.";
        return Err(bad_parameter(&input.receipt_handle, "ReceiptHandle", reason));
    }
    queue.messages.remove(number);
    Ok(json!({}))
}

fn change(call: &mut Call<'_>, input: &Change) -> Answer {
    let now = call.turn.now;
    let queue = queue(call, &input.queue_url)?;
    let seconds = input
        .visibility_timeout
        .ok_or_else(|| missing_parameter("VisibilityTimeout"))?;
    if !(0..=VISIBILITY_SECONDS_MAX).contains(&seconds) {
        let reason = format!("VisibilityTimeout must be between 0 and {VISIBILITY_SECONDS_MAX}.");
        return Err(bad_parameter(seconds, "VisibilityTimeout", &reason));
    }
    let (number, receipt) = read_handle(queue, &input.receipt_handle)?;
    let is_fifo = queue.is_fifo();
    let message = queue
        .messages
        .get_mut(number)
        .filter(|m| !is_fifo || (m.receipt == receipt && m.visible_from > now));
    let gone = || {
        let reason = "Message does not exist or is not available for visibility timeout change.";
        bad_parameter(&input.receipt_handle, "ReceiptHandle", reason)
    };
    message.ok_or_else(gone)?.visible_from = now + seconds * 1000;
    Ok(json!({}))
}

fn delete_batch(call: &mut Call<'_>, input: &Batch) -> Answer {
    let kind = "DeleteMessageBatchRequestEntry";
    each(call, kind, input, |call, entry| delete_one(call, &parse(entry)?))
}

fn change_batch(call: &mut Call<'_>, input: &Batch) -> Answer {
    let kind = "ChangeMessageVisibilityBatchRequestEntry";
    each(call, kind, input, |call, entry| change(call, &parse(entry)?))
}

fn each(call: &mut Call<'_>, kind: &str, input: &Batch, run: fn(&mut Call<'_>, Value) -> Answer) -> Answer {
    queue(call, &input.queue_url)?;
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (id, entry) in batch_ids(kind, &input.entries)?.into_iter().zip(&input.entries) {
        let mut entry = entry.clone();
        entry["QueueUrl"] = json!(input.queue_url);
        match run(call, entry) {
            Ok(_) => done.push(json!({ "Id": id })),
            Err(fault) => failed.push(failure(&id, &fault)),
        }
    }
    Ok(batch_answer(&done, &failed))
}

fn read_handle(queue: &Queue, handle: &str) -> Result<(u64, u64), Fault> {
    let opened = page::decode_token(&queue.name, handle).ok();
    let numbers = opened.as_deref().and_then(|text| {
        let (number, receipt) = text.split_once('/')?;
        Some((number.parse().ok()?, receipt.parse().ok()?))
    });
    numbers.ok_or_else(|| {
        Fault::new(
            "ReceiptHandleIsInvalid",
            format!("The input receipt handle \"{handle}\" is not a valid receipt handle."),
        )
    })
}
