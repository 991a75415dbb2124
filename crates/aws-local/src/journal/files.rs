//! The files of the data directory: `snapshot-N.json`, the state when `journal-N.ndjson` began.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::batch::Batch;
use super::line;
use crate::change::Entry;
use crate::disk::{DataError, Disk, private};
use crate::state::World;

/// The version in every file that is begun; one that is not known is refused.
const VERSION: u32 = 3;
/// The version before: events of custom event buses are in memory, in snapshots, and in the requests of the journal.
const WITHOUT_SEGMENTS: u32 = 2;
/// More than a journal's first line has.
const HEADER_BYTES_MAX: u64 = 1024;
/// Files that are written under these names first.
pub(super) const SNAPSHOT_BEGUN: &str = "snapshot.tmp";
const JOURNAL_BEGUN: &str = "journal.tmp";

/// How a file has the events of custom event buses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    WithoutSegments,
    Current,
}

impl Version {
    fn of(number: u32) -> Result<Self, String> {
        match number {
            WITHOUT_SEGMENTS => Ok(Self::WithoutSegments),
            VERSION => Ok(Self::Current),
            other => Err(format!(
                "version {other}, and this program knows {WITHOUT_SEGMENTS} and {VERSION}"
            )),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    journal: u32,
}

#[derive(Serialize, Deserialize)]
struct Snapshot<W> {
    snapshot: u32,
    world: W,
}

/// Creates the directory and locks it for this process. It and its files are made readable by their owner only.
pub(super) fn lock(dir: &Path) -> Result<File, DataError> {
    private::create_dir(dir).map_err(|source| DataError::io(dir, source))?;
    let path = dir.join("lock");
    let file = private::open(&path).map_err(|source| DataError::io(&path, source))?;
    match file.try_lock() {
        Ok(()) => {
            private::make_private(dir).map_err(|source| DataError::io(dir, source))?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => Err(DataError::InUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(DataError::io(&path, source)),
    }
}

/// The number of the newest snapshot; 0, for which there is none, at first.
pub(super) fn newest_snapshot(dir: &Path) -> Result<u64, DataError> {
    let numbers = names(dir)?;
    let numbers = numbers
        .iter()
        .filter_map(|name| number(name, "snapshot-", ".json"));
    Ok(numbers.max().unwrap_or(0))
}

/// Refuses a directory whose newest files are not all there, or have no bytes: each of them is begun under another name, so
/// an empty one was cut.
pub(super) fn check_complete(dir: &Path, newest: u64) -> Result<(), DataError> {
    let damaged = |path: PathBuf, why: &str| DataError::Damaged {
        path,
        why: why.to_owned(),
    };
    let journal = journal_path(dir, newest);
    for path in [snapshot_path(dir, newest), journal.clone()] {
        let length = fs::metadata(&path).map(|meta| meta.len());
        if length.is_ok_and(|bytes| bytes == 0) {
            return Err(damaged(path, "it has no bytes, and what it held is gone"));
        }
    }
    if newest > 0 && !journal.exists() {
        return Err(damaged(journal, "it is missing"));
    }
    let journals = names(dir)?;
    let journals = journals
        .iter()
        .filter_map(|name| number(name, "journal-", ".ndjson"));
    match journals.max() {
        // A fold that was cut short leaves the journal after the one that counts.
        Some(later) if newest == 0 && !journal.exists() => Err(damaged(
            snapshot_path(dir, later),
            "it is missing, and its journal is there",
        )),
        _ => Ok(()),
    }
}

fn names(dir: &Path) -> Result<Vec<String>, DataError> {
    let failed = |source| DataError::io(dir, source);
    let mut names = Vec::new();
    for file in fs::read_dir(dir).map_err(failed)? {
        names.extend(file.map_err(failed)?.file_name().into_string().ok());
    }
    Ok(names)
}

fn number(name: &str, before: &str, after: &str) -> Option<u64> {
    name.strip_prefix(before)?.strip_suffix(after)?.parse().ok()
}

/// Removes files that a crash during a fold left beside the current ones, and syncs the directory.
pub(super) fn clean(disk: &dyn Disk, dir: &Path, counts: u64) -> Result<(), DataError> {
    for name in names(dir)? {
        let of = number(&name, "snapshot-", ".json").or_else(|| number(&name, "journal-", ".ndjson"));
        if name == SNAPSHOT_BEGUN || name == JOURNAL_BEGUN || of.is_some_and(|number| number < counts) {
            // It only takes room, and the next start tries again.
            let _ = disk.remove(&dir.join(name));
        }
    }
    disk.sync_names(dir).map_err(|source| DataError::io(dir, source))
}

/// The version of a directory: that of its newest journal, or the current one where there is none.
pub(super) fn version(dir: &Path, generation: u64) -> Result<Version, DataError> {
    let path = journal_path(dir, generation);
    let failed = |source| DataError::io(&path, source);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Version::Current),
        Err(error) => return Err(failed(error)),
    };
    let mut line = Vec::new();
    let mut first = BufReader::new(file).take(HEADER_BYTES_MAX);
    first.read_until(b'\n', &mut line).map_err(failed)?;
    // One that cannot be read, or was torn, is reported where it is read whole.
    let header = serde_json::from_slice::<Header>(&line).ok();
    let version = header.map(|header| Version::of(header.journal));
    version
        .unwrap_or(Ok(Version::Current))
        .map_err(|why| DataError::Damaged { path, why })
}

/// The snapshot that a journal begins after, and its length.
pub(super) fn read_snapshot(dir: &Path, generation: u64) -> Result<(World, u64), DataError> {
    if generation == 0 {
        return Ok((World::default(), 0));
    }
    let path = snapshot_path(dir, generation);
    let text = fs::read(&path).map_err(|source| DataError::io(&path, source))?;
    let damaged = |why: String| DataError::Damaged {
        path: path.clone(),
        why,
    };
    let snapshot: Snapshot<World> = serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))?;
    Version::of(snapshot.snapshot).map_err(damaged)?;
    Ok((snapshot.world, text.len() as u64))
}

