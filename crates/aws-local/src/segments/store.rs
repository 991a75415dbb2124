//! What is known in memory of all logs, and what each change of them has to write. No I/O happens here.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::bounds::{Limits, RECORD_BYTES_MAX};
use super::folder::Folder;
use super::format::{self, Header, RECORD_HEAD_BYTES};
use super::index::Index;
use super::log::{LogId, Place, Start};
use super::read::Reading;
use crate::clock::Millis;

/// The logs, for whoever holds the engine's lock.
#[derive(Debug)]
pub(crate) struct Segments {
    folder: Arc<Folder>,
    limits: Limits,
    /// Oldest first; the last one is appended to.
    logs: BTreeMap<LogId, VecDeque<Segment>>,
    /// The number of the next file. None is used twice, so a reader never finds another file under its name.
    next_number: u64,
}

#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) index: Index,
}

/// A record to append.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewRecord<'b> {
    pub(crate) sequence: u64,
    /// Stored as that of the record before where it is earlier: within a log time does not run backwards.
    pub(crate) time: Millis,
    pub(crate) bytes: &'b [u8],
    /// What follows these bytes in the record; it is shared until it is written.
    pub(crate) text: Option<&'b Arc<str>>,
}

/// Why records are not appended; nothing has changed then.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum AppendError {
    #[error("record {sequence} has {bytes} bytes, and {RECORD_BYTES_MAX} is the most")]
    TooLong { sequence: u64, bytes: usize },
    #[error("record {sequence} comes where the lowest sequence is {next}")]
    OutOfOrder { sequence: u64, next: u64 },
}

/// What is to be written for changes of logs, in their order: to be given to the writer before the lock is released.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Write {
    pub(super) steps: Vec<Step>,
    /// How many bytes of records are in it, and in the files that it removes.
    bytes: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A new file with this header.
    Begin { number: u64, header: Header },
    Append {
        number: u64,
        /// Where in the file.
        at: u64,
        records: Records,
    },
    /// The index at the end of a file to which nothing is added any more.
    Seal { number: u64, index: Vec<u8> },
    /// Done when all that is written with it is on disk, in the order of the numbers.
    Remove { log: LogId, numbers: Vec<u64> },
}

/// Records that follow each other in a file. What they consist of is put together by the writer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Records {
    /// The first bytes of all of them.
    bytes: Vec<u8>,
    each: Vec<Part>,
}

#[derive(Debug, PartialEq, Eq)]
struct Part {
    sequence: u64,
    time: Millis,
    /// Where its first bytes end.
    end: usize,
    text: Option<Arc<str>>,
}

impl NewRecord<'_> {
    fn len(&self) -> usize {
        self.bytes.len() + self.text.map_or(0, |text| text.len())
    }
}

impl Records {
    fn with_room((bytes, count): (usize, usize)) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            each: Vec::with_capacity(count),
        }
    }

    fn add(&mut self, record: NewRecord<'_>) {
        self.bytes.extend(record.bytes);
        self.each.push(Part {
            sequence: record.sequence,
            time: record.time,
            end: self.bytes.len(),
            text: record.text.cloned(),
        });
    }

    /// Adds them to `buffer` as the file has them.
    pub(super) fn encode(&self, buffer: &mut Vec<u8>) {
        let mut start = 0;
        for Part {
            sequence,
            time,
            end,
            text,
        } in &self.each
        {
            let text = text.as_deref().unwrap_or_default();
            let pieces = [&self.bytes[start..*end], text.as_bytes()];
            format::append_record(buffer, *sequence, *time, pieces);
            start = *end;
        }
    }
}

impl Write {
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Adds what is to be written after it.
    pub(crate) fn then(&mut self, mut later: Self) {
        self.steps.append(&mut later.steps);
        self.bytes += later.bytes;
    }

