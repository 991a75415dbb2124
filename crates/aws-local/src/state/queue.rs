//! Queues and their messages.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Tags;
use super::queue_messages::Messages;
use crate::clock::Millis;

/// How long a FIFO queue remembers deduplication ids.
const DEDUPLICATION: Millis = 5 * 60 * 1000;
/// What `MessageRetentionPeriod` is by default, in seconds.
const RETENTION_SECONDS: i64 = 345_600;
const VISIBILITY_SECONDS: i64 = 30;
/// The most bytes of messages in one queue.
pub(crate) const BYTES_MAX: usize = 128 * 1024 * 1024;
/// What `MaximumMessageSize` is by default.
const MESSAGE_BYTES_MAX: u32 = 1_048_576;

/// A queue.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Queue {
    pub(crate) name: String,
    pub(crate) created: Millis,
    pub(crate) modified: Millis,
    /// Those that were set; the defaults are not kept.
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) tags: Tags,
    /// In the order of sending.
    pub(crate) messages: Messages,
    /// When it was last purged.
    #[serde(default)]
    pub(crate) purged: Option<Millis>,
    seen: BTreeMap<String, SeenMessage>,
    next: u64,
    /// How many messages found it full, since the start.
    #[serde(skip)]
    pub(crate) refused: u64,
}

/// A message in a queue.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) id: Arc<str>,
    pub(crate) body: Arc<str>,
    pub(crate) attributes: BTreeMap<String, MessageAttribute>,
    pub(crate) system_attributes: BTreeMap<String, MessageAttribute>,
    pub(crate) group: Option<String>,
    pub(crate) deduplication: Option<String>,
    pub(crate) sender: Cow<'static, str>,
    pub(crate) sent: Millis,
    pub(crate) visible_from: Millis,
    pub(crate) receive_count: u32,
    pub(crate) first_received: Option<Millis>,
    /// The latest receipt.
    pub(crate) receipt: u64,
    /// The queue it was moved from, having been received there too often.
    #[serde(default)]
    pub(crate) dead_letter_source: Option<String>,
}

/// A message to be put into a queue.
#[derive(Debug)]
pub(crate) struct NewMessage {
    pub(crate) id: Arc<str>,
    pub(crate) body: Arc<str>,
    pub(crate) attributes: BTreeMap<String, MessageAttribute>,
    pub(crate) system_attributes: BTreeMap<String, MessageAttribute>,
    pub(crate) group: Option<String>,
    /// A FIFO queue uses the digest of the body where there is none.
    pub(crate) deduplication: Option<String>,
    pub(crate) sender: Cow<'static, str>,
    /// The queue's own delay applies where there is none, and always in a FIFO queue.
    pub(crate) delay_seconds: Option<i64>,
}

/// An attribute that the sender put on a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MessageAttribute {
    pub(crate) data_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) string_value: Option<String>,
    /// Base64, as on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) binary_value: Option<String>,
}

