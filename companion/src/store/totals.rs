//! What is held and has failed, over all accounts: for the figures of the whole process.

use super::account::DELETED;
use super::database::Store;
use super::error::Result;
use super::sql::query;

/// The connections of one status together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) status: String,
    pub(crate) connections: i64,
    pub(crate) held: i64,
    pub(crate) held_bytes: i64,
    pub(crate) failed: i64,
    /// When the oldest held event was accepted.
    pub(crate) oldest_held_at_ms: Option<i64>,
}

/// By status, over all connections but those of the account `$1`.
pub(super) const TOTALS: &str =
    "SELECT c.status, COUNT(*) AS connections, CAST(SUM(d.held) AS BIGINT) AS held,
            CAST(SUM(d.held_bytes) AS BIGINT) AS held_bytes, CAST(SUM(d.failed) AS BIGINT) AS failed,
            MIN((SELECT o.accepted_at_ms FROM outbox o
                 WHERE o.connection_id = c.id AND o.unconfirmed_at_ms IS NULL ORDER BY o.seq LIMIT 1)) AS oldest
     FROM delivery d CROSS JOIN connection c WHERE c.id = d.connection_id AND c.account_id <> $1 GROUP BY c.status";

impl Store {
    /// What is held and has failed, by the status of the connections.
    pub(crate) async fn totals(&self) -> Result<Vec<Totals>> {
        let rows = query(TOTALS).bind(DELETED).fetch_all(&self.read).await?;
        rows.iter()
            .map(|row| {
                Ok(Totals {
                    status: row.try_get("status")?,
                    connections: row.try_get("connections")?,
                    held: row.try_get("held")?,
                    held_bytes: row.try_get("held_bytes")?,
                    failed: row.try_get("failed")?,
                    oldest_held_at_ms: row.try_get("oldest")?,
                })
            })
            .collect()
    }
}
