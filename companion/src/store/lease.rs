//! Events on their way out: leased by row, settled by row.
//!
//! Only the oldest event of a lane can be leased, so that a lane never has two on the way: that is how order is
//! kept up to AWS's answer.

use scalr_api::{ConnectionId, DeliveryState};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::database::{Store, Tx};
use super::error::{Result, StoreError};
use super::event::VERSION;
use super::feed::What;
use super::row::readable_ids;
use super::settled;

/// An event that is to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) seq: i64,
    pub(crate) event_id: String,
    pub(crate) detail_type: String,
    pub(crate) detail: String,
    pub(crate) time_ms: i64,
    pub(crate) attempts: u32,
    /// When AWS first did not take it, though it took the call.
    pub(crate) refused_since_ms: Option<i64>,
}

/// Events of one connection, leased to one worker until the lease runs out.
#[derive(Debug)]
pub(crate) struct Leased {
    pub(crate) lease: String,
    pub(crate) entries: Vec<Entry>,
}

/// How a lease on an event ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Settlement {
    /// AWS took it.
    Delivered,
    /// It stays in the outbox, for a retry at that time: the call failed, or was not made.
    Retry { due_at_ms: i64, error: Option<String> },
    /// The same, of an event that AWS did not take though it took the call: beyond the bound of time it has failed.
    NotTaken { due_at_ms: i64, error: String },
    /// AWS will never take it: it has failed.
    Refused { error: String },
}

fn entry(row: &SqliteRow) -> Result<Entry> {
    let version: i64 = row.try_get("version")?;
    let event_id: String = row.try_get("event_id")?;
    if version != VERSION {
        let what = format!("the event `{event_id}` is stored in version {version}, not {VERSION}");
        return Err(StoreError::Unreadable(what));
    }
    Ok(Entry {
        seq: row.try_get("seq")?,
        event_id,
        detail_type: row.try_get("detail_type")?,
        detail: row.try_get("detail")?,
        time_ms: row.try_get("time_ms")?,
        attempts: row.try_get("attempts")?,
        refused_since_ms: row.try_get("refused_since_ms")?,
    })
}

