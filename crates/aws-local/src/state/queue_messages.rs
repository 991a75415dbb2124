//! The messages of a queue, and how many bytes they have together.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::queue::{Message, MessageAttribute};

/// By number, in the order of sending. What changes them keeps the sum. A copy, for a snapshot, shares them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "BTreeMap<u64, Arc<Message>>")]
pub(crate) struct Messages {
    by_number: BTreeMap<u64, Arc<Message>>,
    bytes: usize,
}

impl Messages {
    /// Their bytes: bodies and attributes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn insert(&mut self, number: u64, message: Message) {
        self.bytes += bytes(&message);
        if let Some(replaced) = self.by_number.insert(number, Arc::new(message)) {
            self.bytes -= bytes(&replaced);
        }
    }

    pub(crate) fn remove(&mut self, number: u64) -> Option<Arc<Message>> {
        let removed = self.by_number.remove(&number)?;
        self.bytes -= bytes(&removed);
        Some(removed)
    }

    pub(crate) fn retain(&mut self, keeps: impl Fn(&Message) -> bool) {
        let kept = &mut self.bytes;
        self.by_number.retain(|_, message| {
            let stays = keeps(message);
            if !stays {
                *kept -= bytes(message);
            }
            stays
        });
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Bodies and attributes stay as they are.
    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut Message> {
        self.by_number.get_mut(&number).map(Arc::make_mut)
    }

    /// Bodies and attributes stay as they are.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&u64, &mut Arc<Message>)> {
        self.by_number.iter_mut()
    }
}

impl Deref for Messages {
    type Target = BTreeMap<u64, Arc<Message>>;

    fn deref(&self) -> &Self::Target {
        &self.by_number
    }
}

impl From<BTreeMap<u64, Arc<Message>>> for Messages {
    fn from(by_number: BTreeMap<u64, Arc<Message>>) -> Self {
        let bytes = by_number.values().map(|message| bytes(message)).sum();
        Self { by_number, bytes }
    }
}

impl Serialize for Messages {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.by_number.serialize(to)
    }
}

fn bytes(message: &Message) -> usize {
    let attributes = message.attributes.iter().chain(&message.system_attributes);
    message.body.len()
        + attributes
            .map(|(name, attribute)| name.len() + of_attribute(attribute))
            .sum::<usize>()
}

fn of_attribute(attribute: &MessageAttribute) -> usize {
    let value = attribute
        .string_value
        .as_ref()
        .or(attribute.binary_value.as_ref());
    attribute.data_type.len() + value.map_or(0, String::len)
}

#[cfg(test)]
mod tests {
    use super::super::queue::{BYTES_MAX, NewMessage, Queue};
    use super::*;

    fn send(queue: &mut Queue, body: &str, now: i64) -> u64 {
        let attributes = BTreeMap::from([("a".to_owned(), MessageAttribute::text("b"))]);
        let message = NewMessage {
            id: "m".into(),
            body: body.into(),
            attributes,
            system_attributes: BTreeMap::new(),
            group: None,
            deduplication: None,
            sender: "s".into(),
            delay_seconds: None,
        };
        queue.enqueue(message, now).0
    }

    #[test]
    fn the_sum_is_that_of_the_messages() {
        let mut queue = Queue::new("q", BTreeMap::new(), BTreeMap::new(), 0);
        let of = |queue: &Queue| {
            queue
                .messages
                .values()
                .map(|message| bytes(message))
                .sum::<usize>()
        };
        let first = send(&mut queue, "12345", 0);
        send(&mut queue, "1", 1_000);
        send(&mut queue, "123", 2_000_000_000);
        assert_eq!(queue.messages.bytes(), 9 + 3 * "aStringb".len());
        queue.messages.remove(first);
        assert_eq!(queue.messages.bytes(), of(&queue));
        queue.forget_old(1_000_000_000);
        assert_eq!((queue.messages.len(), queue.messages.bytes()), (1, of(&queue)));
        let stored = serde_json::to_string(&queue).unwrap();
        let read: Queue = serde_json::from_str(&stored).unwrap();
        assert_eq!(read.messages.bytes(), queue.messages.bytes());
        queue.messages.clear();
        assert_eq!(queue.messages.bytes(), 0);
    }

    /// What is over its time makes room.
    #[test]
    fn a_full_queue_takes_no_more() {
        let mut queue = Queue::new("q", BTreeMap::new(), BTreeMap::new(), 0);
        send(&mut queue, &"x".repeat(1_000), 0);
        let left = BYTES_MAX - queue.messages.bytes();
        assert!(queue.has_room(left, 1) && !queue.has_room(left + 1, 1));
        assert!(queue.has_room(left + 1, 1_000_000_000));
        assert!(queue.messages.is_empty());
        assert_eq!(queue.refused, 1);
    }
}
