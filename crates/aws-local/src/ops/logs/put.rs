//! PutLogEvents.

use serde::Deserialize;
use serde_json::json;

use super::group;
use crate::clock::{DAY, Millis};
use crate::fault::Fault;
use crate::ops::{Answer, Call, Op, Operation, without_nulls};
use crate::state::log_group::{EVENT_MEMORY, FUTURE_MAX, PAST_MAX, event_bytes};

const BATCH_BYTES_MAX: u64 = 1_048_576;
const EVENT_BYTES_MAX: usize = 1_048_576;

pub(super) const OPS: &[&dyn Operation] = &[&Op::write("PutLogEvents", put)];

#[derive(Deserialize)]
struct Put {
    #[serde(rename = "logGroupName")]
    group: String,
    #[serde(rename = "logStreamName")]
    stream: String,
    #[serde(rename = "logEvents")]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    timestamp: Millis,
    message: String,
}

fn put(call: &mut Call<'_>, input: Put) -> Answer {
    let now = call.turn.now;
    let group = group(call, &input.group)?;
    if !group.streams.contains_key(input.stream.as_str()) {
        return Err(Fault::not_found("The specified log stream does not exist."));
    }
    let kept_from = group.kept_from(now);
    let is_old = |event: &Event| event.timestamp < now - PAST_MAX;
    let is_expired = |event: &Event| event.timestamp < kept_from;
    let is_new = |event: &Event| event.timestamp > now + FUTURE_MAX;
    check(&input.events)?;
    let old = input.events.iter().rposition(is_old).map(|at| at + 1);
    let expired = input.events.iter().rposition(is_expired).map(|at| at + 1);
    let new = input.events.iter().position(is_new);
    let good: Vec<Event> = input
        .events
        .into_iter()
        .filter(|e| !is_old(e) && !is_expired(e) && !is_new(e))
        .collect();
    if let (Some(first), Some(last)) = (good.first(), good.last())
        && last.timestamp - first.timestamp > DAY
    {
        return Err(Fault::parameter(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ));
    }
    let bytes: u64 = good
        .iter()
        .map(|event| event_bytes(&event.message) + EVENT_MEMORY)
        .sum();
    for event in good {
        group.add(&input.stream, event.timestamp, now, event.message.into());
    }
    let rejected = without_nulls(json!({
        "tooNewLogEventStartIndex": new,
        "tooOldLogEventEndIndex": old,
        "expiredLogEventEndIndex": expired,
    }));
    let rejected = rejected
        .as_object()
        .is_some_and(|members| !members.is_empty())
        .then_some(rejected);
    let token = format!("{:056}", group.events().len() + 1);
    call.turn.world.log_bytes_added += bytes;
    Ok(without_nulls(
        json!({ "nextSequenceToken": token, "rejectedLogEventsInfo": rejected }),
    ))
}

fn check(events: &[Event]) -> Result<(), Fault> {
    if events
        .iter()
        .map(|event| event_bytes(&event.message))
        .sum::<u64>()
        > BATCH_BYTES_MAX
    {
        return Err(Fault::parameter(format!(
            "Upload too large: {BATCH_BYTES_MAX} bytes are allowed in one batch."
        )));
    }
    if events.iter().any(|event| event.message.len() > EVENT_BYTES_MAX) {
        return Err(Fault::parameter(format!(
            "Log event too large: {EVENT_BYTES_MAX} bytes are allowed."
        )));
    }
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(Fault::parameter(
            "Log events in a single PutLogEvents request must be in chronological order.",
        ));
    }
    Ok(())
}
