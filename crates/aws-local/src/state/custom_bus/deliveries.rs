//! The events that a subscriber has taken and not delivered yet: gathered for the next batch, in batches, and behind a batch of
//! their group.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::batching::Batching;
use super::rendered::Rendered;
use super::subscriber::Ordering;
use crate::clock::Millis;
use crate::state::story::DeliveryRef;

/// An event that waits for its delivery.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Queued {
    pub(crate) number: u64,
    pub(crate) bytes: usize,
    pub(crate) group: Arc<str>,
    /// The place of the delivery in the event's story, once it was tried.
    pub(crate) in_story: Option<DeliveryRef>,
    /// What else its failure record says of it, from then on.
    #[serde(default)]
    pub(crate) id: Arc<str>,
    #[serde(default)]
    pub(crate) deduplication: Option<String>,
}

impl Queued {
    pub(crate) fn new(number: u64, bytes: usize, group: Arc<str>) -> Self {
        Self {
            number,
            bytes,
            group,
            in_story: None,
            id: Arc::default(),
            deduplication: None,
        }
    }
}

/// Events that are delivered together.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Batch {
    /// In order; there is always one.
    pub(crate) events: Vec<Queued>,
    pub(crate) retries: u32,
    /// When it was first tried.
    pub(crate) since: Option<Millis>,
    pub(crate) next: Next,
    /// What its expressions came to, until its events are read and it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rendered: Option<Arc<Rendered>>,
}

/// An event behind the batch of its group: its number, its size, and its place in its story if it has one.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Behind(
    u64,
    usize,
    #[serde(default, skip_serializing_if = "Option::is_none")] Option<DeliveryRef>,
);

impl From<Queued> for Behind {
    fn from(event: Queued) -> Self {
        Self(event.number, event.bytes, event.in_story)
    }
}

/// What a batch waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Next {
    /// A time.
    Due(Millis),
    /// The end of the call of that number.
    Call(u64),
}

impl Batch {
    fn new(events: Vec<Queued>, due: Millis) -> Self {
        Self {
            events,
            retries: 0,
            since: None,
            next: Next::Due(due),
            rendered: None,
        }
    }

    /// The number of its first event: no other batch of the subscriber has that event.
    pub(crate) fn first(&self) -> u64 {
        self.events.first().map_or(0, |event| event.number)
    }
}

/// What waits in a subscriber.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub(crate) struct Deliveries {
    /// The next batch, as far as it is gathered.
    gathered: Vec<Queued>,
    /// When the first of them came.
    gathered_since: Millis,
    /// By the number of the first event.
    batches: BTreeMap<u64, Batch>,
    /// First in, first out: the groups that have a batch, and their events behind it.
    behind: BTreeMap<Arc<str>, VecDeque<Behind>>,
    /// The batches that wait for a time.
    #[serde(skip)]
    due: BTreeSet<(Millis, u64)>,
    /// The size of what is gathered.
    #[serde(skip)]
    bytes: usize,
    /// How many events there are in all of it.
    #[serde(skip)]
    count: usize,
}

#[derive(Deserialize)]
struct Stored {
    gathered: Vec<Queued>,
    gathered_since: Millis,
    batches: BTreeMap<u64, Batch>,
    behind: BTreeMap<Arc<str>, VecDeque<Behind>>,
}

impl From<Stored> for Deliveries {
    fn from(stored: Stored) -> Self {
        let mut read = Self {
            bytes: stored.gathered.iter().map(|event| event.bytes).sum(),
            count: stored.gathered.len() + stored.behind.values().map(VecDeque::len).sum::<usize>(),
            gathered: stored.gathered,
            gathered_since: stored.gathered_since,
            behind: stored.behind,
            ..Self::default()
        };
        for batch in stored.batches.into_values() {
            read.put(batch);
        }
        read
    }
}

impl Deliveries {
    /// How many events wait.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// First in, first out: whether an event of a group has to wait behind a batch.
    pub(crate) fn holds(&self, group: &Arc<str>) -> bool {
        self.behind.contains_key(group)
    }

    /// Takes an event: behind a batch of its group, or to the next batch, which begins its way once it is full.
    pub(crate) fn take(&mut self, event: Queued, ordering: Ordering, batching: &Batching, now: Millis) {
        self.count += 1;
        if ordering == Ordering::Fifo
            && let Some(behind) = self.behind.get_mut(&event.group)
        {
            behind.push_back(event.into());
            return;
        }
        self.gather(event, ordering, batching, now);
    }

    fn gather(&mut self, event: Queued, ordering: Ordering, batching: &Batching, now: Millis) {
        if !self.gathered.is_empty() && self.bytes + event.bytes > batching.bytes_max {
            self.cut(ordering, now);
            if ordering == Ordering::Fifo
                && let Some(behind) = self.behind.get_mut(&event.group)
            {
                behind.push_back(event.into());
                return;
            }
        }
        if self.gathered.is_empty() {
            self.gathered_since = now;
        }
        self.bytes += event.bytes;
        self.gathered.push(event);
        if self.gathered.len() >= batching.size {
            self.cut(ordering, now);
        }
    }

