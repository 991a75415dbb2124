//! What a database is like, read without changing it, whether or not a service has it open.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use super::account::DELETED;
use super::directory::DATABASE;
use super::error::Result;
use super::migrations;

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

/// The connections but those of the account `?`.
const CONNECTIONS: &str =
    "SELECT c.region, d.held_bytes FROM delivery d CROSS JOIN connection c ON c.id = d.connection_id
     WHERE c.account_id <> ?";

/// Reads what the database of a directory is like.
pub(crate) async fn inspect(dir: &Path) -> Result<Inspection> {
    let options = SqliteConnectOptions::new()
        .filename(dir.join(DATABASE))
        .read_only(true)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging();
    let mut database = options.connect().await?;
    let read = read(&mut database).await;
    database.close().await?;
    read
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
        version_known: migrations::newest(),
        journal_mode: mode.try_get(0)?,
        connections,
    })
}
