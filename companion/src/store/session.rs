//! The session that writes to a PostgreSQL database. It holds an advisory lock, so that one process at a time writes; since the lock and
//! the writes are of the same session, no write is committed without the lock, whatever happens to connections and clocks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Row as _};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::durability::Durability;
use super::error::{Result, StoreError, is_lost, late};
use super::lent::Lent;
use super::server::Server;
use super::sql::Transaction;
use crate::ids;

/// The first half of the lock's key; the second is the schema, so that services in schemas of their own share a database.
const LOCK: i32 = 0x5ca1;
/// The oldest version of PostgreSQL that is used: statements and settings are of it.
const VERSION_MIN: i32 = 140_000;
/// Longest wait for the lock at the start.
const LOCK_WITHIN: &str = "SET lock_timeout = '2s'";
/// The server's code for a lock that was not had in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";
/// Sessions that read.
const READERS: u32 = 4;
/// Longest wait for a session, such as while the server is restarted.
const SESSION_WITHIN: Duration = Duration::from_secs(10);
/// A session that was not used for this long is asked whether it answers.
const IDLE: Duration = Duration::from_secs(1);
/// How long it may take to: a session that is found dead leaves time for a new one.
const PING_WITHIN: Duration = Duration::from_secs(2);

/// What each session begins with. A plan must not hang on statistics: tables of events are empty in one minute and full in the next. A
/// session whose machine is gone ends after about a minute, and its lock with it.
const SETTINGS: &str = "
    SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off;
    SET idle_in_transaction_session_timeout = 0; SET default_transaction_isolation = 'read committed';
    SET statement_timeout = 0; SET tcp_user_timeout = 60000;
    SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3";
/// A commit is answered once it is on disk. Where the server, the database or the role says `off`, the service's sessions do not; what they
/// say is set in the session, so that a later reload of the server's settings does not change it.
const ON_DISK: &str =
    "SELECT set_config('synchronous_commit', CASE now WHEN 'off' THEN 'on' ELSE now END, false)
     FROM (SELECT current_setting('synchronous_commit') AS now) setting";
/// Gives back the lock, if the session has it.
const UNLOCK: &str = "SELECT pg_advisory_unlock_all()";
/// Names the session of this process that writes, for [`Session::end_last`].
const NAME: &str = "SELECT set_config('application_name', $1, false)";
/// For sessions that must not write.
const READ_ONLY: &str = "SET default_transaction_read_only = on";
/// What is said of a process that had the database and is gone.
const ENDED: &str = "a process that has ended by now";
/// For tests.
const NOT_ON_DISK: &str = "SET synchronous_commit = off";

/// The session of this process.
#[derive(Debug)]
pub(super) struct Session {
    /// This process, as the row says it.
    process: String,
    durability: Durability,
    /// The row says that it is this process.
    is_recorded: AtomicBool,
    /// Who has the database instead, once it is another process.
    taken_by: OnceLock<String>,
    /// Wakes who waits for that.
    taken: Notify,
}

/// Sessions of a PostgreSQL database, open: those that write and those that read.
pub(super) struct Sessions {
    pub(super) write: PgPool,
    pub(super) read: PgPool,
    pub(super) session: Arc<Session>,
}

/// Opens the database of a server for this process alone.
pub(super) async fn open(server: &Server, durability: Durability) -> Result<Sessions> {
    let mut first = server.connect().await?;
    check(server, &mut first).await?;
    let session = Arc::new(Session {
        process: ids::request(),
        durability,
        is_recorded: AtomicBool::new(false),
        taken_by: OnceLock::new(),
        taken: Notify::new(),
    });
    // Who has it is said before anything is changed; the session that is to write takes the lock for good.
    if !wait_for_lock(&mut first)
        .await
        .map_err(|error| server.unusable(error))?
    {
        return Err(in_use(server, &mut first).await);
    }
    // The server may end this session a while after it is closed.
    sqlx::query(UNLOCK)
        .execute(&mut first)
        .await
        .map_err(|error| server.unusable(error))?;
    first.close().await.map_err(|error| server.unusable(error))?;
    let of_write = Arc::clone(&session);
    let write = PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(SESSION_WITHIN)
        .test_before_acquire(false)
        .before_acquire(|connection, last| Box::pin(answers(connection, last.idle_for)))
        .after_connect(move |connection, _| {
            let session = Arc::clone(&of_write);
            Box::pin(async move { session.begin(connection).await })
        });
    let read = PgPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(SESSION_WITHIN)
        .test_before_acquire(false)
        .before_acquire(|connection, last| Box::pin(answers(connection, last.idle_for)))
        .after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(SETTINGS).execute(&mut *connection).await?;
                sqlx::raw_sql(READ_ONLY).execute(connection).await.map(drop)
            })
        });
    Ok(Sessions {
        write: write.connect_lazy_with(server.options.clone()),
        read: read.connect_lazy_with(server.options.clone()),
        session,
    })
}

