//! What must survive a crash: the only place with SQL. One file a table family.
//!
//! Writes go through one connection and one [`Tx`] at a time, so that a transaction never meets another writer;
//! reads have connections of their own.

mod connection;
mod drops;
mod lease;
mod migrations;
mod outbox;
mod place;
mod removal;
mod run;
mod setting;
#[cfg(test)]
mod tests;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _};
use sqlx::{Sqlite, Transaction};

pub(crate) use connection::{Connection, NewConnection, SourceKey};
pub(crate) use drops::{Delivery, Drop};
pub(crate) use lease::{Entry, Leased, Outcome};
pub(crate) use outbox::{Bounds, NewEvent};
pub(crate) use place::{Environment, Installation, Place, Workspace};
pub(crate) use run::{NewRun, Run};

/// The database's file in the data directory.
const FILE: &str = "companion.sqlite";
/// Held by the one process that uses a data directory.
const LOCK: &str = "companion.lock";

/// Why the store cannot do something.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("cannot use the data directory `{path}`")]
    Directory { path: PathBuf, source: std::io::Error },
    #[error("another process uses the data directory `{0}`")]
    InUse(PathBuf),
    #[error("the database's tables cannot be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("the database failed")]
    Sql(#[from] sqlx::Error),
    #[error("the database holds what this version cannot read: {0}")]
    Unreadable(String),
}

impl StoreError {
    /// The message of the unique index that a write ran into.
    pub(crate) fn unique(&self) -> Option<&str> {
        match self {
            Self::Sql(sqlx::Error::Database(error)) if error.is_unique_violation() => Some(error.message()),
            _ => None,
        }
    }
}

pub(crate) type Result<T> = std::result::Result<T, StoreError>;

/// The store, open. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    write: SqlitePool,
    read: SqlitePool,
}

/// A directory that this process alone uses, for as long as this value lives.
#[derive(Debug)]
pub(crate) struct DirLock {
    _file: File,
}

/// A transaction that may write. Dropped without a commit, nothing of it happened.
pub(crate) struct Tx {
    inner: Transaction<'static, Sqlite>,
}

/// Whether accepted events must outlive the machine or only this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Every commit reaches the disk.
    Disk,
    /// For a directory that goes away with the process.
    None,
}

/// Makes sure that no other process uses this directory, creating it if needed, readable by its owner only.
pub(crate) fn lock(dir: &Path) -> Result<DirLock> {
    let trouble = |source| StoreError::Directory {
        path: dir.to_owned(),
        source,
    };
    create_private(dir).map_err(trouble)?;
    let file = File::create(dir.join(LOCK)).map_err(trouble)?;
    match file.try_lock() {
        Ok(()) => Ok(DirLock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(trouble(source)),
    }
}

/// Creates a file that its owner alone may read, if there is none: the token is in it.
#[cfg(unix)]
fn create_private_file(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = File::options();
    options.create(true).append(true).mode(0o600).open(path).map(drop)
}

#[cfg(not(unix))]
fn create_private_file(path: &Path) -> std::io::Result<()> {
    File::options().create(true).append(true).open(path).map(drop)
}

#[cfg(unix)]
fn create_private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

#[cfg(not(unix))]
fn create_private(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)
}

impl Store {
    /// Opens the store in a directory, bringing its tables up to date. Leases of a process that is gone are void:
    /// the lock says that there is no other.
    pub(crate) async fn open(dir: &Path, _alone: &DirLock, durability: Durability) -> Result<Self> {
        let path = dir.join(FILE);
        // The directory may have been there before, open to all; SQLite's other files take after this one.
        create_private_file(&path).map_err(|source| StoreError::Directory {
            path: dir.to_owned(),
            source,
        })?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .disable_statement_logging()
            .synchronous(match durability {
                Durability::Disk => SqliteSynchronous::Full,
                Durability::None => SqliteSynchronous::Off,
            });
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            // On a full disk SQLite itself rolls back the commit that failed. The driver takes the transaction for
            // open from then on, and would begin no other: such a connection makes room for a new one.
            .after_release(|connection, _| {
                Box::pin(async move {
                    connection.ping().await?;
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect_with(options.clone())
            .await?;
        migrations::all().run(&write).await?;
        sqlx::query("UPDATE outbox SET lease = NULL, leased_until_ms = 0 WHERE lease IS NOT NULL")
            .execute(&write)
            .await?;
        // A restart is what an operator does who has put something right at AWS.
        sqlx::query("UPDATE source_removal SET failures = 0, retry_at_ms = 0")
            .execute(&write)
            .await?;
        let read = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options.read_only(true))
            .await?;
        Ok(Self { write, read })
    }

    /// Begins a transaction that may write; waits for the one under way.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        Ok(Tx {
            inner: self.write.begin_with("BEGIN IMMEDIATE").await?,
        })
    }

    /// Closes the store once its last statements are through.
    pub(crate) async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

impl Tx {
    /// Makes all of it happen.
    pub(crate) async fn commit(self) -> Result<()> {
        Ok(self.inner.commit().await?)
    }
}

/// One page of a list, as a query needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

/// One page, and how many there are on all.
pub(crate) struct Found<T> {
    pub(crate) items: Vec<T>,
    pub(crate) total: u64,
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}