    /// What is gathered is a batch.
    fn cut(&mut self, ordering: Ordering, now: Millis) {
        let events = std::mem::take(&mut self.gathered);
        self.bytes = 0;
        self.count -= events.len();
        if ordering == Ordering::Fifo {
            for event in &events {
                self.behind.entry(Arc::clone(&event.group)).or_default();
            }
        }
        self.put(Batch::new(events, now));
    }

    /// The same, where its time has come; false where there is nothing to do.
    pub(crate) fn cut_if_due(&mut self, ordering: Ordering, batching: &Batching, now: Millis) -> bool {
        let is_due = !self.gathered.is_empty() && self.gathered_since + batching.window <= now;
        if is_due {
            self.cut(ordering, now);
        }
        is_due
    }

    /// The numbers of the events of the batch that is due first.
    pub(crate) fn first_due(&self, now: Millis) -> Option<impl Iterator<Item = u64>> {
        let (_, first) = self.due.first().filter(|(due, _)| *due <= now)?;
        let batch = self.batches.get(first)?;
        Some(batch.events.iter().map(|event| event.number))
    }

    /// The numbers of the events of the batches that are due, those of the first ones.
    pub(crate) fn due_numbers(&self, now: Millis, count_max: usize) -> Vec<u64> {
        let due = self.due.iter().take_while(|(due, _)| *due <= now);
        let batches = due.filter_map(|(_, first)| self.batches.get(first));
        let numbers = batches.flat_map(|batch| batch.events.iter().map(|event| event.number));
        numbers.take(count_max).collect()
    }

    /// Takes out the batch that is due first.
    pub(crate) fn take_due(&mut self, now: Millis) -> Option<Batch> {
        let (due, first) = *self.due.first()?;
        if due > now {
            return None;
        }
        self.due.pop_first();
        let batch = self.batches.remove(&first)?;
        self.count -= batch.events.len();
        Some(batch)
    }

    /// The batch that waits for a call.
    pub(crate) fn called(&self, first: u64, call: u64) -> Option<&Batch> {
        let waits = |batch: &&Batch| batch.next == Next::Call(call);
        self.batches.get(&first).filter(waits)
    }

    /// The same, taken out.
    pub(crate) fn take_called(&mut self, first: u64, call: u64) -> Option<Batch> {
        self.called(first, call)?;
        let batch = self.batches.remove(&first)?;
        self.count -= batch.events.len();
        Some(batch)
    }

    /// Puts a batch in, or back; one without events is none.
    pub(crate) fn put(&mut self, batch: Batch) {
        if batch.events.is_empty() {
            return;
        }
        self.count += batch.events.len();
        if let Next::Due(due) = batch.next {
            self.due.insert((due, batch.first()));
        }
        self.batches.insert(batch.first(), batch);
    }

    /// First in, first out: these were not tried, since one of their group before them failed. They are the first behind it.
    pub(crate) fn hold(&mut self, events: Vec<Queued>) {
        for event in events.into_iter().rev() {
            self.count += 1;
            let behind = self.behind.entry(Arc::clone(&event.group)).or_default();
            behind.push_front(event.into());
        }
    }

