//! The events that a custom event bus keeps, in the order of their sequence numbers.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::clock::{Millis, rfc3339_millis};

/// A bus keeps at most this many events here, and this many bytes of them; the oldest are dropped first.
const EVENTS_MAX: usize = 1_000_000;
const BYTES_MAX: usize = 256 * 1024 * 1024;
/// What an event takes besides its texts, estimated.
const EVENT_BYTES: usize = 256;
/// How many events are dropped at a time.
const DROPPED_MAX: usize = 1_000;
/// How long a deduplication id counts ("Ordering and deduplication" in AWS's guide).
const DEDUPLICATION: Millis = 300_000;
/// As many deduplication ids are remembered.
const SEEN_MAX: usize = 100_000;
/// The first sequence number is one step above it.
const SEQUENCE_START: u64 = 10_000_000_000_000_000_000;
const SEQUENCE_STEP: u64 = 1_000;

/// The log of a bus.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Log {
    events: VecDeque<Arc<Event>>,
    /// How many events came so far: the number of the latest.
    pub(crate) count: u64,
    /// What was deduplicated by, under publisher, group and id.
    seen: BTreeMap<String, Seen>,
    /// The same, oldest first.
    seen_order: VecDeque<String>,
    /// How many events were dropped because of the bounds here, before their time.
    #[serde(default)]
    pub(crate) dropped: u64,
    #[serde(skip)]
    bytes: usize,
}

/// A published event that another one with its deduplication id stands for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Seen {
    at: Millis,
    pub(crate) id: Arc<str>,
    pub(crate) number: u64,
}

/// What `ContentType` says of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ContentType {
    /// Of PutEvents and event sources: the data is an envelope.
    #[serde(rename = "application/eventbridge+json")]
    EventBridge,
    #[serde(rename = "application/json")]
    Json,
    /// The data is base64 here.
    #[serde(rename = "application/octet-stream")]
    Bytes,
}

impl ContentType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::EventBridge => "application/eventbridge+json",
            Self::Json => "application/json",
            Self::Bytes => "application/octet-stream",
        }
    }
}

/// An event that a bus keeps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) number: u64,
    pub(crate) at: Millis,
    pub(crate) id: Arc<str>,
    /// The id under which its story is told: that of the event which came to the first bus.
    pub(crate) story: Arc<str>,
    pub(crate) data: Arc<str>,
    pub(crate) content: ContentType,
    pub(crate) group: Arc<str>,
    pub(crate) deduplication: Option<String>,
    pub(crate) source: Option<Arc<str>>,
    pub(crate) detail_type: Option<Arc<str>>,
    /// The publisher's own pairs.
    pub(crate) metadata: BTreeMap<String, String>,
    /// The ARNs of the buses that it has passed before, custom ones and others.
    #[serde(default)]
    pub(crate) passed: Vec<Arc<str>>,
}

/// An event that is published on a custom event bus.
pub(crate) struct NewEvent {
    /// The id under which its story is told already.
    pub(crate) story: Option<Arc<str>>,
    pub(crate) data: Arc<str>,
    pub(crate) content: ContentType,
    pub(crate) group: Option<String>,
    pub(crate) deduplication: Option<String>,
    pub(crate) source: Option<Arc<str>>,
    pub(crate) detail_type: Option<Arc<str>>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// The ARNs of the buses that it has passed.
    pub(crate) passed: Vec<Arc<str>>,
}

impl Event {
    pub(crate) fn sequence(&self) -> String {
        sequence(self.number)
    }

    /// What the bus adds, all of it text.
    pub(crate) fn system_metadata(&self, replayed: bool) -> Value {
        let mut members = Map::new();
        let mut set = |name: &str, value: String| members.insert(name.to_owned(), Value::String(value));
        set("aws:EventId", self.id.to_string());
        set("aws:IngestionTime", rfc3339_millis(self.at));
        set("aws:SequenceNumber", self.sequence());
        set(
            "aws:DeliveryType",
            if replayed { "REPLAY" } else { "LIVE" }.to_owned(),
        );
        set("EventGroupId", self.group.to_string());
        set("ContentType", self.content.as_str().to_owned());
        for (name, value) in [
            ("aws:Source", self.source.as_deref()),
            ("aws:DetailType", self.detail_type.as_deref()),
            ("DeduplicationId", self.deduplication.as_deref()),
        ] {
            if let Some(value) = value {
                set(name, value.to_owned());
            }
        }
        Value::Object(members)
    }

    /// The data as JSON text: bytes that are none are a text in base64.
    pub(crate) fn json(&self) -> Arc<str> {
        match self.content {
            ContentType::Bytes => Value::from(&*self.data).to_string().into(),
            ContentType::EventBridge | ContentType::Json => Arc::clone(&self.data),
        }
    }

    fn bytes(&self) -> usize {
        let own = self.metadata.iter().map(|(key, value)| key.len() + value.len());
        EVENT_BYTES + self.data.len() + own.sum::<usize>()
    }
}

/// Neither a publisher nor a length has a blank in it.
fn seen_key(publisher: &str, group: &str, id: &str) -> String {
    format!("{publisher} {} {group} {id}", group.len())
}

/// Twenty digits, a thousand more for each event.
pub(crate) fn sequence(number: u64) -> String {
    let number = SEQUENCE_START.saturating_add(number.saturating_mul(SEQUENCE_STEP));
    format!("{number:020}")
}

