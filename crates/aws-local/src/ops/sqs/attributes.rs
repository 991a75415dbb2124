//! The attributes of a queue.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::validate::missing_parameter;
use super::{locate, missing, queue, queue_arn, redrive};
use crate::fault::Fault;
use crate::ops::{Answer, Call, Op, Operation, without_nulls};
use crate::policy::Policy;
use crate::state::RealmId;
use crate::state::queue::{Queue, is_fifo};

/// Attributes that are numbers, with their range.
const NUMBERS: [(&str, i64, i64); 6] = [
    ("DelaySeconds", 0, 900),
    ("MaximumMessageSize", 1_024, 1_048_576),
    ("MessageRetentionPeriod", 60, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 20),
    ("VisibilityTimeout", 0, 43_200),
    (KEY_REUSE, 60, 86_400),
];
const KEY_REUSE: &str = "KmsDataKeyReusePeriodSeconds";
const KEY_REUSE_DEFAULT: &str = "300";
/// Attributes that are stored as given.
const TEXTS: [&str; 4] = ["Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId"];
/// Attributes with a fixed set of values.
const WORDS: [(&str, [&str; 2]); 1] = [("SqsManagedSseEnabled", ["true", "false"])];
/// Attributes of FIFO queues, with their values, the default first.
pub(super) const OF_FIFO: [(&str, [&str; 2]); 4] = [
    ("FifoQueue", ["true", "false"]),
    ("ContentBasedDeduplication", ["false", "true"]),
    ("DeduplicationScope", ["queue", "messageGroup"]),
    ("FifoThroughputLimit", ["perQueue", "perMessageGroupId"]),
];
/// Read-only attributes.
const TOLD: [&str; 6] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
];

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::read("GetQueueAttributes", |call, input| get(call, &input)),
    &Op::write("SetQueueAttributes", set),
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

fn get(call: &mut Call<'_>, input: &Get) -> Answer {
    let now = call.turn.now;
    let (realm, name) = locate(call, &input.queue_url)?;
    let queue = call
        .turn
        .world
        .realm(&realm)
        .queues
        .get_mut(&name)
        .ok_or_else(missing)?;
    queue.forget_old(now);
    let mut all = counted(queue, now);
    all.insert("QueueArn".to_owned(), queue_arn(&realm, &name));
    let wanted = input.attribute_names.as_deref().unwrap_or_default();
    let known = |name: &str| name == "All" || TOLD.contains(&name) || is_settable(name);
    if let Some(odd) = wanted.iter().find(|name| !known(name)) {
        return Err(unknown(odd));
    }
    let everything = wanted.iter().any(|name| name == "All");
    all.retain(|name, _| everything || wanted.contains(name));
    let attributes = (!all.is_empty()).then_some(all);
    Ok(without_nulls(json!({ "Attributes": attributes })))
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
        (
            "SqsManagedSseEnabled".to_owned(),
            (!queue.attributes.contains_key("KmsMasterKeyId")).to_string(),
        ),
    ]);
    if queue.is_fifo() {
        all.extend(OF_FIFO.map(|(name, words)| (name.to_owned(), words[0].to_owned())));
    }
    for (name, ..) in NUMBERS.iter().filter(|(name, ..)| *name != KEY_REUSE) {
        all.insert((*name).to_owned(), queue.number(name).to_string());
    }
    all.extend(queue.attributes.clone());
    // How long a data key is reused is a setting of the key's.
    if all.contains_key("KmsMasterKeyId") {
        all.entry(KEY_REUSE.to_owned())
            .or_insert_with(|| KEY_REUSE_DEFAULT.to_owned());
    } else {
        all.remove(KEY_REUSE);
    }
    all
}

fn set(call: &mut Call<'_>, input: Set) -> Answer {
    let now = call.turn.now;
    let (realm, name) = locate(call, &input.queue_url)?;
    let has_type = queue(call, &input.queue_url)?.is_fifo();
    if input.attributes.is_empty() {
        return Err(missing_parameter("Attributes"));
    }
    if has_type
        && input
            .attributes
            .get("FifoQueue")
            .is_some_and(|value| value != "true")
    {
        let why = "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.";
        return Err(Fault::new("InvalidAttributeValue", why));
    }
    let mut given = input.attributes;
    check_attributes(call, &realm, &name, &mut given)?;
    let queue = queue(call, &input.queue_url)?;
    let encrypts = |name: &str, off: &str| {
        given
            .get(name)
            .is_some_and(|value| !value.is_empty() && value != off)
    };
    if encrypts("KmsMasterKeyId", "") && encrypts("SqsManagedSseEnabled", "false") {
        let why = "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.";
        return Err(Fault::new("InvalidAttributeName", why));
    }
    for (name, value) in given {
        if value.is_empty() {
            if name == "KmsMasterKeyId" {
                queue.attributes.remove(KEY_REUSE);
            }
            queue.attributes.remove(&name);
        } else {
            queue.attributes.insert(name, value);
        }
    }
    queue.modified = now;
    Ok(json!({}))
}

fn is_settable(name: &str) -> bool {
    TEXTS.contains(&name)
        || NUMBERS.iter().any(|(known, ..)| *known == name)
        || WORDS.iter().chain(&OF_FIFO).any(|(known, _)| *known == name)
}

/// Refuses attributes that AWS would refuse; normalises a redrive policy.
pub(super) fn check_attributes(
    call: &mut Call<'_>,
    realm: &RealmId,
    queue: &str,
    given: &mut BTreeMap<String, String>,
) -> Result<(), Fault> {
    for (name, value) in given {
        let bad = |why: &str| {
            let why = format!("Invalid value for the parameter {name}.{why}");
            Fault::new("InvalidAttributeValue", why)
        };
        let is_of_fifo = OF_FIFO.iter().any(|(known, _)| known == name);
        if !is_settable(name) || (is_of_fifo && !is_fifo(queue)) {
            return Err(unknown(name));
        }
        if let Some((_, min, max)) = NUMBERS.iter().find(|(known, ..)| known == name) {
            let ok = |number| (*min..=*max).contains(&number);
            if !value.parse::<i64>().is_ok_and(ok) {
                return Err(bad(""));
            }
        } else if let Some((_, words)) = WORDS.iter().chain(&OF_FIFO).find(|(known, _)| known == name) {
            if !words.contains(&value.as_str()) {
                return Err(bad(""));
            }
        } else if name == "Policy" && !value.is_empty() {
            Policy::parse(value).map_err(|why| bad(&format!(" {why}")))?;
        } else if name == "RedrivePolicy" && !value.is_empty() {
            *value = redrive::check(call, realm, queue, value)?;
        } else if name == "RedriveAllowPolicy" && !value.is_empty() && !call.stored {
            *value = redrive::check_allowed(value)?;
        }
    }
    Ok(())
}

fn unknown(name: &str) -> Fault {
    Fault::new("InvalidAttributeName", format!("Unknown Attribute {name}."))
}
