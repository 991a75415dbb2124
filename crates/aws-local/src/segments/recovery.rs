//! The start: which files are there, and that each log ends where the journal says.
//!
//! Of all files but a log's last one the index is read, of the last one its records. What is there beyond the last record that
//! the journal names was never accepted, and is cut off; what is missing before it is damage.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bounds::{LIMITS, Limits};
use super::files::Files;
use super::folder::{BEGUN, Folder, number_of};
use super::format::{self, HEADER_BYTES, Header, TAIL_BYTES, Tail};
use super::index::Index;
use super::log::LogId;
use super::store::{Segment, Segments};
use crate::disk::{DataError, Disk, private};

/// How much is asked of a file at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// The sequence of the last record of each log, none of one without records: as the journal has them.
pub(crate) type Lasts = BTreeMap<LogId, Option<u64>>;

/// Opens the segments in `folder`, which is created with the first of them. The files of logs that are not in `lasts` are
/// removed with the next that are: the journal may name what is in them.
pub(crate) fn open(
    folder: &Path,
    disk: Arc<dyn Disk>,
    lasts: &Lasts,
) -> Result<(Segments, Files), DataError> {
    open_with(folder, disk, LIMITS, lasts)
}

pub(super) fn open_with(
    folder: &Path,
    disk: Arc<dyn Disk>,
    limits: Limits,
    lasts: &Lasts,
) -> Result<(Segments, Files), DataError> {
    let found = find(folder, &*disk)?;
    let next_number = found.iter().map(|found| found.number + 1).max().unwrap_or(1);
    let mut files: BTreeMap<LogId, Vec<Found>> = BTreeMap::new();
    for found in found {
        files.entry(found.header.log).or_default().push(found);
    }
    let (mut logs, mut unaccepted) = (BTreeMap::new(), Vec::new());
    for (log, last) in lasts {
        let files = files.remove(log).unwrap_or_default();
        match last {
            Some(last) => {
                let segments = check_log(folder, &*disk, limits, files, *last)?;
                logs.insert(*log, segments);
            }
            None => unaccepted.extend(files),
        }
    }
    remove(&*disk, &unaccepted)?;
    let kept = Arc::new(Folder::Kept(folder.to_owned()));
    let segments = Segments::new(Arc::clone(&kept), limits, logs, next_number);
    let mut writer = Files::new(kept, disk, true);
    for found in files.into_values().flatten() {
        writer.remove_later(found.header.log, found.number);
    }
    Ok((segments, writer))
}

/// A file that was found.
struct Found {
    number: u64,
    path: PathBuf,
    header: Header,
}

/// Removes files, for good: one that came back after a crash would not fit in with what is written from now on.
fn remove(disk: &dyn Disk, files: &[Found]) -> Result<(), DataError> {
    for file in files.iter().rev() {
        disk.remove(&file.path).map_err(|source| file.failed(source))?;
    }
    let Some(folder) = files.first().and_then(|file| file.path.parent()) else {
        return Ok(());
    };
    disk.sync_names(folder)
        .map_err(|source| DataError::io(folder, source))
}

/// All segments in the folder. A file that was only begun is removed.
fn find(folder: &Path, disk: &dyn Disk) -> Result<Vec<Found>, DataError> {
    let failed = |source| DataError::io(folder, source);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    private::make_private(folder).map_err(failed)?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let (name, path) = (name.to_string_lossy(), entry.path());
        if name == BEGUN {
            // It only takes room, and the next one replaces it.
            let _ = disk.remove(&path);
        } else if let Some(number) = number_of(&name) {
            let header = read_header(&path)?;
            found.push(Found { number, path, header });
        }
    }
    found.sort_by_key(|found| (found.header.from, found.number));
    Ok(found)
}

fn read_header(path: &Path) -> Result<Header, DataError> {
    let failed = |source| DataError::io(path, source);
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    let file = File::open(path).map_err(failed)?;
    file.take(HEADER_BYTES as u64)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Header::decode(&bytes).map_err(|why| damaged(path, why))
}

fn damaged(path: &Path, why: String) -> DataError {
    let path = path.to_owned();
    DataError::Damaged { path, why }
}

