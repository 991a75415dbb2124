//! What AWS acknowledged and a look at the event source has not confirmed yet. AWS answers success also for what it drops because the
//! source is not ACTIVE: until a look was good such an event is kept, and where one was not, it is sent again, before newer events of
//! its lane.

use scalr_api::ConnectionId;

use super::account::DELETED;
use super::database::{Store, Tx};
use super::error::Result;
use super::row::{id, readable_ids};
use super::settled::{CHUNK_BYTES, DELETE_SETTLED, first_of};
use super::source::SourceKey;
use super::sql::{List, Row, query};

/// Deliveries that one transaction moves back.
const CHUNK: i64 = 200;
/// Why an unconfirmed event is sent again.
const WHY: &str = "AWS acknowledged it, and no look at its event source found that ACTIVE afterwards: AWS may have dropped it";

/// What a look at an event source covers.
#[derive(Clone, Debug)]
pub(crate) struct ToConfirm {
    pub(crate) source: SourceKey,
    /// The number of the last delivery that AWS has acknowledged.
    pub(crate) up_to: i64,
    /// The version of the connection's status.
    pub(crate) status_version: i64,
}

/// The source of the connection `$1`, and what was acknowledged by now. One of the account `$2`, so deleted, has no source any more.
const TO_CONFIRM: &str = "SELECT c.source, c.region, c.aws_account_id, c.decision, d.acknowledged_seq
     FROM connection c JOIN delivery d ON d.connection_id = c.id WHERE c.id = $1 AND c.account_id <> $2";

/// The connections with deliveries that no look has covered, but those of the account `$1`.
pub(super) const NOT_CONFIRMED: &str =
    "SELECT c.id, c.region FROM delivery d JOIN connection c ON c.id = d.connection_id
     WHERE d.acknowledged_seq > d.confirmed_seq AND d.doubted_seq <= d.confirmed_seq AND c.account_id <> $1";

/// A look of the connection `$1` was good, and covers all up to `$2`.
const CONFIRM: &str = "UPDATE delivery SET confirmed_seq = $2
     WHERE connection_id = $1 AND confirmed_seq < $2 AND doubted_seq <= confirmed_seq";

/// Doubts what no look has covered of the connection `$1`, unless it is of the account `$2`.
pub(super) const DOUBT: &str = "UPDATE delivery SET doubted_seq = acknowledged_seq
     WHERE connection_id = $1 AND acknowledged_seq > confirmed_seq
       AND EXISTS (SELECT 1 FROM connection c WHERE c.id = $1 AND c.account_id <> $2)";

/// Marks the leases of the connection `$1`: calls are under way with them, and what AWS acknowledges is in doubt, too. Read by the index
/// of events that were sent before: all leased ones are in it.
pub(super) const DOUBT_LEASES: &str = "UPDATE outbox SET lease = lease || ' doubted'
     WHERE (due_at_ms > 0 OR leased_until_ms > 0) AND connection_id || '' = $1 AND lease NOT LIKE '% doubted'";

/// Connections with deliveries in doubt.
pub(super) const DOUBTED: &str = "SELECT connection_id AS id FROM delivery WHERE doubted_seq > confirmed_seq";

/// Some of the deliveries in doubt of the connection `$1`.
pub(super) const IN_DOUBT: &str =
    "SELECT s.seq, s.bytes FROM delivery d JOIN settled s ON s.connection_id = d.connection_id
     AND s.state = 'delivered' AND s.seq > d.confirmed_seq AND s.seq <= d.doubted_seq
     WHERE d.connection_id = $1 AND s.outbox_seq IS NOT NULL LIMIT $2";

/// Moves the deliveries of the list `$1` back at `$2`, for the reason `$3`.
pub(super) const MOVE_BACK: &str =
    "INSERT INTO outbox (seq, connection_id, event_id, lane, version, detail_type, detail, bytes, time_ms, accepted_at_ms,
                         attempts, due_at_ms, last_error, unconfirmed_at_ms)
     SELECT s.outbox_seq, s.connection_id, s.event_id, s.lane, s.version, s.detail_type, s.detail, s.bytes, s.time_ms,
            s.accepted_at_ms, s.attempts, 0, $3, $2
     FROM json_each($1) list CROSS JOIN settled s WHERE s.seq = CAST(list.atom AS BIGINT)";

