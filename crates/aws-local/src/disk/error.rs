//! Why the data directory cannot be used.

use std::io;
use std::path::{Path, PathBuf};

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
    /// There is no room for what has to be written.
    #[error("the disk has no room for the data directory's `{path}`: make room there and start again")]
    Full {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Another process has it.
    #[error("the data directory `{0}` is in use by another local AWS")]
    InUse(PathBuf),
    /// A file is not what this version writes.
    #[error(
        "`{path}` is damaged or from another version: {why}. Put a copy of it back, or move the directory away to start \
         with an empty one"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl DataError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            // A file that may not grow further is a full disk to us.
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::Full { path, source }
            }
            _ => Self::Io { path, source },
        }
    }
}
