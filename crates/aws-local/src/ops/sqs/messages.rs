//! Messages into a queue.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{digest, queue};
use crate::fault::Fault;
use crate::model::parse;
use crate::ops::{Answer, Cx, Op, slim};
use crate::state::queue::{Message, MessageAttribute};

const BATCH_MAX: usize = 10;
const BATCH_BYTES_MAX: usize = 1_048_576;

pub(super) const OPS: &[Op] = &[
    Op::write("SendMessage", |cx, body| send(cx, parse(body)?)),
    Op::write("SendMessageBatch", |cx, body| send_batch(cx, parse(body)?)),
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

fn send(cx: &mut Cx<'_>, input: SendOne) -> Answer {
    let now = cx.now;
    let id = cx.dice.uuid();
    let sender = cx.caller.account.clone();
    let queue = queue(cx, &input.queue_url)?;
    let limit = usize::try_from(queue.number("MaximumMessageSize")).unwrap_or(BATCH_BYTES_MAX);
    if input.message_body.is_empty() {
        return Err(Fault::new(
            "MissingParameter",
            "The request must contain the parameter MessageBody.",
        ));
    }
    if input.message_body.len() > limit {
        let why = format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
        );
        return Err(Fault::new("InvalidParameterValue", why));
    }
    let mut deduplication = input.message_deduplication_id;
    if queue.is_fifo() {
        if input.message_group_id.is_none() {
            return Err(Fault::new(
                "MissingParameter",
                "The request must contain the parameter MessageGroupId.",
            ));
        }
        let by_content = queue
            .attributes
            .get("ContentBasedDeduplication")
            .is_some_and(|value| value == "true");
        if deduplication.is_none() && !by_content {
            let why = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly";
            return Err(Fault::new("InvalidParameterValue", why));
        }
        deduplication.get_or_insert_with(|| digest::of_body(&input.message_body));
    }
    let delay = input
        .delay_seconds
        .unwrap_or_else(|| queue.number("DelaySeconds"));
    let attributes = input.message_attributes.unwrap_or_default();
    let (body_md5, attributes_md5) = (
        digest::of_body(&input.message_body),
        digest::of_attributes(&attributes),
    );
    let message = Message {
        id,
        body: input.message_body,
        attributes,
        system_attributes: input.message_system_attributes.unwrap_or_default(),
        group: input.message_group_id,
        deduplication,
        sender,
        sent: now,
        visible_from: now + delay.clamp(0, 900) * 1000,
        receive_count: 0,
        first_received: None,
        receipt: 0,
    };
    let (number, id) = queue.send(message, now);
    let sequence = queue.is_fifo().then(|| format!("{:020}", number + 1));
    Ok(slim(json!({
        "MD5OfMessageBody": body_md5,
        "MD5OfMessageAttributes": attributes_md5,
        "MessageId": id,
        "SequenceNumber": sequence,
    })))
}

fn send_batch(cx: &mut Cx<'_>, input: SendBatch) -> Answer {
    queue(cx, &input.queue_url)?;
    let ids = batch_ids(&input.entries)?;
    let bytes = |entry: &Value| {
        entry
            .get("MessageBody")
            .and_then(Value::as_str)
            .map_or(0, str::len)
    };
    if input.entries.iter().map(bytes).sum::<usize>() > BATCH_BYTES_MAX {
        return Err(Fault::new(
            "BatchRequestTooLong",
            format!("Batch requests cannot be longer than {BATCH_BYTES_MAX} bytes."),
        ));
    }
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (id, mut entry) in ids.into_iter().zip(input.entries) {
        entry["QueueUrl"] = json!(input.queue_url);
        match parse::<SendOne>(entry)
            .map_err(Fault::from)
            .and_then(|one| send(cx, one))
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

/// The ids of a batch's entries, which must be distinct, one to ten of them.
pub(super) fn batch_ids(entries: &[Value]) -> Result<Vec<String>, Fault> {
    if entries.is_empty() {
        return Err(Fault::new(
            "EmptyBatchRequest",
            "There should be at least one entry in the request.",
        ));
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
    slim(json!({ "Successful": list(done), "Failed": list(failed) }))
}