impl Session {
    /// Begins a transaction. A session that has ended, such as by a restart of the server, is found out by that: nothing was begun in it,
    /// and a new one takes its place.
    pub(super) async fn transaction(&self, write: &PgPool) -> Result<Transaction> {
        let begun = match Lent::begin(write).await {
            Err(error) if is_lost(&error) => Lent::begin(write).await,
            begun => begun,
        };
        if let Some(by) = self.taken_by.get() {
            return Err(StoreError::DatabaseTaken(by.clone()));
        }
        let begun = begun.map_err(|error| match error {
            sqlx::Error::PoolTimedOut => late("no session of the server", SESSION_WITHIN),
            error => error,
        });
        Ok(Transaction::postgres(begun?))
    }

    /// Why the database was not opened: another process may have taken it after it was found free.
    pub(super) fn not_opened(&self, server: &Server, error: StoreError) -> StoreError {
        match self.taken_by.get() {
            Some(by) => StoreError::DatabaseInUse {
                at: server.to_string(),
                by: by.clone(),
            },
            None => server.not_migrated(error),
        }
    }

    /// Waits until another process has the database; who.
    pub(super) async fn taken(&self) -> String {
        loop {
            if let Some(by) = self.taken_by.get() {
                return by.clone();
            }
            self.taken.notified().await;
        }
    }

    /// Makes a new connection the one that writes. Where that cannot be, it writes nothing.
    async fn begin(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        sqlx::raw_sql(SETTINGS).execute(&mut *connection).await?;
        let row = sqlx::query("SELECT pg_is_in_recovery() AS is_standby")
            .fetch_one(&mut *connection)
            .await?;
        if row.try_get("is_standby")? {
            // Such as after a failover: the next try may find the primary.
            let why = "the server is a standby, which takes no writes";
            return Err(sqlx::Error::Protocol(why.to_owned()));
        }
        let durability = match self.durability {
            Durability::Disk => ON_DISK,
            Durability::None => NOT_ON_DISK,
        };
        sqlx::raw_sql(durability).execute(&mut *connection).await?;
        sqlx::query(NAME)
            .bind(self.name())
            .execute(&mut *connection)
            .await?;
        let has_lock = lock(connection).await? || self.end_last(connection).await?;
        let is_its = self.is_its(connection).await?;
        if has_lock && is_its {
            return Ok(());
        }
        if self.is_recorded.load(Ordering::Relaxed) && is_its {
            // Nobody else has written down that it has the database, so it is tried again.
            let why = "the lock of the database is not free, and no other process has the database";
            return Err(sqlx::Error::Protocol(why.to_owned()));
        }
        let by = holder(connection).await?.unwrap_or_else(|| ENDED.to_owned());
        tracing::error!(
            by,
            "another process has taken the database; this one writes nothing any more"
        );
        self.taken_by.get_or_init(|| by);
        self.taken.notify_one();
        sqlx::query(UNLOCK).execute(&mut *connection).await?;
        sqlx::raw_sql(READ_ONLY).execute(connection).await.map(drop)
    }

    /// What its sessions that write are called on the server: no other process has this name.
    fn name(&self) -> String {
        format!("scalr-eventbridge {}", self.process)
    }

    /// Where an earlier session of this process still has the lock, such as after the network was cut: ends that, and takes it.
    async fn end_last(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        sqlx::query(
            "SELECT pg_terminate_backend(l.pid, 5000) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
             WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1 AND l.objid = current_schema()::regnamespace::oid
               AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND a.application_name = $2 AND l.pid <> pg_backend_pid()",
        )
        .bind(LOCK)
        .bind(self.name())
        .fetch_all(&mut *connection)
        .await?;
        // It may have ended by itself in between.
        lock(connection).await
    }

    /// Whether the database is still as this process left it: no other one has had it meanwhile.
    async fn is_its(&self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        if !self.is_recorded.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let row = sqlx::query("SELECT process FROM holder")
            .fetch_optional(connection)
            .await?;
        let process: Option<String> = row.map(|row| row.try_get("process")).transpose()?;
        Ok(process.is_some_and(|process| process == self.process))
    }

