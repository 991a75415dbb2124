//! Retained events on disk: logs of records that are appended, read from a sequence or a time, and deleted when they expire.
//!
//! A log is a row of files of 16 MiB; in memory there is where every 32 KiB of them a record begins. What a record's bytes are is
//! not known here.
//!
//! # How the engine uses it
//! - [`Segments`] is under the engine's lock and does no I/O. Each change of it gives a [`Write`], which goes to the writer
//!   before the lock is released, so that the files see the changes in the same order: with a data directory to
//!   [`Journal::append`](crate::journal::Journal::append) together with the change's entry, which names the records and has
//!   no copy of them; without one to [`Temporary::append`]. Either gives the ticket that an answer waits for. A pair of
//!   `Segments` and `Temporary` that is replaced is dropped without the lock: the last of it removes the folder.
//! - A log's id is the caller's, and never used again once the log was removed, a reset included. Sequences are the caller's
//!   too, and part of the state: they ascend, with gaps or without.
//! - To read, take a `Reading` under the lock with the ticket of the latest write, wait for the ticket without the lock, then
//!   `Reading::read` on a thread that may block. What comes next begins after the last record's sequence. [`ReadError::Gone`]
//!   means that the file was deleted meanwhile: ask again, unless [`Segments::has_file`], when somebody else deleted it. What
//!   was read may be named in the journal only while [`Segments::have`] its places, which the lock is held for.
//! - After a write that the disk refused, the state and the segments are read from disk again ([`open`]), with the last
//!   sequence of each log as the state has it. That also is the start.
//!
//! # What is on disk when
//! The writer writes segments and the journal, and syncs both at the same time; what waits for either waits for both. In front
//! of the entries of such a write the journal has a [`Stretch`] for each file that the write appended to. A last write that is
//! not whole in the segments is cut off the journal at the start, since a crash before the end of both syncs leaves it so, and
//! then it was not acknowledged. Damage to the last write alone looks the same; damage to an earlier one is refused. So a record
//! that the journal names after a start is there, and one that it does not name is cut off as well. Files are removed when the
//! next snapshot is on disk: what the journal names is read again at the start, though its log was removed since.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! bounds log scratch  how long things are; which log, and where in it and on disk; a temporary folder
//! folder format       where the files are; their bytes
//! index stretch       what is known in memory of one file; what one write appended to it
//! read store          reading a stretch of records; what is known of all logs, and what a change has to write
//! places              reading what the journal names
//! files               the writing
//! recovery temporary  the start with a data directory, and without one
//! ```

mod bounds;
mod files;
mod folder;
mod format;
mod index;
mod log;
mod places;
mod read;
mod recovery;
mod scratch;
mod store;
mod stretch;
mod temporary;
#[cfg(test)]
mod tests;

pub(crate) use bounds::RECORD_BYTES_MAX;
pub(crate) use files::Files;
pub(crate) use log::{LogId, Place, Start};
pub(crate) use places::Places;
pub(crate) use read::{ReadError, Reading, Record};
pub(crate) use recovery::{Lasts, open};
pub(crate) use store::{NewRecord, Segments, Write};
pub(crate) use stretch::{Stretch, are_whole};
pub(crate) use temporary::Temporary;

/// The folder of the data directory that has the segments.
pub(crate) const FOLDER: &str = "segments";
