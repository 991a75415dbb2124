//! What a database is like, read without changing it, whether or not a service has it open.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use super::account::DELETED;
use super::directory::{DATABASE, DirLock};
use super::error::Result;
use super::server::Server;
use super::{migrations, session};

/// What a database is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inspection {
    /// The version of its tables, and the newest one that this program knows.
    pub(crate) version: i64,
    pub(crate) version_known: i64,
    pub(crate) journal_mode: String,
    /// What its connections hold in bytes, each with its region.
    pub(crate) connections: Vec<(String, i64)>,
}

/// What a database on a server is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerInspection {
    /// The version of its tables, with 0 for none, and the newest one that this program knows.
    pub(crate) version: i64,
    pub(crate) version_known: i64,
    pub(crate) server_version: String,
    pub(crate) has_tls: bool,
    pub(crate) fsync: String,
    pub(crate) full_page_writes: String,
    /// As the role gets it.
    pub(crate) synchronous_commit: String,
    /// Who has the database.
    pub(crate) holder: Option<String>,
    /// What its connections hold in bytes, each with its region.
    pub(crate) connections: Vec<(String, i64)>,
}

/// The connections but those of the account `$1`.
const CONNECTIONS: &str = "SELECT c.region, d.held_bytes FROM delivery d CROSS JOIN connection c
     WHERE c.id = d.connection_id AND c.account_id <> $1";

/// Reads what the database of a directory is like. `lock` is the directory's, where no service has it.
pub(crate) async fn inspect(dir: &Path, lock: Option<&DirLock>) -> Result<Inspection> {
    let file = dir.join(DATABASE);
    // A reader of a database that nobody has open makes two files beside it, which may then be another user's than the service's. Where
    // all is in the database, and nobody can begin to write, it need not.
    let log = dir.join(format!("{DATABASE}-wal"));
    let is_still = lock.is_some() && matches!(log.try_exists(), Ok(false));
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .read_only(true)
        .immutable(is_still)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging();
    let mut database = options.connect().await?;
    let mut read = read(&mut database).await;
    database.close().await?;
    if let Ok(inspection) = &mut read
        && is_still
        && is_wal(&file)
    {
        // SQLite reads such a file without a log, and says so.
        "wal".clone_into(&mut inspection.journal_mode);
    }
    read
}

/// Whether the database's header says that it has a log: <https://www.sqlite.org/fileformat.html#file_format_version_numbers>.
fn is_wal(file: &Path) -> bool {
    let mut header = [0; 20];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header.ends_with(&[2, 2])
}

async fn read(database: &mut SqliteConnection) -> Result<Inspection> {
    let mode = sqlx::query("PRAGMA journal_mode")
        .fetch_one(&mut *database)
        .await?;
    let version =
        sqlx::query("SELECT COALESCE(MAX(version), 0) AS version FROM _sqlx_migrations WHERE success")
            .fetch_one(&mut *database)
            .await?;
    let rows = sqlx::query(CONNECTIONS)
        .bind(DELETED)
        .fetch_all(&mut *database)
        .await?;
    let connections = rows
        .iter()
        .map(|row| Ok((row.try_get("region")?, row.try_get("held_bytes")?)))
        .collect::<Result<_>>()?;
    Ok(Inspection {
        version: version.try_get("version")?,
        version_known: migrations::SQLITE.newest(),
        journal_mode: mode.try_get(0)?,
        connections,
    })
}

/// Reads what the database of a server is like, whether or not a service has it.
pub(crate) async fn inspect_server(server: &Server) -> Result<ServerInspection> {
    let mut database = server.connect().await?;
    let read = read_server(&mut database)
        .await
        .map_err(|error| server.unusable(error));
    // Its answers are here, and the server notices where it is gone.
    let _ = database.close().await;
    read
}

async fn read_server(database: &mut PgConnection) -> sqlx::Result<ServerInspection> {
    let settings = sqlx::query(
        "SELECT current_setting('server_version') AS server_version, current_setting('fsync') AS fsync,
                current_setting('full_page_writes') AS full_page_writes, current_setting('synchronous_commit') AS synchronous_commit,
                COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), FALSE) AS has_tls,
                to_regclass('_sqlx_migrations') IS NOT NULL AS has_tables",
    )
    .fetch_one(&mut *database)
    .await?;
    let holder = session::holder(&mut *database).await?;
    let (mut version, mut connections) = (0, Vec::new());
    if settings.try_get("has_tables")? {
        let newest =
            sqlx::query("SELECT COALESCE(MAX(version), 0) AS version FROM _sqlx_migrations WHERE success");
        version = newest.fetch_one(&mut *database).await?.try_get("version")?;
        let rows = sqlx::query(CONNECTIONS)
            .bind(DELETED)
            .fetch_all(&mut *database)
            .await?;
        let one = |row: &PgRow| Ok((row.try_get("region")?, row.try_get("held_bytes")?));
        connections = rows.iter().map(one).collect::<sqlx::Result<_>>()?;
    }
    Ok(ServerInspection {
        version,
        version_known: migrations::POSTGRES.newest(),
        server_version: settings.try_get("server_version")?,
        has_tls: settings.try_get("has_tls")?,
        fsync: settings.try_get("fsync")?,
        full_page_writes: settings.try_get("full_page_writes")?,
        synchronous_commit: settings.try_get("synchronous_commit")?,
        holder,
        connections,
    })
}
