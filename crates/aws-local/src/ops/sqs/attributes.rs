//! What a queue is set to.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::{locate, missing, queue, queue_arn};
use crate::fault::Fault;
use crate::model::parse;
use crate::ops::{Answer, Cx, Op, slim};
use crate::policy::Policy;
use crate::state::Tags;
use crate::state::queue::Queue;

/// Attributes that are numbers, with their range.
const NUMBERS: [(&str, i64, i64); 6] = [
    ("DelaySeconds", 0, 900),
    ("MaximumMessageSize", 1_024, 1_048_576),
    ("MessageRetentionPeriod", 60, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 20),
    ("VisibilityTimeout", 0, 43_200),
    ("KmsDataKeyReusePeriodSeconds", 60, 86_400),
];
/// Attributes that are kept as they are given.
const TEXTS: [&str; 9] = [
    "Policy",
    "RedrivePolicy",
    "RedriveAllowPolicy",
    "KmsMasterKeyId",
    "SqsManagedSseEnabled",
    "FifoQueue",
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoThroughputLimit",
];

pub(super) const OPS: &[Op] = &[
    Op::read("GetQueueAttributes", |cx, body| get(cx, &parse(body)?)),
    Op::write("SetQueueAttributes", |cx, body| set(cx, parse(body)?)),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Get {
    queue_url: String,
    attribute_names: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Set {
    queue_url: String,
    attributes: BTreeMap<String, String>,
}

fn get(cx: &mut Cx<'_>, input: &Get) -> Answer {
    let now = cx.now;
    let (realm, name) = locate(cx, &input.queue_url)?;
    let queue = cx
        .world
        .realm(&realm, now)
        .queues
        .get_mut(&name)
        .ok_or_else(missing)?;
    queue.forget_old(now);
    let mut all = counted(queue, now);
    all.insert("QueueArn".to_owned(), queue_arn(&realm, &name));
    let wanted = input.attribute_names.as_deref().unwrap_or_default();
    let known = |name: &String| {
        name == "All"
            || all.contains_key(name)
            || TEXTS.contains(&name.as_str())
            || NUMBERS.iter().any(|(n, ..)| n == name)
    };
    if let Some(odd) = wanted.iter().find(|name| !known(name)) {
        return Err(unknown(odd));
    }
    let everything = wanted.iter().any(|name| name == "All");
    all.retain(|name, _| everything || wanted.contains(name));
    let attributes = (!all.is_empty()).then_some(all);
    Ok(slim(json!({ "Attributes": attributes })))
}

fn counted(queue: &Queue, now: i64) -> BTreeMap<String, String> {
    let hidden = queue
        .messages
        .values()
        .filter(|m| m.visible_from > now && m.receive_count > 0)
        .count();
    let delayed = queue
        .messages
        .values()
        .filter(|m| m.visible_from > now && m.receive_count == 0)
        .count();
    let mut all = BTreeMap::from([
        (
            "ApproximateNumberOfMessages".to_owned(),
            (queue.messages.len() - hidden - delayed).to_string(),
        ),
        (
            "ApproximateNumberOfMessagesNotVisible".to_owned(),
            hidden.to_string(),
        ),
        (
            "ApproximateNumberOfMessagesDelayed".to_owned(),
            delayed.to_string(),
        ),
        ("CreatedTimestamp".to_owned(), (queue.created / 1000).to_string()),
        (
            "LastModifiedTimestamp".to_owned(),
            (queue.modified / 1000).to_string(),
        ),
        ("SqsManagedSseEnabled".to_owned(), "true".to_owned()),
    ]);
    for (name, ..) in NUMBERS
        .iter()
        .filter(|(name, ..)| *name != "KmsDataKeyReusePeriodSeconds")
    {
        all.insert((*name).to_owned(), queue.number(name).to_string());
    }
    all.extend(queue.attributes.clone());
    all
}

fn set(cx: &mut Cx<'_>, input: Set) -> Answer {
    let now = cx.now;
    let queue = queue(cx, &input.queue_url)?;
    check_attributes(&input.attributes)?;
    if input.attributes.contains_key("FifoQueue") {
        return Err(Fault::new(
            "InvalidAttributeName",
            "You can specify the FifoQueue attribute only during queue creation.",
        ));
    }
    for (name, value) in input.attributes {
        if value.is_empty() {
            queue.attributes.remove(&name);
        } else {
            queue.attributes.insert(name, value);
        }
    }
    queue.modified = now;
    Ok(json!({}))
}

/// Refuses attributes that AWS would refuse.
pub(super) fn check_attributes(given: &BTreeMap<String, String>) -> Result<(), Fault> {
    for (name, value) in given {
        let bad = || {
            Fault::new(
                "InvalidAttributeValue",
                format!("Invalid value for the parameter {name}."),
            )
        };
        if let Some((_, min, max)) = NUMBERS.iter().find(|(known, ..)| known == name) {
            if !value
                .parse::<i64>()
                .is_ok_and(|number| (*min..=*max).contains(&number))
            {
                return Err(bad());
            }
        } else if !TEXTS.contains(&name.as_str()) {
            return Err(unknown(name));
        } else if name == "Policy" && !value.is_empty() {
            Policy::parse(value).map_err(|why| {
                Fault::new(
                    "InvalidAttributeValue",
                    format!("Invalid value for the parameter Policy. {why}"),
                )
            })?;
        } else if name == "RedrivePolicy" && !value.is_empty() {
            let queue = Queue::new("", given.clone(), Tags::new(), 0);
            queue.redrive().ok_or_else(bad)?;
        }
    }
    Ok(())
}

fn unknown(name: &str) -> Fault {
    Fault::new("InvalidAttributeName", format!("Unknown Attribute {name}."))
}
