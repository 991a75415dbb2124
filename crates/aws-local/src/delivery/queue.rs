//! EventBridge's messages to queues, those of targets and dead-letter queues.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::state::queue::{NewMessage, Queue};

/// The sender of EventBridge's messages.
const SENDER: &str = "events.amazonaws.com";

/// Puts a message of EventBridge's into a queue, within the queue's limits.
pub(super) fn enqueue(queue: &mut Queue, message: NewMessage, now: i64) -> Result<(), String> {
    let (bytes, bytes_max) = (message.body.len(), queue.message_bytes_max());
    if bytes > bytes_max {
        let name = &queue.name;
        return Err(format!(
            "the message has {bytes} bytes and the queue {name} takes {bytes_max}"
        ));
    }
    if !queue.has_room(bytes, now) {
        return Err(format!("the queue {} is full", queue.name));
    }
    queue.enqueue(message, now);
    Ok(())
}

/// A message that EventBridge sends.
pub(super) fn message(id: Arc<str>, body: Arc<str>, group: Option<String>) -> NewMessage {
    NewMessage {
        id,
        body,
        attributes: BTreeMap::new(),
        system_attributes: BTreeMap::new(),
        group,
        deduplication: None,
        sender: SENDER.into(),
        delay_seconds: None,
    }
}
