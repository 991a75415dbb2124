//! What a deleted connection still holds: it is out of sight at once, and its events are deleted in bounded transactions, so that
//! the deletion of a connection with a full hold keeps no other write waiting.

use scalr_api::ConnectionId;

use super::account::{DELETED, DELETED_NAME};
use super::database::{Store, Tx};
use super::error::Result;
use super::sql::query;

/// Events that one transaction deletes.
const CHUNK: i64 = 200;

/// As many events of the connection `$1`, held or over, as `$2`.
pub(super) const EVENTS: &str = "SELECT 1 FROM outbox WHERE connection_id = $1
     UNION ALL SELECT 1 FROM settled WHERE connection_id = $1 LIMIT $2";

/// Moves the connection `$2` to the account `$1`, and frees what must be unique.
const BURY: &str =
    "UPDATE connection SET account_id = $1, name = id, aws_account_id = id, source = id, source_made = TRUE,
     status = 'disabled', error_message = NULL, decision = decision + 1 WHERE id = $2";

/// Whether a connection of the account `$1` is left.
pub(super) const ANY_DELETED: &str = "SELECT 1 FROM connection WHERE account_id = $1 LIMIT 1";

/// Deletes a connection of the account `$1` that has no event any more.
pub(super) const DELETE_EMPTY: &str = "DELETE FROM connection WHERE id = (
         SELECT c.id FROM connection c JOIN delivery d ON d.connection_id = c.id
         WHERE c.account_id = $1 AND d.held + d.unconfirmed = 0 AND NOT EXISTS (SELECT 1 FROM settled WHERE connection_id = c.id) LIMIT 1)";

/// Deletes `$2` events of a connection of the account `$1`.
pub(super) const DELETE_EVENTS: &str = "DELETE FROM outbox WHERE seq IN (
         SELECT seq FROM outbox WHERE connection_id = (SELECT id FROM connection WHERE account_id = $1 LIMIT 1) LIMIT $2)";

/// The same of its deliveries that are over.
pub(super) const DELETE_SETTLED: &str = "DELETE FROM settled WHERE seq IN (
         SELECT seq FROM settled WHERE connection_id = (SELECT id FROM connection WHERE account_id = $1 LIMIT 1) LIMIT $2)";

impl Store {
    /// Whether a deleted connection is left.
    pub(crate) async fn any_deleted(&self) -> Result<bool> {
        let row = query(ANY_DELETED)
            .bind(DELETED)
            .fetch_optional(&self.read)
            .await?;
        Ok(row.is_some())
    }
}

impl Tx {
    /// Deletes a connection with what it holds: at once where that is little, else with retention, which the commit wakes.
    pub(super) async fn delete_with_events(&mut self, id: &ConnectionId) -> Result<()> {
        let events = query(EVENTS)
            .bind(id.as_str())
            .bind(CHUNK + 1)
            .fetch_all(&mut self.inner)
            .await?;
        if i64::try_from(events.len()).is_ok_and(|events| events <= CHUNK) {
            query("DELETE FROM connection WHERE id = $1")
                .bind(id.as_str())
                .execute(&mut self.inner)
                .await?;
            return Ok(());
        }
        query("INSERT INTO account (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING")
            .bind(DELETED)
            .bind(DELETED_NAME)
            .execute(&mut self.inner)
            .await?;
        query("UPDATE audit_log_setting SET connection_id = NULL WHERE connection_id = $1")
            .bind(id.as_str())
            .execute(&mut self.inner)
            .await?;
        query(BURY)
            .bind(DELETED)
            .bind(id.as_str())
            .execute(&mut self.inner)
            .await?;
        // No look is made for it.
        query(
            "UPDATE delivery SET confirmed_seq = acknowledged_seq, doubted_seq = 0 WHERE connection_id = $1",
        )
        .bind(id.as_str())
        .execute(&mut self.inner)
        .await?;
        self.wake_retention();
        Ok(())
    }

    /// Deletes some of the events of deleted connections, and a connection that has none left; returns how many of both.
    pub(crate) async fn purge(&mut self) -> Result<u64> {
        let mut done = 0;
        for events in [DELETE_EVENTS, DELETE_SETTLED] {
            let deleted = query(events)
                .bind(DELETED)
                .bind(CHUNK)
                .execute(&mut self.inner)
                .await?;
            done += deleted.rows_affected();
        }
        let emptied = query(DELETE_EMPTY).bind(DELETED).execute(&mut self.inner).await?;
        Ok(done + emptied.rows_affected())
    }
}
