//! Why the store cannot do something.

use std::io;
use std::path::{Path, PathBuf};

/// Why the store cannot do something.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("cannot use the data directory `{path}`")]
    Directory { path: PathBuf, source: std::io::Error },
    #[error("another process uses the data directory `{0}`")]
    InUse(PathBuf),
    #[error(
        "the database `{path}` is damaged: {why}. Put a copy of it back, or move the data directory away to start with \
         an empty one"
    )]
    Damaged { path: PathBuf, why: String },
    #[error(
        "the disk does not take what has to be written to the database `{path}`: make room there, or see what is wrong with \
         the disk, and start again"
    )]
    Full {
        path: PathBuf,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the database's tables cannot be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("the database failed")]
    Sql(#[from] sqlx::Error),
    #[error("the database holds what this version cannot read: {0}")]
    Unreadable(String),
    #[error("an event cannot be written as JSON")]
    Unwritable(#[from] serde_json::Error),
}

impl StoreError {
    /// The same of the database at a path when it is opened: a full disk and a damaged file are named.
    pub(super) fn at_start(self, path: &Path) -> Self {
        let causes = std::iter::successors(Some(&self as &(dyn std::error::Error + 'static)), |error| {
            error.source()
        });
        let found = causes.filter_map(|error| {
            if let Some(sqlx::Error::Database(error)) = error.downcast_ref::<sqlx::Error>() {
                return primary_code(&**error);
            }
            error
                .downcast_ref::<io::Error>()
                .filter(|error| is_full(error))
                .map(|_| SQLITE_FULL)
        });
        let path = path.to_owned();
        match found.last() {
            Some(SQLITE_FULL) => Self::Full {
                path,
                source: Box::new(self),
            },
            Some(SQLITE_CORRUPT | SQLITE_NOTADB) => Self::Damaged {
                path,
                why: crate::error_chain::with_causes(&self),
            },
            _ => self,
        }
    }

    /// Why a write failed.
    pub(super) fn write_fault(&self) -> WriteFault {
        let code = match self {
            Self::Sql(sqlx::Error::Database(error)) => primary_code(&**error),
            Self::Sql(sqlx::Error::Io(error)) if is_full(error) => Some(SQLITE_FULL),
            _ => None,
        };
        match code {
            Some(SQLITE_FULL) => WriteFault::Full,
            Some(SQLITE_BUSY | SQLITE_LOCKED) => WriteFault::Locked,
            _ => WriteFault::Other,
        }
    }

    /// The message of the unique index that a write violates.
    pub(crate) fn unique(&self) -> Option<&str> {
        match self {
            Self::Sql(sqlx::Error::Database(error)) if error.is_unique_violation() => Some(error.message()),
            _ => None,
        }
    }
}

/// Why the store takes no writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriteFault {
    /// The disk has no room.
    Full,
    /// Something else has the database open, and keeps it from being written.
    Locked,
    Other,
}

pub(crate) type Result<T> = std::result::Result<T, StoreError>;

const SQLITE_BUSY: u32 = 5;
const SQLITE_LOCKED: u32 = 6;
const SQLITE_CORRUPT: u32 = 11;
const SQLITE_FULL: u32 = 13;
const SQLITE_NOTADB: u32 = 26;

/// A write or an extension of a file that failed: for some of the ways in which a disk is full.
const SQLITE_IOERR_WRITE: u32 = 778;
const SQLITE_IOERR_SHMSIZE: u32 = 4874;

/// SQLite's code without what extends it.
fn primary_code(error: &dyn sqlx::error::DatabaseError) -> Option<u32> {
    match error.code()?.parse::<u32>().ok()? {
        SQLITE_IOERR_WRITE | SQLITE_IOERR_SHMSIZE => Some(SQLITE_FULL),
        code => Some(code & 0xff),
    }
}

/// Whether an error of the disk says that it has no room; a file that may not grow further is the same to us.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
