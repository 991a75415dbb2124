//! Events on their way out: leased by row, for one call; what can be sent, and when the next can be.
//!
//! Only the oldest event of a lane can be leased, so that a lane never has two on the way: that is how order is
//! kept up to AWS's answer.

use std::collections::HashSet;

use scalr_api::ConnectionId;
use serde_json::json;

use super::database::{Store, Tx};
use super::error::{Result, StoreError};
use super::event::VERSION;
use super::row::id;
use super::sql::{List, Row, query};

/// An event that is to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) seq: i64,
    pub(crate) connection_id: ConnectionId,
    /// The event source of its connection.
    pub(crate) source: String,
    /// The AWS account that its connection is to.
    pub(crate) aws_account_id: String,
    /// Order is kept within a lane.
    pub(crate) lane: String,
    pub(crate) event_id: String,
    pub(crate) detail_type: String,
    pub(crate) detail: String,
    pub(crate) time_ms: i64,
    pub(crate) attempts: u32,
    /// When AWS first did not take it, though it took the call.
    pub(crate) refused_since_ms: Option<i64>,
}

/// Events that are leased to one call until the lease runs out.
#[derive(Debug)]
pub(crate) struct Leased {
    pub(crate) lease: String,
    pub(crate) entries: Vec<Entry>,
}

/// A connection with an event that can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) id: ConnectionId,
    pub(crate) region: String,
    /// How often it has failed in a row, by itself or with its region.
    pub(crate) failures: u32,
    /// It failed by itself the last time.
    pub(crate) is_failing: bool,
}

fn entry(row: &Row) -> Result<Entry> {
    let version: i64 = row.try_get("version")?;
    let event_id: String = row.try_get("event_id")?;
    if version != VERSION {
        let what = format!("the event `{event_id}` is stored in version {version}, not {VERSION}");
        return Err(StoreError::Unreadable(what));
    }
    Ok(Entry {
        seq: row.try_get("seq")?,
        connection_id: id(row, "connection_id")?,
        source: row.try_get("source")?,
        aws_account_id: row.try_get("aws_account_id")?,
        lane: row.try_get("lane")?,
        event_id,
        detail_type: row.try_get("detail_type")?,
        detail: row.try_get("detail")?,
        time_ms: row.try_get("time_ms")?,
        attempts: row.try_get("attempts")?,
        refused_since_ms: row.try_get("refused_since_ms")?,
    })
}

fn due(row: &Row) -> Result<Due> {
    Ok(Due {
        id: id(row, "id")?,
        region: row.try_get("region")?,
        failures: row.try_get("failures")?,
        is_failing: row.try_get("is_failing")?,
    })
}

