//! The universal target `aws-sdk:cloudwatchlogs:putLogEvents`: the call with the rendered input, made by the subscriber's role.

use serde::Deserialize;
use serde_json::Value;

use super::attempt::Attempt;
use super::failure::Failure;
use crate::arn::arn;
use crate::clock::Millis;
use crate::state::log_group::{EVENT_MEMORY, FUTURE_MAX, PAST_MAX, event_bytes};
use crate::turn::Turn;

/// The resource of its ARN.
pub(super) const PUT_LOG_EVENTS: &str = "aws-sdk:cloudwatchlogs:putLogEvents";

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
pub(super) fn put_log_events(
    turn: &mut Turn<'_>,
    attempt: &Attempt<'_>,
    input: Value,
) -> Result<(), Failure> {
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
