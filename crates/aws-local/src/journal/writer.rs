//! The thread that writes: entries as they come, one sync for all that wait, and snapshots.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use tokio::sync::watch;

use super::batch::Batch;
use super::dir::DataDir;
use super::files::{SNAPSHOT_BEGUN, begin_journal, journal_path, snapshot_path, write_snapshot};
use super::line;
use super::syncer::{Begun, Syncer};
use crate::change::Stored;
use crate::disk::{DataError, Disk, Health, Progress};
use crate::segments::{Files, Write};
use crate::state::World;

/// A snapshot is written in pieces of this size.
const PIECE_BYTES: usize = 256 * 1024;

/// What the writer is given to write.
pub(super) enum Work {
    /// An entry, and the retained events that it names.
    Entry(Stored, Write),
    /// What is to be written of retained events that no entry names.
    Segments(Write),
    /// The state after all entries so far, for a snapshot.
    Fold(Box<World>),
}

/// What went wrong, and what is known of the files now.
struct Failure(Health, io::Error);

/// Why a snapshot was not written; the old journal continues.
struct Unwritten {
    path: PathBuf,
    error: io::Error,
}

/// A file to append to, and how much was given for it, written or not.
struct ToFile<'d> {
    disk: &'d dyn Disk,
    file: &'d mut File,
    bytes: u64,
}

impl io::Write for ToFile<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.bytes += piece.len() as u64;
        self.disk.append(self.file, piece)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Failure {
    fn broken(error: io::Error) -> Self {
        Self(Health::Broken, error)
    }
}

pub(super) struct Writer {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    generation: u64,
    file: File,
    segments: Files,
    syncer: Syncer,
    /// How much of the file is on disk and reported.
    bytes: u64,
    progress: watch::Sender<Progress>,
    written: u64,
    snapshot_bytes: u64,
}

impl Writer {
    pub(super) fn new(
        dir: &DataDir,
        generation: u64,
        (file, bytes): (File, u64),
        segments: Files,
        progress: watch::Sender<Progress>,
    ) -> Self {
        let snapshot_bytes = progress.borrow().snapshot_bytes;
        Self {
            dir: dir.path.clone(),
            disk: Arc::clone(&dir.disk),
            generation,
            file,
            segments,
            syncer: Syncer::new(Arc::clone(&dir.disk)),
            bytes,
            progress,
            written: 0,
            snapshot_bytes,
        }
    }

    /// Writes until no sender of work is left, or the disk takes no more.
    pub(super) fn run(mut self, work: &mpsc::Receiver<Work>) {
        while let Ok(first) = work.recv() {
            let health = match self.batch(first, work) {
                Ok(()) => Health::Well,
                Err(Failure(health, error)) => {
                    tracing::error!(%error, "the data directory cannot be written; changes are refused");
                    health
                }
            };
            self.progress.send_replace(Progress {
                written: self.written,
                health,
                snapshot_bytes: self.snapshot_bytes,
            });
            if health != Health::Well {
                return;
            }
        }
    }

    /// Writes all queued work and syncs once.
    fn batch(&mut self, first: Work, work: &mpsc::Receiver<Work>) -> Result<(), Failure> {
        let (mut lines, mut count) = (Vec::new(), 0);
        for one in std::iter::once(first).chain(work.try_iter()) {
            match one {
                Work::Entry(entry, write) => {
                    self.write_segments(write)?;
                    line::append(&mut lines, entry.pieces());
                    count += 1;
                }
                Work::Segments(write) => self.write_segments(write)?,
                Work::Fold(world) => {
                    self.write(&lines, count)?;
                    (lines, count) = (Vec::new(), 0);
                    if let Err(Unwritten { path, error }) = self.fold(&world)? {
                        let path = path.display();
                        tracing::warn!(%error, %path, "no snapshot can be written; the old journal continues");
                    }
                }
            }
        }
        self.write(&lines, count)
    }

    /// What the segments have too much after an error is cut off when the state is read again.
    fn write_segments(&mut self, write: Write) -> Result<(), Failure> {
        let written = self.segments.write(write);
        written.map_err(|error| Failure(Health::Refused, error))
    }