impl Message {
    /// Whether it was received as often as it may be.
    fn is_spent(&self, receives_max: Option<u32>) -> bool {
        receives_max.is_some_and(|most| self.receive_count >= most)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct SeenMessage {
    at: Millis,
    number: u64,
    id: Arc<str>,
}

impl MessageAttribute {
    pub(crate) fn text(value: impl Into<String>) -> Self {
        Self {
            data_type: "String".to_owned(),
            string_value: Some(value.into()),
            binary_value: None,
        }
    }

    pub(crate) fn number(value: u32) -> Self {
        Self {
            data_type: "Number".to_owned(),
            string_value: Some(value.to_string()),
            binary_value: None,
        }
    }
}

/// Whether a queue of this name is first in, first out.
pub(crate) fn is_fifo(name: &str) -> bool {
    name.strip_suffix(".fifo").is_some()
}

/// The deduplication id of a message in a queue with content-based deduplication.
fn content_digest(body: &str) -> String {
    Sha256::digest(body.as_bytes())
        .iter()
        .fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

impl Queue {
    pub(crate) fn new(name: &str, attributes: BTreeMap<String, String>, tags: Tags, now: Millis) -> Self {
        Self {
            name: name.to_owned(),
            created: now,
            modified: now,
            attributes,
            tags,
            ..Self::default()
        }
    }

    pub(crate) fn is_fifo(&self) -> bool {
        is_fifo(&self.name)
    }

    /// The most bytes that a message may have.
    pub(crate) fn message_bytes_max(&self) -> usize {
        usize::try_from(self.number("MaximumMessageSize")).unwrap_or(usize::MAX)
    }

    /// Whether a boolean attribute is true.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.attributes.get(name).is_some_and(|value| value == "true")
    }

    pub(crate) fn policy(&self) -> Option<&str> {
        self.attributes
            .get("Policy")
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }

    /// A numeric attribute, or its default.
    pub(crate) fn number(&self, name: &str) -> i64 {
        let default = match name {
            "VisibilityTimeout" => VISIBILITY_SECONDS,
            "MessageRetentionPeriod" => RETENTION_SECONDS,
            "MaximumMessageSize" => MESSAGE_BYTES_MAX.into(),
            _ => 0,
        };
        self.attributes
            .get(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    }

    /// Whether there is room for a message of this size. Messages that are over their time have gone by then. One for which
    /// there is none is counted.
    pub(crate) fn has_room(&mut self, bytes: usize, now: Millis) -> bool {
        let fits = |queue: &Self| queue.messages.bytes() + bytes <= BYTES_MAX;
        if !fits(self) {
            self.forget_old(now);
        }
        let has_room = fits(self);
        self.refused += u64::from(!has_room);
        has_room
    }

    /// Puts a message into the queue; gives its number and id. For a duplicate, a FIFO queue gives those of the first.
    pub(crate) fn enqueue(&mut self, new: NewMessage, now: Millis) -> (u64, Arc<str>) {
        let fifo = self.is_fifo();
        let digest = || fifo.then(|| content_digest(&new.body));
        let deduplication = new.deduplication.or_else(digest);
        let delay = new.delay_seconds.filter(|_| !fifo);
        let delay = delay.unwrap_or_else(|| self.number("DelaySeconds"));
        let message = Message {
            id: new.id,
            body: new.body,
            attributes: new.attributes,
            system_attributes: new.system_attributes,
            group: new.group,
            deduplication,
            sender: new.sender,
            sent: now,
            visible_from: now + delay * 1000,
            receive_count: 0,
            first_received: None,
            receipt: 0,
            dead_letter_source: None,
        };
        self.insert(message, now)
    }

    /// Puts a message into this dead-letter queue that was received from `source` too often.
    pub(crate) fn enqueue_dead_letter(&mut self, message: Message, source: String, now: Millis) {
        let message = Message {
            visible_from: now,
            dead_letter_source: Some(source),
            ..message
        };
        self.insert(message, now);
    }

    fn insert(&mut self, message: Message, now: Millis) -> (u64, Arc<str>) {
        self.seen.retain(|_, seen| seen.at + DEDUPLICATION > now);
        if let Some(key) = self.repeat_key(&message) {
            if let Some(seen) = self.seen.get(&key) {
                return (seen.number, Arc::clone(&seen.id));
            }
            self.seen.insert(
                key,
                SeenMessage {
                    at: now,
                    number: self.next,
                    id: Arc::clone(&message.id),
                },
            );
        }
        let (number, id) = (self.next, Arc::clone(&message.id));
        self.messages.insert(number, message);
        self.next += 1;
        (number, id)
    }

    /// The key that a duplicate shares with the first message. A message moved here from another queue has none.
    fn repeat_key(&self, message: &Message) -> Option<String> {
        let id = message
            .deduplication
            .as_ref()
            .filter(|_| self.is_fifo() && message.dead_letter_source.is_none())?;
        let by_group = self
            .attributes
            .get("DeduplicationScope")
            .is_some_and(|scope| scope == "messageGroup");
        let group = message.group.as_deref().filter(|_| by_group).unwrap_or_default();
        Some(format!("{group}/{id}"))
    }

    /// Gives up to `count` messages and hides them for a while; none that was received `receives_max` times.
    pub(crate) fn receive(
        &mut self,
        count: usize,
        hide: Millis,
        now: Millis,
        receipt: u64,
        receives_max: Option<u32>,
    ) -> Vec<(u64, Arc<Message>)> {
        self.forget_old(now);
        let fifo = self.is_fifo();
        let mut blocked = BTreeSet::new();
        let mut taken = Vec::new();
        for (number, message) in self.messages.iter_mut() {
            if taken.len() >= count {
                break;
            }
            if message.visible_from > now || message.is_spent(receives_max) {
                if fifo {
                    blocked.insert(message.group.clone());
                }
                continue;
            }
            if fifo && blocked.contains(&message.group) {
                continue;
            }
            let received = Arc::make_mut(message);
            received.visible_from = now + hide;
            received.receive_count += 1;
            received.first_received.get_or_insert(now);
            received.receipt = receipt.wrapping_add(*number);
            taken.push((*number, Arc::clone(message)));
        }
        taken
    }

    /// Whether [`Self::receive`] would find or change anything.
    pub(crate) fn has_visible(&self, now: Millis, receives_max: Option<u32>) -> bool {
        let mut messages = self.messages.values();
        messages.any(|message| message.visible_from <= now && !message.is_spent(receives_max))
    }

    pub(crate) fn forget_old(&mut self, now: Millis) {
        let oldest = now - self.number("MessageRetentionPeriod") * 1000;
        self.messages.retain(|message| message.sent > oldest);
    }

    /// The dead-letter queue and how many receives it takes to get there.
    pub(crate) fn redrive(&self) -> Option<(String, u32)> {
        let policy: Value = serde_json::from_str(self.attributes.get("RedrivePolicy")?).ok()?;
        let count = policy.get("maxReceiveCount")?;
        let count = count.as_u64().or_else(|| count.as_str()?.parse().ok())?;
        Some((
            policy.get("deadLetterTargetArn")?.as_str()?.to_owned(),
            u32::try_from(count).ok()?,
        ))
    }
}
