//! What was accepted from outside, by its key: the same event sent again is the same event, however often its sender asks.
//!
//! A key is kept for as long as its event may be held, and a week more.

use scalr_api::AccountId;
use scalr_events::EventType;
use sqlx::Row as _;

use super::bounds::Bounds;
use super::database::{Store, Tx};
use super::error::Result;
use super::row::count;
use crate::token::Digest;

/// How much longer than a held event its key is kept.
const KEPT_LONGER_MS: i64 = 7 * 24 * 3_600_000;
/// Keys that one transaction deletes.
const CHUNK: i64 = 200;

/// What an event was accepted as.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    /// Of the body that was accepted.
    pub(crate) digest: Digest,
    /// How many connections received it.
    pub(crate) deliveries: u64,
}

/// What the account `?1` sent as the event `?3` of the type `?2`.
pub(super) const BY_KEY: &str =
    "SELECT digest, deliveries FROM intake WHERE account_id = ?1 AND event_type = ?2 AND event_id = ?3";

/// Whether a key is older than `?`.
pub(super) const ANY_OLD_KEY: &str = "SELECT 1 FROM intake WHERE accepted_at_ms < ? LIMIT 1";

/// Deletes the first `?2` keys that are older than `?1`.
pub(super) const DELETE_OLD_KEYS: &str =
    "DELETE FROM intake WHERE rowid IN (SELECT rowid FROM intake WHERE accepted_at_ms < ?1
     ORDER BY accepted_at_ms LIMIT ?2)";

impl Store {
    /// Whether a key has been kept long enough.
    pub(crate) async fn any_old_key(&self, now_ms: i64) -> Result<bool> {
        let row = sqlx::query(ANY_OLD_KEY)
            .bind(self.bounds.oldest_key_ms(now_ms))
            .fetch_optional(&self.read)
            .await?;
        Ok(row.is_some())
    }
}

impl Bounds {
    fn oldest_key_ms(self, now_ms: i64) -> i64 {
        now_ms
            .saturating_sub(self.age_ms_max)
            .saturating_sub(KEPT_LONGER_MS)
    }
}

impl Tx {
    /// What an event of this key was accepted as, if it was.
    pub(crate) async fn accepted(
        &mut self,
        account: &AccountId,
        event_type: EventType,
        event_id: &str,
    ) -> Result<Option<Accepted>> {
        let row = sqlx::query(BY_KEY)
            .bind(account.as_str())
            .bind(event_type.as_str())
            .bind(event_id)
            .fetch_optional(&mut *self.inner)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let digest: Vec<u8> = row.try_get("digest")?;
        Ok(Digest::from_bytes(&digest).map(|digest| Accepted {
            digest,
            deliveries: count(row.try_get("deliveries").unwrap_or_default()),
        }))
    }

    /// Notes what an event was accepted as.
    pub(crate) async fn note_accepted(
        &mut self,
        (account, event_type, event_id): (&AccountId, EventType, &str),
        accepted: &Accepted,
        now_ms: i64,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO intake (account_id, event_type, event_id, digest, deliveries, accepted_at_ms)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(account.as_str())
        .bind(event_type.as_str())
        .bind(event_id)
        .bind(accepted.digest.as_bytes())
        .bind(i64::try_from(accepted.deliveries).unwrap_or(i64::MAX))
        .bind(now_ms)
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Deletes some of the keys that have been kept long enough; returns how many.
    pub(crate) async fn forget_keys(&mut self, now_ms: i64) -> Result<u64> {
        let done = sqlx::query(DELETE_OLD_KEYS)
            .bind(self.bounds.oldest_key_ms(now_ms))
            .bind(CHUNK)
            .execute(&mut *self.inner)
            .await?;
        Ok(done.rows_affected())
    }
}
