//! Retained events and the entries that name them, on a disk that ends in the middle of a step, or is full. What a disk has of
//! them that was damaged is in `damage`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tempfile::TempDir;

use super::{Health, Journal, State, Ticket, Version};
use crate::change::{Change, Entry, Stored};
use crate::disk::{DataError, Disk};
use crate::segments::{FOLDER, Lasts, LogId, NewRecord, Record, Segments, Start, Write};
use crate::state::World;
use crate::testing::flaky::{Flaky, NEVER, data_dir};

mod damage;

const LOG: LogId = LogId(1);

/// A state that only has the last sequence, where the clock's offset is stored.
struct Kept {
    journal: Journal,
    segments: Segments,
    world: World,
}

/// The state, as the journal's reader makes it.
struct Read(World);

fn start(world: World, _: Version) -> Read {
    Read(world)
}

impl State for Read {
    fn replay(&mut self, entry: &Entry, _: Vec<Record>) -> Result<(), String> {
        if let Change::MoveClock { by } = entry.change {
            self.0.clock_offset += by;
        }
        Ok(())
    }

    fn lasts(&self) -> Lasts {
        let last = u64::try_from(self.0.clock_offset).unwrap();
        Lasts::from([(LOG, (last > 0).then_some(last))])
    }

    fn world(&self) -> &World {
        &self.0
    }

    fn take_unkept(&mut self) -> Vec<crate::state::custom_bus::Kept> {
        Vec::new()
    }
}

impl Kept {
    fn open(dir: &Path, disk: Arc<dyn Disk>) -> Result<Self, DataError> {
        let (journal, segments, Read(world)) = Journal::open(&data_dir(dir, disk), start)?;
        Ok(Self {
            journal,
            segments,
            world,
        })
    }

    fn opened_again(self) -> Result<Self, DataError> {
        let (journal, segments, Read(world)) = self.journal.reopen().read(start)?;
        Ok(Self {
            journal,
            segments,
            world,
        })
    }

    /// Appends the event with the next sequence; false where the disk refuses it.
    async fn append(&mut self, length: usize) -> bool {
        self.begin_append(length).stored().await
    }

    fn begin_append(&mut self, length: usize) -> Ticket {
        self.world.clock_offset += 1;
        let change = Change::MoveClock { by: 1 };
        let entry = Entry {
            at: 1,
            seed: 1,
            change,
        };
        let record = NewRecord {
            sequence: u64::try_from(self.world.clock_offset).unwrap(),
            time: 1,
            bytes: &vec![b'x'; length],
            text: None,
        };
        let (write, _) = self.segments.append(LOG, &[record]).unwrap();
        let ticket = self.journal.append(Stored::from(&entry), write, 0);
        self.journal.fold_if_long(&self.world);
        ticket
    }

    /// Appends an entry without an event.
    async fn append_entry(&mut self) -> bool {
        let change = Change::MoveClock { by: 0 };
        let entry = Entry {
            at: 1,
            seed: 1,
            change,
        };
        let mut ticket = self.journal.append(Stored::from(&entry), Write::default(), 0);
        ticket.stored().await
    }

    /// The highest sequence, once it is sure that all lower ones are there.
    fn last(&self) -> u64 {
        let Some(reading) = self.segments.read(LOG, Start::Sequence(0)) else {
            return 0;
        };
        let read = reading.read(usize::MAX, usize::MAX).unwrap();
        let sequences: Vec<u64> = read.iter().map(|record| record.sequence).collect();
        let last = *sequences.last().unwrap();
        assert_eq!(sequences, (1..=last).collect::<Vec<u64>>());
        last
    }
}

#[tokio::test]
async fn a_crash_at_any_step_leaves_the_events_that_the_journal_names() {
    let mut steps = 0;
    loop {
        let dir = TempDir::new().unwrap();
        let disk = Flaky::dies_after(steps);
        let mut accepted = 0;
        if let Ok(mut kept) = Kept::open(dir.path(), disk.clone()) {
            for _ in 0..40 {
                accepted += u64::from(kept.append(50).await);
            }
        }
        let mut kept = Kept::open(dir.path(), Flaky::new()).unwrap();
        let there = kept.last();
        assert_eq!(i64::try_from(there).unwrap(), kept.world.clock_offset);
        // The write in progress at the crash may be there.
        assert!(
            (accepted..=accepted + 1).contains(&there),
            "{accepted} {there} after {steps} steps"
        );
        assert!(kept.append(50).await, "it works after {steps} steps");
        assert_eq!(kept.last(), there + 1);
        if disk.steps.load(Ordering::SeqCst) > 0 {
            break;
        }
        steps += 1;
    }
    assert!(steps > 100, "{steps} steps");
}

