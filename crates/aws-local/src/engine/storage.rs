//! Where changes and retained events go: to a data directory, or the events alone to a temporary folder. Nothing here does I/O.

use std::ops::Range;

use super::core::Dropped;
use crate::change::Stored;
use crate::fault::Fault;
use crate::journal::{Health, Journal, Ticket};
use crate::segments::{LogId, NewRecord, Place, Segments, Temporary, Write};
use crate::state::custom_bus::Kept;

/// The memory for it stays, up to so much.
const HEADS_BYTES_MAX: usize = 1024 * 1024;

/// The writing end, and what is known of the retained events.
#[derive(Debug)]
pub(super) struct Storage {
    pub(super) writer: To,
    pub(super) segments: Segments,
    /// Where what is stored in front of events is put together.
    heads: Vec<u8>,
}

#[derive(Debug)]
pub(super) enum To {
    Journal(Journal),
    Temporary(Temporary),
}

impl Storage {
    pub(super) fn temporary() -> Self {
        let (segments, temporary) = Temporary::open();
        Self::new(To::Temporary(temporary), segments)
    }

    pub(super) fn new(writer: To, segments: Segments) -> Self {
        Self {
            writer,
            segments,
            heads: Vec::new(),
        }
    }

    pub(super) fn journal(&self) -> Option<&Journal> {
        match &self.writer {
            To::Journal(journal) => Some(journal),
            To::Temporary(_) => None,
        }
    }

    /// Whether changes can be made. A temporary folder that refuses events ends nothing else.
    pub(super) fn health(&self) -> Health {
        self.journal().map_or(Health::Well, Journal::health)
    }

    /// Why a change was not stored.
    pub(super) fn refusal(&self) -> Fault {
        match &self.writer {
            To::Journal(_) => disk_fault(),
            To::Temporary(_) => Fault::internal(
                "The temporary folder for events cannot be written, so they are not kept. Make room there, and begin again with \
                 `POST /_local/reset`.",
            ),
        }
    }

    /// The write that whoever reads the state as it is now waits for.
    pub(super) fn latest(&self) -> Option<Ticket> {
        self.journal().map(Journal::latest)
    }

    /// The write that whoever reads the retained events as they are now waits for.
    pub(super) fn latest_events(&self) -> Ticket {
        match &self.writer {
            To::Journal(journal) => journal.latest(),
            To::Temporary(temporary) => temporary.latest(),
        }
    }

    /// Appends events; gives the places of those that a caller published, which come first.
    pub(super) fn keep(&mut self, kept: &[Kept]) -> (Write, Vec<Place>) {
        let published = kept.partition_point(|kept| kept.origin.is_some());
        let (direct, derived) = kept.split_at(published);
        let (mut write, mut places) = (Write::default(), Vec::new());
        for (events, is_named) in [(direct, true), (derived, false)] {
            for of_log in events.chunk_by(|one, next| one.log == next.log) {
                let (more, found) = self.append(of_log);
                write.then(more);
                places.extend(found.into_iter().filter(|_| is_named));
            }
        }
        (write, places)
    }

    /// Events of one log.
    fn append(&mut self, events: &[Kept]) -> (Write, Vec<Place>) {
        let Some(log) = events.first().map(|kept| kept.log) else {
            return (Write::default(), Vec::new());
        };
        let mut bytes = std::mem::take(&mut self.heads);
        bytes.clear();
        let mut encode = |kept: &Kept| {
            let start = bytes.len();
            kept.encode_head(&mut bytes);
            start..bytes.len()
        };
        let ranges: Vec<Range<usize>> = events.iter().map(&mut encode).collect();
        let records: Vec<NewRecord<'_>> = events
            .iter()
            .zip(ranges)
            .map(|(kept, range)| NewRecord {
                sequence: kept.event.number,
                time: kept.event.at,
                bytes: &bytes[range],
                text: Some(&kept.event.data),
            })
            .collect();
        let appended = self.segments.append(log, &records).unwrap_or_else(|error| {
            // The state numbers events, and refuses those that are too long.
            tracing::error!(%error, "events are not retained");
            (Write::default(), Vec::new())
        });
        if bytes.capacity() <= HEADS_BYTES_MAX {
            self.heads = bytes;
        }
        appended
    }

    pub(super) fn remove(&mut self, logs: &[LogId]) -> Write {
        let mut write = Write::default();
        for log in logs {
            write.then(self.segments.remove(*log));
        }
        write
    }

    /// Stores a change, with what is to be written of retained events. `read_bytes` is how much of them it names that were read.
    pub(super) fn store(
        &mut self,
        entry: impl FnOnce() -> Stored,
        write: Write,
        read_bytes: u64,
    ) -> Option<Ticket> {
        match &mut self.writer {
            To::Journal(journal) => Some(journal.append(entry(), write, read_bytes)),
            To::Temporary(_) if write.is_empty() => None,
            To::Temporary(temporary) => Some(temporary.append(write)),
        }
    }

    /// Writes what no change names.
    pub(super) fn write(&mut self, write: Write) {
        match &mut self.writer {
            _ if write.is_empty() => {}
            To::Journal(journal) => journal.write(write),
            To::Temporary(temporary) => drop(temporary.append(write)),
        }
    }

    /// After a reset a temporary folder is another one: the old one may refuse to be written. What it had takes long to drop.
    pub(super) fn begin_again(&mut self) -> Dropped {
        match &self.writer {
            To::Journal(_) => Dropped::new(),
            To::Temporary(_) => {
                let before = std::mem::replace(self, Self::temporary());
                vec![Box::new(before)]
            }
        }
    }
}

pub(super) fn disk_fault() -> Fault {
    Fault::internal(
        "The data directory cannot be written: nothing was changed. Make room there and try again.",
    )
}
