//! Messages into a queue.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{digest, queue, validate};
use crate::fault::Fault;
use crate::model::parse;
use crate::ops::{Answer, Call, Op, Operation, without_nulls};
use crate::state::queue::{BYTES_MAX, MessageAttribute, NewMessage};

const BATCH_MAX: usize = 10;
const BATCH_BYTES_MAX: usize = 1_048_576;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("SendMessage", send),
    &Op::write("SendMessageBatch", send_batch),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendOne {
    queue_url: String,
    message_body: String,
    delay_seconds: Option<i64>,
    message_attributes: Option<BTreeMap<String, MessageAttribute>>,
    message_system_attributes: Option<BTreeMap<String, MessageAttribute>>,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendBatch {
    queue_url: String,
    entries: Vec<Value>,
}

fn send(call: &mut Call<'_>, input: SendOne) -> Answer {
    let (now, stored) = (call.turn.now, call.stored);
    let id = call.turn.dice.id();
    let sender = call.caller.account.clone();
    let queue = queue(call, &input.queue_url)?;
    let attributes = input.message_attributes.unwrap_or_default();
    validate::body(&input.message_body)?;
    let limit = queue.message_bytes_max();
    if validate::size(&input.message_body, &attributes) > limit {
        return Err(validate::bad_value(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
        )));
    }
    if !stored && !queue.has_room(validate::size(&input.message_body, &attributes), now) {
        return Err(full(&queue.name));
    }
    validate::attributes(&attributes)?;
    validate::delay(queue, input.delay_seconds)?;
    if queue.is_fifo() && input.message_group_id.is_none() {
        return Err(validate::missing_parameter("MessageGroupId"));
    }
    let deduplication = input.message_deduplication_id;
    validate::ids(queue, input.message_group_id.as_deref(), deduplication.as_deref())?;
    let system_attributes = input.message_system_attributes.unwrap_or_default();
    let (body_md5, attributes_md5, system_md5) = (
        digest::of_body(&input.message_body),
        digest::of_attributes(&attributes),
        digest::of_attributes(&system_attributes),
    );
    let message = NewMessage {
        id,
        body: input.message_body.into(),
        attributes,
        system_attributes,
        group: input.message_group_id,
        deduplication,
        sender: sender.into(),
        delay_seconds: input.delay_seconds,
    };
    let (number, id) = queue.enqueue(message, now);
    let sequence = queue.is_fifo().then(|| format!("{:020}", number + 1));
    Ok(without_nulls(json!({
        "MD5OfMessageBody": body_md5,
        "MD5OfMessageAttributes": attributes_md5,
        "MD5OfMessageSystemAttributes": system_md5,
        "MessageId": id,
        "SequenceNumber": sequence,
    })))
}

/// AWS has no limit on what a queue holds, and this is its error for a sender who is to slow down.
fn full(queue: &str) -> Fault {
    let mib = BYTES_MAX / 1024 / 1024;
    let why = format!(
        "The queue {queue} holds {mib} MiB of messages, the most that it takes here: receive and delete some, or purge it."
    );
    Fault::new("RequestThrottled", why)
}

fn send_batch(call: &mut Call<'_>, input: SendBatch) -> Answer {
    let ids = batch_ids("SendMessageBatchRequestEntry", &input.entries)?;
    let queue = queue(call, &input.queue_url)?;
    check_batch_size(&input.entries)?;
    if queue.is_fifo() {
        for entry in &input.entries {
            let id = |name: &str| entry.get(name).and_then(Value::as_str);
            if id("MessageGroupId").is_none() {
                let why = "The request must contain the parameter MessageGroupId.";
                return Err(validate::bad_value(why));
            }
            validate::ids(queue, id("MessageGroupId"), id("MessageDeduplicationId"))?;
        }
    }
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (id, mut entry) in ids.into_iter().zip(input.entries) {
        entry["QueueUrl"] = json!(input.queue_url);
        match parse::<SendOne>(entry)
            .map_err(Fault::from)
            .and_then(|one| send(call, one))
        {
            Ok(mut row) => {
                row["Id"] = json!(id);
                done.push(row);
            }
            Err(fault) => failed.push(failure(&id, &fault)),
        }
    }
    Ok(batch_answer(&done, &failed))
}

fn check_batch_size(entries: &[Value]) -> Result<(), Fault> {
    let size = |entry: &Value| {
        let body = entry
            .get("MessageBody")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let attributes = entry
            .get("MessageAttributes")
            .and_then(|given| parse(given.clone()).ok())
            .unwrap_or_default();
        validate::size(body, &attributes)
    };
    let bytes = entries.iter().map(size).sum::<usize>();
    if bytes > BATCH_BYTES_MAX {
        return Err(Fault::new(
            "BatchRequestTooLong",
            format!(
                "Batch requests cannot be longer than {BATCH_BYTES_MAX} bytes. You have sent {bytes} bytes."
            ),
        ));
    }
    Ok(())
}

/// The ids of a batch's entries, which must be distinct, one to ten of them.
pub(super) fn batch_ids(kind: &str, entries: &[Value]) -> Result<Vec<String>, Fault> {
    if entries.is_empty() {
        let why = format!("There should be at least one {kind} in the request.");
        return Err(Fault::new("EmptyBatchRequest", why));
    }
    if entries.len() > BATCH_MAX {
        let why = format!(
            "Maximum number of entries per request are {BATCH_MAX}. You have sent {}.",
            entries.len()
        );
        return Err(Fault::new("TooManyEntriesInBatchRequest", why));
    }
    let id = |entry: &Value| {
        entry
            .get("Id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let ids: Vec<String> = entries.iter().map(id).collect();
    let ok = |id: &String| {
        (1..=80).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if !ids.iter().all(ok) {
        let why = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.";
        return Err(Fault::new("InvalidBatchEntryId", why));
    }
    for (at, id) in ids.iter().enumerate() {
        if ids[..at].contains(id) {
            return Err(Fault::new(
                "BatchEntryIdsNotDistinct",
                format!("Id {id} repeated."),
            ));
        }
    }
    Ok(ids)
}

/// A failed entry of a batch.
pub(super) fn failure(id: &str, fault: &Fault) -> Value {
    json!({ "Id": id, "SenderFault": fault.status < 500, "Code": fault.code, "Message": fault.message })
}

/// A batch's answer: a list is left out when it is empty.
pub(super) fn batch_answer(done: &[Value], failed: &[Value]) -> Value {
    let list = |rows: &[Value]| (!rows.is_empty()).then(|| json!(rows));
    without_nulls(json!({ "Successful": list(done), "Failed": list(failed) }))
}