/// `heads`: the oldest event of each lane of the connection `$id`, by one index lookup a lane.
macro_rules! with_heads {
    ($id:literal) => {
        concat!(
            "WITH RECURSIVE lanes (lane) AS (
                 SELECT MIN(lane) FROM outbox WHERE connection_id = ",
            $id,
            " UNION ALL
                 SELECT (SELECT MIN(lane) FROM outbox WHERE connection_id = ",
            $id,
            " AND lane > lanes.lane) FROM lanes WHERE lanes.lane IS NOT NULL),
             heads (seq) AS (
                 SELECT (SELECT MIN(seq) FROM outbox WHERE connection_id = ",
            $id,
            " AND lane = lanes.lane)
                 FROM lanes WHERE lanes.lane IS NOT NULL) "
        )
    };
}

/// Active connections with an event that can be sent at `?1`.
pub(super) const CONNECTIONS_DUE: &str = concat!(
    "SELECT c.id FROM connection c JOIN delivery d ON d.connection_id = c.id
     WHERE c.status = 'active' AND d.held > 0 AND d.retry_at_ms <= ?1 AND EXISTS (",
    with_heads!("c.id"),
    "SELECT 1 FROM heads JOIN outbox o USING (seq) WHERE o.due_at_ms <= ?1 AND o.leased_until_ms <= ?1)"
);

/// The end of the earliest wait after `?1`. An event that was never sent has no wait of its own and is not in the index
/// that serves the first half.
pub(super) const NEXT_DUE: &str = "SELECT MIN(at) AS at FROM (
         SELECT MIN(MAX(o.due_at_ms, o.leased_until_ms)) AS at
         FROM outbox o CROSS JOIN connection c ON c.id = o.connection_id
         WHERE (o.due_at_ms > 0 OR o.leased_until_ms > 0) AND MAX(o.due_at_ms, o.leased_until_ms) > ?1
           AND c.status = 'active'
         UNION ALL
         SELECT MIN(d.retry_at_ms) FROM delivery d CROSS JOIN connection c ON c.id = d.connection_id
         WHERE d.held > 0 AND d.retry_at_ms > ?1 AND c.status = 'active')";

/// The oldest event of each lane of the connection `?1` that can be sent at `?2`.
pub(super) const SENDABLE: &str = concat!(
    with_heads!("?1"),
    "SELECT o.* FROM heads JOIN outbox o USING (seq)
     WHERE o.due_at_ms <= ?2 AND o.leased_until_ms <= ?2 ORDER BY o.seq LIMIT ?3"
);

/// Ends the lease `?2` on the event `?1`, which is due at `?3` with the error `?4`; `?5` is set where AWS took the call and not it.
pub(super) const RETRY: &str =
    "UPDATE outbox SET lease = NULL, leased_until_ms = 0, due_at_ms = ?3, last_error = ?4,
                       refused_since_ms = CASE WHEN ?5 IS NOT NULL THEN COALESCE(refused_since_ms, ?5) END
     WHERE seq = ?1 AND lease = ?2 RETURNING connection_id, event_id";

impl Store {
    /// Active connections with an event that can be sent now.
    pub(crate) async fn connections_due(&self, now_ms: i64) -> Result<Vec<ConnectionId>> {
        let rows = sqlx::query(CONNECTIONS_DUE)
            .bind(now_ms)
            .fetch_all(&self.read)
            .await?;
        Ok(readable_ids(&rows))
    }

    /// When something that cannot be sent now can be: the end of the earliest wait after `now_ms`.
    pub(crate) async fn next_due_ms(&self, now_ms: i64) -> Result<Option<i64>> {
        let row = sqlx::query(NEXT_DUE).bind(now_ms).fetch_one(&self.read).await?;
        Ok(row.try_get("at")?)
    }
}

impl Tx {
    /// The events of a connection that can be sent now, oldest first, at most one a lane.
    pub(crate) async fn sendable(
        &mut self,
        id: &ConnectionId,
        limit: i64,
        now_ms: i64,
    ) -> Result<Vec<Entry>> {
        let rows = sqlx::query(SENDABLE)
            .bind(id.as_str())
            .bind(now_ms)
            .bind(limit)
            .fetch_all(&mut *self.inner)
            .await?;
        rows.iter().map(entry).collect()
    }

    /// Leases these events.
    pub(crate) async fn lease(
        &mut self,
        entries: Vec<Entry>,
        lease: String,
        until_ms: i64,
    ) -> Result<Leased> {
        for entry in &entries {
            sqlx::query(
                "UPDATE outbox SET lease = ?, leased_until_ms = ?, attempts = attempts + 1 WHERE seq = ?",
            )
            .bind(&lease)
            .bind(until_ms)
            .bind(entry.seq)
            .execute(&mut *self.inner)
            .await?;
        }
        Ok(Leased { lease, entries })
    }

    /// Ends the lease on one event. A lease that ran out settles nothing: another one may be on the event by now.
    pub(crate) async fn settle(
        &mut self,
        lease: &str,
        seq: i64,
        settlement: &Settlement,
        now_ms: i64,
    ) -> Result<()> {
        match settlement {
            Settlement::Delivered => self.delivered(lease, seq, now_ms).await,
            Settlement::Retry { due_at_ms, error } => {
                self.retried((lease, seq), *due_at_ms, error.as_deref(), None)
                    .await
            }
            Settlement::NotTaken { due_at_ms, error } => {
                self.retried((lease, seq), *due_at_ms, Some(error), Some(now_ms))
                    .await
            }
            Settlement::Refused { error } => self.failed((lease, seq), error, now_ms).await,
        }
    }

    /// Keeps an event for a retry.
    async fn retried(
        &mut self,
        (lease, seq): (&str, i64),
        due_at_ms: i64,
        error: Option<&str>,
        refused_at_ms: Option<i64>,
    ) -> Result<()> {
        let kept = sqlx::query(RETRY)
            .bind(seq)
            .bind(lease)
            .bind(due_at_ms)
            .bind(error)
            .bind(refused_at_ms)
            .fetch_optional(&mut *self.inner)
            .await?;
        if let (Some(row), Some(error)) = (kept, error) {
            let retried = What::Retried {
                event_id: row.try_get("event_id")?,
                error: error.to_owned(),
            };
            self.note(row.try_get("connection_id")?, retried);
        }
        Ok(())
    }

    async fn failed(&mut self, (lease, seq): (&str, i64), error: &str, now_ms: i64) -> Result<()> {
        settled::keep(self, (lease, seq), DeliveryState::Failed, Some(error), now_ms).await?;
        let Some(row) = self.taken_out(lease, seq).await? else {
            return Ok(());
        };
        let failed = What::Failed {
            event_id: row.try_get("event_id")?,
            error: error.to_owned(),
        };
        self.note(row.try_get("connection_id")?, failed);
        Ok(())
    }

    /// Deletes a leased event.
    async fn taken_out(&mut self, lease: &str, seq: i64) -> Result<Option<SqliteRow>> {
        let deleted = sqlx::query(
            "DELETE FROM outbox WHERE seq = ? AND lease = ? RETURNING connection_id, event_id, detail_type",
        )
        .bind(seq)
        .bind(lease)
        .fetch_optional(&mut *self.inner)
        .await?;
        Ok(deleted)
    }

    /// Records that a connection's batch failed as a whole, and when to retry.
    pub(crate) async fn back_off(&mut self, id: &ConnectionId, error: &str, retry_at_ms: i64) -> Result<()> {
        sqlx::query(
            "UPDATE delivery SET failures = failures + 1, retry_at_ms = ?, last_error = ? WHERE connection_id = ?",
        )
        .bind(retry_at_ms)
        .bind(error)
        .bind(id.as_str())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    async fn delivered(&mut self, lease: &str, seq: i64, now_ms: i64) -> Result<()> {
        if self.bounds.history_ms > 0 {
            settled::keep(self, (lease, seq), DeliveryState::Delivered, None, now_ms).await?;
        }
        let Some(row) = self.taken_out(lease, seq).await? else {
            return Ok(());
        };
        let connection: String = row.try_get("connection_id")?;
        let delivered = What::Delivered {
            event_id: row.try_get("event_id")?,
            detail_type: row.try_get("detail_type")?,
        };
        self.note(&connection, delivered);
        sqlx::query(
            "UPDATE delivery SET delivered = delivered + 1, last_delivered_at_ms = ?, failures = 0, retry_at_ms = 0,
                                 last_error = NULL WHERE connection_id = ?",
        )
        .bind(now_ms)
        .bind(connection)
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }
}
