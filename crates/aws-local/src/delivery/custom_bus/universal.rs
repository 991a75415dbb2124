//! Universal targets: calls with the rendered input, made by the subscriber's role.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::attempt::Attempt;
use super::failure::Failure;
use super::messages::to_queue;
use crate::arn::{Arn, arn};
use crate::clock::Millis;
use crate::state::RealmId;
use crate::state::log_group::{EVENT_MEMORY, FUTURE_MAX, PAST_MAX, event_bytes};
use crate::turn::Turn;

/// Makes a call; false where the local AWS does not have it.
pub(super) fn call(
    turn: &mut Turn<'_>,
    attempt: &Attempt<'_>,
    api: &str,
    input: Value,
) -> Result<bool, Failure> {
    match api {
        "cloudwatchlogs:putLogEvents" => put_log_events(turn, attempt, input)?,
        "sqs:sendMessage" => send_message(turn, attempt, &input)?,
        "sns:publish" => {
            publish(turn, attempt, &input)?;
            // A topic has no subscriptions: what it gets is kept.
            return Ok(false);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// A member of an input that has to be there, as text.
fn text<'i>(input: &'i Value, api: &str, name: &str) -> Result<&'i str, Failure> {
    let found = input.get(name).and_then(Value::as_str);
    found.ok_or_else(|| Failure::validation(format!("the input is none of {api}: {name} is missing")))
}

/// Sends a message to the queue of a URL.
fn send_message(turn: &mut Turn<'_>, attempt: &Attempt<'_>, input: &Value) -> Result<(), Failure> {
    let url = text(input, "SendMessage", "QueueUrl")?;
    let body: Arc<str> = text(input, "SendMessage", "MessageBody")?.into();
    let mut parts = url.rsplit('/');
    let (Some(name), Some(account)) = (parts.next(), parts.next()) else {
        return Err(Failure::validation("QueueUrl is not the URL of a queue"));
    };
    let there = RealmId::new(account, attempt.to.realm.region());
    let queue = arn("sqs", there.region(), there.account(), name);
    attempt.may(turn, "sqs:SendMessage", &queue)?;
    to_queue(turn, &there, name, body, Some(input))
}

/// What is to be true for a message to be published.
fn publish(turn: &mut Turn<'_>, attempt: &Attempt<'_>, input: &Value) -> Result<(), Failure> {
    let topic = text(input, "Publish", "TopicArn")?;
    text(input, "Publish", "Message")?;
    attempt.may(turn, "sns:Publish", topic)?;
    let found = Arn::parse(topic).filter(|arn| arn.service == "sns");
    let found = found.ok_or_else(|| Failure::no_resource(&format!("topic {topic}")))?;
    find_topic(turn, &RealmId::new(found.account, found.region), found.resource)
}

/// Whether a topic exists.
pub(super) fn find_topic(turn: &mut Turn<'_>, there: &RealmId, name: &str) -> Result<(), Failure> {
    let realm = turn.world.realm_if_any(there);
    let exists = realm.is_some_and(|realm| realm.topics.contains_key(name));
    exists
        .then_some(())
        .ok_or_else(|| Failure::no_resource(&format!("topic {name}")))
}

/// The input, whose members a universal target writes with a capital.
#[derive(Deserialize)]
struct Input {
    #[serde(rename = "LogGroupName")]
    group: String,
    #[serde(rename = "LogStreamName")]
    stream: String,
    #[serde(rename = "LogEvents")]
    events: Vec<LogEvent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LogEvent {
    timestamp: Millis,
    message: String,
}

/// Puts log events into a group and stream that exist.
fn put_log_events(turn: &mut Turn<'_>, attempt: &Attempt<'_>, input: Value) -> Result<(), Failure> {
    let input = Input::deserialize(input)
        .map_err(|error| Failure::validation(format!("the input is none of PutLogEvents: {error}")))?;
    let (realm, now) = (attempt.to.realm, turn.now);
    let (group, stream) = (input.group, input.stream);
    let resource = ["log-group:", &group, ":log-stream:", &stream].concat();
    let resource = arn("logs", realm.region(), realm.account(), &resource);
    attempt.may(turn, "logs:PutLogEvents", &resource)?;
    let groups = &mut turn.world.realm(realm).log_groups;
    let there = groups
        .get_mut(&group)
        .ok_or_else(|| Failure::no_resource(&format!("log group {group}")))?;
    if !there.streams.contains_key(stream.as_str()) {
        return Err(Failure::no_resource(&format!(
            "log stream {stream} of log group {group}"
        )));
    }
    let (mut bytes, kept) = (0, there.kept_from(now).max(now - PAST_MAX)..=now + FUTURE_MAX);
    for event in input.events {
        // As the service does: what is too old or too new is rejected, and the call succeeds.
        if kept.contains(&event.timestamp) {
            bytes += event_bytes(&event.message) + EVENT_MEMORY;
            there.add(&stream, event.timestamp, now, event.message.into());
        }
    }
    turn.world.log_bytes_added += bytes;
    Ok(())
}
