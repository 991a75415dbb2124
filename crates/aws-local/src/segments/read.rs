//! Reading a stretch of records: where they are is decided under the engine's lock, the reading happens outside.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use super::folder::Folder;
use super::format;
use super::log::{LogId, Place, Start};
use crate::clock::Millis;
use crate::disk::DataError;

/// How much is asked of the file at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// A stretch of one file. What it refers to may still be with the writer: wait for its ticket first.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(super) folder: Arc<Folder>,
    pub(super) log: LogId,
    pub(super) number: u64,
    pub(super) offset: u64,
    pub(super) end: u64,
    pub(super) start: Start,
}

/// A retained record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) sequence: u64,
    pub(crate) time: Millis,
    /// Where it is in its file.
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Why records cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// Their file is not there: they have expired, or their log was removed, since the place was looked up. Where neither is
    /// so, somebody has deleted it.
    #[error("the file `{path}` is gone")]
    Gone { log: LogId, number: u64, path: PathBuf },
    #[error(transparent)]
    Failed(DataError),
}

impl Reading {
    /// Reads so many records, as long as they have `bytes_max` together, and always one; the rest of the log begins after the
    /// last of them. It blocks: a page that is not in memory comes from the disk.
    pub(crate) fn read(&self, bytes_max: usize, count_max: usize) -> Result<Vec<Record>, ReadError> {
        let path = self.folder.file(self.number);
        let mut file = File::open(&path).map_err(|error| self.failed(error))?;
        let failed = |error| self.failed(error);
        file.seek(SeekFrom::Start(self.offset)).map_err(failed)?;
        let length = self.end.saturating_sub(self.offset);
        let mut from = BufReader::with_capacity(BUFFER_BYTES, file.take(length));
        let (mut records, mut bytes_left, mut at) = (Vec::new(), bytes_max, self.offset);
        let mut bytes = Vec::new();
        while at < self.end && records.len() < count_max {
            let Some(head) = format::read_record(&mut from, &mut bytes).map_err(failed)? else {
                return Err(ReadError::Failed(DataError::Damaged {
                    path,
                    why: format!("the event at byte {at} is not what was written"),
                }));
            };
            let offset = at;
            at += (format::RECORD_HEAD_BYTES + head.length) as u64;
            if self.start.is_after(head.sequence, head.time) {
                continue;
            }
            let Some(left) = bytes_left
                .checked_sub(head.length)
                .or(records.is_empty().then_some(0))
            else {
                break;
            };
            bytes_left = left;
            records.push(Record {
                sequence: head.sequence,
                time: head.time,
                offset,
                bytes: std::mem::take(&mut bytes),
            });
        }
        Ok(records)
    }

    /// An error of a record that is not what was written.
    pub(crate) fn damaged(&self, why: String) -> ReadError {
        let path = self.folder.file(self.number);
        ReadError::Failed(DataError::Damaged { path, why })
    }

    /// The place of records that it has read, which follow each other.
    pub(crate) fn place(&self, records: &[Record]) -> Option<Place> {
        let first = records.first()?;
        Some(Place {
            log: self.log,
            sequence: first.sequence,
            segment: self.number,
            offset: first.offset,
            count: records.len() as u64,
        })
    }

    fn failed(&self, error: io::Error) -> ReadError {
        let path = self.folder.file(self.number);
        if error.kind() == io::ErrorKind::NotFound {
            let (log, number) = (self.log, self.number);
            return ReadError::Gone { log, number, path };
        }
        ReadError::Failed(DataError::io(&path, error))
    }
}
