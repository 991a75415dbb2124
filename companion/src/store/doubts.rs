//! What AWS has acknowledged and may have dropped, over all accounts: for the figures of the whole process.

use super::account::DELETED;
use super::database::Store;
use super::error::Result;
use super::sql::query;

/// What is in doubt, and since when something may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Doubts {
    /// Deliveries that are unconfirmed.
    pub(crate) unconfirmed: i64,
    /// When AWS acknowledged the oldest delivery that no look at its event source has covered.
    pub(crate) oldest_acknowledged_at_ms: Option<i64>,
}

/// Of all connections but those of the account `$1`.
pub(super) const UNCONFIRMED: &str =
    "SELECT CAST(COALESCE(SUM(d.unconfirmed), 0) AS BIGINT) AS unconfirmed FROM delivery d CROSS JOIN connection c
     WHERE c.id = d.connection_id AND c.account_id <> $1";

/// Of the connections with deliveries that no look has covered, but those of the account `$1`.
pub(super) const OLDEST_ACKNOWLEDGED: &str =
    "SELECT MIN((SELECT s.settled_at_ms FROM settled s WHERE s.connection_id = d.connection_id AND s.state = 'delivered'
                 AND s.seq > d.confirmed_seq ORDER BY s.seq LIMIT 1)) AS oldest
     FROM delivery d CROSS JOIN connection c
     WHERE c.id = d.connection_id AND d.acknowledged_seq > d.confirmed_seq AND c.account_id <> $1";

impl Store {
    /// What is in doubt over all connections.
    pub(crate) async fn doubts(&self) -> Result<Doubts> {
        let unconfirmed = query(UNCONFIRMED).bind(DELETED).fetch_one(&self.read).await?;
        let oldest = query(OLDEST_ACKNOWLEDGED)
            .bind(DELETED)
            .fetch_one(&self.read)
            .await?;
        Ok(Doubts {
            unconfirmed: unconfirmed.try_get("unconfirmed")?,
            oldest_acknowledged_at_ms: oldest.try_get("oldest")?,
        })
    }
}
