//! What the journal and the segments ask of the disk. Tests bring one that is full, or that ends in the middle of a step.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! private error progress   files that only their owner can read; what may go wrong; how far a writer is
//! ```

use std::fmt::Debug;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

mod error;
pub(crate) mod private;
mod progress;

pub use error::DataError;
pub(crate) use progress::{Health, Progress, Ticket};

/// The steps of which every write to the data directory, or to a temporary one, is made.
pub(crate) trait Disk: Debug + Send + Sync {
    /// A new, empty file; an old one is truncated.
    fn create(&self, path: &Path) -> io::Result<File>;
    fn append(&self, file: &mut File, bytes: &[u8]) -> io::Result<()>;
    fn sync(&self, file: &File) -> io::Result<()>;
    fn cut(&self, file: &File, bytes: u64) -> io::Result<()>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Syncs a directory, so that created and renamed files survive a crash.
    fn sync_names(&self, folder: &Path) -> io::Result<()>;
}

/// The machine's disk.
#[derive(Debug)]
pub(crate) struct Machine;

impl Disk for Machine {
    fn create(&self, path: &Path) -> io::Result<File> {
        private::create(path)
    }

    fn append(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn cut(&self, file: &File, bytes: u64) -> io::Result<()> {
        file.set_len(bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_names(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}