impl Store {
    /// What a look at a connection's source that is made now covers.
    pub(crate) async fn to_confirm(&self, id: &ConnectionId) -> Result<Option<ToConfirm>> {
        let row = query(TO_CONFIRM)
            .bind(id.as_str())
            .bind(DELETED)
            .fetch_optional(&self.read)
            .await?;
        let to_confirm = |row: Row| {
            Ok(ToConfirm {
                source: SourceKey {
                    name: row.try_get("source")?,
                    region: row.try_get("region")?,
                    aws_account_id: row.try_get("aws_account_id")?,
                },
                up_to: row.try_get("acknowledged_seq")?,
                status_version: row.try_get("decision")?,
            })
        };
        row.map(to_confirm).transpose()
    }

    /// The connections with deliveries that no look has covered, with their regions.
    pub(crate) async fn not_confirmed(&self) -> Result<Vec<(ConnectionId, String)>> {
        let rows = query(NOT_CONFIRMED).bind(DELETED).fetch_all(&self.read).await?;
        let one = |row: &Row| Ok((id(row, "id")?, row.try_get("region")?));
        rows.iter().map(one).collect()
    }

    /// The connections with deliveries in doubt.
    pub(crate) async fn doubted(&self) -> Result<Vec<ConnectionId>> {
        let rows = query(DOUBTED).fetch_all(&self.read).await?;
        Ok(readable_ids(&rows))
    }
}

impl Tx {
    /// A look at a connection's source was good: what AWS acknowledged up to this delivery is confirmed.
    pub(crate) async fn confirm(&mut self, id: &ConnectionId, up_to: i64) -> Result<()> {
        query(CONFIRM)
            .bind(id.as_str())
            .bind(up_to)
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    /// A connection's source is not ACTIVE: what AWS acknowledged since the last good look is in doubt, and so is what it acknowledges
    /// in calls that are under way.
    pub(crate) async fn doubt(&mut self, id: &ConnectionId) -> Result<()> {
        self.doubt_acknowledged(id).await?;
        query(DOUBT_LEASES)
            .bind(id.as_str())
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    /// What AWS acknowledged since the last good look is in doubt.
    pub(super) async fn doubt_acknowledged(&mut self, id: &ConnectionId) -> Result<()> {
        let done = query(DOUBT)
            .bind(id.as_str())
            .bind(DELETED)
            .execute(&mut self.inner)
            .await?;
        if done.rows_affected() > 0 {
            self.wake_delivery();
        }
        Ok(())
    }

    /// Moves some of a connection's deliveries in doubt back to the outbox, as unconfirmed; returns how many. Nothing of the connection
    /// is sent until there are none left.
    pub(crate) async fn move_doubted(&mut self, id: &ConnectionId, now_ms: i64) -> Result<usize> {
        let rows = query(IN_DOUBT)
            .bind(id.as_str())
            .bind(CHUNK)
            .fetch_all(&mut self.inner)
            .await?;
        let (list, _) = first_of(&rows, [i64::MAX, CHUNK_BYTES])?;
        if list.is_empty() {
            query("UPDATE delivery SET confirmed_seq = doubted_seq WHERE connection_id = $1")
                .bind(id.as_str())
                .execute(&mut self.inner)
                .await?;
            return Ok(0);
        }
        let text = serde_json::to_string(&list)?;
        query(MOVE_BACK)
            .bind(List(text.as_str()))
            .bind(now_ms)
            .bind(WHY)
            .execute(&mut self.inner)
            .await?;
        query(DELETE_SETTLED)
            .bind(List(text.as_str()))
            .execute(&mut self.inner)
            .await?;
        query("UPDATE delivery SET delivered = delivered - $2 WHERE connection_id = $1")
            .bind(id.as_str())
            .bind(i64::try_from(list.len()).unwrap_or_default())
            .execute(&mut self.inner)
            .await?;
        Ok(list.len())
    }
}
