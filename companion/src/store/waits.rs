//! Waits that lie further ahead than their schedule allows: the clock was set back after they were stored.

use super::database::{Store, Tx};
use super::error::Result;
use super::sql::query;
use crate::schedule::{DELIVERY, LEASE_MS, REFUSED_REMOVAL, RUN_STEP_MS};

/// One kind of wait: the longest, and the statements that find and end those that end later than at `$1`.
struct Kind {
    ms_max: i64,
    any: &'static str,
    end: &'static str,
}

macro_rules! kinds {
    ($($ms_max:expr, $table:literal, $column:literal, $to:literal where $but:literal;)+) => {
        &[$(Kind {
            ms_max: $ms_max,
            any: concat!("SELECT 1 FROM ", $table, " WHERE ", $but, $column, " > $1 LIMIT 1"),
            end: concat!("UPDATE ", $table, " SET ", $column, " = ", $to, " WHERE ", $but, $column, " > $1"),
        }),+]
    };
}

// The condition on outbox is that of its index of events that were sent before. A lease in use stays one, for as long as
// it may be; all else ends now, which is `?2`.
const KINDS: &[Kind] = kinds![
    DELIVERY.ms_max, "outbox", "due_at_ms", "$2" where "(due_at_ms > 0 OR leased_until_ms > 0) AND ";
    LEASE_MS, "outbox", "leased_until_ms", "$1" where "(due_at_ms > 0 OR leased_until_ms > 0) AND ";
    DELIVERY.ms_max, "delivery", "retry_at_ms", "$2" where "";
    REFUSED_REMOVAL.ms_max, "source_removal", "retry_at_ms", "$2" where "";
    RUN_STEP_MS, "run", "step_at_ms", "$2" where "";
];

/// The statements, for the test of their plans.
#[cfg(test)]
pub(super) fn statements() -> impl Iterator<Item = &'static str> {
    KINDS.iter().flat_map(|kind| [kind.any, kind.end])
}

impl Store {
    /// Whether a wait lies further ahead than its schedule allows.
    pub(crate) async fn any_overlong_wait(&self, now_ms: i64) -> Result<bool> {
        for kind in KINDS {
            let row = query(kind.any)
                .bind(now_ms.saturating_add(kind.ms_max))
                .fetch_optional(&self.read)
                .await?;
            if row.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Tx {
    /// Ends the waits that lie further ahead than their schedule allows; returns how many. The commit wakes what waited.
    pub(crate) async fn end_overlong_waits(&mut self, now_ms: i64) -> Result<u64> {
        let mut ended = 0;
        for kind in KINDS {
            let done = query(kind.end)
                .bind(now_ms.saturating_add(kind.ms_max))
                .bind(now_ms)
                .execute(&mut self.inner)
                .await?;
            ended += done.rows_affected();
        }
        self.wake_delivery();
        self.wake_runs();
        Ok(ended)
    }
}
