//! Events that were held for too long.

use sqlx::Row as _;

use super::database::{Store, Tx};
use super::drops::{self, DropReason};
use super::error::Result;

/// Whether an event was accepted before `?` and is not being sent.
pub(super) const ANY_OLDER: &str = "SELECT 1 FROM outbox WHERE accepted_at_ms < ? AND lease IS NULL LIMIT 1";

/// Some events that were accepted before `?` and are not being sent.
pub(super) const OLDER: &str =
    "SELECT seq, last_error FROM outbox WHERE accepted_at_ms < ? AND lease IS NULL LIMIT 100";

impl Store {
    /// Whether an event has been held for too long.
    pub(crate) async fn any_expired(&self, now_ms: i64) -> Result<bool> {
        let row = sqlx::query(ANY_OLDER)
            .bind(now_ms.saturating_sub(self.bounds.age_ms_max))
            .fetch_optional(&self.read)
            .await?;
        Ok(row.is_some())
    }
}

impl Tx {
    /// Gives up some of the events that were held for too long; returns how many.
    pub(crate) async fn expire(&mut self, now_ms: i64) -> Result<usize> {
        let age_ms_max = self.bounds.age_ms_max;
        let rows = sqlx::query(OLDER)
            .bind(now_ms.saturating_sub(age_ms_max))
            .fetch_all(&mut *self.inner)
            .await?;
        let hours = age_ms_max / 3_600_000;
        for row in &rows {
            let error: Option<String> = row.try_get("last_error")?;
            let error = error.map_or_else(String::new, |error| format!("; last error: {error}"));
            let why = format!("held for more than {hours} hours without AWS taking it{error}");
            drops::drop_event(self, row.try_get("seq")?, DropReason::TooOld, &why, now_ms).await?;
        }
        Ok(rows.len())
    }
}
