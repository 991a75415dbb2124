//! The attributes of a topic: what may be set, and what is shown.
//!
//! Names and defaults are those of AWS's reference (`SetTopicAttributes`, `GetTopicAttributes`); the messages are
//! recorded (see `topics.rs`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{invalid, locate, missing, topic, topic_arn};
use crate::ops::{Answer, Call, Op, Operation};
use crate::policy::Policy;
use crate::state::RealmId;
use crate::state::topic::Topic;

const DISPLAY_NAME_CHARS_MAX: usize = 100;
/// Retries of a delivery to an HTTP endpoint.
const RETRIES_MAX: u64 = 100;
/// The smallest and the largest `MaximumMessageSize`, in bytes.
const MESSAGE_BYTES: (u32, u32) = (1_024, 1_048_576);

/// Attributes that are stored as given.
const TEXTS: [&str; 5] = [
    "ArchivePolicy",
    "DeliveryPolicy",
    "DisplayName",
    "KmsMasterKeyId",
    "Policy",
];
/// Attributes with a fixed set of values.
const WORDS: [(&str, [&str; 2]); 4] = [
    ("ContentBasedDeduplication", ["true", "false"]),
    ("FifoThroughputScope", ["Topic", "MessageGroup"]),
    ("SignatureVersion", ["1", "2"]),
    ("TracingConfig", ["PassThrough", "Active"]),
];
/// Attributes of FIFO topics.
const OF_FIFO: [&str; 3] = [
    "ArchivePolicy",
    "ContentBasedDeduplication",
    "FifoThroughputScope",
];
/// The kinds of endpoints whose deliveries may be logged, each with these settings.
const ENDPOINTS: [&str; 5] = ["Application", "Firehose", "HTTP", "Lambda", "SQS"];
const LOGGING: [&str; 3] = [
    "FailureFeedbackRoleArn",
    "SuccessFeedbackRoleArn",
    "SuccessFeedbackSampleRate",
];
/// The actions that a topic's policy may name; a `*` is none of them.
const ACTIONS: [&str; 9] = [
    "SNS:GetTopicAttributes",
    "SNS:SetTopicAttributes",
    "SNS:AddPermission",
    "SNS:RemovePermission",
    "SNS:DeleteTopic",
    "SNS:Subscribe",
    "SNS:ListSubscriptionsByTopic",
    "SNS:Publish",
    "SNS:Receive",
];

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::read("GetTopicAttributes", |call, input| get(call, &input)),
    &Op::write("SetTopicAttributes", set),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Get {
    topic_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Set {
    topic_arn: String,
    attribute_name: String,
    #[serde(default)]
    attribute_value: String,
}

fn get(call: &mut Call<'_>, input: &Get) -> Answer {
    let (realm, name) = locate(call, "GetTopicAttributes", &input.topic_arn)?;
    let topics = &call.turn.world.realm(&realm).topics;
    let attributes = shown(topics.get(&name).ok_or_else(missing)?, &realm, &name);
    let entry = |(name, value): (&String, &String)| json!({ "key": name, "value": value });
    let entries: Vec<Value> = attributes.iter().map(entry).collect();
    Ok(json!({ "Attributes": { "entry": entries } }))
}

/// An empty value takes an attribute back to its default.
fn set(call: &mut Call<'_>, input: Set) -> Answer {
    let topic = topic(call, "SetTopicAttributes", &input.topic_arn)?;
    let (name, value) = (input.attribute_name, input.attribute_value);
    if name == "FifoTopic" || !is_known(&name) {
        return Err(invalid("AttributeName"));
    }
    let given = BTreeMap::from([(name, value)]);
    check(&given, topic.is_fifo()).map_err(invalid)?;
    for (name, value) in given {
        if value.is_empty() {
            topic.attributes.remove(&name);
        } else {
            topic.attributes.insert(name, value);
        }
    }
    Ok(json!({}))
}

/// What GetTopicAttributes shows of a topic.
pub(super) fn shown(topic: &Topic, realm: &RealmId, name: &str) -> BTreeMap<String, String> {
    let arn = topic_arn(realm, name);
    let mut all = BTreeMap::from([("DisplayName".to_owned(), String::new())]);
    if topic.is_fifo() {
        all.insert("ContentBasedDeduplication".to_owned(), "false".to_owned());
    }
    all.insert("Policy".to_owned(), first_policy(&arn, realm.account()));
    all.extend(topic.attributes.clone());
    // FIFO is said of the topics that are.
    if !topic.is_fifo() {
        all.remove("FifoTopic");
    }
    let delivery = effective_delivery(topic.attributes.get("DeliveryPolicy").map(String::as_str));
    for (name, value) in [
        ("EffectiveDeliveryPolicy", delivery.as_str()),
        ("Owner", realm.account()),
        ("SubscriptionsConfirmed", "0"),
        ("SubscriptionsDeleted", "0"),
        ("SubscriptionsPending", "0"),
        ("TopicArn", arn.as_str()),
    ] {
        all.insert(name.to_owned(), value.to_owned());
    }
    all
}

/// The policy of a topic that none was set for.
fn first_policy(arn: &str, owner: &str) -> String {
    let statement = json!({
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": { "AWS": "*" },
        "Action": ACTIONS[..8],
        "Resource": arn,
        "Condition": { "StringEquals": { "AWS:SourceOwner": owner } },
    });
    json!({ "Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement] }).to_string()
}

/// AWS's default, with what the topic's own policy says otherwise.
fn effective_delivery(own: Option<&str>) -> String {
    let mut policy = json!({ "http": {
        "defaultHealthyRetryPolicy": {
            "minDelayTarget": 20, "maxDelayTarget": 20, "numRetries": 3, "numMaxDelayRetries": 0,
            "numNoDelayRetries": 0, "numMinDelayRetries": 0, "backoffFunction": "linear",
        },
        "disableSubscriptionOverrides": false,
        "defaultRequestPolicy": { "headerContentType": "text/plain; charset=UTF-8" },
    } });
    let own: Map<String, Value> = own
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let http = own.get("http").and_then(Value::as_object);
    for (name, value) in http.into_iter().flatten() {
        match (&mut policy["http"][name], value) {
            (Value::Object(there), Value::Object(given)) => there.extend(given.clone()),
            (there, value) => *there = value.clone(),
        }
    }
    policy.to_string()
}

fn is_known(name: &str) -> bool {
    let is_logging = || {
        let rest = ENDPOINTS.iter().find_map(|endpoint| name.strip_prefix(endpoint));
        rest.is_some_and(|rest| LOGGING.contains(&rest))
    };
    matches!(name, "FifoTopic" | "MaximumMessageSize")
        || TEXTS.contains(&name)
        || WORDS.iter().any(|(known, _)| *known == name)
        || is_logging()
}

/// What AWS refuses of attributes; an empty value stands for the default.
pub(super) fn check(given: &BTreeMap<String, String>, is_fifo: bool) -> Result<(), String> {
    for (name, value) in given {
        if !is_known(name) {
            return Err(format!("Unknown attribute {name}"));
        }
        if OF_FIFO.contains(&name.as_str()) && !is_fifo {
            return Err(of_fifo_only(name));
        }
        match name.as_str() {
            "Policy" => check_policy(value)?,
            "DeliveryPolicy" => check_delivery(value)?,
            _ if value.is_empty() => {}
            _ => check_value(name, value)?,
        }
    }
    Ok(())
}

fn of_fifo_only(name: &str) -> String {
    if name == "ContentBasedDeduplication" {
        return "Content-based deduplication can only be set for FIFO topics".to_owned();
    }
    format!("{name}: can only be set for FIFO topics")
}

fn check_value(name: &str, value: &str) -> Result<(), String> {
    if let Some((_, words)) = WORDS.iter().find(|(known, _)| *known == name) {
        let ok = words.contains(&value);
        return ok
            .then_some(())
            .ok_or_else(|| format!("{name}: Invalid value [{value}]. Must be one of {words:?}."));
    }
    let in_range = |(min, max): (u32, u32)| value.parse().is_ok_and(|number| (min..=max).contains(&number));
    if name.ends_with("SampleRate") && !in_range((0, 100)) {
        return Err(format!(
            "{name}: {value} value provided is not an integer between 0-100"
        ));
    }
    if name == "MaximumMessageSize" && !in_range(MESSAGE_BYTES) {
        let (min, max) = MESSAGE_BYTES;
        return Err(format!("{name}: Value must be between {min} and {max}"));
    }
    if name == "FifoTopic" && !matches!(value, "true" | "false") {
        return Err(format!("{name}: Must be \"true\" or \"false\""));
    }
    if name == "DisplayName" && value.chars().count() > DISPLAY_NAME_CHARS_MAX {
        return Err(format!(
            "{name}: Must have at most {DISPLAY_NAME_CHARS_MAX} characters"
        ));
    }
    Ok(())
}

/// A policy may name the actions of a topic alone, and no `*`.
fn check_policy(text: &str) -> Result<(), String> {
    let policy = Policy::parse(text).map_err(|why| format!("Policy Error: {why}"))?;
    let is_action = |given: &str| ACTIONS.iter().any(|known| known.eq_ignore_ascii_case(given));
    let ok = policy.actions().all(is_action);
    ok.then_some(())
        .ok_or_else(|| "Policy statement action out of service scope!".to_owned())
}

fn check_delivery(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    let policy: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| "DeliveryPolicy: failed to parse JSON.".to_owned())?;
    let retries = policy
        .get("http")
        .map(|http| &http["defaultHealthyRetryPolicy"]["numRetries"]);
    match retries.and_then(Value::as_u64) {
        Some(retries) if retries > RETRIES_MAX => Err(format!(
            "DeliveryPolicy: http.defaultHealthyRetryPolicy.numRetries must be less than or equal to {RETRIES_MAX}"
        )),
        _ => Ok(()),
    }
}
