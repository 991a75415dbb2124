//! Reading what the journal names, at the start: most of it follows what was read before.

use std::fs::File;
use std::io::{BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::folder::file_name;
use super::format;
use super::log::Place;
use super::read::Record;
use crate::disk::DataError;

/// How much is asked of a file at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// The segments of a folder, read by place.
#[derive(Debug)]
pub(crate) struct Places {
    folder: PathBuf,
    open: Option<Open>,
}

/// The file that was read last, and where it is read on.
#[derive(Debug)]
struct Open {
    number: u64,
    at: u64,
    from: BufReader<File>,
}

impl Places {
    pub(crate) fn new(folder: &Path) -> Self {
        let folder = folder.to_owned();
        Self { folder, open: None }
    }

    /// Reads the records at places, in their order. One that is not there is damage: what the journal names was accepted.
    pub(crate) fn read(&mut self, places: &[Place]) -> Result<Vec<Record>, DataError> {
        let mut records = Vec::new();
        for place in places {
            self.read_one(place, &mut records)?;
        }
        Ok(records)
    }

    fn read_one(&mut self, place: &Place, records: &mut Vec<Record>) -> Result<(), DataError> {
        let path = self.folder.join(file_name(place.segment));
        let failed = |source| DataError::io(&path, source);
        let mut open = match self.open.take().filter(|open| open.number == place.segment) {
            Some(open) => open,
            None => Open {
                number: place.segment,
                at: 0,
                from: BufReader::with_capacity(BUFFER_BYTES, File::open(&path).map_err(failed)?),
            },
        };
        if open.at != place.offset {
            open.from.seek(SeekFrom::Start(place.offset)).map_err(failed)?;
            open.at = place.offset;
        }
        for nth in 0..place.count {
            let (mut bytes, offset) = (Vec::new(), open.at);
            let head = format::read_record(&mut open.from, &mut bytes).map_err(failed)?;
            let is_first = |sequence| nth > 0 || sequence == place.sequence;
            let Some(head) = head.filter(|head| is_first(head.sequence)) else {
                let sequence = place.sequence.saturating_add(nth);
                let why = format!("event {sequence}, which was accepted, is not at byte {offset}");
                return Err(DataError::Damaged { path, why });
            };
            open.at += (format::RECORD_HEAD_BYTES + head.length) as u64;
            records.push(Record {
                sequence: head.sequence,
                time: head.time,
                offset,
                bytes,
            });
        }
        self.open = Some(open);
        Ok(())
    }
}
