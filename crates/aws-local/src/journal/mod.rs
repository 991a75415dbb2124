//! State over kill -9: every change is a line in a journal, on disk before its caller is answered.
//!
//! A line is the request in AWS's wire form, with the time and the seed it ran with; replaying the lines through the
//! core gives the same state. One thread writes, and syncs once for all entries queued meanwhile. When the journal has
//! grown, it is folded: a snapshot of the state is written and a new journal begun.
//!
//! A full disk fails the changes that it refused, and no others: the state is read from disk again, and the next change
//! is tried as usual.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! files    the files of the data directory
//! dir      the data directory and its lock
//! writer   the thread that writes
//! ```

use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use tokio::sync::watch;

use crate::change::{Entry, Stored};
pub use crate::disk::DataError;
use crate::disk::Progress;
pub(crate) use crate::disk::{Health, Ticket};
use crate::segments::{self, Lasts, Segments, Write};
use crate::state::World;

mod dir;
mod files;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod retained;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use dir::DataDir;
use dir::LockedDir;
use writer::{Work, Writer};

/// The writing end.
#[derive(Debug)]
pub(crate) struct Journal {
    held: Arc<LockedDir>,
    to_writer: Option<mpsc::Sender<Work>>,
    writer: Option<JoinHandle<()>>,
    durable: watch::Receiver<Progress>,
    appended: u64,
    /// How long the journal is since the last snapshot.
    bytes: u64,
}

/// What it takes to read a directory again, once its writer has stopped. It needs no journal and so no lock on one.
#[derive(Debug)]
pub(crate) struct Reopen(Arc<LockedDir>);

impl Reopen {
    /// Reads the state from disk, as [`Journal::open`] does.
    pub(crate) fn read<T>(
        self,
        start: impl FnOnce(World) -> T,
        replay: impl Fn(&mut T, &Entry),
        lasts: impl FnOnce(&T) -> Lasts,
    ) -> Result<(Journal, Segments, T), DataError> {
        Journal::read(self.0, start, replay, lasts)
    }
}

impl Journal {
    /// Opens the directory, gives the state before the journal to `start` and then each entry to `replay`. The retained
    /// events are those up to the last ones of the state, which `lasts` tells.
    pub(crate) fn open<T>(
        dir: &DataDir,
        start: impl FnOnce(World) -> T,
        replay: impl Fn(&mut T, &Entry),
        lasts: impl FnOnce(&T) -> Lasts,
    ) -> Result<(Self, Segments, T), DataError> {
        let held = LockedDir::lock(dir.clone())?;
        Self::read(Arc::new(held), start, replay, lasts)
    }

    /// For reading the state again after [`Health::Refused`].
    pub(crate) fn reopen(&self) -> Reopen {
        Reopen(Arc::clone(&self.held))
    }

    fn read<T>(
        held: Arc<LockedDir>,
        start: impl FnOnce(World) -> T,
        replay: impl Fn(&mut T, &Entry),
        lasts: impl FnOnce(&T) -> Lasts,
    ) -> Result<(Self, Segments, T), DataError> {
        let (path, disk) = (&held.dir.path, &*held.dir.disk);
        let found = files::newest_snapshot(path)?;
        files::check_complete(path, found)?;
        let (world, snapshot_bytes) = files::read_snapshot(path, found)?;
        let mut state = start(world);
        let journal = files::journal_path(path, found);
        let (file, bytes) = files::read_journal(disk, &journal, |entry| replay(&mut state, &entry))?;
        let folder = path.join(segments::FOLDER);
        let (segments, writer) = segments::open(&folder, Arc::clone(&held.dir.disk), &lasts(&state))?;
        files::clean(disk, path, found)?;
        let (to_writer, work) = mpsc::channel();
        let (progress, durable) = watch::channel(Progress {
            written: 0,
            health: Health::Well,
            snapshot_bytes,
        });
        let writer = Writer::new(&held.dir, found, (file, bytes), writer, progress);
        let writer = std::thread::spawn(move || writer.run(&work));
        let journal = Self {
            held,
            to_writer: Some(to_writer),
            writer: Some(writer),
            durable,
            appended: 0,
            bytes,
        };
        Ok((journal, segments, state))
    }

    /// Gives an entry to the writer, with what is to be written of the retained events that it names. Called in the order
    /// of the changes.
    pub(crate) fn append(&mut self, entry: Stored, write: Write) -> Ticket {
        self.bytes += entry.len() as u64;
        self.appended += 1;
        self.send(Work::Entry(entry, write));
        self.latest()
    }

    /// For a reader of the state as it is now: it is on disk when this is.
    pub(crate) fn latest(&self) -> Ticket {
        Ticket::new(self.appended, self.durable.clone())
    }

    /// The number of the last entry that is on disk.
    pub(crate) fn written(&self) -> u64 {
        self.durable.borrow().written
    }

    /// Begins a new journal after the state, when the old one has grown. What happens here is a copy of the state that
    /// shares its long texts; the writer serialises it.
    pub(crate) fn fold_if_long(&mut self, world: &World) {
        let snapshot_bytes = self.durable.borrow().snapshot_bytes;
        if self.bytes >= self.held.dir.fold_bytes.max(2 * snapshot_bytes) {
            self.bytes = 0;
            self.send(Work::Fold(Box::new(world.for_snapshot())));
        }
    }

    /// A writer that has stopped has reported why, which tickets see.
    fn send(&self, work: Work) {
        if let Some(writer) = &self.to_writer {
            let _ = writer.send(work);
        }
    }

    pub(crate) fn health(&self) -> Health {
        self.durable.borrow().health
    }
}

impl Drop for Journal {
    /// Waits for the writer: the directory is unlocked only when nothing is written there any more.
    fn drop(&mut self) {
        drop(self.to_writer.take());
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}