    /// How many bytes it adds and removes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds a record; `room` is how many first bytes and records there are from it on.
    fn append(&mut self, (number, at): (u64, u64), record: NewRecord<'_>, room: (usize, usize)) {
        self.bytes += record.len() as u64;
        if let Some(Step::Append {
            number: of, records, ..
        }) = self.steps.last_mut()
            && *of == number
        {
            return records.add(record);
        }
        let mut records = Records::with_room(room);
        records.add(record);
        self.steps.push(Step::Append { number, at, records });
    }

    fn remove(&mut self, log: LogId, segments: impl Iterator<Item = Segment>) {
        let mut numbers = Vec::new();
        for segment in segments {
            numbers.push(segment.number);
            self.bytes += segment.index.end();
        }
        if !numbers.is_empty() {
            self.steps.push(Step::Remove { log, numbers });
        }
    }
}

impl Segments {
    /// `logs` are without empty ones.
    pub(super) fn new(
        folder: Arc<Folder>,
        limits: Limits,
        logs: BTreeMap<LogId, VecDeque<Segment>>,
        next_number: u64,
    ) -> Self {
        Self {
            folder,
            limits,
            logs,
            next_number,
        }
    }

    /// Appends records, all or none; gives their places, one for each file. The log begins with the first one; one that was
    /// removed does not begin again.
    pub(crate) fn append(
        &mut self,
        log: LogId,
        records: &[NewRecord<'_>],
    ) -> Result<(Write, Vec<Place>), AppendError> {
        self.check(log, records)?;
        let (mut write, mut places) = (Write::default(), Vec::<Place>::new());
        let bytes = records.iter().map(|record| record.bytes.len()).sum();
        let mut room: (usize, usize) = (bytes, records.len());
        for record in records {
            let (segment, offset) = self.place(log, record, room, &mut write);
            room = (room.0 - record.bytes.len(), room.1 - 1);
            match places.last_mut().filter(|place| place.segment == segment) {
                Some(place) => place.count += 1,
                None => places.push(Place {
                    log,
                    sequence: record.sequence,
                    segment,
                    offset,
                    count: 1,
                }),
            }
        }
        Ok((write, places))
    }

    fn check(&self, log: LogId, records: &[NewRecord<'_>]) -> Result<(), AppendError> {
        let mut next = self.next(log).unwrap_or(0);
        for record in records {
            let (sequence, bytes) = (record.sequence, record.len());
            if bytes > RECORD_BYTES_MAX {
                return Err(AppendError::TooLong { sequence, bytes });
            }
            // The highest number has none after it.
            if sequence < next || sequence == u64::MAX {
                return Err(AppendError::OutOfOrder { sequence, next });
            }
            next = sequence + 1;
        }
        Ok(())
    }

    /// Appends one record, in a new file where the last one is full; gives the file's number and the place there.
    fn place(
        &mut self,
        log: LogId,
        record: &NewRecord<'_>,
        room: (usize, usize),
        write: &mut Write,
    ) -> (u64, u64) {
        let segments = self.logs.entry(log).or_default();
        let length = (RECORD_HEAD_BYTES + record.len()) as u64;
        let has_room = |segment: &mut Segment| {
            segment.index.last().is_none() || segment.index.end() + length <= self.limits.segment_bytes
        };
        let latest = segments.back().and_then(|segment| segment.index.last());
        let time = latest.map_or(record.time, |(_, latest)| latest.max(record.time));
        if !segments.back_mut().is_some_and(has_room) {
            begin(log, segments, &mut self.next_number, record.sequence, write);
        }
        let Some(segment) = segments.back_mut() else {
            return (0, 0);
        };
        let place = (segment.number, segment.index.end());
        let record = NewRecord { time, ..*record };
        write.append(place, record, room);
        let (length, block_bytes) = (record.len(), self.limits.block_bytes);
        segment.index.add(record.sequence, time, length, block_bytes);
        place
    }

    /// How to read from the first record that is not before `start`; none where no record is.
    pub(crate) fn read(&self, log: LogId, start: Start) -> Option<Reading> {
        let segments = self.logs.get(&log)?;
        let found = segments.partition_point(|segment| segment.index.is_before(start));
        let Segment { number, index } = segments.get(found)?;
        index.last()?;
        Some(Reading {
            folder: Arc::clone(&self.folder),
            log,
            number: *number,
            offset: index.offset_of(start),
            end: index.end(),
            start,
        })
    }

    /// Whether the files of all these places are kept.
    pub(crate) fn have(&self, places: &[Place]) -> bool {
        let mut places = places.iter();
        places.all(|place| self.has_file(place.log, place.segment))
    }

    pub(crate) fn has_file(&self, log: LogId, number: u64) -> bool {
        let segments = self.logs.get(&log);
        segments.is_some_and(|segments| segments.iter().any(|segment| segment.number == number))
    }

    #[cfg(test)]
    pub(super) fn folder(&self) -> Option<std::path::PathBuf> {
        self.folder.path().map(std::path::Path::to_owned)
    }

    /// The lowest sequence that the next record of a log may have; none where the log has not begun.
    pub(crate) fn next(&self, log: LogId) -> Option<u64> {
        let last = self.logs.get(&log)?.back()?;
        Some(last.index.next())
    }

    /// How many bytes the records of a log take on disk.
    pub(crate) fn bytes(&self, log: LogId) -> u64 {
        let segments = self.logs.get(&log).into_iter().flatten();
        segments.map(|segment| segment.index.end()).sum()
    }

    /// Deletes the files whose records are all from before `before`. Younger files keep the older records that are in them.
    pub(crate) fn expire(&mut self, log: LogId, before: Millis) -> Write {
        let mut write = Write::default();
        let Some(segments) = self.logs.get_mut(&log) else {
            return write;
        };
        let has_expired = |segment: &Segment| segment.index.is_before(Start::Time(before));
        if let Some(last) = segments.back().filter(|last| has_expired(last)) {
            // What the log's next sequence is stays on disk, in a file without records.
            let next = last.index.next();
            begin(log, segments, &mut self.next_number, next, &mut write);
        }
        let expired = std::iter::from_fn(|| segments.pop_front_if(|segment| has_expired(segment)));
        write.remove(log, expired);
        write
    }

    /// Deletes the oldest files of a log as long as it has more bytes than that; the last one stays.
    pub(crate) fn shorten(&mut self, log: LogId, bytes_max: u64) -> (Write, u64) {
        let (mut write, mut over) = (Write::default(), self.bytes(log).saturating_sub(bytes_max));
        let Some(segments) = self.logs.get_mut(&log).filter(|_| over > 0) else {
            return (write, 0);
        };
        let (mut oldest, mut count) = (Vec::new(), 0);
        while over > 0
            && segments.len() > 1
            && let Some(segment) = segments.pop_front()
        {
            over = over.saturating_sub(segment.index.end());
            count += segment.index.next() - segment.index.from();
            oldest.push(segment);
        }
        write.remove(log, oldest.into_iter());
        (write, count)
    }

    /// Deletes a log.
    pub(crate) fn remove(&mut self, log: LogId) -> Write {
        let segments = self.logs.remove(&log);
        let mut write = Write::default();
        write.remove(log, segments.into_iter().flatten());
        write
    }
}

/// Begins a file for records from `first` on. Its header has the lowest sequence that could follow the file before, so that a
/// file that is missing between two others is noticed.
fn begin(log: LogId, segments: &mut VecDeque<Segment>, next_number: &mut u64, first: u64, write: &mut Write) {
    let mut from = first;
    if let Some(last) = segments.back() {
        from = last.index.next();
        let (number, index) = (last.number, last.index.encode());
        write
            .steps
            .extend(index.map(|index| Step::Seal { number, index }));
    }
    let number = *next_number;
    *next_number += 1;
    let header = Header { log, from };
    write.steps.push(Step::Begin { number, header });
    let index = Index::begun(from);
    segments.push_back(Segment { number, index });
}