/// The segments of a log whose last record is `last`. `files` are in the order of their sequences.
fn check_log(
    folder: &Path,
    disk: &dyn Disk,
    limits: Limits,
    mut files: Vec<Found>,
    last: u64,
) -> Result<VecDeque<Segment>, DataError> {
    let next = last.saturating_add(1);
    match files.first() {
        None => {
            let why = format!("the file with event {last} is missing");
            return Err(damaged(folder, why));
        }
        Some(first) if first.header.from > next => {
            let why = format!("the file with event {last}, which is before its events, is missing");
            return Err(damaged(&first.path, why));
        }
        Some(_) => {}
    }
    // Files that were begun for events that were never accepted.
    let accepted = files.partition_point(|file| file.header.from <= next);
    remove(disk, &files.split_off(accepted))?;
    let mut segments = VecDeque::new();
    let Some(active) = files.pop() else {
        return Ok(segments);
    };
    let index = active.cut(disk, limits, next)?;
    if index.next() < next {
        let why = format!(
            "it ends before event {last}, which was accepted, or what is in front of it is not what was written"
        );
        return Err(damaged(&active.path, why));
    }
    segments.push_front(active.segment(index));
    for file in files.into_iter().rev() {
        let index = file.index(limits)?;
        let after = segments.front().map_or(next, |segment| segment.index.from());
        if index.next() != after {
            let why = format!(
                "events between {} and {after} are missing in it or after it",
                index.next()
            );
            return Err(damaged(&file.path, why));
        }
        segments.push_front(file.segment(index));
    }
    Ok(segments)
}

impl Found {
    fn failed(&self, source: io::Error) -> DataError {
        DataError::io(&self.path, source)
    }

    fn segment(&self, index: Index) -> Segment {
        Segment {
            number: self.number,
            index,
        }
    }

    /// The index of a file to which nothing is added any more: the one at its end, or else, where a crash came before it
    /// was on disk, from its records.
    fn index(&self, limits: Limits) -> Result<Index, DataError> {
        match self.index_at_end().map_err(|source| self.failed(source))? {
            Some(index) => Ok(index),
            None => self.scan(limits, u64::MAX),
        }
    }

    fn index_at_end(&self) -> io::Result<Option<Index>> {
        let mut file = File::open(&self.path)?;
        let length = file.metadata()?.len();
        let Some(at) = length.checked_sub(TAIL_BYTES as u64) else {
            return Ok(None);
        };
        let mut bytes = [0; TAIL_BYTES];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut bytes)?;
        let whole = |tail: &Tail| tail.end.checked_add(tail.index_bytes()) == Some(length);
        let Some(tail) = Tail::decode(&bytes).filter(whole) else {
            return Ok(None);
        };
        file.seek(SeekFrom::Start(tail.end))?;
        let mut index = Vec::new();
        file.take(tail.index_bytes()).read_to_end(&mut index)?;
        let blocks = tail.blocks(&index);
        let last = (tail.sequence, tail.time);
        Ok(blocks.map(|blocks| Index::sealed(self.header.from, blocks, last, tail.end)))
    }

    /// The index of the whole records at the file's beginning whose sequence is lower than `next`.
    fn scan(&self, limits: Limits, next: u64) -> Result<Index, DataError> {
        let failed = |source| self.failed(source);
        let mut file = File::open(&self.path).map_err(failed)?;
        file.seek(SeekFrom::Start(HEADER_BYTES as u64)).map_err(failed)?;
        let mut from = BufReader::with_capacity(BUFFER_BYTES, file);
        let (mut index, mut bytes) = (Index::begun(self.header.from), Vec::new());
        while let Some(head) = format::read_record(&mut from, &mut bytes).map_err(failed)? {
            if head.sequence < index.next() || head.sequence >= next {
                break;
            }
            index.add(head.sequence, head.time, head.length, limits.block_bytes);
        }
        Ok(index)
    }

    /// Cuts off what comes after the last record whose sequence is lower than `next`.
    fn cut(&self, disk: &dyn Disk, limits: Limits, next: u64) -> Result<Index, DataError> {
        let index = self.scan(limits, next)?;
        if index.next() < next {
            // Damage is left for whoever looks at it.
            return Ok(index);
        }
        let failed = |source| self.failed(source);
        let file = fs::OpenOptions::new()
            .write(true)
            .open(&self.path)
            .map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        if index.end() < length {
            tracing::warn!(
                file = %self.path.display(),
                bytes = length - index.end(),
                "a segment of retained events ends with what was never accepted; it is cut off"
            );
            disk.cut(&file, index.end()).map_err(failed)?;
            disk.sync(&file).map_err(failed)?;
        }
        Ok(index)
    }
}
