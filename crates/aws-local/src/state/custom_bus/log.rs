//! What is known in memory of the events that a custom event bus keeps: they are numbered, and lie in segments.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::kept::Origin;
use crate::clock::Millis;
use crate::segments::LogId;

/// So many events further the time of one is known again.
const MARK_EVENTS: u64 = 1_000;
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
    /// Which log of the segments it is; none in a snapshot of an earlier version.
    #[serde(default)]
    pub(crate) id: LogId,
    /// Whether the segments have ever had an event of it.
    #[serde(default)]
    pub(crate) is_begun: bool,
    /// How many events came so far: the number of the latest.
    pub(crate) count: u64,
    /// When some of the kept events came, oldest first: the first of them, and then one of so many.
    #[serde(default)]
    marks: VecDeque<Mark>,
    /// When the latest came: time does not run backwards.
    #[serde(default)]
    latest: Millis,
    /// What was deduplicated by, under publisher, group and id.
    seen: BTreeMap<String, Seen>,
    /// The same, oldest first.
    seen_order: VecDeque<String>,
    /// The events in a snapshot of an earlier version, which kept them in memory.
    #[serde(default, skip_serializing)]
    pub(crate) events: Vec<Event>,
}

/// When an event came.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Mark {
    at: Millis,
    number: u64,
}

/// A published event that another one with its deduplication id stands for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Seen {
    at: Millis,
    pub(crate) id: Arc<str>,
    pub(crate) number: u64,
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
    pub(crate) fn new(id: LogId) -> Self {
        Self {
            id,
            ..Self::default()
        }
    }

    /// Numbers an event that is to be kept.
    pub(crate) fn append(&mut self, event: &mut Event) {
        self.count += 1;
        self.is_begun = true;
        self.latest = self.latest.max(event.at);
        (event.number, event.at) = (self.count, self.latest);
        self.mark(event.number, event.at);
    }

    fn mark(&mut self, number: u64, at: Millis) {
        let is_far = |mark: &Mark| number - mark.number >= MARK_EVENTS;
        if self.marks.back().is_none_or(is_far) {
            self.marks.push_back(Mark { at, number });
        }
    }

    /// Takes the events that an earlier version kept in memory; they are numbered.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        let events = std::mem::take(&mut self.events);
        for event in &events {
            self.is_begun = true;
            self.latest = self.latest.max(event.at);
            self.mark(event.number, self.latest);
        }
        events
    }

    /// The event that stands for another one with the same deduplication id, of the same publisher and group.
    pub(crate) fn seen(&mut self, publisher: &str, group: &str, id: &str, now: Millis) -> Option<&Seen> {
        self.forget(|seen| now >= seen.at + DEDUPLICATION);
        self.seen.get(&seen_key(publisher, group, id))
    }

    /// Remembers what an event was deduplicated by, if it was; beyond the bound the oldest is forgotten.
    pub(crate) fn remember(&mut self, origin: &Origin, event: &Event) {
        let Some(id) = &event.deduplication else { return };
        let seen = Seen {
            at: event.at,
            id: Arc::clone(&event.id),
            number: event.number,
        };
        let key = seen_key(&origin.publisher, &origin.group, id);
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

    /// A number before which no event came then or later; fewer than [`MARK_EVENTS`] events that came earlier follow it.
    pub(crate) fn number_at(&self, time: Millis) -> u64 {
        let at = self.marks.partition_point(|mark| mark.at < time);
        let before = at.checked_sub(1).and_then(|at| self.marks.get(at));
        before
            .or(self.marks.front())
            .map_or(self.count + 1, |mark| mark.number)
    }

    /// Forgets the times of events that came before a time.
    pub(super) fn expire(&mut self, before: Millis) {
        while self.marks.get(1).is_some_and(|mark| mark.at < before) {
            self.marks.pop_front();
        }
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
            content: crate::state::custom_bus::ContentType::Json,
            group: "g".into(),
            deduplication: None,
            source: None,
            detail_type: None,
            metadata: BTreeMap::new(),
            passed: Vec::new(),
        }
    }

    fn appended(log: &mut Log, at: Millis) -> Event {
        let mut event = event(at);
        log.append(&mut event);
        event
    }

    fn remember(log: &mut Log, id: &str, mut event: Event) {
        let origin = Origin {
            publisher: "p".into(),
            group: "g".to_owned(),
            dice: 0,
            share: 1,
        };
        event.deduplication = Some(id.to_owned());
        log.remember(&origin, &event);
    }

    #[test]
    fn numbers_go_up_and_times_lead_to_them() {
        let mut log = Log::default();
        assert_eq!(appended(&mut log, 10).sequence(), "10000000000000001000");
        // An event every ten milliseconds, and two whose clock was set back.
        for number in 2..=3_000 {
            appended(&mut log, number * 10);
        }
        let late = appended(&mut log, 7);
        assert_eq!((late.number, late.at), (3_001, 30_000));
        for (time, number) in [
            (0, 1),
            (10, 1),
            (5_000, 1),
            (10_010, 1),
            (10_011, 1_001),
            (30_000, 2_001),
            (90_000, 3_001),
        ] {
            assert_eq!(log.number_at(time), number, "{time}");
        }
        log.expire(20_010);
        assert_eq!(
            [0, 20_010, 90_000].map(|time| log.number_at(time)),
            [1_001, 1_001, 3_001]
        );
        assert_eq!(Log::default().number_at(5), 1);
    }

    #[test]
    fn a_deduplication_id_counts_for_five_minutes_in_its_group() {
        let mut log = Log::default();
        let first = appended(&mut log, 0);
        remember(&mut log, "d", first);
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
        let kept = appended(&mut log, 0);
        remember(&mut log, "d", kept.clone());
        let text = serde_json::to_string(&log).unwrap();
        let mut read: Log = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        assert!(read.seen("p", "g", "d", 1).is_some());
        // What is over the bound goes first.
        for n in 0..SEEN_MAX {
            remember(&mut read, &n.to_string(), kept.clone());
        }
        assert_eq!(
            ["d", "0", "1"].map(|id| read.seen("p", "g", id, 1).is_some()),
            [false, true, true]
        );
    }
}
