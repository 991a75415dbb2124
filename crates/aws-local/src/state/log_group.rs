//! Log groups, their streams and events.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::Tags;
use super::vended::SubscriptionFilter;
use crate::clock::{DAY, Millis};
use crate::policy::Policy;

/// The maximum age of an event that the logs service accepts.
pub(crate) const PAST_MAX: Millis = 14 * DAY;
/// How far in the future an event may be.
pub(crate) const FUTURE_MAX: Millis = DAY / 12;
/// What an event takes in memory besides the bytes that AWS counts: its places in the group and in its stream.
pub(crate) const EVENT_MEMORY: u64 = 200;

/// A log group.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct LogGroup {
    pub(crate) name: String,
    pub(crate) created: Millis,
    pub(crate) class: Option<String>,
    pub(crate) kms_key: Option<String>,
    pub(crate) retention_days: Option<u32>,
    pub(crate) protected: bool,
    pub(crate) tags: Tags,
    /// The group's own policy.
    pub(crate) policy: Option<LogPolicy>,
    pub(crate) streams: BTreeMap<Arc<str>, Stream>,
    pub(crate) stored_bytes: u64,
    /// All events in the order in which FilterLogEvents gives them.
    #[serde(with = "as_pairs")]
    events: BTreeMap<Position, LogEvent>,
    next: u64,
    #[serde(default)]
    pub(crate) subscriptions: BTreeMap<String, SubscriptionFilter>,
    /// Where the latest events are, in the order of arrival.
    #[serde(skip)]
    arrivals: VecDeque<Position>,
}

/// How many of the latest events can be found by their arrival.
const ARRIVALS_MAX: usize = 1_000;

/// Events in the order of arrival, with their times.
pub(crate) struct Arrived<'g> {
    pub(crate) events: Vec<(Millis, &'g LogEvent)>,
    /// Some came so long ago that they are not found any more.
    pub(crate) incomplete: bool,
}

/// The sort key of an event in its group: its time, then the order of arrival.
pub(crate) type Position = (Millis, u64);

/// A stream of a group.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Stream {
    pub(crate) created: Millis,
    pub(crate) last_ingestion: Option<Millis>,
    pub(crate) positions: BTreeSet<Position>,
}

/// One event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LogEvent {
    pub(crate) stream: Arc<str>,
    pub(crate) ingested: Millis,
    pub(crate) message: Arc<str>,
}

/// A resource policy of the logs service, account-wide or a group's own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LogPolicy {
    pub(crate) document: String,
    pub(crate) updated: Millis,
    /// The revision of a group's own policy, for optimistic locking.
    pub(crate) revision: String,
    #[serde(skip)]
    parsed: OnceLock<Option<Policy>>,
}

impl LogPolicy {
    pub(crate) fn new(document: String, updated: Millis, revision: String) -> Self {
        Self {
            document,
            updated,
            revision,
            parsed: OnceLock::new(),
        }
    }

    /// The policy, parsed once.
    pub(crate) fn parsed(&self) -> Option<&Policy> {
        self.parsed
            .get_or_init(|| Policy::parse(&self.document).ok())
            .as_ref()
    }
}

impl LogGroup {
    pub(crate) fn new(name: &str, now: Millis) -> Self {
        Self {
            name: name.to_owned(),
            created: now,
            ..Self::default()
        }
    }

    /// Inserts an event into a stream that exists; the group keeps its events sorted by time.
    pub(crate) fn add(&mut self, stream: &str, at: Millis, now: Millis, message: Arc<str>) {
        let position = (at, self.next);
        // `get_mut` gives no name, which the event shares.
        let only = (Bound::Included(stream), Bound::Included(stream));
        let Some((name, into)) = self.streams.range_mut::<str, _>(only).next() else {
            return;
        };
        let stream = Arc::clone(name);
        into.positions.insert(position);
        into.last_ingestion = Some(now);
        self.next += 1;
        self.arrivals.push_back(position);
        if self.arrivals.len() > ARRIVALS_MAX {
            self.arrivals.pop_front();
        }
        self.stored_bytes += event_bytes(&message);
        self.events.insert(
            position,
            LogEvent {
                stream,
                ingested: now,
                message,
            },
        );
    }

