//! The audit-log setting of an account: which connection it selects, if any.

use scalr_api::{AccountId, ConnectionId};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Result, Store, StoreError, Tx};

fn selected(row: &SqliteRow) -> Result<Option<ConnectionId>> {
    let id: Option<String> = row.try_get("connection_id")?;
    id.map(ConnectionId::new)
        .transpose()
        .map_err(|error| StoreError::Unreadable(error.to_string()))
}

impl Store {
    /// The connection that the setting selects.
    pub(crate) async fn audit_connection(&self, account: &AccountId) -> Result<Option<ConnectionId>> {
        let row = sqlx::query("SELECT connection_id FROM audit_log_setting WHERE account_id = ?")
            .bind(account.as_str())
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map_or(Ok(None), selected)
    }
}

impl Tx {
    /// The connection that the setting selects, as this transaction sees it.
    pub(crate) async fn audit_connection(&mut self, account: &AccountId) -> Result<Option<ConnectionId>> {
        let row = sqlx::query("SELECT connection_id FROM audit_log_setting WHERE account_id = ?")
            .bind(account.as_str())
            .fetch_optional(&mut *self.inner)
            .await?;
        row.as_ref().map_or(Ok(None), selected)
    }

    /// Selects a connection, or none.
    pub(crate) async fn select_audit_connection(
        &mut self,
        account: &AccountId,
        connection: Option<&ConnectionId>,
    ) -> Result<()> {
        sqlx::query("UPDATE audit_log_setting SET connection_id = ? WHERE account_id = ?")
            .bind(connection.map(ConnectionId::as_str))
            .bind(account.as_str())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }
}
