//! State over kill -9: every change is a line in a journal, on disk before its caller is answered.
//!
//! A line holds the request as AWS's API words it, with the time and the seed it ran with; running the lines again
//! through the core gives the same state. One thread writes, and syncs once for all that came meanwhile. When the
//! journal has grown, the state itself is written down and a new journal begun.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::clock::Millis;
use crate::engine::Change;
use crate::state::World;

/// Written into every file; a reader of another version refuses.
const VERSION: u32 = 1;
/// A journal is folded into a snapshot when it is this long, or twice the last snapshot if that is more.
const FOLD_BYTES: u64 = 64 * 1024 * 1024;

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Reading or writing failed.
    #[error("the data directory's `{path}` cannot be read or written")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Another process has it.
    #[error("the data directory `{0}` is in use by another local AWS")]
    InUse(PathBuf),
    /// A file is not what this version writes.
    #[error("`{path}` is damaged or from another version: {why}; move the directory away to start afresh")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// One change of the state.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) at: Millis,
    pub(crate) seed: u64,
    pub(crate) change: Change,
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

/// The writing end.
#[derive(Debug)]
pub(crate) struct Journal {
    to_writer: mpsc::Sender<Work>,
    durable: watch::Receiver<Progress>,
    appended: u64,
    bytes: u64,
    fold_at: u64,
    _lock: File,
}

/// How far the writer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Written(u64),
    Failed,
}

enum Work {
    Line(Vec<u8>),
    Fold(Vec<u8>),
}

/// To be waited on before the caller is answered.
#[derive(Debug)]
pub(crate) struct Ticket {
    number: u64,
    durable: watch::Receiver<Progress>,
}

impl Ticket {
    /// False when the disk refused.
    pub(crate) async fn wait(mut self) -> bool {
        let number = self.number;
        let reached = |progress: &Progress| match progress {
            Progress::Written(upto) => *upto >= number,
            Progress::Failed => true,
        };
        self.durable
            .wait_for(reached)
            .await
            .is_ok_and(|progress| *progress != Progress::Failed)
    }
}

impl Journal {
    /// Opens the directory, hands the state before the journal and then each entry to `replay`.
    pub(crate) fn open<T>(
        dir: &Path,
        start: impl FnOnce(World) -> T,
        replay: impl Fn(&mut T, Entry),
    ) -> Result<(Self, T), DataError> {
        fs::create_dir_all(dir).map_err(|source| io_error(dir, source))?;
        let lock = take_lock(dir)?;
        let generation = newest_snapshot(dir)?;
        let mut state = start(read_snapshot(dir, generation)?);
        let path = journal_path(dir, generation);
        let (file, bytes) = read_journal(&path, |entry| replay(&mut state, entry))?;
        sync_dir(dir)?;
        let (to_writer, work) = mpsc::channel();
        let (progress, durable) = watch::channel(Progress::Written(0));
        let mut writer = Writer {
            dir: dir.to_owned(),
            generation,
            file,
            progress,
            done: 0,
        };
        std::thread::spawn(move || writer.run(&work));
        let fold_at =
            FOLD_BYTES.max(2 * fs::metadata(snapshot_path(dir, generation)).map_or(0, |meta| meta.len()));
        Ok((
            Self {
                to_writer,
                durable,
                appended: 0,
                bytes,
                fold_at,
                _lock: lock,
            },
            state,
        ))
    }

    /// Hands an entry to the writer. Called in the order of the changes.
    pub(crate) fn append(&mut self, entry: &Entry) -> Ticket {
        // An entry is plain data with text keys: it always serialises.
        let mut line = serde_json::to_vec(entry).unwrap_or_default();
        line.push(b'\n');
        self.bytes += line.len() as u64;
        self.appended += 1;
        // A writer that is gone has left `Failed` or closed the channel, which the ticket reports.
        let _ = self.to_writer.send(Work::Line(line));
        Ticket {
            number: self.appended,
            durable: self.durable.clone(),
        }
    }

    /// Begins a new journal after the state, when the old one has grown.
    pub(crate) fn fold_if_long(&mut self, world: &World) {
        if self.bytes < self.fold_at {
            return;
        }
        let Ok(snapshot) = serde_json::to_vec(&Snapshot {
            snapshot: VERSION,
            world,
        }) else {
            return;
        };
        self.bytes = 0;
        self.fold_at = FOLD_BYTES.max(2 * snapshot.len() as u64);
        let _ = self.to_writer.send(Work::Fold(snapshot));
    }

    /// Whether a write failed: nothing more is accepted then.
    pub(crate) fn has_failed(&self) -> bool {
        *self.durable.borrow() == Progress::Failed
    }
}

struct Writer {
    dir: PathBuf,
    generation: u64,
    file: File,
    progress: watch::Sender<Progress>,
    done: u64,
}

impl Writer {
    fn run(&mut self, work: &mpsc::Receiver<Work>) {
        while let Ok(first) = work.recv() {
            if let Err(error) = self.batch(first, work) {
                tracing::error!(%error, "the journal cannot be written; changes are refused from here on");
                self.progress.send_replace(Progress::Failed);
                return;
            }
            self.progress.send_replace(Progress::Written(self.done));
        }
    }

