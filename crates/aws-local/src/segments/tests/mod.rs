//! Logs on a real folder: a crash in the middle of any step, damage, expiry, and random changes against a list in memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::bounds::Limits;
use super::*;
use crate::clock::Millis;
use crate::disk::{DataError, Disk};
use crate::testing::flaky::Flaky;

mod crash;
mod damage;
mod expiry;
mod random;
mod temporary;

/// Files of a few records.
const SHORT: Limits = Limits {
    segment_bytes: 300,
    block_bytes: 100,
};
const LOG: LogId = LogId(7);

/// Logs, their writer, and what a journal would know of them.
struct Kept {
    segments: Segments,
    files: Files,
    lasts: Lasts,
}

fn folder(dir: &TempDir) -> PathBuf {
    dir.path().join(FOLDER)
}

fn open_with(dir: &TempDir, disk: Arc<dyn Disk>, lasts: &Lasts) -> Result<Kept, DataError> {
    let (segments, files) = recovery::open_with(&folder(dir), disk, SHORT, lasts)?;
    let lasts = lasts.clone();
    Ok(Kept {
        segments,
        files,
        lasts,
    })
}

impl Kept {
    fn new(dir: &TempDir) -> Self {
        open_with(dir, Flaky::new(), &Lasts::new()).unwrap()
    }

    /// The same files, opened again.
    fn opened_again(self, dir: &TempDir) -> Self {
        open_with(dir, Flaky::new(), &self.lasts).unwrap()
    }

    /// Appends a record of ten bytes; false where the disk refuses it.
    fn append(&mut self, log: LogId, sequence: u64, time: Millis) -> bool {
        self.append_bytes(log, sequence, time, &[b'x'; 10])
    }

    fn append_bytes(&mut self, log: LogId, sequence: u64, time: Millis, bytes: &[u8]) -> bool {
        let record = NewRecord {
            sequence,
            time,
            bytes,
            text: None,
        };
        let (write, _) = self.segments.append(log, &[record]).unwrap();
        self.commit(write, |lasts| {
            lasts.insert(log, Some(sequence));
        })
    }

    fn expire(&mut self, log: LogId, before: Millis) -> bool {
        let write = self.segments.expire(log, before);
        self.commit(write, |_| ())
    }

    fn remove(&mut self, log: LogId) -> bool {
        let write = self.segments.remove(log);
        self.commit(write, |lasts| {
            lasts.remove(&log);
        })
    }

    /// As the journal's writer does it: `journal` is where the entry is on disk.
    fn commit(&mut self, write: Write, journal: impl FnOnce(&mut Lasts)) -> bool {
        if self.files.write(write).and_then(|()| self.files.sync()).is_err() {
            return false;
        }
        journal(&mut self.lasts);
        self.files.remove_files();
        true
    }

    /// The sequences from `start` on, read in pieces of so many bytes.
    fn from(&self, log: LogId, start: Start, bytes_max: usize) -> Vec<u64> {
        let records = all(&self.segments, log, start, bytes_max).unwrap();
        records.iter().map(|record| record.sequence).collect()
    }

    fn sequences(&self, log: LogId) -> Vec<u64> {
        self.from(log, Start::Sequence(0), usize::MAX)
    }
}

/// All records from `start` on, read in pieces of so many bytes.
fn all(
    segments: &Segments,
    log: LogId,
    mut start: Start,
    bytes_max: usize,
) -> Result<Vec<Record>, ReadError> {
    let mut all = Vec::new();
    while let Some(reading) = segments.read(log, start) {
        let records = reading.read(bytes_max, usize::MAX)?;
        let last = records.last().expect("a reading has a record");
        start = Start::Sequence(last.sequence + 1);
        // Where they are is not compared.
        all.extend(records.into_iter().map(|record| Record { offset: 0, ..record }));
    }
    Ok(all)
}

/// The names in the folder, those of older files first.
fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_by_key(|name| (name.len(), name.clone()));
    names
}

#[test]
fn records_are_read_from_a_sequence_or_a_time_in_pieces() {
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::new(&dir);
    for number in 1..=30 {
        assert!(kept.append(LOG, number * 1000, Millis::try_from(number / 3).unwrap()));
    }
    assert!(names(&folder(&dir)).len() > 3, "several files");
    for again in [false, true] {
        if again {
            kept = kept.opened_again(&dir);
        }
        for bytes_max in [0, 10, 25, 95, usize::MAX] {
            let check = |start, first: u64| {
                let expected: Vec<u64> = (first..=30).map(|number| number * 1000).collect();
                assert_eq!(
                    kept.from(LOG, start, bytes_max),
                    expected,
                    "{start:?} {bytes_max}"
                );
            };
            for number in 1..=30 {
                check(Start::Sequence(number * 1000), number);
                check(Start::Sequence(number * 1000 - 999), number);
            }
            for time in 1..=10_u32 {
                check(Start::Time(time.into()), u64::from(time) * 3);
            }
            check(Start::Time(-5), 1);
            check(Start::Sequence(30_001), 31);
            check(Start::Time(11), 31);
        }
        let piece = kept
            .segments
            .read(LOG, Start::Sequence(0))
            .unwrap()
            .read(25, usize::MAX)
            .unwrap();
        assert_eq!(piece.len(), 2, "as many as have 25 bytes");
    }
}

