//! The database in a data directory: SQLite.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _};

use super::directory::create_private_file;
use super::durability::Durability;
use super::error::{Result, StoreError};

/// Writes the header of the database as it is: its first page goes through the log, as with any change.
pub(super) const SAME_HEADER: &str = "PRAGMA user_version = 1";

/// Opens the database, which is made if there is none: the one connection that writes, and how others that read are opened.
pub(super) async fn open(path: &Path, durability: Durability) -> Result<(SqlitePool, SqliteConnectOptions)> {
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
    Ok((writer(options.clone()).await?, options.read_only(true)))
}

/// The connections that read.
pub(super) async fn readers(options: SqliteConnectOptions) -> Result<SqlitePool> {
    let pool = SqlitePoolOptions::new().max_connections(4);
    Ok(pool.connect_with(options).await?)
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