/// The machine dies with the process: of what was not synced any part may be missing, in the segments, the journal or both.
#[cfg(unix)]
#[tokio::test]
async fn a_crash_of_the_machine_at_any_step_loses_nothing_accepted() {
    let parts: [&[u64]; 6] = [&[0], &[0, 2], &[2, 0], &[1], &[1, 2], &[2, 1]];
    let (mut steps, mut is_over) = (0, false);
    while !is_over {
        for (nth, part) in parts.into_iter().enumerate() {
            let (dir, disk) = (TempDir::new().unwrap(), Flaky::dies_after(steps));
            let mut accepted = 0;
            if let Ok(mut kept) = Kept::open(dir.path(), disk.clone()) {
                for _ in 0..14 {
                    accepted += u64::from(kept.append(50).await);
                }
            }
            disk.lose(part, nth % 2 == 0);
            let mut kept = Kept::open(dir.path(), Flaky::new())
                .unwrap_or_else(|error| panic!("after {steps} steps with {part:?}: {error}"));
            let there = kept.last();
            assert_eq!(i64::try_from(there).unwrap(), kept.world.clock_offset);
            assert!(
                (accepted..=accepted + 1).contains(&there),
                "{accepted} {there} after {steps} steps with {part:?}"
            );
            assert!(kept.append(50).await, "it works after {steps} steps");
            is_over = disk.steps.load(Ordering::SeqCst) > 0;
        }
        steps += 1;
    }
    assert!(steps > 50, "{steps} steps");
}

/// First the process dies, then, once it is started again, the machine: the second start counts on what the first one found.
#[cfg(unix)]
#[tokio::test]
async fn what_was_found_after_a_crash_is_there_after_the_next_one() {
    let (mut steps, mut is_over) = (0, false);
    while !is_over {
        let (dir, disk) = (TempDir::new().unwrap(), Flaky::dies_after(steps));
        if let Ok(mut kept) = Kept::open(dir.path(), disk.clone()) {
            for _ in 0..3 {
                kept.append(50).await;
            }
        }
        is_over = disk.steps.swap(NEVER, Ordering::SeqCst) > 0;
        let mut kept = Kept::open(dir.path(), disk.clone()).unwrap();
        let found = kept.last();
        assert!(kept.append_entry().await);
        drop(kept);
        disk.lose(&[0], true);
        let kept = Kept::open(dir.path(), Flaky::new())
            .unwrap_or_else(|error| panic!("after {steps} steps: {error}"));
        assert_eq!(kept.last(), found, "after {steps} steps");
        steps += 1;
    }
    assert!(steps > 10, "{steps} steps");
}

#[tokio::test]
async fn what_the_disk_refuses_of_either_is_in_neither() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    let mut kept = Kept::open(dir.path(), disk.clone()).unwrap();
    assert!(kept.append(10).await);
    // Of the event 224 bytes are to be written, of the entry about 60; of the other event 34.
    for (room, length) in [(100, 200), (40, 10)] {
        disk.room.store(room, Ordering::SeqCst);
        assert!(!kept.append(length).await);
        assert_eq!(kept.journal.health(), Health::Refused);
        disk.room.store(NEVER, Ordering::SeqCst);
        kept = kept.opened_again().unwrap();
        assert_eq!(kept.last(), 1);
    }
    assert!(kept.append(10).await);
    assert_eq!(kept.opened_again().unwrap().last(), 2);
}

#[tokio::test]
async fn a_log_is_removed_when_no_journal_names_it_any_more() {
    let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
    let mut kept = Kept::open(dir.path(), disk.clone()).unwrap();
    assert!(kept.append(10).await);
    let path = dir.path().join(FOLDER).join("segment-1.events");
    let entry = |kept: &mut Kept, write| {
        let entry = Entry {
            at: 1,
            seed: 1,
            change: Change::Reset,
        };
        kept.journal.append(Stored::from(&entry), write, 0)
    };
    let remove = |kept: &mut Kept| {
        let write = kept.segments.remove(LOG);
        entry(kept, write)
    };
    disk.room.store(10, Ordering::SeqCst);
    assert!(!remove(&mut kept).stored().await);
    disk.room.store(NEVER, Ordering::SeqCst);
    kept = kept.opened_again().unwrap();
    assert_eq!(kept.last(), 1);
    assert!(remove(&mut kept).stored().await);
    // A start reads what the journal names.
    assert!(path.exists());
    for _ in 0..60 {
        entry(&mut kept, Write::default());
        kept.journal.fold_if_long(&kept.world);
    }
    // Whoever drops the journal waits for its writer.
    drop(kept);
    assert!(!path.exists());
}