#[test]
fn what_is_appended_is_what_is_read_and_the_journal_names_where_it_is() {
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::new(&dir);
    let (long, times) = (vec![b'l'; 5_000], [9, 3, 12]);
    let bytes: [&[u8]; 3] = [b"", &long, b"{}"];
    let records: Vec<NewRecord<'_>> = (0..3)
        .map(|at| NewRecord {
            sequence: at as u64,
            time: times[at],
            bytes: bytes[at],
            text: None,
        })
        .collect();
    let (write, appended) = kept.segments.append(LOG, &records).unwrap();
    let place = |sequence, segment| Place {
        log: LOG,
        sequence,
        segment,
        offset: 32,
        count: 1,
    };
    assert_eq!(appended, [place(0, 1), place(1, 2), place(2, 3)]);
    assert!(kept.commit(write, |lasts| {
        lasts.insert(LOG, Some(2));
    }));
    let named = Places::new(&folder(&dir)).read(&appended).unwrap();
    let read = all(&kept.segments, LOG, Start::Sequence(0), 100).unwrap();
    assert_eq!(named.len(), read.len());
    assert!(
        named
            .iter()
            .zip(&read)
            .all(|(named, read)| named.bytes == read.bytes)
    );
    let read: Vec<(u64, Millis, &[u8])> = read
        .iter()
        .map(|record| (record.sequence, record.time, record.bytes.as_slice()))
        .collect();
    // Time does not run backwards.
    assert_eq!(read, [(0, 9, bytes[0]), (1, 9, bytes[1]), (2, 12, bytes[2])]);
    assert_eq!(kept.segments.next(LOG), Some(3));
    assert_eq!(kept.segments.next(LogId(8)), None);
    let on_disk: u64 = names(&folder(&dir))
        .iter()
        .map(|name| fs::metadata(folder(&dir).join(name)).unwrap().len())
        .sum();
    assert!(kept.segments.bytes(LOG) <= on_disk);
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::new(&dir);
    assert!(kept.append(LOG, 5, 1));
    let long = vec![0; RECORD_BYTES_MAX + 1];
    let record = |sequence, bytes| NewRecord {
        sequence,
        time: 1,
        bytes,
        text: None,
    };
    for (records, why) in [
        (
            vec![record(5, &b"a"[..])],
            "record 5 comes where the lowest sequence is 6",
        ),
        (
            vec![record(6, b"a"), record(6, b"b")],
            "record 6 comes where the lowest sequence is 7",
        ),
        (
            vec![record(u64::MAX, b"a")],
            "record 18446744073709551615 comes where the lowest sequence is 6",
        ),
        (
            vec![record(6, b"a"), record(7, &long)],
            "record 7 has 16777217 bytes, and 16777216 is the most",
        ),
    ] {
        let error = kept.segments.append(LOG, &records).unwrap_err();
        assert_eq!(error.to_string(), why);
        assert_eq!(kept.segments.next(LOG), Some(6));
    }
    assert_eq!(
        kept.segments.append(LOG, &[]).unwrap(),
        (Write::default(), Vec::new())
    );
    assert!(kept.append_bytes(LOG, 6, 1, &long[1..]), "the longest that fits");
    assert_eq!(kept.opened_again(&dir).sequences(LOG), [5, 6]);
}

#[test]
fn logs_that_the_journal_does_not_know_are_removed_and_others_are_not_mixed_up() {
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::new(&dir);
    for number in 0..40 {
        assert!(kept.append(LogId(number % 4), number, 1));
    }
    kept.lasts.remove(&LogId(1));
    // Nothing of this one was accepted.
    kept.lasts.insert(LogId(2), None);
    let mut kept = kept.opened_again(&dir);
    for (log, expected) in [(0, 10), (1, 0), (2, 0), (3, 10)] {
        let sequences = kept.sequences(LogId(log));
        assert_eq!(sequences.len(), expected, "log {log}");
        assert!(sequences.iter().all(|sequence| sequence % 4 == log));
    }
    assert!(kept.remove(LogId(0)));
    assert!(kept.remove(LogId(3)));
    assert_eq!(names(&folder(&dir)), [""; 0]);
    assert!(kept.append(LogId(9), 0, 1));
    assert_eq!(names(&folder(&dir)).len(), 1);
}

#[cfg(unix)]
#[test]
fn folder_and_files_are_their_owner_s() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = TempDir::new().unwrap();
    let mut kept = Kept::new(&dir);
    assert!(kept.append(LOG, 1, 1));
    let folder = folder(&dir);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let modes = || (mode(&folder), mode(&folder.join("segment-1.events")));
    assert_eq!(modes(), (0o700, 0o600));
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(folder.join("segment-1.events"), fs::Permissions::from_mode(0o644)).unwrap();
    kept.opened_again(&dir);
    assert_eq!(modes(), (0o700, 0o600));
}