    /// Writes all that waits and syncs once.
    fn batch(&mut self, first: Work, work: &mpsc::Receiver<Work>) -> io::Result<()> {
        let mut next = Some(first);
        let mut lines = Vec::new();
        while let Some(one) = next {
            match one {
                Work::Line(line) => {
                    lines.extend(line);
                    self.done += 1;
                }
                Work::Fold(snapshot) => {
                    self.file.write_all(&lines)?;
                    lines.clear();
                    self.fold(&snapshot)?;
                }
            }
            next = work.try_recv().ok();
        }
        self.file.write_all(&lines)?;
        self.file.sync_data()
    }

    /// The snapshot is whole on disk before the new journal begins and the old files go.
    fn fold(&mut self, snapshot: &[u8]) -> io::Result<()> {
        self.file.sync_data()?;
        let next = self.generation + 1;
        let temporary = self.dir.join("snapshot.tmp");
        let mut file = File::create(&temporary)?;
        file.write_all(snapshot)?;
        file.sync_all()?;
        let (mut journal, _) = begin_journal(&journal_path(&self.dir, next))?;
        journal.flush()?;
        fs::rename(&temporary, snapshot_path(&self.dir, next))?;
        File::open(&self.dir)?.sync_all()?;
        let _ = fs::remove_file(journal_path(&self.dir, self.generation));
        let _ = fs::remove_file(snapshot_path(&self.dir, self.generation));
        (self.generation, self.file) = (next, journal);
        Ok(())
    }
}

fn take_lock(dir: &Path) -> Result<File, DataError> {
    let path = dir.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = file.map_err(|source| io_error(&path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DataError::InUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(io_error(&path, source)),
    }
}

/// The number of the newest snapshot; 0, for which there is none, at first.
fn newest_snapshot(dir: &Path) -> Result<u64, DataError> {
    let mut newest = 0;
    for file in fs::read_dir(dir).map_err(|source| io_error(dir, source))? {
        let name = file.map_err(|source| io_error(dir, source))?.file_name();
        let number = name
            .to_str()
            .and_then(|n| n.strip_prefix("snapshot-")?.strip_suffix(".json")?.parse().ok());
        newest = newest.max(number.unwrap_or(0));
    }
    Ok(newest)
}

fn read_snapshot(dir: &Path, generation: u64) -> Result<World, DataError> {
    if generation == 0 {
        return Ok(World::default());
    }
    let path = snapshot_path(dir, generation);
    let text = fs::read(&path).map_err(|source| io_error(&path, source))?;
    let damaged = |why: String| DataError::Damaged {
        path: path.clone(),
        why,
    };
    let snapshot: Snapshot<World> = serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))?;
    if snapshot.snapshot != VERSION {
        return Err(damaged(format!("version {}", snapshot.snapshot)));
    }
    Ok(snapshot.world)
}

/// Replays a journal, cuts off a last line that a crash left unfinished, and opens it for more.
fn read_journal(path: &Path, mut replay: impl FnMut(Entry)) -> Result<(File, u64), DataError> {
    let failed = |source| io_error(path, source);
    let damaged = |why: String| DataError::Damaged {
        path: path.to_owned(),
        why,
    };
    if fs::metadata(path).map_or(0, |meta| meta.len()) == 0 {
        return begin_journal(path).map_err(failed);
    }
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .open(path)
        .map_err(failed)?;
    let (mut whole, mut line) = (0, Vec::new());
    let mut reader = BufReader::new(&file);
    while reader.read_until(b'\n', &mut line).map_err(failed)? > 0 && line.ends_with(b"\n") {
        if whole == 0 {
            let header: Header = serde_json::from_slice(&line).map_err(|e| damaged(e.to_string()))?;
            if header.journal != VERSION {
                return Err(damaged(format!("version {}", header.journal)));
            }
        } else {
            replay(serde_json::from_slice(&line).map_err(|e| damaged(format!("at byte {whole}: {e}")))?);
        }
        whole += line.len() as u64;
        line.clear();
    }
    if whole == 0 {
        return begin_journal(path).map_err(failed);
    }
    file.set_len(whole).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok((file, whole))
}

fn begin_journal(path: &Path) -> io::Result<(File, u64)> {
    let mut file = File::create(path)?;
    let header = format!("{{\"journal\":{VERSION}}}\n");
    file.write_all(header.as_bytes())?;
    file.sync_all()?;
    Ok((file, header.len() as u64))
}

fn sync_dir(dir: &Path) -> Result<(), DataError> {
    File::open(dir)
        .and_then(|file| file.sync_all())
        .map_err(|source| io_error(dir, source))
}

fn journal_path(dir: &Path, generation: u64) -> PathBuf {
    dir.join(format!("journal-{generation}.ndjson"))
}

fn snapshot_path(dir: &Path, generation: u64) -> PathBuf {
    dir.join(format!("snapshot-{generation}.json"))
}

fn io_error(path: &Path, source: io::Error) -> DataError {
    DataError::Io {
        path: path.to_owned(),
        source,
    }
}
