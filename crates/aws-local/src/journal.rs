//! State over kill -9: every change is a line in a journal, on disk before its caller is answered.
//!
//! A line holds the request as AWS's API words it, with the time and the seed it ran with; running the lines again
//! through the core gives the same state. One thread writes, and syncs once for all that came meanwhile. When the
//! journal has grown, the state itself is written down and a new journal begun.
//!
//! A disk that takes no more fails the changes that it did not take, and no others: the state is read from disk
//! again, and what comes next is tried again.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use tokio::sync::watch;

use crate::change::Entry;
use crate::state::World;

pub(crate) mod disk;
mod files;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
mod writer;

use disk::{Disk, Machine};
use writer::{Work, Writer};

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

/// Where the journal is, and how it writes.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) dir: PathBuf,
    pub(crate) fold_bytes: u64,
    pub(crate) disk: Arc<dyn Disk>,
}

impl Place {
    pub(crate) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            fold_bytes: FOLD_BYTES,
            disk: Arc::new(Machine),
        }
    }
}

/// The writing end.
#[derive(Debug)]
pub(crate) struct Journal {
    place: Place,
    to_writer: Option<mpsc::Sender<Work>>,
    writer: Option<JoinHandle<()>>,
    durable: watch::Receiver<Progress>,
    appended: u64,
    bytes: u64,
    fold_at: u64,
    lock: File,
}

/// How far the writer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The number of the last entry that is on disk.
    written: u64,
    health: Health,
}

/// How the writer fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    Well,
    /// It refused something, and the files hold what it took before and nothing more.
    Refused,
    /// What the files hold is not known.
    Broken,
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
        let settled = |progress: &Progress| progress.written >= number || progress.health != Health::Well;
        self.durable
            .wait_for(settled)
            .await
            .is_ok_and(|progress| progress.written >= number)
    }
}

impl Journal {
    /// Opens the directory, hands the state before the journal and then each entry to `replay`.
    pub(crate) fn open<T>(
        place: &Place,
        start: impl FnOnce(World) -> T,
        replay: impl Fn(&mut T, &Entry),
    ) -> Result<(Self, T), DataError> {
        let lock = files::lock(&place.dir)?;
        Self::read(place.clone(), lock, start, replay)
    }

    /// Reads the state from disk again after [`Health::Refused`].
    pub(crate) fn reopen<T>(
        &self,
        start: impl FnOnce(World) -> T,
        replay: impl Fn(&mut T, &Entry),
    ) -> Result<(Self, T), DataError> {
        let lock = self.lock.try_clone();
        let lock = lock.map_err(|source| files::io_error(&self.place.dir, source))?;
        Self::read(self.place.clone(), lock, start, replay)
    }

    fn read<T>(
        place: Place,
        lock: File,
        start: impl FnOnce(World) -> T,
        replay: impl Fn(&mut T, &Entry),
    ) -> Result<(Self, T), DataError> {
        let found = files::newest_snapshot(&place.dir)?;
        let (world, snapshot_bytes) = files::read_snapshot(&place.dir, found)?;
        let mut state = start(world);
        let path = files::journal_path(&place.dir, found);
        let (file, bytes) = files::read_journal(&*place.disk, &path, |entry| replay(&mut state, &entry))?;
        files::clean(&*place.disk, &place.dir, found)?;
        let (to_writer, work) = mpsc::channel();
        let (progress, durable) = watch::channel(Progress {
            written: 0,
            health: Health::Well,
        });
        let writer = Writer::new(&place, found, file, bytes, progress);
        let writer = std::thread::spawn(move || writer.run(&work));
        Ok((
            Self {
                fold_at: place.fold_bytes.max(2 * snapshot_bytes),
                place,
                to_writer: Some(to_writer),
                writer: Some(writer),
                durable,
                appended: 0,
                bytes,
                lock,
            },
            state,
        ))
    }

    /// Hands an entry to the writer. Called in the order of the changes.
    pub(crate) fn append(&mut self, entry: &Entry) -> Ticket {
        // An entry is plain data with text keys: it always serialises.
        let json = serde_json::to_vec(entry).unwrap_or_default();
        self.bytes += json.len() as u64;
        self.appended += 1;
        self.hand_over(Work::Entry(json));
        self.latest()
    }

    /// For whoever was shown the state as it is now: it is on disk when this is.
    pub(crate) fn latest(&self) -> Ticket {
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
        let Ok(snapshot) = files::snapshot_text(world) else {
            return;
        };
        self.bytes = 0;
        self.fold_at = self.place.fold_bytes.max(2 * snapshot.len() as u64);
        self.hand_over(Work::Fold(snapshot));
    }

    /// A writer that is gone has told of it, which tickets report.
    fn hand_over(&self, work: Work) {
        if let Some(writer) = &self.to_writer {
            let _ = writer.send(work);
        }
    }

    pub(crate) fn health(&self) -> Health {
        self.durable.borrow().health
    }
}

impl Drop for Journal {
    /// The directory is left to others only when nothing is written there any more.
    fn drop(&mut self) {
        drop(self.to_writer.take());
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}