/// Writes a snapshot of the state.
pub(super) fn write_snapshot(to: impl io::Write, world: &World) -> serde_json::Result<()> {
    serde_json::to_writer(
        to,
        &Snapshot {
            snapshot: VERSION,
            world,
        },
    )
}

/// A journal that was read, for appending.
pub(super) struct Opened {
    pub(super) file: File,
    /// Where its last whole write ends.
    pub(super) bytes: u64,
    /// How much comes behind that.
    torn: u64,
}

impl Opened {
    fn begun((file, bytes): (File, u64)) -> Self {
        Self { file, bytes, torn: 0 }
    }

    /// Truncates a torn write at the end.
    pub(super) fn truncate(&self, disk: &dyn Disk) -> io::Result<()> {
        if self.torn == 0 {
            return Ok(());
        }
        tracing::warn!(
            at = self.bytes,
            bytes = self.torn,
            "the last write of the journal is not whole, in the journal or in `segments`; it is cut off. After a crash it was not \
             acknowledged; if the directory was damaged or copied since, accepted changes may be missing: put a whole copy back"
        );
        disk.cut(&self.file, self.bytes)?;
        disk.sync(&self.file)
    }
}

/// Replays a journal, whose events are in the folder `segments`.
pub(super) fn read_journal(
    disk: &dyn Disk,
    path: &Path,
    segments: &Path,
    mut replay: impl FnMut(Entry) -> Result<(), DataError>,
) -> Result<Opened, DataError> {
    let failed = |source| DataError::io(path, source);
    let Ok(length) = fs::metadata(path).map(|meta| meta.len()) else {
        return begin_first_journal(disk, path).map(Opened::begun).map_err(failed);
    };
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .open(path)
        .map_err(failed)?;
    let bytes = read_lines(&file, path, &mut |line, at| match line {
        Line::Entry(entry) => replay(entry).map(|()| true),
        Line::Batch(batch) => batch.counts((at, length), path, segments, disk),
    })?;
    if bytes == 0 {
        return begin_first_journal(disk, path).map(Opened::begun).map_err(failed);
    }
    let torn = length.saturating_sub(bytes);
    Ok(Opened { file, bytes, torn })
}