    /// Appends and syncs. A failed write is rolled back; after a failed sync the contents of the files are unknown.
    fn write(&mut self, entries: &[u8], count: u64) -> Result<(), Failure> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut lines = self.batch_line(entries).map_err(Failure::broken)?;
        lines.extend_from_slice(entries);
        if let Err(error) = self.disk.append(&mut self.file, &lines) {
            let undone = self.disk.cut(&self.file, self.bytes);
            let undone = undone.and_then(|()| self.disk.sync(&self.file));
            return Err(match undone {
                Ok(()) => Failure(Health::Refused, error),
                Err(_) => Failure::broken(error),
            });
        }
        self.sync().map_err(Failure::broken)?;
        self.bytes += lines.len() as u64;
        self.written += count;
        Ok(())
    }

    /// What says that these entries and the events that they name were written together; nothing where they name none.
    fn batch_line(&self, entries: &[u8]) -> io::Result<Vec<u8>> {
        let (events, mut line) = (self.segments.unsynced(), Vec::new());
        if !events.is_empty() {
            line::append(&mut line, [&Batch::json(entries, events)?, b"", b""]);
        }
        Ok(line)
    }

    /// Syncs the journal and the segments at the same time: both together take hardly longer than one.
    fn sync(&mut self) -> io::Result<()> {
        if self.segments.is_synced() {
            return self.disk.sync(&self.file);
        }
        let begun = self.syncer.begin(&self.file);
        let events = self.segments.sync();
        let journal = begun.map_or_else(|| self.disk.sync(&self.file), Begun::end);
        events.and(journal)
    }

    /// Writes the state of a directory of an earlier version in this one.
    pub(super) fn upgrade(&mut self, world: &World) -> Result<(), DataError> {
        let folded = self.fold(world);
        let folded = folded.map_err(|Failure(_, source)| DataError::io(&self.dir, source))?;
        folded.map_err(|Unwritten { path, error }| DataError::io(&path, error))?;
        self.progress
            .send_modify(|progress| progress.snapshot_bytes = self.snapshot_bytes);
        Ok(())
    }

    /// Writes a snapshot and begins a new journal after it. The snapshot is complete on disk before the old files are
    /// removed, and the segments that only the old journal names; where it cannot be written, the old journal continues.
    fn fold(&mut self, world: &World) -> Result<Result<(), Unwritten>, Failure> {
        // A segment that was begun is on disk before the one in front of it is removed.
        self.segments.sync().map_err(Failure::broken)?;
        let (next, temporary) = (self.generation + 1, self.dir.join(SNAPSHOT_BEGUN));
        let (file, bytes) = match self.prepare(world, next, &temporary) {
            Ok(begun) => begun,
            Err(unwritten) => {
                let _ = self.disk.remove(&temporary);
                return Ok(Err(unwritten));
            }
        };
        // After a failed rename it is unknown which of the two journals is the current one.
        let renamed = self.disk.rename(&temporary, &snapshot_path(&self.dir, next));
        renamed.map_err(Failure::broken)?;
        self.disk.sync_names(&self.dir).map_err(Failure::broken)?;
        let _ = self.disk.remove(&journal_path(&self.dir, self.generation));
        let _ = self.disk.remove(&snapshot_path(&self.dir, self.generation));
        (self.generation, self.file, self.bytes) = (next, file, bytes);
        self.segments.remove_files();
        Ok(Ok(()))
    }

    /// Writes the snapshot and begins the journal behind it.
    fn prepare(&mut self, world: &World, next: u64, temporary: &Path) -> Result<(File, u64), Unwritten> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |error| Unwritten { path, error }
        };
        self.write_snapshot(world, temporary).map_err(at(temporary))?;
        let journal = journal_path(&self.dir, next);
        begin_journal(&*self.disk, &journal).map_err(at(&journal))
    }

    /// Writes it piece by piece: the state is in memory once already.
    fn write_snapshot(&mut self, world: &World, temporary: &Path) -> io::Result<()> {
        let mut file = self.disk.create(temporary)?;
        let to_file = ToFile {
            disk: &*self.disk,
            file: &mut file,
            bytes: 0,
        };
        let mut pieces = BufWriter::with_capacity(PIECE_BYTES, to_file);
        // Plain data with text keys always serialises; what is not has to stay in the journal.
        let written = write_snapshot(&mut pieces, world).map_err(io::Error::from);
        let written = written.and_then(|()| pieces.flush());
        // Also of one for which there is no room, as far as it came: the next is tried when the journal has grown.
        self.snapshot_bytes = pieces.get_ref().bytes;
        drop(pieces.into_parts());
        written?;
        self.disk.sync(&file)
    }
}
