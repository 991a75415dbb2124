//! The audit-log setting of an account: which connection it selects, if any.

use scalr_api::{AccountId, ConnectionId};

use super::database::{Store, Tx};
use super::error::Result;
use super::row::optional_id;
use super::sql::{Row, query};

/// The connection that the setting of the account `$1` selects.
const SELECTED: &str = "SELECT connection_id FROM audit_log_setting WHERE account_id = $1";

fn selected(row: Option<&Row>) -> Result<Option<ConnectionId>> {
    row.map_or(Ok(None), |row| optional_id(row, "connection_id"))
}

impl Store {
    /// The connection that the setting selects.
    pub(crate) async fn audit_connection(&self, account: &AccountId) -> Result<Option<ConnectionId>> {
        let row = query(SELECTED)
            .bind(account.as_str())
            .fetch_optional(&self.read)
            .await?;
        selected(row.as_ref())
    }
}

impl Tx {
    /// The connection that the setting selects, as this transaction sees it.
    pub(crate) async fn audit_connection(&mut self, account: &AccountId) -> Result<Option<ConnectionId>> {
        let row = query(SELECTED)
            .bind(account.as_str())
            .fetch_optional(&mut self.inner)
            .await?;
        selected(row.as_ref())
    }

    /// Selects a connection, or none. Where none is selected then, an audit log accepted later in this transaction still
    /// goes to the connection that was selected until now: that its stream was switched off is the last it receives.
    pub(crate) async fn select_audit_connection(
        &mut self,
        account: &AccountId,
        connection: Option<&ConnectionId>,
    ) -> Result<()> {
        let before = self.audit_connection(account).await?;
        query("UPDATE audit_log_setting SET connection_id = $1 WHERE account_id = $2")
            .bind(connection.map(ConnectionId::as_str))
            .bind(account.as_str())
            .execute(&mut self.inner)
            .await?;
        self.deselected = before
            .filter(|_| connection.is_none())
            .map(|before| (account.clone(), before));
        Ok(())
    }
}
