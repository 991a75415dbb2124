//! Queues as targets: messages, and what a subscriber asks of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::failure::Failure;
use crate::delivery::queue::{enqueue, message};
use crate::state::RealmId;
use crate::state::queue::{MessageAttribute, NewMessage, Queue};
use crate::turn::Turn;

/// A queue that exists.
pub(super) fn find_queue<'t>(
    turn: &'t mut Turn<'_>,
    there: &RealmId,
    name: &str,
) -> Result<&'t mut Queue, Failure> {
    let missing = || Failure::no_resource(&format!("queue {name}"));
    // The name may come from an event: looking for it makes nothing.
    if turn.world.realm_if_any(there).is_none() {
        return Err(missing());
    }
    let queue = turn.world.realm(there).queues.get_mut(name);
    queue.ok_or_else(missing)
}

/// Puts a message of EventBridge's into a queue, with what `SqsParameters` or `SendMessage` ask for.
pub(super) fn to_queue(
    turn: &mut Turn<'_>,
    there: &RealmId,
    name: &str,
    body: Arc<str>,
    parameters: Option<&Value>,
) -> Result<(), Failure> {
    let message = message_of(turn, body, parameters)?;
    let now = turn.now;
    let queue = find_queue(turn, there, name)?;
    if queue.is_fifo() && message.group.is_none() {
        return Err(Failure::validation(format!(
            "the FIFO queue {name} needs a MessageGroupId"
        )));
    }
    if queue.is_fifo() && message.deduplication.is_none() && !queue.is_on("ContentBasedDeduplication") {
        return Err(Failure::validation(format!(
            "the FIFO queue {name} needs content-based deduplication or a MessageDeduplicationId"
        )));
    }
    enqueue(queue, message, now).map_err(Failure::throttled)
}

/// The message of an event.
fn message_of(
    turn: &mut Turn<'_>,
    body: Arc<str>,
    parameters: Option<&Value>,
) -> Result<NewMessage, Failure> {
    let parameter = |name: &str| parameters.and_then(|parameters| parameters.get(name));
    let delay = literal(parameter("DelaySeconds")).map(|seconds| {
        let parsed = seconds.parse::<i64>().ok();
        let parsed = parsed.filter(|seconds| (0..=900).contains(seconds));
        parsed.ok_or_else(|| Failure::validation(format!("DelaySeconds is {seconds}; it is 0 to 900")))
    });
    Ok(NewMessage {
        attributes: attributes(parameter("MessageAttributes")),
        system_attributes: attributes(parameter("MessageSystemAttributes")),
        deduplication: literal(parameter("MessageDeduplicationId")),
        delay_seconds: delay.transpose()?,
        ..message(turn.dice.id(), body, literal(parameter("MessageGroupId")))
    })
}

fn attributes(given: Option<&Value>) -> BTreeMap<String, MessageAttribute> {
    let members = given.and_then(Value::as_object).into_iter().flatten();
    let attribute = |(name, value): (&String, &Value)| {
        let attribute = MessageAttribute {
            data_type: literal(value.get("DataType")).unwrap_or_else(|| "String".to_owned()),
            string_value: literal(value.get("StringValue")),
            binary_value: literal(value.get("BinaryValue")),
        };
        (name.clone(), attribute)
    };
    members.map(attribute).collect()
}

/// A parameter as text; one that came to nothing is absent.
fn literal(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
