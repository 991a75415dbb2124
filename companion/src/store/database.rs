//! The database: opened once, one writer, and a commit that wakes the tasks with work from it.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use scalr_api::{AccountId, ConnectionId};
use tokio::sync::{Mutex, Notify, broadcast};

use super::bounds::Bounds;
use super::commits::Commits;
use super::directory::{DATABASE, DirLock};
use super::durability::Durability;
use super::error::{Result, StoreError, late};
use super::feed::{self, Feed, Happening, What};
use super::server::Server;
use super::session::{self, Session, Sessions};
use super::sql::{Pool, Sql, Transaction, query};
use super::{migrations, sqlite};
use crate::traces;

/// Longest wait for the turn to begin a transaction.
const BEGIN_WITHIN: Duration = Duration::from_secs(30);

/// Longest wait for the end of what is under way when the store is closed.
const CLOSE_WITHIN: Duration = Duration::from_secs(30);

/// The store, open. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(super) write: Pool,
    pub(super) read: Pool,
    pub(super) bounds: Bounds,
    /// That which writes, where the database is PostgreSQL.
    session: Option<Arc<Session>>,
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
    pub(super) inner: Transaction,
    pub(super) bounds: Bounds,
    /// The connection that an account's audit-log setting selected until this transaction switched it off.
    pub(super) deselected: Option<(AccountId, ConnectionId)>,
    pub(super) wakes: Wakes,
    /// What the commit does, for watchers.
    noted: Vec<Happening>,
    /// When it began.
    began: SystemTime,
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
    fn noted<T>(&self, done: Result<T>) -> Result<T> {
        done.inspect_err(|error| self.commits.failed(error))
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

/// Where the database is.
#[derive(Debug)]
pub(crate) enum Place {
    /// In a data directory that is this process's: SQLite.
    Directory(DirLock),
    /// On a server: PostgreSQL.
    Server(Box<Server>),
}

impl Store {
    /// Opens the store, bringing its tables up to date. Leases of an earlier process are void: that this process has the lock says that
    /// the other has ended.
    pub(crate) async fn open(place: &Place, durability: Durability, bounds: Bounds) -> Result<Self> {
        match place {
            Place::Directory(lock) => {
                let path = lock.dir().join(DATABASE);
                let opened = Box::pin(Self::open_at(&path, durability, bounds)).await;
                opened.map_err(|error| error.at_start(&path))
            }
            Place::Server(server) => Box::pin(Self::open_on(server, durability, bounds)).await,
        }
    }

    async fn open_at(path: &Path, durability: Durability, bounds: Bounds) -> Result<Self> {
        let (write, options) = sqlite::open(path, durability).await?;
        migrations::SQLITE.run(&write).await?;
        let write = Pool::Sqlite(write);
        recover(&write).await?;
        let read = Pool::Sqlite(sqlite::readers(options).await?);
        Ok(Self::of(write, read, None, bounds))
    }

    async fn open_on(server: &Server, durability: Durability, bounds: Bounds) -> Result<Self> {
        let Sessions { write, read, session } = session::open(server, durability).await?;
        let made = async {
            migrations::POSTGRES.run(&write).await?;
            Ok(session.record(&write).await?)
        };
        made.await.map_err(|error| session.not_opened(server, error))?;
        let write = Pool::Postgres(write);
        recover(&write).await?;
        Ok(Self::of(write, Pool::Postgres(read), Some(session), bounds))
    }

    fn of(write: Pool, read: Pool, session: Option<Arc<Session>>, bounds: Bounds) -> Self {
        Self {
            write,
            read,
            bounds,
            session,
            queue: Arc::default(),
            signals: Arc::new(Signals {
                delivery: Notify::new(),
                deliverable: StdMutex::default(),
                retention: Notify::new(),
                runs: Notify::new(),
                feed: feed::new(),
                commits: Commits::default(),
            }),
        }
    }

    /// Begins a transaction that may write; waits for the one under way, and for those that began to wait earlier.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        let place = tokio::time::timeout(BEGIN_WITHIN, self.queue.lock());
        let _place = place.await.map_err(|_| late("no turn to write", BEGIN_WITHIN))?;
        self.begin_first().await
    }

    /// The same before nearly all others that wait: of them one at most comes first. For the one task whose work of many calls waits, so
    /// that no flood of intakes keeps it waiting.
    pub(crate) async fn begin_first(&self) -> Result<Tx> {
        let begun = match (&self.write, &self.session) {
            (Pool::Postgres(pool), Some(session)) => session.transaction(pool).await,
            (write, _) => write.begin().await.map_err(StoreError::from),
        };
        Ok(Tx {
            inner: self.signals.noted(begun)?,
            bounds: self.bounds,
            deselected: None,
            noted: Vec::new(),
            began: SystemTime::now(),
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
        query(TRY_WRITE).execute(&mut tx.inner).await?;
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

    /// Waits until another process has taken the database, after which this one writes nothing any more; that as an error.
    pub(crate) async fn taken(&self) -> StoreError {
        match &self.session {
            Some(session) => StoreError::DatabaseTaken(session.taken().await),
            None => std::future::pending().await,
        }
    }

    /// Closes the store once its last statements are done. A server that does not answer is not waited for.
    pub(crate) async fn close(&self) {
        let close = async {
            self.read.close().await;
            self.write.close().await;
        };
        if tokio::time::timeout(CLOSE_WITHIN, close).await.is_err() {
            tracing::warn!("the database does not answer; it is left without being closed");
        }
    }
}

impl Tx {
    /// Commits, then wakes the tasks that have work from it: there is no other commit, so no caller can forget. They are
    /// woken too where the caller is gone before the end: the database may have committed.
    pub(crate) async fn commit(self) -> Result<()> {
        let signals = Arc::clone(&self.wakes.signals);
        let committed = self.wakes.after(self.inner.commit()).await;
        signals.noted(committed.map_err(StoreError::from))?;
        signals.commits.done(&self.noted);
        traces::accepted(self.noted.iter().filter_map(Happening::accepted), self.began);
        feed::send(&signals.feed, self.noted);
        Ok(())
    }

    /// Whether nothing more can be done in it, since a statement of it has failed.
    pub(crate) const fn is_spent(&self) -> bool {
        self.inner.is_spent()
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

/// Voids the leases of an earlier process. Read by the index of events that were sent before: all leased ones are in it.
pub(super) const VOID_LEASES: &str = "UPDATE outbox SET lease = NULL, leased_until_ms = 0
     WHERE (due_at_ms > 0 OR leased_until_ms > 0) AND lease IS NOT NULL";

/// Ends the backoff of refused deletions: an operator restarts after correcting something at AWS.
const RETRY_REMOVALS: &str = "UPDATE source_removal SET failures = 0, retry_at_ms = 0";

/// Changes nothing that is read, and is written as any change is.
const TRY_WRITE: Sql = Sql::Each {
    sqlite: sqlite::SAME_HEADER,
    postgres: "UPDATE holder SET tried_at = now()",
};

async fn recover(write: &Pool) -> Result<()> {
    for statement in [VOID_LEASES, RETRY_REMOVALS] {
        query(statement).execute(write).await?;
    }
    Ok(())
}