/// Those of these connections that can be read. One that cannot is logged: it must not stop the others.
fn readable(rows: &[Row]) -> Vec<Due> {
    let all = rows.iter().map(due);
    let readable = all.filter_map(|due| {
        due.inspect_err(|error| {
            let error = error as &dyn std::error::Error;
            tracing::error!(error, "a connection cannot be read");
        })
        .ok()
    });
    readable.collect()
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

/// Active connections, of those in `$from` (tables and a condition), with an event that can be sent at `$1`.
macro_rules! connections_due {
    ($from:literal) => {
        concat!(
            "SELECT c.id, c.region, d.failures, d.retry_at_ms > 0 AS is_failing FROM ",
            $from,
            " AND c.status = 'active' AND d.held + d.unconfirmed > 0 AND d.retry_at_ms <= $1 AND d.doubted_seq <= d.confirmed_seq
               AND EXISTS (",
            with_heads!("c.id"),
            "SELECT 1 FROM heads JOIN outbox o USING (seq) WHERE o.due_at_ms <= $1 AND o.leased_until_ms <= $1)"
        )
    };
}

/// Active connections with an event that can be sent at `$1`. While events of one are in doubt, nothing of it is sent: they come first.
pub(super) const CONNECTIONS_DUE: &str =
    connections_due!("connection c JOIN delivery d ON d.connection_id = c.id WHERE TRUE");

/// The same of the connections of the list `$2`.
pub(super) const CONNECTIONS_DUE_OF: &str = connections_due!(
    "json_each($2) list CROSS JOIN connection c CROSS JOIN delivery d WHERE c.id = list.atom AND d.connection_id = c.id"
);

/// When the first of the active connections of the list `$2` that wait at `$1` can be tried again.
pub(super) const NEXT_RETRY_OF: &str =
    "SELECT MIN(d.retry_at_ms) AS at FROM json_each($2) list CROSS JOIN delivery d CROSS JOIN connection c
     WHERE d.connection_id = list.atom AND c.id = d.connection_id AND d.retry_at_ms > $1 AND c.status = 'active'";

/// The end of the earliest wait after `$1`. An event that was never sent has no wait of its own and is not in the index
/// that serves the first half.
pub(super) const NEXT_DUE: &str = "SELECT MIN(at) AS at FROM (
         SELECT MIN(CASE WHEN o.due_at_ms > o.leased_until_ms THEN o.due_at_ms ELSE o.leased_until_ms END) AS at
         FROM outbox o CROSS JOIN connection c
         WHERE c.id = o.connection_id AND (o.due_at_ms > 0 OR o.leased_until_ms > 0) AND (o.due_at_ms > $1 OR o.leased_until_ms > $1)
           AND c.status = 'active'
         UNION ALL
         SELECT MIN(d.retry_at_ms) FROM delivery d CROSS JOIN connection c
         WHERE c.id = d.connection_id AND d.held + d.unconfirmed > 0 AND d.retry_at_ms > $1 AND c.status = 'active') AS waits";

/// The oldest event of each lane of the connection `$1` that can be sent at `$2`, where it is active and does not back off.
pub(super) const SENDABLE: &str = concat!(
    with_heads!("$1"),
    "SELECT o.*, c.source, c.aws_account_id FROM heads JOIN outbox o USING (seq) JOIN connection c ON c.id = $1
     JOIN delivery d ON d.connection_id = $1
     WHERE o.due_at_ms <= $2 AND o.leased_until_ms <= $2 AND c.status = 'active' AND d.retry_at_ms <= $2
       AND d.doubted_seq <= d.confirmed_seq
     ORDER BY o.seq LIMIT $3"
);

/// Leases the events of the list `$1` as `$2` until `$3`.
pub(super) const LEASE: &str = "UPDATE outbox SET lease = $2, leased_until_ms = $3, attempts = attempts + 1
     WHERE seq IN (SELECT CAST(atom AS BIGINT) FROM json_each($1))";

/// Releases the leases of the list `$1`, also where they are in doubt. Read by the index of events that were sent before: all leased ones
/// are in it.
pub(super) const RELEASE: &str = "UPDATE outbox SET lease = NULL, leased_until_ms = 0
     WHERE (due_at_ms > 0 OR leased_until_ms > 0)
       AND lease IN (SELECT atom FROM json_each($1) UNION ALL SELECT atom || ' doubted' FROM json_each($1))";

impl Store {
    /// Active connections with an event that can be sent now. One that cannot be read is logged and left out.
    pub(crate) async fn connections_due(&self, now_ms: i64) -> Result<Vec<Due>> {
        let rows = query(CONNECTIONS_DUE).bind(now_ms).fetch_all(&self.read).await?;
        Ok(readable(&rows))
    }

    /// The same of these connections; and when the first of them that waits can be tried again.
    pub(crate) async fn connections_due_of(
        &self,
        ids: &HashSet<ConnectionId>,
        now_ms: i64,
    ) -> Result<(Vec<Due>, Option<i64>)> {
        let list: Vec<&str> = ids.iter().map(ConnectionId::as_str).collect();
        let list = json!(list).to_string();
        let rows = query(CONNECTIONS_DUE_OF)
            .bind(now_ms)
            .bind(List(list.as_str()))
            .fetch_all(&self.read)
            .await?;
        if rows.len() == ids.len() {
            return Ok((readable(&rows), None));
        }
        let next = query(NEXT_RETRY_OF)
            .bind(now_ms)
            .bind(List(list.as_str()))
            .fetch_one(&self.read)
            .await?;
        Ok((readable(&rows), next.try_get("at")?))
    }

    /// When something that cannot be sent now can be: the end of the earliest wait after `now_ms`.
    pub(crate) async fn next_due_ms(&self, now_ms: i64) -> Result<Option<i64>> {
        let row = query(NEXT_DUE).bind(now_ms).fetch_one(&self.read).await?;
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
        let rows = query(SENDABLE)
            .bind(id.as_str())
            .bind(now_ms)
            .bind(limit)
            .fetch_all(&mut self.inner)
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
        let list: Vec<i64> = entries.iter().map(|entry| entry.seq).collect();
        query(LEASE)
            .bind(List(json!(list).to_string()))
            .bind(&lease)
            .bind(until_ms)
            .execute(&mut self.inner)
            .await?;
        Ok(Leased { lease, entries })
    }

    /// Releases leases of calls that were not made: nothing is known of their events but that they are held.
    pub(crate) async fn release(&mut self, leases: &[String]) -> Result<()> {
        if leases.is_empty() {
            return Ok(());
        }
        query(RELEASE)
            .bind(List(json!(leases).to_string()))
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    /// Records that a call of these connections failed, for which none of them is to blame.
    pub(crate) async fn call_failed(&mut self, ids: &[&ConnectionId], error: &str) -> Result<()> {
        let list: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
        query(
            "UPDATE delivery SET failures = failures + 1, last_error = $2
             WHERE connection_id IN (SELECT atom FROM json_each($1))",
        )
        .bind(List(json!(list).to_string()))
        .bind(error)
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }

    /// Records that a connection failed as a whole, and when to retry.
    pub(crate) async fn back_off(&mut self, id: &ConnectionId, error: &str, retry_at_ms: i64) -> Result<()> {
        query(
            "UPDATE delivery SET failures = failures + 1, retry_at_ms = $1, last_error = $2 WHERE connection_id = $3",
        )
        .bind(retry_at_ms)
        .bind(error)
        .bind(id.as_str())
        .execute(&mut self.inner)
        .await?;
        Ok(())
    }
}
