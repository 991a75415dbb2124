//! The writing of segments, by the thread that writes the journal or by one of its own: all steps first, one sync of each
//! file, and what is removed last.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{File, OpenOptions};
use std::io;
use std::sync::Arc;

use super::folder::{BEGUN, Folder};
use super::format::Header;
use super::log::LogId;
use super::store::{Records, Step, Write};
use super::stretch::Stretch;
use crate::disk::Disk;

/// So many files stay open between two syncs.
const OPEN_MAX: usize = 32;
/// What is written is put together in memory that stays, up to so much.
const BUFFER_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The files, as their writer has them.
#[derive(Debug)]
pub(crate) struct Files {
    folder: Arc<Folder>,
    disk: Arc<dyn Disk>,
    /// Whether what is written has to survive a crash of the machine.
    durable: bool,
    open: BTreeMap<u64, File>,
    /// Files with bytes that are not synced.
    unsynced: BTreeSet<u64>,
    /// What of records is not, by file.
    stretches: BTreeMap<u64, Stretch>,
    /// Whether files were created since the last sync.
    created: bool,
    /// Of each log, in their order.
    removed: BTreeMap<LogId, VecDeque<u64>>,
    /// Where records are put together.
    buffer: Vec<u8>,
}

impl Files {
    pub(super) fn new(folder: Arc<Folder>, disk: Arc<dyn Disk>, durable: bool) -> Self {
        Self {
            folder,
            disk,
            durable,
            open: BTreeMap::new(),
            unsynced: BTreeSet::new(),
            stretches: BTreeMap::new(),
            created: false,
            removed: BTreeMap::new(),
            buffer: Vec::new(),
        }
    }

    /// Has files removed with the next that are, which the state no longer has though the journal may still name them.
    pub(super) fn remove_later(&mut self, log: LogId, number: u64) {
        self.removed.entry(log).or_default().push_back(number);
    }

    /// Writes without a sync. After an error the files have more than what was accepted: they are to be opened again, which
    /// cuts that off.
    pub(crate) fn write(&mut self, write: Write) -> io::Result<()> {
        for step in write.steps {
            match step {
                Step::Begin { number, header } => self.begin(number, header)?,
                Step::Append { number, at, records } => self.append_records(number, at, &records)?,
                Step::Seal { number, index } => self.append(number, &index)?,
                Step::Remove { log, numbers } => self.removed.entry(log).or_default().extend(numbers),
            }
        }
        Ok(())
    }

    /// A file under another name first: one without a whole header under its own was cut.
    fn begin(&mut self, number: u64, header: Header) -> io::Result<()> {
        let begun = self.folder.create(&*self.disk)?.join(BEGUN);
        let mut file = self.disk.create(&begun)?;
        self.disk.append(&mut file, &header.encode())?;
        if self.durable {
            self.disk.sync(&file)?;
        }
        self.disk.rename(&begun, &self.folder.file(number))?;
        self.created = true;
        self.open.insert(number, file);
        Ok(())
    }

    fn append_records(&mut self, number: u64, at: u64, records: &Records) -> io::Result<()> {
        let mut bytes = std::mem::take(&mut self.buffer);
        bytes.clear();
        records.encode(&mut bytes);
        self.append(number, &bytes)?;
        self.add_stretch(number, at, at + bytes.len() as u64);
        if bytes.capacity() <= BUFFER_BYTES_MAX {
            self.buffer = bytes;
        }
        Ok(())
    }

    fn append(&mut self, number: u64, bytes: &[u8]) -> io::Result<()> {
        self.unsynced.insert(number);
        let disk = Arc::clone(&self.disk);
        disk.append(self.file(number)?, bytes)
    }

    fn add_stretch(&mut self, segment: u64, from: u64, to: u64) {
        let stretch = Stretch { segment, from, to };
        self.stretches.entry(segment).or_insert(stretch).to = to;
    }

    /// Which records the next sync is for.
    pub(crate) fn unsynced(&self) -> Vec<Stretch> {
        self.stretches.values().copied().collect()
    }

    /// Whether there is nothing to sync.
    pub(crate) fn is_synced(&self) -> bool {
        self.unsynced.is_empty() && !self.created
    }

    fn file(&mut self, number: u64) -> io::Result<&mut File> {
        if !self.open.contains_key(&number) {
            let file = OpenOptions::new().append(true).open(self.folder.file(number))?;
            self.open.insert(number, file);
        }
        self.open
            .get_mut(&number)
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    /// Syncs what was written. After an error it is unknown what is on disk.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        if self.durable {
            for number in std::mem::take(&mut self.unsynced) {
                let disk = Arc::clone(&self.disk);
                disk.sync(self.file(number)?)?;
            }
            if self.created
                && let Some(folder) = self.folder.path()
            {
                self.disk.sync_names(folder)?;
            }
        }
        self.unsynced.clear();
        self.stretches.clear();
        self.created = false;
        if self.open.len() > OPEN_MAX {
            self.open.clear();
        }
        Ok(())
    }

    /// Removes the files that were to be removed, once what is on disk no longer names them. Where one stays, the later
    /// ones of its log stay as well, so that none is missing between two; they only take room, and are tried again with the
    /// next change, and by the next start.
    pub(crate) fn remove_files(&mut self) {
        let mut removed = std::mem::take(&mut self.removed);
        removed.retain(|_, numbers| {
            while let Some(number) = numbers.front() {
                self.open.remove(number);
                let gone = self.disk.remove(&self.folder.file(*number));
                if let Err(error) = gone
                    && error.kind() != io::ErrorKind::NotFound
                {
                    tracing::warn!(%error, number, "a segment of retained events cannot be removed");
                    return true;
                }
                numbers.pop_front();
            }
            false
        });
        self.removed = removed;
    }
}
