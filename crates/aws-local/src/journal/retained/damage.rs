//! Files whose bytes are not what was written. What is missing of the last write is cut off, as a crash before it was acknowledged
//! leaves it; what is missing of an earlier one is damage.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::testing::flaky::Held;

/// An event of twenty bytes, with what is in front of it.
const EVENT_BYTES: usize = 44;
const HEADER_BYTES: usize = 32;

/// Files with events of several writes.
struct Written {
    dir: TempDir,
    segment: Vec<u8>,
    journal: Vec<u8>,
    /// Of each write how many events were there before it, and where it begins in the journal.
    writes: Vec<(usize, usize)>,
}

impl Written {
    /// So many events in each write.
    async fn new(counts: &[usize]) -> Self {
        let (dir, disk) = (TempDir::new().unwrap(), Flaky::new());
        let mut kept = Kept::open(dir.path(), disk.clone()).unwrap();
        for count in counts {
            // The others come while the first one is being written.
            disk.hold(Held::Writes);
            let mut tickets = vec![kept.begin_append(20)];
            disk.until_somebody_waits();
            tickets.extend((1..*count).map(|_| kept.begin_append(20)));
            disk.hold(Held::Nothing);
            for mut ticket in tickets {
                assert!(ticket.stored().await);
            }
        }
        drop(kept);
        let journal = fs::read(dir.path().join("journal-0.ndjson")).unwrap();
        let segment = fs::read(segment(&dir)).unwrap();
        let begins = (0..journal.len()).filter(|at| journal[*at..].starts_with(b"{\"batch\":"));
        let before = counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum - count)
        });
        // The checksum is in front.
        let writes: Vec<(usize, usize)> = before.zip(begins.map(|at| at - 9)).collect();
        assert_eq!(writes.len(), counts.len());
        Self {
            dir,
            segment,
            journal,
            writes,
        }
    }

    /// How many events a start finds, after which one more can be appended, or why it is refused, when nothing is changed.
    async fn found(&self, segment_now: &[u8], journal_now: &[u8]) -> Result<u64, String> {
        let (segment, journal) = (segment(&self.dir), self.dir.path().join("journal-0.ndjson"));
        fs::write(&segment, segment_now).unwrap();
        fs::write(&journal, journal_now).unwrap();
        match Kept::open(self.dir.path(), Flaky::new()) {
            Ok(mut kept) => {
                let found = kept.last();
                assert_eq!(i64::try_from(found).unwrap(), kept.world.clock_offset);
                assert!(kept.append(20).await);
                assert_eq!(kept.opened_again().unwrap().last(), found + 1);
                Ok(found)
            }
            Err(error) => {
                assert_eq!(
                    fs::read(&segment).unwrap(),
                    segment_now,
                    "damage is left as it is"
                );
                assert_eq!(
                    fs::read(&journal).unwrap(),
                    journal_now,
                    "damage is left as it is"
                );
                Err(error.to_string())
            }
        }
    }

    /// The segment's bytes of a write.
    fn bytes_of(&self, write: usize) -> std::ops::Range<usize> {
        let end = self.writes.get(write + 1);
        let end = end.map_or(self.segment.len(), |(before, _)| {
            HEADER_BYTES + before * EVENT_BYTES
        });
        HEADER_BYTES + self.writes[write].0 * EVENT_BYTES..end
    }
}

fn segment(dir: &TempDir) -> PathBuf {
    dir.path().join(FOLDER).join("segment-1.events")
}

/// The segment cut at this byte, with another byte there, and with nothing but zeros from there.
fn damaged(whole: &[u8], at: usize) -> [Vec<u8>; 3] {
    let mut changed = whole.to_vec();
    changed[at] ^= 0x10;
    let mut zeros = whole.to_vec();
    zeros[at..].fill(0);
    [whole[..at].to_vec(), changed, zeros]
}

#[tokio::test]
async fn events_that_the_last_write_lacks_are_cut_off_with_it() {
    for counts in [&[1, 2, 1][..], &[2, 3], &[2]] {
        let written = Written::new(counts).await;
        let whole: usize = counts.iter().sum();
        let found = written.found(&written.segment, &written.journal).await;
        assert_eq!(found, Ok(whole as u64));
        let last = counts.len() - 1;
        for at in written.bytes_of(last) {
            for segment in damaged(&written.segment, at) {
                // Nothing differs where the last bytes are zeros.
                let is_same = segment == written.segment;
                let expected = if is_same { whole } else { written.writes[last].0 };
                let found = written.found(&segment, &written.journal).await;
                assert_eq!(found, Ok(expected as u64), "{counts:?}, {at}");
            }
        }
    }
}

#[tokio::test]
async fn events_that_an_earlier_write_lacks_are_damage() {
    let written = Written::new(&[2, 2, 1]).await;
    let mut with_more = written.journal.clone();
    with_more.extend(b"0");
    let check = async |at, journal: &[u8]| {
        for segment in damaged(&written.segment, at) {
            let said = written.found(&segment, journal).await.unwrap_err();
            assert!(said.contains("segment-1.events"), "{at}: {said}");
            assert!(said.contains("accepted"), "{at}: {said}");
        }
    };
    for write in [0, 1] {
        for at in written.bytes_of(write) {
            check(at, &written.journal).await;
        }
    }
    // What comes behind a write, though it is torn, was begun when both were on disk.
    for at in written.bytes_of(2) {
        check(at, &with_more).await;
    }
}

#[tokio::test]
async fn a_last_write_that_is_torn_in_the_journal_leaves_the_ones_before() {
    for counts in [&[1, 1][..], &[2, 3]] {
        let written = Written::new(counts).await;
        let (before, begin) = *written.writes.last().unwrap();
        for at in begin..written.journal.len() {
            let mut zeros = written.journal.clone();
            zeros[at..].fill(0);
            for journal in [&written.journal[..at], &zeros] {
                let found = written.found(&written.segment, journal).await.unwrap();
                assert_eq!(found, before as u64, "{counts:?}, {at}");
            }
        }
    }
}

#[tokio::test]
async fn a_file_of_events_that_is_missing_is_damage_unless_the_last_write_began_it() {
    for (counts, expected) in [
        (&[2][..], Ok(0)),
        (&[1, 1], Err("it is missing, with events that were accepted")),
    ] {
        let written = Written::new(counts).await;
        fs::remove_file(segment(&written.dir)).unwrap();
        let found = Kept::open(written.dir.path(), Flaky::new()).map(|kept| kept.last());
        match expected {
            Ok(count) => assert_eq!(found.unwrap(), count),
            Err(why) => assert!(found.unwrap_err().to_string().contains(why)),
        }
    }
}
