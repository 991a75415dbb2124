//! Why the store cannot do something.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgDatabaseError;

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
    #[error("the database `{at}` cannot be used: {why}. {next}")]
    Server { at: String, why: String, next: String },
    #[error(
        "another process uses the database `{at}`: {by}. End that first, or give this one a database of its own. Where that process's \
         machine is gone, the server notices within about a minute"
    )]
    DatabaseInUse { at: String, by: String },
    #[error("another process has taken the database, so this one writes nothing any more: {0}")]
    DatabaseTaken(String),
    #[error(
        "the database's tables are of version {version}, and this program knows them up to version {known}: start the version of the \
         program that has written them, or a newer one"
    )]
    Newer { version: i64, known: i64 },
    #[error("the database's tables cannot be brought up to date")]
    Migrate(#[from] MigrateError),
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
        match self {
            Self::DatabaseTaken(_) => return WriteFault::Taken,
            Self::Sql(error) if is_lost(error) => return WriteFault::Unreachable,
            Self::Sql(sqlx::Error::Database(error)) if is_of_postgres(&**error) => {
                return match error.code().as_deref() {
                    Some("53100") => WriteFault::ServerFull,
                    Some("25006") => WriteFault::ReadOnly,
                    Some("28P01" | "28000") => WriteFault::Refused,
                    _ => WriteFault::Other,
                };
            }
            _ => {}
        }
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

    /// Whether it says nothing of what was asked: the server of the database does not answer.
    pub(crate) fn is_of_the_server(&self) -> bool {
        matches!(self, Self::Sql(error) if is_lost(error))
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
    /// The server of the database does not answer.
    Unreachable,
    /// The disk of the server has no room.
    ServerFull,
    /// The server takes no writes.
    ReadOnly,
    /// The server refuses the login.
    Refused,
    /// Another process has the database.
    Taken,
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

fn is_of_postgres(error: &dyn DatabaseError) -> bool {
    error.try_downcast_ref::<PgDatabaseError>().is_some()
}

/// Whether an error says that the connection to a server is lost: there is no answer, or the server is being stopped or started.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => !is_full(error),
        sqlx::Error::Database(error) => {
            is_of_postgres(&**error)
                && matches!(
                    error.code().as_deref(),
                    Some("57P01" | "57P02" | "57P03" | "08006")
                )
        }
        _ => false,
    }
}

/// That something was waited for in vain for this long.
pub(super) fn late(what: &str, within: Duration) -> sqlx::Error {
    let why = format!("{what} within {} seconds", within.as_secs());
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, why))
}

/// SQLite's code without what extends it.
fn primary_code(error: &dyn DatabaseError) -> Option<u32> {
    if is_of_postgres(error) {
        return None;
    }
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
