//! The line in front of the entries that are written together with retained events.
//!
//! Entries and events are synced at the same time, so after a crash either may be there without the other. This line says what
//! was written together. Whatever comes behind it was written after both syncs, so what is missing of it then is damage. While
//! nothing comes behind it, a start cuts it off where it is not whole: a crash before the end of both syncs leaves it so, and then
//! nothing of it was acknowledged. A file that was damaged after both syncs looks the same, though its events were acknowledged: they
//! are lost with a warning, as the last entry of a journal is.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::line;
use crate::disk::{DataError, Disk};
use crate::segments::{Stretch, are_whole};

/// What its JSON begins with, and that of no entry.
const BEGIN: &[u8] = b"{\"batch\":";

/// What was written together.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Batch {
    /// How long the lines of its entries are.
    bytes: u64,
    segments: Vec<Stretch>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    batch: Batch,
}

impl Batch {
    pub(super) fn json(lines: &[u8], segments: Vec<Stretch>) -> serde_json::Result<Vec<u8>> {
        let batch = Self {
            bytes: lines.len() as u64,
            segments,
        };
        serde_json::to_vec(&Line { batch })
    }

    pub(super) fn is_one(json: &[u8]) -> bool {
        json.starts_with(BEGIN)
    }

    pub(super) fn read(json: &[u8]) -> Option<Self> {
        let line: Line = serde_json::from_slice(json).ok()?;
        Some(line.batch)
    }

    /// Whether its entries count, which begin at `at` in the journal `path` of that length. Either all do or none: what is written
    /// next is another batch, and no later start must take that for the rest of this one.
    pub(super) fn counts(
        &self,
        (at, length): (u64, u64),
        path: &Path,
        segments: &Path,
        disk: &dyn Disk,
    ) -> Result<bool, DataError> {
        if length > at.saturating_add(self.bytes) {
            return Ok(true);
        }
        let failed = |source| DataError::io(path, source);
        let mut file = File::open(path).map_err(failed)?;
        file.seek(SeekFrom::Start(at)).map_err(failed)?;
        let mut lines = Vec::new();
        file.read_to_end(&mut lines).map_err(failed)?;
        let has_all = lines.len() as u64 == self.bytes;
        let is_whole = |line: &[u8]| line::json(line).is_some();
        Ok(has_all
            && lines.split_inclusive(|byte| *byte == b'\n').all(is_whole)
            && are_whole(disk, segments, &self.segments)?)
    }
}