    /// Writes down who has the database, for those who find it in use.
    pub(super) async fn record(&self, write: &PgPool) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO holder (only_one, process, host, pid, version) VALUES (1, $1, $2, $3, $4)
             ON CONFLICT (only_one) DO UPDATE SET process = excluded.process, host = excluded.host, pid = excluded.pid,
               version = excluded.version, since = excluded.since",
        )
        .bind(&self.process)
        .bind(host())
        .bind(i64::from(std::process::id()))
        .bind(env!("CARGO_PKG_VERSION"))
        .execute(write)
        .await?;
        self.is_recorded.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// Whether a session still answers, asked where it has been idle: a network may have forgotten it. One that does not is closed.
async fn answers(connection: &mut PgConnection, idle_for: Duration) -> sqlx::Result<bool> {
    if idle_for < IDLE {
        return Ok(true);
    }
    Ok(matches!(
        timeout(PING_WITHIN, connection.ping()).await,
        Ok(Ok(()))
    ))
}

/// Takes the lock, if it is free; whether it was.
async fn lock(connection: &mut PgConnection) -> sqlx::Result<bool> {
    let row =
        sqlx::query("SELECT pg_try_advisory_lock($1, current_schema()::regnamespace::oid::int) AS is_free")
            .bind(LOCK)
            .fetch_one(connection)
            .await?;
    row.try_get("is_free")
}

/// Takes the lock for this session, and waits a moment for it: the session of a process that was killed just now may not have ended.
async fn wait_for_lock(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::raw_sql(LOCK_WITHIN).execute(&mut *connection).await?;
    let taken = sqlx::query("SELECT pg_advisory_lock($1, current_schema()::regnamespace::oid::int)")
        .bind(LOCK)
        .execute(connection)
        .await;
    match taken {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(LOCK_NOT_AVAILABLE) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What the server must be like.
async fn check(server: &Server, connection: &mut PgConnection) -> Result<()> {
    let row = sqlx::query(
        "SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding,
                current_schema() IS NOT NULL AS has_schema, pg_is_in_recovery() AS is_standby, current_setting('fsync') AS fsync",
    )
    .fetch_one(connection)
    .await
    .map_err(|error| server.unusable(error))?;
    let version: i32 = row.try_get("version")?;
    if version < VERSION_MIN {
        let why = format!(
            "the server is PostgreSQL {}, and 14 is the oldest that is used",
            version / 10_000
        );
        return Err(server.error(why, "Upgrade it."));
    }
    let encoding: String = row.try_get("encoding")?;
    if encoding != "UTF8" {
        let why = format!("its encoding is {encoding}, and events are UTF-8");
        return Err(server.error(why, "Create one with ENCODING 'UTF8' TEMPLATE template0."));
    }
    if !row.try_get("has_schema")? {
        let why = "no schema of its `search_path` exists, or the role may not use it";
        return Err(server.error(why, "Create one, or set the `search_path` of the role."));
    }
    if row.try_get("is_standby")? {
        let why = "the server is a standby, which takes no writes";
        return Err(server.error(why, "Give the address of the primary."));
    }
    if row.try_get::<String, _>("fsync")? == "off" {
        tracing::warn!(
            "the server has `fsync = off`: what it has committed is lost where its machine loses power"
        );
    }
    Ok(())
}

async fn in_use(server: &Server, connection: &mut PgConnection) -> StoreError {
    let by = holder(connection)
        .await
        .ok()
        .flatten()
        .unwrap_or_else(|| ENDED.to_owned());
    StoreError::DatabaseInUse {
        at: server.to_string(),
        by,
    }
}

/// Who has the database, in words: the process as it wrote itself down, and its session on the server.
pub(super) async fn holder(connection: &mut PgConnection) -> sqlx::Result<Option<String>> {
    let session = sqlx::query(
        "SELECT l.pid, COALESCE(host(a.client_addr), 'a socket') AS address FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
         WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1 AND l.objid = current_schema()::regnamespace::oid
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .bind(LOCK)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(session) = session else { return Ok(None) };
    let (pid, address): (i32, String) = (session.try_get("pid")?, session.try_get("address")?);
    let process = sqlx::query(
        "SELECT host, pid, version, to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS since FROM holder",
    )
    .fetch_optional(connection)
    .await;
    let words = match process {
        Ok(Some(row)) => format!(
            "scalr-eventbridge {} on `{}`, process {}, since {}",
            row.try_get::<String, _>("version")?,
            row.try_get::<String, _>("host")?,
            row.try_get::<i64, _>("pid")?,
            row.try_get::<String, _>("since")?,
        ),
        // The tables are being made.
        Ok(None) | Err(_) => "a process that is just starting".to_owned(),
    };
    Ok(Some(format!(
        "{words} (session {pid} of the server, from {address})"
    )))
}

/// The name of this machine.
fn host() -> String {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    name
}
