//! The database: opened once, one writer, and a commit that wakes the tasks with work from it.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::Duration;

use scalr_api::{AccountId, ConnectionId};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Sqlite, Transaction};
use tokio::sync::{Mutex, Notify, broadcast};

use super::bounds::Bounds;
use super::commits::Commits;
use super::directory::{DATABASE, DirLock, create_private_file};
use super::error::{Result, StoreError};
use super::feed::{self, Feed, Happening, What};
use super::migrations;

/// Longest wait for the turn to begin a transaction.
const BEGIN_WITHIN: Duration = Duration::from_secs(30);

/// The store, open. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(super) write: SqlitePool,
    pub(super) read: SqlitePool,
    pub(super) bounds: Bounds,
    /// Whoever is next to wait for the writer.
    queue: Arc<Mutex<()>>,
    signals: Arc<Signals>,
}

/// What commits send to the tasks that work on stored rows.
#[derive(Debug)]
struct Signals {
    delivery: Notify,
    /// What commits have left to deliver since it was last taken.
    deliverable: StdMutex<Deliverable>,
    retention: Notify,
    runs: Notify,
    feed: Feed,
    commits: Commits,
}

/// A transaction that may write; dropped without [`Tx::commit`] it is rolled back.
#[must_use = "a transaction that is not committed is rolled back"]
pub(crate) struct Tx {
    pub(super) inner: Transaction<'static, Sqlite>,
    pub(super) bounds: Bounds,
    /// The connection that an account's audit-log setting selected until this transaction switched it off.
    pub(super) deselected: Option<(AccountId, ConnectionId)>,
    pub(super) wakes: Wakes,
    /// What the commit does, for watchers.
    noted: Vec<Happening>,
}

/// Which connections may have something to send.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Deliverable {
    /// All of them, besides those that are named.
    pub(crate) all: bool,
    /// These have new events.
    pub(crate) connections: HashSet<ConnectionId>,
}

impl Deliverable {
    fn is_empty(&self) -> bool {
        !self.all && self.connections.is_empty()
    }

    /// Adds others.
    pub(crate) fn add(&mut self, others: Self) {
        self.all |= others.all;
        if self.connections.is_empty() {
            self.connections = others.connections;
        } else {
            self.connections.extend(others.connections);
        }
    }
}

/// The tasks that have work from a transaction.
pub(super) struct Wakes {
    signals: Arc<Signals>,
    delivery: Deliverable,
    retention: bool,
    runs: bool,
}

impl Signals {
    fn deliverable(&self) -> MutexGuard<'_, Deliverable> {
        self.deliverable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a part of a transaction that tells whether the store can be written came to, counted where that failed.
    fn noted<T>(&self, done: std::result::Result<T, sqlx::Error>) -> Result<T> {
        done.map_err(|error| {
            let error = StoreError::from(error);
            self.commits.failed(&error);
            error
        })
    }
}

impl Wakes {
    /// `work`, after which they are woken, also where it is given up before its end.
    pub(super) async fn after<T>(self, work: impl Future<Output = T>) -> T {
        let _wakes = WakeOnDrop(self);
        work.await
    }
}

/// Wakes them when it is dropped.
struct WakeOnDrop(Wakes);

impl Drop for WakeOnDrop {
    fn drop(&mut self) {
        let Wakes {
            signals,
            delivery,
            retention,
            runs,
        } = &mut self.0;
        if !delivery.is_empty() {
            signals.deliverable().add(std::mem::take(delivery));
            signals.delivery.notify_one();
        }
        if *retention {
            signals.retention.notify_one();
        }
        if *runs {
            signals.runs.notify_one();
        }
    }
}

/// Whether accepted events must outlive the machine or only this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Every commit reaches the disk.
    Disk,
    /// For a directory that is deleted with the process.
    None,
}

impl Store {
    /// Opens the store in a directory, bringing its tables up to date. Leases of an earlier process are void: the lock
    /// says that it has ended.
    pub(crate) async fn open(
        dir: &Path,
        _lock: &DirLock,
        durability: Durability,
        bounds: Bounds,
    ) -> Result<Self> {
        let path = dir.join(DATABASE);
        let opened = Self::open_at(&path, durability, bounds).await;
        opened.map_err(|error| error.at_start(&path))
    }

