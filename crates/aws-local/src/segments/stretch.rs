//! What one write of the writer appended to a file, as the journal has it: whether it is on disk is looked at after a crash.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Seek as _, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::folder::file_name;
use super::format::{self, HEADER_BYTES, RECORD_HEAD_BYTES};
use crate::disk::{DataError, Disk};

/// How much is asked of a file at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// Records that follow each other in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stretch {
    pub(super) segment: u64,
    pub(super) from: u64,
    pub(super) to: u64,
}

/// Whether all records of these stretches are there, which were written last and may never have been synced. Then they are
/// synced: what is written from now on counts on them. What is missing in front of them is damage.
pub(crate) fn are_whole(disk: &dyn Disk, folder: &Path, stretches: &[Stretch]) -> Result<bool, DataError> {
    for stretch in stretches {
        if !stretch.is_whole(disk, folder)? {
            return Ok(false);
        }
    }
    if !stretches.is_empty() {
        let synced = disk.sync_names(folder);
        synced.map_err(|source| DataError::io(folder, source))?;
    }
    Ok(true)
}

impl Stretch {
    fn is_whole(&self, disk: &dyn Disk, folder: &Path) -> Result<bool, DataError> {
        let path = folder.join(file_name(self.segment));
        let damaged = |why: &str| DataError::Damaged {
            path: path.clone(),
            why: why.to_owned(),
        };
        let failed = |source| DataError::io(&path, source);
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Its name is synced with its records.
                let is_new = self.from == HEADER_BYTES as u64;
                return is_new
                    .then_some(false)
                    .ok_or_else(|| damaged("it is missing, with events that were accepted"));
            }
            Err(error) => return Err(failed(error)),
        };
        if file.metadata().map_err(failed)?.len() < self.from {
            return Err(damaged("it ends before events that were accepted"));
        }
        let is_whole = self.is_read(&file).map_err(failed)?;
        if is_whole {
            disk.sync(&file).map_err(failed)?;
        }
        Ok(is_whole)
    }

    fn is_read(&self, mut file: &File) -> io::Result<bool> {
        file.seek(SeekFrom::Start(self.from))?;
        let mut from = BufReader::with_capacity(BUFFER_BYTES, file);
        let (mut at, mut bytes) = (self.from, Vec::new());
        while at < self.to {
            let Some(head) = format::read_record(&mut from, &mut bytes)? else {
                return Ok(false);
            };
            at += (RECORD_HEAD_BYTES + head.length) as u64;
        }
        Ok(at == self.to)
    }
}
