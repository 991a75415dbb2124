//! Sources to be deleted at AWS: noted with the connection's deletion, forgotten once AWS has done it.

use sqlx::Row as _;

use super::{Result, SourceKey, Store};

impl Store {
    /// The sources to be deleted.
    pub(crate) async fn removals(&self) -> Result<Vec<SourceKey>> {
        let rows = sqlx::query("SELECT * FROM source_removal ORDER BY rowid LIMIT 1000")
            .fetch_all(&self.read)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(SourceKey {
                    name: row.try_get("source")?,
                    region: row.try_get("region")?,
                    aws_account_id: row.try_get("aws_account_id")?,
                })
            })
            .collect()
    }

    /// Whether a source is still to be deleted.
    pub(crate) async fn is_removal(&self, source: &SourceKey) -> Result<bool> {
        let row = sqlx::query(
            "SELECT 1 FROM source_removal WHERE source = ? AND region = ? AND aws_account_id = ?",
        )
        .bind(&source.name)
        .bind(&source.region)
        .bind(&source.aws_account_id)
        .fetch_optional(&self.read)
        .await?;
        Ok(row.is_some())
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
