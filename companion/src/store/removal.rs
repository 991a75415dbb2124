//! The queue of sources to be deleted at AWS: filled by the deletion of a connection, emptied once AWS has deleted.

use super::database::Store;
use super::error::Result;
use super::source::SourceKey;
use super::sql::{Row, query};

/// A source to be deleted.
#[derive(Clone, Debug)]
pub(crate) struct Removal {
    pub(crate) source: SourceKey,
    /// Failed attempts in a row.
    pub(crate) failures: u32,
}

fn removal(row: &Row) -> Result<Removal> {
    Ok(Removal {
        source: SourceKey {
            name: row.try_get("source")?,
            region: row.try_get("region")?,
            aws_account_id: row.try_get("aws_account_id")?,
        },
        failures: row.try_get("failures")?,
    })
}

impl Store {
    /// The sources whose deletion is due.
    pub(crate) async fn removals_due(&self, now_ms: i64) -> Result<Vec<SourceKey>> {
        let rows = query("SELECT * FROM source_removal WHERE retry_at_ms <= $1 ORDER BY rowid LIMIT 1000")
            .bind(now_ms)
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(|row| Ok(removal(row)?.source)).collect()
    }

    /// The sources in the queue with the name and region of this one, for any AWS account.
    pub(crate) async fn removals_of(&self, key: &SourceKey) -> Result<Vec<Removal>> {
        let rows = query("SELECT * FROM source_removal WHERE source = $1 AND region = $2")
            .bind(&key.name)
            .bind(&key.region)
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(removal).collect()
    }

    /// Keeps a source that AWS did not delete, for a retry at that time.
    pub(crate) async fn not_removed(&self, source: &SourceKey, why: &str, retry_at_ms: i64) -> Result<()> {
        let mut tx = self.begin().await?;
        query(
            "UPDATE source_removal SET failures = failures + 1, retry_at_ms = $1, last_error = $2
             WHERE source = $3 AND region = $4 AND aws_account_id = $5",
        )
        .bind(retry_at_ms)
        .bind(why)
        .bind(&source.name)
        .bind(&source.region)
        .bind(&source.aws_account_id)
        .execute(&mut tx.inner)
        .await?;
        tx.commit().await
    }

    /// Takes a source off the queue: AWS has deleted it.
    pub(crate) async fn removed(&self, source: &SourceKey) -> Result<()> {
        let mut tx = self.begin().await?;
        query("DELETE FROM source_removal WHERE source = $1 AND region = $2 AND aws_account_id = $3")
            .bind(&source.name)
            .bind(&source.region)
            .bind(&source.aws_account_id)
            .execute(&mut tx.inner)
            .await?;
        tx.commit().await
    }
}
