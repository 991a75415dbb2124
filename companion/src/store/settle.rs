//! How leases end: what AWS took or does not take leaves the outbox with its event, the rest stays for a retry. A few statements,
//! whatever the number of events and calls.

use std::collections::{BTreeMap, BTreeSet};

use scalr_api::{ConnectionId, DeliveryState};
use serde_json::{Value, json};

use super::database::Tx;
use super::error::Result;
use super::feed::What;
use super::row::id;
use super::sql::{List, Sql, in_order, query};

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

impl Settlement {
    /// Whether the event stays in the outbox.
    pub(crate) const fn is_kept(&self) -> bool {
        matches!(self, Self::Retry { .. } | Self::NotTaken { .. })
    }
}

/// An event, the lease that was on it, and how that ends.
#[derive(Clone, Debug)]
pub(crate) struct Ending<'a> {
    pub(crate) seq: i64,
    pub(crate) lease: &'a str,
    pub(crate) settlement: &'a Settlement,
}

/// Of the list `$1` (number, lease, state, error): keeps the events with how their deliveries ended at `$2`.
pub(super) const KEEP: Sql = in_order!(
    "INSERT INTO settled (connection_id, state, event_id, lane, version, detail_type, detail, bytes, time_ms,
                          attempts, error, settled_at_ms, outbox_seq, accepted_at_ms)
     SELECT o.connection_id, list.value ->> 2, o.event_id, o.lane, o.version, o.detail_type, o.detail, o.bytes, o.time_ms,
            o.attempts, list.value ->> 3, $2, o.seq, o.accepted_at_ms
     FROM json_each($1) list CROSS JOIN outbox o
     WHERE o.seq = CAST(list.value ->> 0 AS BIGINT) AND o.lease IN (list.value ->> 1, (list.value ->> 1) || ' doubted')",
    "list.rowid"
);

/// Of the same list: deletes the events from the outbox.
pub(super) const TAKE_OUT: &str = "DELETE FROM outbox WHERE seq IN (
         SELECT o.seq FROM json_each($1) list CROSS JOIN outbox o
         WHERE o.seq = CAST(list.value ->> 0 AS BIGINT) AND o.lease IN (list.value ->> 1, (list.value ->> 1) || ' doubted'))
     RETURNING seq, connection_id, event_id, detail_type, lease, accepted_at_ms";

/// Of the list `$1` (connection, count): counts what was delivered at `$2`.
pub(super) const DELIVERED: &str =
    "UPDATE delivery SET delivered = delivered + CAST(list.value ->> 1 AS BIGINT), last_delivered_at_ms = $2, failures = 0, retry_at_ms = 0,
                         last_error = NULL,
                         acknowledged_seq = (SELECT MAX(seq) FROM settled s
                                             WHERE s.connection_id = delivery.connection_id AND s.state = 'delivered')
     FROM json_each($1) list WHERE delivery.connection_id = list.value ->> 0";

/// Of the list `$1` (number, lease, due time, error, time of a refusal): keeps the events in the outbox for a retry.
pub(super) const RETRY: &str =
    "UPDATE outbox SET lease = NULL, leased_until_ms = 0, due_at_ms = CAST(list.value ->> 2 AS BIGINT), last_error = list.value ->> 3,
                       refused_since_ms = CASE WHEN list.value ->> 4 IS NOT NULL
                                          THEN COALESCE(refused_since_ms, CAST(list.value ->> 4 AS BIGINT)) END
     FROM json_each($1) list
     WHERE outbox.seq = CAST(list.value ->> 0 AS BIGINT) AND outbox.lease IN (list.value ->> 1, (list.value ->> 1) || ' doubted')
     RETURNING outbox.connection_id, outbox.event_id, outbox.last_error";

impl Tx {
    /// Ends these leases. One that ran out settles nothing: another one may be on the event by now. What was acknowledged under a lease
    /// that is in doubt is delivered and in doubt.
    pub(crate) async fn settle(&mut self, endings: &[Ending<'_>], now_ms: i64) -> Result<()> {
        let (mut over, mut kept) = (vec![], vec![]);
        let mut failed = BTreeMap::new();
        for Ending {
            seq,
            lease,
            settlement,
        } in endings
        {
            match settlement {
                Settlement::Delivered => {
                    over.push(json!([
                        seq,
                        lease,
                        DeliveryState::Delivered.as_str(),
                        Value::Null
                    ]));
                }
                Settlement::Refused { error } => {
                    failed.insert((*seq, *lease), error.as_str());
                    over.push(json!([seq, lease, DeliveryState::Failed.as_str(), error]));
                }
                Settlement::Retry { due_at_ms, error } => {
                    kept.push(json!([seq, lease, due_at_ms, error, Value::Null]));
                }
                Settlement::NotTaken { due_at_ms, error } => {
                    kept.push(json!([seq, lease, due_at_ms, error, now_ms]));
                }
            }
        }
        if !over.is_empty() {
            self.end(&Value::Array(over).to_string(), &failed, now_ms).await?;
        }
        if !kept.is_empty() {
            self.keep_for_a_retry(&Value::Array(kept).to_string()).await?;
        }
        Ok(())
    }

    /// Moves events out of the outbox.
    async fn end(&mut self, list: &str, failed: &BTreeMap<(i64, &str), &str>, now_ms: i64) -> Result<()> {
        query(KEEP)
            .bind(List(list))
            .bind(now_ms)
            .execute(&mut self.inner)
            .await?;
        let rows = query(TAKE_OUT)
            .bind(List(list))
            .fetch_all(&mut self.inner)
            .await?;
        let mut delivered = BTreeMap::<ConnectionId, u32>::new();
        let mut doubted = BTreeSet::new();
        for row in &rows {
            let connection: ConnectionId = id(row, "connection_id")?;
            let event_id = row.try_get("event_id")?;
            let stored: String = row.try_get("lease")?;
            let lease = stored.strip_suffix(" doubted").unwrap_or(&stored);
            let what = match failed.get(&(row.try_get("seq")?, lease)) {
                Some(error) => What::Failed {
                    event_id,
                    error: (*error).to_owned(),
                },
                None => What::Delivered {
                    event_id,
                    detail_type: row.try_get("detail_type")?,
                    after_ms: now_ms.saturating_sub(row.try_get("accepted_at_ms")?),
                },
            };
            if matches!(what, What::Delivered { .. }) {
                *delivered.entry(connection.clone()).or_default() += 1;
                if lease != stored {
                    doubted.insert(connection.clone());
                }
            }
            self.note(connection.as_str(), what);
        }
        if delivered.is_empty() {
            return Ok(());
        }
        let counts: Vec<Value> = delivered
            .iter()
            .map(|(of, count)| json!([of.as_str(), count]))
            .collect();
        query(DELIVERED)
            .bind(List(Value::Array(counts).to_string()))
            .bind(now_ms)
            .execute(&mut self.inner)
            .await?;
        for id in &doubted {
            self.doubt_acknowledged(id).await?;
        }
        Ok(())
    }

    async fn keep_for_a_retry(&mut self, list: &str) -> Result<()> {
        let rows = query(RETRY).bind(List(list)).fetch_all(&mut self.inner).await?;
        for row in &rows {
            let Some(error) = row.try_get::<Option<String>>("last_error")? else {
                continue;
            };
            let retried = What::Retried {
                event_id: row.try_get("event_id")?,
                error,
            };
            self.note(&row.try_get::<String>("connection_id")?, retried);
        }
        Ok(())
    }
}
