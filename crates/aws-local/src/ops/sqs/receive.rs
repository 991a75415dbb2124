//! Messages out of a queue.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::messages::{batch_answer, batch_ids, failure};
use super::{digest, locate, missing, queue};
use crate::arn::Arn;
use crate::fault::Fault;
use crate::model::parse;
use crate::ops::{Answer, Cx, Op, slim};
use crate::page;
use crate::state::RealmId;
use crate::state::queue::{Message, Queue};

const RECEIVED_MAX: usize = 10;
const VISIBILITY_SECONDS_MAX: i64 = 43_200;

pub(super) const OPS: &[Op] = &[
    Op::write("ReceiveMessage", |cx, body| receive(cx, &parse(body)?)),
    Op::write("DeleteMessage", |cx, body| delete_one(cx, &parse(body)?)),
    Op::write("DeleteMessageBatch", |cx, body| delete_batch(cx, &parse(body)?)),
    Op::write("ChangeMessageVisibility", |cx, body| change(cx, &parse(body)?)),
    Op::write("ChangeMessageVisibilityBatch", |cx, body| {
        change_batch(cx, &parse(body)?)
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
    max_number_of_messages: Option<usize>,
    visibility_timeout: Option<i64>,
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
    visibility_timeout: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch {
    queue_url: String,
    entries: Vec<Value>,
}

fn receive(cx: &mut Cx<'_>, input: &Receive) -> Answer {
    let count = input.max_number_of_messages.unwrap_or(1);
    if !(1..=RECEIVED_MAX).contains(&count) {
        let why = format!(
            "Value {count} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
        );
        return Err(Fault::new("InvalidParameterValue", why));
    }
    let (now, receipt) = (cx.now, cx.dice.roll() >> 8);
    let (realm, name) = locate(cx, &input.queue_url)?;
    let queue = cx
        .world
        .realm(&realm, now)
        .queues
        .get_mut(&name)
        .ok_or_else(missing)?;
    if !queue.has_visible(now) {
        cx.unchanged = true;
        return Ok(json!({}));
    }
    let hide = input
        .visibility_timeout
        .unwrap_or_else(|| queue.number("VisibilityTimeout"));
    let hide = hide.clamp(0, VISIBILITY_SECONDS_MAX) * 1000;
    let redrive = queue.redrive();
    let taken = queue.receive(count, hide, now, receipt);
    let (dead, alive): (Vec<_>, Vec<_>) = taken.into_iter().partition(|(_, message)| {
        redrive
            .as_ref()
            .is_some_and(|(_, most)| message.receive_count > *most)
    });
    if let Some((to, _)) = redrive {
        bury(cx, &realm, &name, &to, dead);
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

/// Moves messages that were received too often to the dead-letter queue.
fn bury(cx: &mut Cx<'_>, realm: &RealmId, from: &str, to: &str, dead: Vec<(u64, Message)>) {
    let now = cx.now;
    let Some(arn) = Arn::parse(to) else { return };
    let target = RealmId::new(arn.account, arn.region);
    for (number, message) in dead {
        let queues = &mut cx.world.realm(realm, now).queues;
        queues.get_mut(from).map(|queue| queue.messages.remove(&number));
        if let Some(queue) = cx.world.realm(&target, now).queues.get_mut(arn.resource) {
            queue.send(
                Message {
                    visible_from: now,
                    receive_count: 0,
                    ..message
                },
                now,
            );
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
        ("SenderId", message.sender.clone()),
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
    system.retain(|name, _| {
        wanted(&input.attribute_names, name) || wanted(&input.message_system_attribute_names, name)
    });
    let mut attributes = message.attributes.clone();
    attributes.retain(|name, _| wanted(&input.message_attribute_names, name));
    slim(json!({
        "MessageId": message.id,
        "ReceiptHandle": page::seal(queue, &format!("{number}/{}", message.receipt)),
        "MD5OfBody": digest::of_body(&message.body),
        "Body": message.body,
        "Attributes": (!system.is_empty()).then_some(system),
        "MD5OfMessageAttributes": digest::of_attributes(&attributes),
        "MessageAttributes": (!attributes.is_empty()).then_some(attributes),
    }))
}

fn delete_one(cx: &mut Cx<'_>, input: &Delete) -> Answer {
    let queue = queue(cx, &input.queue_url)?;
    let (number, receipt) = read_handle(queue, &input.receipt_handle)?;
    if queue
        .messages
        .get(&number)
        .is_some_and(|message| message.receipt == receipt)
    {
        queue.messages.remove(&number);
    }
    Ok(json!({}))
}

fn change(cx: &mut Cx<'_>, input: &Change) -> Answer {
    let now = cx.now;
    let queue = queue(cx, &input.queue_url)?;
    if !(0..=VISIBILITY_SECONDS_MAX).contains(&input.visibility_timeout) {
        let why = format!(
            "Value {} for parameter VisibilityTimeout is invalid.",
            input.visibility_timeout
        );
        return Err(Fault::new("InvalidParameterValue", why));
    }
    let (number, receipt) = read_handle(queue, &input.receipt_handle)?;
    let message = queue
        .messages
        .get_mut(&number)
        .filter(|m| m.receipt == receipt && m.visible_from > now);
    let message =
        message.ok_or_else(|| Fault::new("MessageNotInflight", "The specified message is not in flight."))?;
    message.visible_from = now + input.visibility_timeout * 1000;
    Ok(json!({}))
}

fn delete_batch(cx: &mut Cx<'_>, input: &Batch) -> Answer {
    each(cx, input, |cx, entry| delete_one(cx, &parse(entry)?))
}

fn change_batch(cx: &mut Cx<'_>, input: &Batch) -> Answer {
    each(cx, input, |cx, entry| change(cx, &parse(entry)?))
}

fn each(cx: &mut Cx<'_>, input: &Batch, run: fn(&mut Cx<'_>, Value) -> Answer) -> Answer {
    queue(cx, &input.queue_url)?;
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (id, entry) in batch_ids(&input.entries)?.into_iter().zip(&input.entries) {
        let mut entry = entry.clone();
        entry["QueueUrl"] = json!(input.queue_url);
        match run(cx, entry) {
            Ok(_) => done.push(json!({ "Id": id })),
            Err(fault) => failed.push(failure(&id, &fault)),
        }
    }
    Ok(batch_answer(&done, &failed))
}

fn read_handle(queue: &Queue, handle: &str) -> Result<(u64, u64), Fault> {
    let opened = page::open(&queue.name, handle).ok();
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