    /// Appends an event that a service delivers, and creates the stream if there is none. An event whose time the logs
    /// service does not accept is logged as of now.
    pub(crate) fn append_delivered(&mut self, stream: &str, at: Millis, now: Millis, message: Arc<str>) {
        self.ensure_stream(stream, now);
        let taken = self.kept_from(now).max(now - PAST_MAX)..=now + FUTURE_MAX;
        let at = if taken.contains(&at) { at } else { now };
        self.add(stream, at, now, message);
        self.expire(now);
    }

    /// Creates the stream unless it exists.
    pub(crate) fn ensure_stream(&mut self, name: &str, now: Millis) {
        if !self.streams.contains_key(name) {
            self.streams.insert(
                name.into(),
                Stream {
                    created: now,
                    ..Stream::default()
                },
            );
        }
    }

    /// Removes a stream and its events; false when there is none.
    pub(crate) fn remove_stream(&mut self, name: &str) -> bool {
        let Some(stream) = self.streams.remove(name) else {
            return false;
        };
        for position in stream.positions {
            self.forget(position);
        }
        true
    }

    /// Drops what retention no longer keeps, so many events at a time: readers begin at [`Self::kept_from`].
    pub(crate) fn expire(&mut self, now: Millis) {
        const DROPPED_MAX: usize = 10_000;
        let oldest = self.kept_from(now);
        for _ in 0..DROPPED_MAX {
            if self.oldest().is_none_or(|at| at >= oldest) {
                return;
            }
            self.drop_oldest();
        }
    }

    /// The time before which retention keeps nothing.
    pub(crate) fn kept_from(&self, now: Millis) -> Millis {
        self.retention_days
            .map_or(Millis::MIN, |days| now - Millis::from(days) * DAY)
    }

    /// The time of the oldest event.
    pub(crate) fn oldest(&self) -> Option<Millis> {
        self.events.first_key_value().map(|(position, _)| position.0)
    }

    pub(crate) fn drop_oldest(&mut self) {
        if let Some((&position, event)) = self.events.first_key_value() {
            let stream = Arc::clone(&event.stream);
            if let Some(stream) = self.streams.get_mut(&*stream) {
                stream.positions.remove(&position);
            }
            self.forget(position);
        }
    }

    /// What its events take in memory, estimated.
    pub(crate) fn memory(&self) -> u64 {
        self.stored_bytes + self.events.len() as u64 * EVENT_MEMORY
    }

    /// Events by position, in order.
    pub(crate) fn events(&self) -> &BTreeMap<Position, LogEvent> {
        &self.events
    }

    /// The number of the next event.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The events from a number on.
    pub(crate) fn arrived_since(&self, number: u64) -> Arrived<'_> {
        let new = self.arrivals.iter().rev().take_while(|at| at.1 >= number);
        let mut events: Vec<_> = new.map(|at| (at.0, self.events.get(at))).collect();
        events.reverse();
        let incomplete = (events.len() as u64) < self.next.saturating_sub(number);
        let events = events.into_iter().filter_map(|(at, event)| Some((at, event?)));
        Arrived {
            events: events.collect(),
            incomplete,
        }
    }

    fn forget(&mut self, position: Position) {
        if let Some(event) = self.events.remove(&position) {
            self.stored_bytes = self.stored_bytes.saturating_sub(event_bytes(&event.message));
        }
    }
}

/// AWS counts 26 bytes of overhead for each event.
pub(crate) fn event_bytes(message: &str) -> u64 {
    message.len() as u64 + 26
}

/// JSON has no maps with pairs as keys.
mod as_pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::{LogEvent, Position};

    pub(super) fn serialize<S: Serializer>(
        map: &BTreeMap<Position, LogEvent>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(map)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(
        from: D,
    ) -> Result<BTreeMap<Position, LogEvent>, D::Error> {
        Ok(Vec::<(Position, LogEvent)>::deserialize(from)?
            .into_iter()
            .collect())
    }
}
