//! How leases end: what AWS took or does not take leaves the outbox with its event, the rest stays for a retry. A few statements,
//! whatever the number of events and calls.

use std::collections::BTreeMap;

use scalr_api::DeliveryState;
use serde_json::{Value, json};
use sqlx::Row as _;

use super::database::Tx;
use super::error::Result;
use super::feed::What;

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

/// An event, the lease that was on it, and how that ends.
#[derive(Clone, Debug)]
pub(crate) struct Ending<'a> {
    pub(crate) seq: i64,
    pub(crate) lease: &'a str,
    pub(crate) settlement: &'a Settlement,
}

/// Of the list `?1` (number, lease, state, error): keeps the events with how their deliveries ended at `?2`.
pub(super) const KEEP: &str =
    "INSERT INTO settled (connection_id, state, event_id, lane, version, detail_type, detail, bytes, time_ms,
                          attempts, error, settled_at_ms, outbox_seq, accepted_at_ms)
     SELECT o.connection_id, list.value ->> 2, o.event_id, o.lane, o.version, o.detail_type, o.detail, o.bytes, o.time_ms,
            o.attempts, list.value ->> 3, ?2, o.seq, o.accepted_at_ms
     FROM json_each(?1) list CROSS JOIN outbox o ON o.seq = list.value ->> 0 WHERE o.lease = list.value ->> 1";

/// Of the same list: deletes the events from the outbox.
pub(super) const TAKE_OUT: &str = "DELETE FROM outbox WHERE seq IN (
         SELECT o.seq FROM json_each(?1) list CROSS JOIN outbox o ON o.seq = list.value ->> 0 WHERE o.lease = list.value ->> 1)
     RETURNING seq, connection_id, event_id, detail_type, accepted_at_ms";

/// Of the list `?1` (connection, count): counts what was delivered at `?2`.
pub(super) const DELIVERED: &str =
    "UPDATE delivery SET delivered = delivered + (list.value ->> 1), last_delivered_at_ms = ?2, failures = 0, retry_at_ms = 0,
                         last_error = NULL,
                         acknowledged_seq = (SELECT MAX(seq) FROM settled s
                                             WHERE s.connection_id = delivery.connection_id AND s.state = 'delivered')
     FROM json_each(?1) list WHERE delivery.connection_id = list.value ->> 0";

/// Of the list `?1` (number, lease, due time, error, time of a refusal): keeps the events in the outbox for a retry.
pub(super) const RETRY: &str =
    "UPDATE outbox SET lease = NULL, leased_until_ms = 0, due_at_ms = list.value ->> 2, last_error = list.value ->> 3,
                       refused_since_ms = CASE WHEN list.value ->> 4 IS NOT NULL
                                          THEN COALESCE(refused_since_ms, list.value ->> 4) END
     FROM json_each(?1) list WHERE outbox.seq = list.value ->> 0 AND outbox.lease = list.value ->> 1
     RETURNING outbox.connection_id, outbox.event_id, outbox.last_error";

impl Tx {
    /// Ends these leases. One that ran out settles nothing: another one may be on the event by now.
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
                    failed.insert(*seq, error.as_str());
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
    async fn end(&mut self, list: &str, failed: &BTreeMap<i64, &str>, now_ms: i64) -> Result<()> {
        sqlx::query(KEEP)
            .bind(list)
            .bind(now_ms)
            .execute(&mut *self.inner)
            .await?;
        let rows = sqlx::query(TAKE_OUT)
            .bind(list)
            .fetch_all(&mut *self.inner)
            .await?;
        let mut delivered = BTreeMap::<String, u32>::new();
        for row in &rows {
            let connection: String = row.try_get("connection_id")?;
            let event_id = row.try_get("event_id")?;
            let what = match failed.get(&row.try_get("seq")?) {
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
            }
            self.note(&connection, what);
        }
        if delivered.is_empty() {
            return Ok(());
        }
        let counts: Vec<Value> = delivered.iter().map(|(of, count)| json!([of, count])).collect();
        sqlx::query(DELIVERED)
            .bind(Value::Array(counts).to_string())
            .bind(now_ms)
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    async fn keep_for_a_retry(&mut self, list: &str) -> Result<()> {
        let rows = sqlx::query(RETRY).bind(list).fetch_all(&mut *self.inner).await?;
        for row in &rows {
            let Some(error) = row.try_get::<Option<String>, _>("last_error")? else {
                continue;
            };
            let retried = What::Retried {
                event_id: row.try_get("event_id")?,
                error,
            };
            self.note(row.try_get("connection_id")?, retried);
        }
        Ok(())
    }
}
