//! Sources to be deleted at AWS: noted with the connection's deletion, forgotten once AWS has done it.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Result, SourceKey, Store};

fn source(row: &SqliteRow) -> Result<SourceKey> {
    Ok(SourceKey {
        name: row.try_get("source")?,
        region: row.try_get("region")?,
        aws_account_id: row.try_get("aws_account_id")?,
    })
}

impl Store {
    /// The sources to be deleted.
    pub(crate) async fn removals(&self) -> Result<Vec<SourceKey>> {
        let rows = sqlx::query("SELECT * FROM source_removal ORDER BY rowid LIMIT 1000")
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(source).collect()
    }

    /// The sources to be deleted that have the name and region of this one, for whichever AWS account.
    pub(crate) async fn removals_of(&self, key: &SourceKey) -> Result<Vec<SourceKey>> {
        let rows = sqlx::query("SELECT * FROM source_removal WHERE source = ? AND region = ?")
            .bind(&key.name)
            .bind(&key.region)
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(source).collect()
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