impl Log {
    /// Appends an event under the next number.
    pub(crate) fn append(&mut self, mut event: Event) -> Arc<Event> {
        self.count += 1;
        event.number = self.count;
        self.bytes += event.bytes();
        let event = Arc::new(event);
        self.events.push_back(Arc::clone(&event));
        while self.events.len() > EVENTS_MAX || (self.bytes > BYTES_MAX && self.events.len() > 1) {
            self.drop_oldest();
            self.dropped += 1;
        }
        event
    }

    /// The event that stands for another one with the same deduplication id, of the same publisher and group.
    pub(crate) fn seen(&mut self, publisher: &str, group: &str, id: &str, now: Millis) -> Option<&Seen> {
        self.forget(|seen| now >= seen.at + DEDUPLICATION);
        self.seen.get(&seen_key(publisher, group, id))
    }

    /// Remembers what an event was deduplicated by; beyond the bound the oldest is forgotten.
    pub(crate) fn remember(&mut self, publisher: &str, group: &str, id: &str, event: &Event) {
        let seen = Seen {
            at: event.at,
            id: Arc::clone(&event.id),
            number: event.number,
        };
        let key = seen_key(publisher, group, id);
        self.seen_order.push_back(key.clone());
        self.seen.insert(key, seen);
        let mut over = self.seen.len().saturating_sub(SEEN_MAX);
        self.forget(|_| {
            let is_over = over > 0;
            over = over.saturating_sub(1);
            is_over
        });
    }

    /// Forgets the oldest, as long as they are to be forgotten.
    fn forget(&mut self, mut is_old: impl FnMut(&Seen) -> bool) {
        while let Some(key) = self.seen_order.front() {
            if self.seen.get(key).is_some_and(|seen| !is_old(seen)) {
                return;
            }
            self.seen.remove(key);
            self.seen_order.pop_front();
        }
    }

    /// The event of that number, or the first after it that is kept.
    pub(crate) fn next_from(&self, number: u64) -> Option<&Arc<Event>> {
        let first = self.events.front()?.number;
        let at = usize::try_from(number.saturating_sub(first)).unwrap_or(usize::MAX);
        self.events.get(at)
    }

    /// The event of that number, if it is kept.
    pub(crate) fn get(&self, number: u64) -> Option<&Arc<Event>> {
        self.next_from(number).filter(|event| event.number == number)
    }

    /// The number of the first event that came then or later.
    pub(crate) fn number_at(&self, time: Millis) -> u64 {
        let at = self.events.partition_point(|event| event.at < time);
        self.events.get(at).map_or(self.count + 1, |event| event.number)
    }

    /// Drops the events from before a time, so many at once.
    pub(super) fn expire(&mut self, before: Millis) {
        for _ in 0..DROPPED_MAX {
            if self.events.front().is_none_or(|event| event.at >= before) {
                return;
            }
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.events.pop_front() {
            self.bytes = self.bytes.saturating_sub(oldest.bytes());
        }
    }

    /// Counts what is kept, after it was read from disk.
    pub(crate) fn recount(&mut self) {
        self.bytes = self.events.iter().map(|event| event.bytes()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at: Millis) -> Event {
        Event {
            number: 0,
            at,
            id: format!("id {at}").into(),
            story: "".into(),
            data: "{}".into(),
            content: ContentType::Json,
            group: "g".into(),
            deduplication: None,
            source: None,
            detail_type: None,
            metadata: BTreeMap::new(),
            passed: Vec::new(),
        }
    }

    #[test]
    fn numbers_go_up_and_are_found_again() {
        let mut log = Log::default();
        for at in [10, 20, 20, 30] {
            log.append(event(at));
        }
        assert_eq!(
            log.get(1).map(|event| event.sequence()).as_deref(),
            Some("10000000000000001000")
        );
        for (time, number) in [(0, 1), (10, 1), (11, 2), (20, 2), (30, 4), (31, 5)] {
            assert_eq!(log.number_at(time), number, "{time}");
        }
        log.expire(20);
        let next = |number| log.next_from(number).map(|event| event.number);
        assert_eq!(
            [0, 1, 2, 4, 5].map(next),
            [Some(2), Some(2), Some(2), Some(4), None]
        );
        assert!(log.get(1).is_none());
    }

    #[test]
    fn a_deduplication_id_counts_for_five_minutes_in_its_group() {
        let mut log = Log::default();
        let first = log.append(event(0));
        log.remember("p", "g", "d", &first);
        for (publisher, group, id, now, is_seen) in [
            ("p", "g", "d", 299_999, true),
            ("q", "g", "d", 0, false),
            ("p", "h", "d", 0, false),
            ("p", "g", "e", 0, false),
            ("p", "g", "d", 300_000, false),
        ] {
            assert_eq!(
                log.seen(publisher, group, id, now).is_some(),
                is_seen,
                "{publisher} {group} {id} {now}"
            );
        }
    }

    #[test]
    fn a_log_is_stored_with_what_it_deduplicates_by() {
        let mut log = Log::default();
        let kept = log.append(event(0));
        log.remember("p", "g", "d", &kept);
        let text = serde_json::to_string(&log).unwrap();
        let mut read: Log = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        assert!(read.seen("p", "g", "d", 1).is_some());
        // What is over the bound goes first.
        for n in 0..SEEN_MAX {
            read.remember("p", "g", &n.to_string(), &kept);
        }
        assert_eq!(
            ["d", "0", "1"].map(|id| read.seen("p", "g", id, 1).is_some()),
            [false, true, true]
        );
    }
}
