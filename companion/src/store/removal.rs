//! Sources to be deleted at AWS: noted with the connection's deletion, forgotten once AWS has done it.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Result, SourceKey, Store};

/// A source to be deleted.
#[derive(Clone, Debug)]
pub(crate) struct Removal {
    pub(crate) source: SourceKey,
    /// How often in a row AWS did not do it.
    pub(crate) failures: u32,
}

fn removal(row: &SqliteRow) -> Result<Removal> {
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
    /// The sources whose deletion is to be tried now.
    pub(crate) async fn removals_due(&self, now_ms: i64) -> Result<Vec<SourceKey>> {
        let rows =
            sqlx::query("SELECT * FROM source_removal WHERE retry_at_ms <= ? ORDER BY rowid LIMIT 1000")
                .bind(now_ms)
                .fetch_all(&self.read)
                .await?;
        rows.iter().map(|row| Ok(removal(row)?.source)).collect()
    }

    /// The sources to be deleted that have the name and region of this one, for whichever AWS account.
    pub(crate) async fn removals_of(&self, key: &SourceKey) -> Result<Vec<Removal>> {
        let rows = sqlx::query("SELECT * FROM source_removal WHERE source = ? AND region = ?")
            .bind(&key.name)
            .bind(&key.region)
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(removal).collect()
    }

    /// Keeps a source that AWS did not delete, to be tried again not before then.
    pub(crate) async fn not_removed(&self, source: &SourceKey, why: &str, retry_at_ms: i64) -> Result<()> {
        sqlx::query(
            "UPDATE source_removal SET failures = failures + 1, retry_at_ms = ?, last_error = ?
             WHERE source = ? AND region = ? AND aws_account_id = ?",
        )
        .bind(retry_at_ms)
        .bind(why)
        .bind(&source.name)
        .bind(&source.region)
        .bind(&source.aws_account_id)
        .execute(&self.write)
        .await?;
        Ok(())
    }

    /// Forgets a source that AWS has deleted.
    pub(crate) async fn removed(&self, source: &SourceKey) -> Result<()> {
        sqlx::query("DELETE FROM source_removal WHERE source = ? AND region = ? AND aws_account_id = ?")
            .bind(&source.name)
            .bind(&source.region)
            .bind(&source.aws_account_id)
            .execute(&self.write)
            .await?;
        Ok(())
    }
}