/// A line after the first one.
enum Line {
    Entry(Entry),
    Batch(Batch),
}

/// Gives each line to `take`, and where it ends, until that says that the line does not count; gives where the last one that
/// does ends.
fn read_lines(
    file: &File,
    path: &Path,
    take: &mut impl FnMut(Line, u64) -> Result<bool, DataError>,
) -> Result<u64, DataError> {
    let failed = |source| DataError::io(path, source);
    let damaged = |why: String| DataError::Damaged {
        path: path.to_owned(),
        why,
    };
    let (mut whole, mut line) = (0, Vec::new());
    let mut reader = BufReader::new(file);
    while reader.read_until(b'\n', &mut line).map_err(failed)? > 0 && line.ends_with(b"\n") {
        let end = whole + line.len() as u64;
        if whole == 0 {
            let header: Header = serde_json::from_slice(&line).map_err(|e| damaged(e.to_string()))?;
            Version::of(header.journal).map_err(damaged)?;
        } else {
            match read_line(&line) {
                Some(read) => {
                    if !take(read, end)? {
                        break;
                    }
                }
                None if is_torn(&line, &mut reader).map_err(failed)? => break,
                None => {
                    return Err(damaged(format!(
                        "the entry at byte {whole} is not what was written"
                    )));
                }
            }
        }
        whole = end;
        line.clear();
    }
    let begun = |line: &[u8]| header().as_bytes().starts_with(line) || line.iter().all(|byte| *byte == 0);
    if whole == 0 && !begun(&line) {
        return Err(damaged("no first line".to_owned()));
    }
    Ok(whole)
}

/// Whether a bad line is a torn write: then nothing after it can be read either, or the line has zeros, which no entry
/// has, where a block never reached the disk. Anything else is corruption.
fn is_torn(line: &[u8], rest: &mut impl io::BufRead) -> io::Result<bool> {
    if line.contains(&0) {
        return Ok(true);
    }
    let mut next = Vec::new();
    while rest.read_until(b'\n', &mut next)? > 0 {
        if read_line(&next).is_some() {
            return Ok(false);
        }
        next.clear();
    }
    Ok(true)
}

fn read_line(line: &[u8]) -> Option<Line> {
    let json = line::json(line)?;
    if Batch::is_one(json) {
        return Batch::read(json).map(Line::Batch);
    }
    serde_json::from_slice(json).ok().map(Line::Entry)
}

/// A journal under another name first: one of no bytes under its own was cut.
fn begin_first_journal(disk: &dyn Disk, path: &Path) -> io::Result<(File, u64)> {
    let begun = path.with_file_name(JOURNAL_BEGUN);
    let journal = begin_journal(disk, &begun)?;
    disk.rename(&begun, path)?;
    Ok(journal)
}

pub(super) fn begin_journal(disk: &dyn Disk, path: &Path) -> io::Result<(File, u64)> {
    let mut file = disk.create(path)?;
    disk.append(&mut file, header().as_bytes())?;
    disk.sync(&file)?;
    Ok((file, header().len() as u64))
}

fn header() -> String {
    format!("{{\"journal\":{VERSION}}}\n")
}

pub(super) fn journal_path(dir: &Path, generation: u64) -> PathBuf {
    dir.join(format!("journal-{generation}.ndjson"))
}

pub(super) fn snapshot_path(dir: &Path, generation: u64) -> PathBuf {
    dir.join(format!("snapshot-{generation}.json"))
}
