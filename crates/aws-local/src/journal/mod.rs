//! State over kill -9: every change is a line in a journal, on disk before its caller is answered.
//!
//! A line is the request in AWS's wire form, with the time and the seed it ran with; replaying the lines through the
//! core gives the same state. One thread writes, and syncs once for all entries queued meanwhile. When the journal has
//! grown, it is folded: a snapshot of the state is written and a new journal begun. Events that custom event buses keep are in
//! [segments]; entries name them.
//!
//! A full disk fails the changes that it refused, and no others: the state is read from disk again, and the next change
//! is tried as usual.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! line             one line: its JSON, with a checksum
//! batch            what is written at once with retained events
//! files            the files of the data directory
//! dir              the data directory and its lock
//! syncer           a thread that syncs
//! writer upgrade   the thread that writes; a directory of an earlier version
//! ```

use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use tokio::sync::watch;

use crate::change::{Entry, Stored};
pub use crate::disk::DataError;
use crate::disk::Progress;
pub(crate) use crate::disk::{Health, Ticket};
use crate::segments::{self, Lasts, Places, Record, Segments, Write};
use crate::state::World;
use crate::state::custom_bus::Kept;

mod batch;
mod dir;
mod files;
#[cfg(test)]
mod golden;
mod line;
#[cfg(test)]
mod retained;
mod syncer;
#[cfg(test)]
mod tests;
mod upgrade;
mod writer;

pub(crate) use dir::DataDir;
use dir::LockedDir;
pub(crate) use files::Version;
use writer::{Work, Writer};

/// The writing end.
#[derive(Debug)]
pub(crate) struct Journal {
    held: Arc<LockedDir>,
    to_writer: Option<mpsc::Sender<Work>>,
    writer: Option<JoinHandle<()>>,
    durable: watch::Receiver<Progress>,
    appended: u64,
    /// How long the journal is since the last snapshot, with the retained events that it names, which a start reads, and
    /// with the files that are removed when it is folded.
    bytes: u64,
    /// How long it is when whether to fold it is looked at next.
    looked_at: u64,
}

/// What it takes to read a directory again, once its writer has stopped. It needs no journal and so no lock on one.
#[derive(Debug)]
pub(crate) struct Reopen(Arc<LockedDir>);

/// What the journal's reader makes of what it reads.
pub(crate) trait State {
    /// Makes a change again; `events` are the retained ones that it names. The error is why this version cannot read one.
    fn replay(&mut self, entry: &Entry, events: Vec<Record>) -> Result<(), String>;

    /// The last sequence of each log of retained events.
    fn lasts(&self) -> Lasts;

    fn world(&self) -> &World;

    /// The events that a directory of an earlier version has outside the segments, oldest first.
    fn take_unkept(&mut self) -> Vec<Kept>;
}

impl Reopen {
    /// Reads the state from disk, as [`Journal::open`] does.
    pub(crate) fn read<S: State>(
        self,
        start: impl FnOnce(World, Version) -> S,
    ) -> Result<(Journal, Segments, S), DataError> {
        Journal::read(self.0, start)
    }
}

impl Journal {
    /// Opens the directory, gives the state before the journal to `start` and then each entry to what that makes of it.
    pub(crate) fn open<S: State>(
        dir: &DataDir,
        start: impl FnOnce(World, Version) -> S,
    ) -> Result<(Self, Segments, S), DataError> {
        let held = LockedDir::lock(dir.clone())?;
        Self::read(Arc::new(held), start)
    }

    /// For reading the state again after [`Health::Refused`].
    pub(crate) fn reopen(&self) -> Reopen {
        Reopen(Arc::clone(&self.held))
    }

    fn read<S: State>(
        held: Arc<LockedDir>,
        start: impl FnOnce(World, Version) -> S,
    ) -> Result<(Self, Segments, S), DataError> {
        let (path, disk) = (&held.dir.path, &*held.dir.disk);
        let found = files::newest_snapshot(path)?;
        files::check_complete(path, found)?;
        let version = files::version(path, found)?;
        let (world, snapshot_bytes) = files::read_snapshot(path, found)?;
        let mut state = start(world, version);
        let journal = files::journal_path(path, found);
        let folder = path.join(segments::FOLDER);
        let (mut places, mut named_bytes) = (Places::new(&folder), 0);
        let read = files::read_journal(disk, &journal, &folder, |entry| {
            let events = places.read(entry.change.places())?;
            named_bytes += events.iter().map(|event| event.bytes.len() as u64).sum::<u64>();
            let replayed = state.replay(&entry, events);
            replayed.map_err(|why| DataError::Damaged {
                path: folder.clone(),
                why,
            })
        })?;
        let to_disk = Arc::clone(&held.dir.disk);
        let (segments, writer) = match version {
            Version::Current => segments::open(&folder, to_disk, &state.lasts())?,
            Version::WithoutSegments => upgrade::segments(&folder, to_disk, state.take_unkept())?,
        };
        // Where the segments are damaged, all is left as it is.
        read.truncate(disk)
            .map_err(|source| DataError::io(&journal, source))?;
        files::clean(&*held.dir.disk, path, found)?;
        let (to_writer, work) = mpsc::channel();
        let (progress, durable) = watch::channel(Progress {
            written: 0,
            health: Health::Well,
            snapshot_bytes,
        });
        let mut bytes = read.bytes + named_bytes;
        let mut writer = Writer::new(&held.dir, found, (read.file, read.bytes), writer, progress);
        if version != Version::Current {
            // What is appended from now on an earlier version cannot read, and must not take for a torn write.
            writer.upgrade(state.world())?;
            bytes = 0;
        }
        let writer = std::thread::spawn(move || writer.run(&work));
        let journal = Self {
            looked_at: held.dir.fold_bytes,
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
    /// of the changes. `read_bytes` is how much of retained events it names that were read.
    pub(crate) fn append(&mut self, entry: Stored, write: Write, read_bytes: u64) -> Ticket {
        self.bytes += entry.len() as u64 + write.bytes() + read_bytes;
        self.appended += 1;
        self.send(Work::Entry(entry, write));
        self.latest()
    }

    /// Gives the writer what no entry names: files whose events have expired.
    pub(crate) fn write(&mut self, write: Write) {
        self.bytes += write.bytes();
        self.send(Work::Segments(write));
    }

    /// For a reader of the state as it is now: it is on disk when this is.
    pub(crate) fn latest(&self) -> Ticket {
        Ticket::new(self.appended, self.durable.clone())
    }

    /// The number of the last entry that is on disk.
    pub(crate) fn written(&self) -> u64 {
        self.durable.borrow().written
    }

    /// Begins a new journal after the state, when the old one has grown to twice of what a snapshot has: of one that is hardly
    /// shorter a start would have as much to read. What happens here is a copy of the state that shares its long texts; the writer
    /// serialises it.
    pub(crate) fn fold_if_long(&mut self, world: &World) {
        if self.bytes < self.looked_at {
            return;
        }
        let snapshot_bytes = self.durable.borrow().snapshot_bytes.max(world.bytes_about());
        self.looked_at = self.held.dir.fold_bytes.max(2 * snapshot_bytes);
        if self.bytes >= self.looked_at {
            self.bytes = 0;
            self.looked_at = self.held.dir.fold_bytes;
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
