//! Giving up events: they are counted, explained and deleted, by a few statements whatever their number.

use serde_json::json;

use super::database::Tx;
use super::error::Result;
use super::feed::What;
use super::sql::{List, Sql, in_order, query};

/// Explanations kept a connection; the counters count all.
const EXPLAINED_MAX: usize = 100;

/// Why an event was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DropReason {
    TooOld,
    TooManyBytes,
}

/// An event to give up, with its explanation.
#[derive(Clone, Debug)]
pub(super) struct GivenUp {
    pub(super) seq: i64,
    pub(super) why: String,
}

impl DropReason {
    /// The reason as it is stored and shown.
    const fn as_str(self) -> &'static str {
        match self {
            Self::TooOld => "too-old",
            Self::TooManyBytes => "too-many-bytes",
        }
    }

    /// Counts `$1` events of the connection `$2` for this reason.
    const fn count(self) -> &'static str {
        macro_rules! count {
            ($column:literal) => {
                concat!(
                    "UPDATE delivery SET ",
                    $column,
                    " = ",
                    $column,
                    " + $1 WHERE connection_id = $2"
                )
            };
        }
        match self {
            Self::TooOld => count!("dropped_too_old"),
            Self::TooManyBytes => count!("dropped_too_many"),
        }
    }
}

/// Explains the events of the list `$1`, whose elements are an event's number and its explanation.
pub(super) const EXPLAIN: Sql = in_order!(
    "INSERT INTO dropped (connection_id, event_id, detail_type, reason, explanation, at_ms)
     SELECT o.connection_id, o.event_id, o.detail_type, $2, list.value ->> 1, $3
     FROM json_each($1) list CROSS JOIN outbox o WHERE o.seq = CAST(list.value ->> 0 AS BIGINT)",
    "list.rowid"
);

/// Deletes all explanations of the connection `$1` but the newest `$2`: what other connections drop does not count.
pub(super) const DELETE_OLD_EXPLANATIONS: &str = "DELETE FROM dropped WHERE connection_id = $1
     AND seq <= (SELECT seq FROM dropped WHERE connection_id = $1 ORDER BY seq DESC LIMIT 1 OFFSET $2)";

/// Deletes the events whose numbers are in the list `$1`.
pub(super) const DELETE: &str =
    "DELETE FROM outbox WHERE seq IN (SELECT CAST(atom AS BIGINT) FROM json_each($1))";

/// Gives up these events of one connection, which are in their order.
pub(super) async fn drop_events(
    tx: &mut Tx,
    connection: &str,
    drops: &[GivenUp],
    reason: DropReason,
    now_ms: i64,
) -> Result<()> {
    if drops.is_empty() {
        return Ok(());
    }
    let explained = &drops[drops.len().saturating_sub(EXPLAINED_MAX)..];
    let explained: Vec<_> = explained.iter().map(|drop| json!([drop.seq, drop.why])).collect();
    query(EXPLAIN)
        .bind(List(json!(explained).to_string()))
        .bind(reason.as_str())
        .bind(now_ms)
        .execute(&mut tx.inner)
        .await?;
    query(DELETE_OLD_EXPLANATIONS)
        .bind(connection)
        .bind(i64::try_from(EXPLAINED_MAX).unwrap_or(i64::MAX))
        .execute(&mut tx.inner)
        .await?;
    query(reason.count())
        .bind(i64::try_from(drops.len()).unwrap_or(i64::MAX))
        .bind(connection)
        .execute(&mut tx.inner)
        .await?;
    if let Some(last) = drops.last() {
        let (events, why) = (drops.len(), last.why.clone());
        let reason = reason.as_str();
        tx.note(connection, What::Dropped { events, reason, why });
    }
    let all: Vec<_> = drops.iter().map(|drop| drop.seq).collect();
    query(DELETE)
        .bind(List(json!(all).to_string()))
        .execute(&mut tx.inner)
        .await?;
    Ok(())
}
