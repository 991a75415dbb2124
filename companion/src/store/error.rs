//! Why the store cannot do something.

use std::path::PathBuf;

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
    #[error("an event cannot be written as JSON")]
    Unwritable(#[from] serde_json::Error),
}

impl StoreError {
    /// The message of the unique index that a write violates.
    pub(crate) fn unique(&self) -> Option<&str> {
        match self {
            Self::Sql(sqlx::Error::Database(error)) if error.is_unique_violation() => Some(error.message()),
            _ => None,
        }
    }
}

pub(crate) type Result<T> = std::result::Result<T, StoreError>;
