//! Giving up an event: it is counted, explained and deleted.

use super::database::Tx;
use super::error::Result;

/// Explanations kept a connection; the counters count all.
const EXPLAINED_MAX: i64 = 100;

/// Why an event was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DropReason {
    TooOld,
    TooManyBytes,
    Refused,
}

impl DropReason {
    /// The reason as it is stored and shown.
    const fn as_str(self) -> &'static str {
        match self {
            Self::TooOld => "too-old",
            Self::TooManyBytes => "too-many-bytes",
            Self::Refused => "refused",
        }
    }

    /// Counts the event `?` for this reason.
    const fn count(self) -> &'static str {
        macro_rules! count {
            ($column:literal) => {
                concat!(
                    "UPDATE delivery SET ",
                    $column,
                    " = ",
                    $column,
                    " + 1
                     WHERE connection_id = (SELECT connection_id FROM outbox WHERE seq = ?)"
                )
            };
        }
        match self {
            Self::TooOld => count!("dropped_too_old"),
            Self::TooManyBytes => count!("dropped_too_many"),
            Self::Refused => count!("dropped_refused"),
        }
    }
}

/// Deletes all explanations but the newest `?2` of the connection that the event `?1` is of: what other connections drop
/// does not count.
pub(super) const DELETE_OLD_EXPLANATIONS: &str =
    "DELETE FROM dropped WHERE connection_id = (SELECT connection_id FROM outbox WHERE seq = ?1)
     AND seq <= (SELECT seq FROM dropped WHERE connection_id = (SELECT connection_id FROM outbox WHERE seq = ?1)
                 ORDER BY seq DESC LIMIT 1 OFFSET ?2)";

/// Gives up one event.
pub(super) async fn drop_event(
    tx: &mut Tx,
    seq: i64,
    reason: DropReason,
    why: &str,
    now_ms: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO dropped (connection_id, event_id, detail_type, reason, explanation, at_ms)
         SELECT connection_id, event_id, detail_type, ?2, ?3, ?4 FROM outbox WHERE seq = ?1",
    )
    .bind(seq)
    .bind(reason.as_str())
    .bind(why)
    .bind(now_ms)
    .execute(&mut *tx.inner)
    .await?;
    sqlx::query(reason.count())
        .bind(seq)
        .execute(&mut *tx.inner)
        .await?;
    sqlx::query(DELETE_OLD_EXPLANATIONS)
        .bind(seq)
        .bind(EXPLAINED_MAX)
        .execute(&mut *tx.inner)
        .await?;
    sqlx::query("DELETE FROM outbox WHERE seq = ?")
        .bind(seq)
        .execute(&mut *tx.inner)
        .await?;
    Ok(())
}