    /// These groups have no batch any more: what is behind goes to the next batches, up to the first of each group's own.
    pub(crate) fn release<'g>(
        &mut self,
        groups: impl IntoIterator<Item = &'g Arc<str>>,
        ordering: Ordering,
        batching: &Batching,
        now: Millis,
    ) {
        for group in groups {
            let Some(mut behind) = self.behind.remove(group) else {
                continue;
            };
            while let Some(Behind(number, bytes, in_story)) = behind.pop_front() {
                let event = Queued {
                    in_story,
                    ..Queued::new(number, bytes, Arc::clone(group))
                };
                self.gather(event, ordering, batching, now);
                if let Some(held) = self.behind.get_mut(group) {
                    held.append(&mut behind);
                    break;
                }
            }
        }
    }

    /// When there is something to do next.
    pub(crate) fn next_due(&self, batching: &Batching) -> Option<Millis> {
        let gathered = (!self.gathered.is_empty()).then_some(self.gathered_since + batching.window);
        let batch = self.due.first().map(|(due, _)| *due);
        gathered.into_iter().chain(batch).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: u64, group: &str) -> Queued {
        Queued::new(number, 10, group.into())
    }

    fn batching(size: usize, window: Millis) -> Batching {
        Batching {
            size,
            window,
            bytes_max: 35,
            is_array: size > 1,
        }
    }

    /// The numbers of the batches that are due, which are taken out.
    fn due(from: &mut Deliveries, now: Millis) -> Vec<Vec<u64>> {
        let taken = std::iter::from_fn(|| from.take_due(now));
        taken
            .map(|batch| batch.events.iter().map(|event| event.number).collect())
            .collect()
    }

    #[test]
    fn a_batch_is_closed_by_its_size_its_bytes_or_its_window() {
        let check = |size: usize, window: Millis, taken: u64, now: Millis, expected: &[&[u64]]| {
            let (mut all, batching) = (Deliveries::default(), batching(size, window));
            for number in 1..=taken {
                all.take(event(number, "g"), Ordering::Unordered, &batching, 0);
            }
            all.cut_if_due(Ordering::Unordered, &batching, now);
            assert_eq!(due(&mut all, now), expected, "{size} {window} {taken} {now}");
        };
        check(2, 0, 5, 0, &[&[1, 2], &[3, 4], &[5]]);
        check(2, 100, 5, 99, &[&[1, 2], &[3, 4]]);
        check(2, 100, 5, 100, &[&[1, 2], &[3, 4], &[5]]);
        check(10, 0, 4, 0, &[&[1, 2, 3], &[4]]);
        check(1, 100, 2, 0, &[&[1], &[2]]);
    }

    #[test]
    fn a_group_waits_behind_its_batch_and_others_do_not() {
        let (mut all, batching) = (Deliveries::default(), batching(2, 0));
        let fifo = Ordering::Fifo;
        for (number, group) in [
            (1, "a"),
            (2, "b"),
            (3, "a"),
            (4, "c"),
            (5, "a"),
            (6, "a"),
            (7, "d"),
        ] {
            all.take(event(number, group), fifo, &batching, 0);
        }
        assert_eq!(all.count(), 7);
        assert_eq!(due(&mut all, 0), [vec![1, 2], vec![4, 7]]);
        all.release([&"b".into(), &"c".into()], fifo, &batching, 0);
        assert_eq!(due(&mut all, 0), [] as [Vec<u64>; 0]);
        // One of the group was not tried: it is first again.
        all.hold(vec![event(1, "a")]);
        all.release([&"a".into()], fifo, &batching, 0);
        assert_eq!(due(&mut all, 0), [vec![1, 3]]);
        all.release([&"a".into()], fifo, &batching, 0);
        assert_eq!(due(&mut all, 0), [vec![5, 6]]);
        assert_eq!(all.count(), 0);
    }

    /// An event that has a place in its story keeps it behind its group.
    #[test]
    fn what_is_held_back_keeps_its_place_in_the_story() {
        let (mut all, batching) = (Deliveries::default(), batching(1, 0));
        let placed = |number| Queued {
            in_story: Some(DeliveryRef {
                event: "e".into(),
                pass: 1,
                delivery: 2,
            }),
            ..event(number, "a")
        };
        let is_placed = |all: &mut Deliveries| all.take_due(0).unwrap().events[0].in_story.is_some();
        let group = Arc::from("a");
        // The second one is taken while the first one's batch is there.
        all.take(placed(1), Ordering::Fifo, &batching, 0);
        all.take(placed(2), Ordering::Fifo, &batching, 0);
        assert!(is_placed(&mut all));
        all.release([&group], Ordering::Fifo, &batching, 0);
        assert!(is_placed(&mut all));
        // It was not tried, and is held.
        all.hold(vec![placed(2)]);
        let text = serde_json::to_string(&all).unwrap();
        let mut read: Deliveries = serde_json::from_str(&text).unwrap();
        for all in [&mut all, &mut read] {
            all.release([&group], Ordering::Fifo, &batching, 0);
            assert!(is_placed(all));
        }
    }

    #[test]
    fn what_waits_behind_a_group_is_read_as_earlier_versions_stored_it() {
        let text = r#"{"gathered":[],"gathered_since":0,"batches":{},"behind":{"a":[[3,10]]}}"#;
        let read: Deliveries = serde_json::from_str(text).unwrap();
        assert_eq!(read.count(), 1);
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }

    #[test]
    fn what_waits_is_read_back_as_it_was_stored() {
        let (mut all, batching) = (Deliveries::default(), batching(2, 50));
        for (number, group) in [(1, "a"), (2, "b"), (3, "a"), (4, "c")] {
            all.take(event(number, group), Ordering::Fifo, &batching, 0);
        }
        let mut called = all.take_due(0).unwrap();
        called.next = Next::Call(7);
        all.put(called);
        all.put(Batch::new(vec![event(9, "e")], 30));
        let text = serde_json::to_string(&all).unwrap();
        let mut read: Deliveries = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        assert_eq!((read.count(), read.next_due(&batching)), (5, Some(30)));
        assert!(read.take_called(1, 8).is_none());
        assert_eq!(read.take_called(1, 7).unwrap().events.len(), 2);
        assert_eq!(due(&mut read, 30), [vec![9]]);
        assert_eq!(read.count(), 2);
    }
}
