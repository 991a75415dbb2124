//! Events that are given up, and the figures of delivery: what is dropped is counted and explained.

use scalr_api::{AccountId, ConnectionId};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::outbox::Bounds;
use super::{Result, Store, Tx};

/// Explanations kept a connection; the counters count all.
const EXPLAINED_MAX: i64 = 100;

/// Why an event was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DropReason {
    TooOld,
    TooMany,
    Refused,
}

impl DropReason {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::TooOld => "too-old",
            Self::TooMany => "too-many-bytes",
            Self::Refused => "refused",
        }
    }
}

/// The figures of a connection's delivery.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) held: i64,
    pub(crate) held_bytes: i64,
    pub(crate) oldest_held_at_ms: Option<i64>,
    pub(crate) delivered: i64,
    pub(crate) dropped_too_old: i64,
    pub(crate) dropped_too_many: i64,
    pub(crate) dropped_refused: i64,
    pub(crate) failures: i64,
    pub(crate) last_error: Option<String>,
    pub(crate) last_delivered_at_ms: Option<i64>,
}

/// An event that was given up.
#[derive(Clone, Debug)]
pub(crate) struct Drop {
    pub(crate) event_id: String,
    pub(crate) detail_type: String,
    pub(crate) reason: String,
    pub(crate) explanation: String,
    pub(crate) at_ms: i64,
}

fn delivery(row: &SqliteRow) -> Result<Delivery> {
    Ok(Delivery {
        held: row.try_get("held")?,
        held_bytes: row.try_get("held_bytes")?,
        oldest_held_at_ms: row.try_get("oldest")?,
        delivered: row.try_get("delivered")?,
        dropped_too_old: row.try_get("dropped_too_old")?,
        dropped_too_many: row.try_get("dropped_too_many")?,
        dropped_refused: row.try_get("dropped_refused")?,
        failures: row.try_get("failures")?,
        last_error: row
            .try_get::<Option<String>, _>("last_error")?
            .or(row.try_get("held_error")?),
        last_delivered_at_ms: row.try_get("last_delivered_at_ms")?,
    })
}

/// The figures of the connection `?2` of the account `?1`. The index of events with an error is named: by the other one
/// of the same columns SQLite would read every held event to find that none has an error.
pub(super) const FIGURES: &str = "SELECT d.*,
         (SELECT o.accepted_at_ms FROM outbox o WHERE o.connection_id = c.id ORDER BY o.seq LIMIT 1) AS oldest,
         (SELECT o.last_error FROM outbox o INDEXED BY outbox_errors
          WHERE o.connection_id = c.id AND o.last_error IS NOT NULL ORDER BY o.seq LIMIT 1) AS held_error
     FROM delivery d JOIN connection c ON c.id = d.connection_id WHERE c.account_id = ?1 AND c.id = ?2";

/// The newest explanations of the connection `?`.
pub(super) const EXPLANATIONS: &str =
    "SELECT * FROM dropped WHERE connection_id = ? ORDER BY seq DESC LIMIT 100";

/// Whether an event was accepted before `?` and is not being sent.
pub(super) const ANY_OLDER: &str = "SELECT 1 FROM outbox WHERE accepted_at_ms < ? AND lease IS NULL LIMIT 1";

/// Some events that were accepted before `?` and are not being sent.
pub(super) const OLDER: &str =
    "SELECT seq, last_error FROM outbox WHERE accepted_at_ms < ? AND lease IS NULL LIMIT 100";

/// Deletes all explanations but the newest `?2` of the connection that the event `?1` is of.
pub(super) const FORGET_EXPLANATIONS: &str =
    "DELETE FROM dropped WHERE connection_id = (SELECT connection_id FROM outbox WHERE seq = ?1)
     AND seq <= (SELECT seq FROM dropped WHERE connection_id = (SELECT connection_id FROM outbox WHERE seq = ?1)
                 ORDER BY seq DESC LIMIT 1 OFFSET ?2)";

impl Store {
    /// How delivery goes on a connection of an account, with the last events given up, newest first.
    pub(crate) async fn delivery(
        &self,
        account: &AccountId,
        id: &str,
    ) -> Result<Option<(Delivery, Vec<Drop>)>> {
        let row = sqlx::query(FIGURES)
            .bind(account.as_str())
            .bind(id)
            .fetch_optional(&self.read)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let drops = sqlx::query(EXPLANATIONS).bind(id).fetch_all(&self.read).await?;
        let drops = drops.iter().map(|row| {
            Ok(Drop {
                event_id: row.try_get("event_id")?,
                detail_type: row.try_get("detail_type")?,
                reason: row.try_get("reason")?,
                explanation: row.try_get("explanation")?,
                at_ms: row.try_get("at_ms")?,
            })
        });
        Ok(Some((delivery(&row)?, drops.collect::<Result<_>>()?)))
    }

    /// Whether an event was accepted before then and is still held.
    pub(crate) async fn any_older_than(&self, at_ms: i64) -> Result<bool> {
        let row = sqlx::query(ANY_OLDER)
            .bind(at_ms)
            .fetch_optional(&self.read)
            .await?;
        Ok(row.is_some())
    }
}

impl Tx {
    /// Gives up events that were held for too long; answers how many.
    pub(crate) async fn expire(&mut self, bounds: Bounds, now_ms: i64) -> Result<usize> {
        let rows = sqlx::query(OLDER)
            .bind(now_ms.saturating_sub(bounds.age_ms_max))
            .fetch_all(&mut *self.inner)
            .await?;
        let hours = bounds.age_ms_max / 3_600_000;
        for row in &rows {
            let last: Option<String> = row.try_get("last_error")?;
            let last = last.map_or_else(String::new, |last| format!("; at last: {last}"));
            let why = format!("held for more than {hours} hours without AWS taking it{last}");
            self.drop_event(row.try_get("seq")?, DropReason::TooOld, &why, now_ms)
                .await?;
        }
        Ok(rows.len())
    }

    /// Gives up one event: counted, explained, gone.
    pub(super) async fn drop_event(
        &mut self,
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
        .execute(&mut *self.inner)
        .await?;
        let counter = match reason {
            DropReason::TooOld => {
                "UPDATE delivery SET dropped_too_old = dropped_too_old + 1
                 WHERE connection_id = (SELECT connection_id FROM outbox WHERE seq = ?)"
            }
            DropReason::TooMany => {
                "UPDATE delivery SET dropped_too_many = dropped_too_many + 1
                 WHERE connection_id = (SELECT connection_id FROM outbox WHERE seq = ?)"
            }
            DropReason::Refused => {
                "UPDATE delivery SET dropped_refused = dropped_refused + 1
                 WHERE connection_id = (SELECT connection_id FROM outbox WHERE seq = ?)"
            }
        };
        sqlx::query(counter).bind(seq).execute(&mut *self.inner).await?;
        // All but the connection's newest: what other connections drop does not count.
        sqlx::query(FORGET_EXPLANATIONS)
            .bind(seq)
            .bind(EXPLAINED_MAX)
            .execute(&mut *self.inner)
            .await?;
        sqlx::query("DELETE FROM outbox WHERE seq = ?")
            .bind(seq)
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Notes that a connection's batch failed as a whole, and when to try again.
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
}