    async fn open_at(path: &Path, durability: Durability, bounds: Bounds) -> Result<Self> {
        create_if_absent(path).await?;
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
        let write = writer(options.clone()).await?;
        migrations::all().run(&write).await?;
        recover(&write).await?;
        let read = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options.read_only(true))
            .await?;
        Ok(Self {
            write,
            read,
            bounds,
            queue: Arc::default(),
            signals: Arc::new(Signals {
                delivery: Notify::new(),
                deliverable: StdMutex::default(),
                retention: Notify::new(),
                runs: Notify::new(),
                feed: feed::new(),
                commits: Commits::default(),
            }),
        })
    }

    /// Begins a transaction that may write; waits for the one under way, and for those that began to wait earlier.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        let place = tokio::time::timeout(BEGIN_WITHIN, self.queue.lock());
        let _place = place.await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        self.begin_first().await
    }

    /// The same before nearly all others that wait: of them one at most comes first. For the one task whose work of many calls waits, so
    /// that no flood of intakes keeps it waiting.
    pub(crate) async fn begin_first(&self) -> Result<Tx> {
        let begun = self.write.begin_with("BEGIN IMMEDIATE").await;
        Ok(Tx {
            inner: self.signals.noted(begun)?,
            bounds: self.bounds,
            deselected: None,
            noted: Vec::new(),
            wakes: Wakes {
                signals: Arc::clone(&self.signals),
                delivery: Deliverable::default(),
                retention: false,
                runs: false,
            },
        })
    }

    /// What commits did, counted, and whether the last of them succeeded.
    pub(crate) fn commits(&self) -> &Commits {
        &self.signals.commits
    }

    /// Writes nothing that is read, to find out whether the store takes writes.
    pub(crate) async fn try_write(&self) -> Result<()> {
        let mut tx = self.begin().await?;
        sqlx::query(SAME_HEADER).execute(&mut *tx.inner).await?;
        tx.commit().await
    }

    /// Everything that commits do from here on.
    pub(crate) fn watch(&self) -> broadcast::Receiver<Happening> {
        self.signals.feed.subscribe()
    }

    /// Waits until a commit leaves something to deliver; one since the last wait counts. Which connections those of them name that were
    /// not taken before.
    pub(crate) async fn deliverable(&self) -> Deliverable {
        self.signals.delivery.notified().await;
        std::mem::take(&mut *self.signals.deliverable())
    }

    /// Waits until a commit leaves a connection with more than the bound; one commit since the last wait counts.
    pub(crate) async fn beyond_bound(&self) {
        self.signals.retention.notified().await;
    }

    /// Waits until a commit starts a run; one commit since the last wait counts.
    pub(crate) async fn run_started(&self) {
        self.signals.runs.notified().await;
    }

    /// Closes the store once its last statements are done.
    pub(crate) async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

impl Tx {
    /// Commits, then wakes the tasks that have work from it: there is no other commit, so no caller can forget. They are
    /// woken too where the caller is gone before the end: the database may have committed.
    pub(crate) async fn commit(self) -> Result<()> {
        let signals = Arc::clone(&self.wakes.signals);
        let committed = self.wakes.after(self.inner.commit()).await;
        signals.noted(committed)?;
        signals.commits.done(&self.noted);
        feed::send(&signals.feed, self.noted);
        Ok(())
    }

    /// Notes what the commit does, for watchers.
    pub(super) fn note(&mut self, connection: &str, what: What) {
        let connection = connection.to_owned();
        self.noted.push(Happening { connection, what });
    }

    /// Has the commit wake the delivery, which then asks for all connections.
    pub(super) fn wake_delivery(&mut self) {
        self.wakes.delivery.all = true;
    }

    /// Has the commit wake the delivery for these connections, which have new events: however many others there are is no matter then.
    pub(super) fn wake_delivery_of(&mut self, connections: &[ConnectionId]) {
        self.wakes
            .delivery
            .connections
            .extend(connections.iter().cloned());
    }

    /// Has the commit wake the task that keeps held events within their bounds.
    pub(super) fn wake_retention(&mut self) {
        self.wakes.retention = true;
    }

    /// Has the commit wake the task that drives runs.
    pub(super) fn wake_runs(&mut self) {
        self.wakes.runs = true;
    }
}

/// Creates the database, if there is none, under another name first: a file of no bytes under its own is one that was cut.
async fn create_if_absent(path: &Path) -> Result<()> {
    let failed = |source| StoreError::Directory {
        path: path.to_owned(),
        source,
    };
    match std::fs::metadata(path) {
        Ok(there) if there.len() > 0 => return Ok(()),
        Ok(_) => {
            let why = "it has no bytes, and what it held is gone".to_owned();
            let path = path.to_owned();
            return Err(StoreError::Damaged { path, why });
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let begun = path.with_extension("new");
    let _ = std::fs::remove_file(&begun);
    // The directory may have existed before, open to all; SQLite gives its other files the mode of this one.
    create_private_file(&begun).map_err(failed)?;
    let options = SqliteConnectOptions::new()
        .filename(&begun)
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    // Anything that is written gives the file its header.
    sqlx::query(SAME_HEADER).execute(&mut connection).await?;
    connection.close().await?;
    std::fs::rename(&begun, path).map_err(failed)
}

/// Writes the header of the database as it is: its first page goes through the log, as with any change.
const SAME_HEADER: &str = "PRAGMA user_version = 1";

/// The one connection that writes.
async fn writer(options: SqliteConnectOptions) -> Result<SqlitePool> {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        // On a full disk SQLite itself rolls back the commit that failed. The driver keeps counting that transaction
        // as open and would begin no other, so such a connection is closed and a new one takes its place.
        .after_release(|connection, _| {
            Box::pin(async move {
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        });
    Ok(pool.connect_with(options).await?)
}

/// Voids the leases of an earlier process. Read by the index of events that were sent before: all leased ones are in it.
pub(super) const VOID_LEASES: &str = "UPDATE outbox SET lease = NULL, leased_until_ms = 0
     WHERE (due_at_ms > 0 OR leased_until_ms > 0) AND lease IS NOT NULL";

/// Ends the backoff of refused deletions: an operator restarts after correcting something at AWS.
const RETRY_REMOVALS: &str = "UPDATE source_removal SET failures = 0, retry_at_ms = 0";

async fn recover(write: &SqlitePool) -> Result<()> {
    for statement in [VOID_LEASES, RETRY_REMOVALS] {
        sqlx::query(statement).execute(write).await?;
    }
    Ok(())
}
