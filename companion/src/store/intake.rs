//! What was accepted from outside, by its key: the same event sent again is the same event, however often its sender asks.
//!
//! A key is kept for as long as its event may be held, and a week more.

use std::collections::HashMap;

use scalr_api::AccountId;
use scalr_events::EventType;

use super::bounds::Bounds;
use super::database::{Store, Tx};
use super::error::Result;
use super::row::count;
use super::sql::{List, query};
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

/// What the account `$1` sent as the events of the list `$3`, of the type `$2`.
pub(super) const BY_KEY: &str =
    "SELECT i.event_id, i.digest, i.deliveries FROM json_each($3) list CROSS JOIN intake i
     WHERE i.account_id = $1 AND i.event_type = $2 AND i.event_id = list.atom";

/// Notes what the account `$1` sent of the type `$2`: the list `$3` (id, digest), received by `$4` connections each, at `$5`.
pub(super) const NOTE: &str =
    "INSERT INTO intake (account_id, event_type, event_id, digest, deliveries, accepted_at_ms)
     SELECT $1, $2, list.value ->> 0, unhex(list.value ->> 1), $4, $5 FROM json_each($3) list";

/// Whether a key is older than `$1`.
pub(super) const ANY_OLD_KEY: &str = "SELECT 1 FROM intake WHERE accepted_at_ms < $1 LIMIT 1";

/// Deletes the first `$2` keys that are older than `$1`.
pub(super) const DELETE_OLD_KEYS: &str =
    "DELETE FROM intake WHERE rowid IN (SELECT rowid FROM intake WHERE accepted_at_ms < $1
     ORDER BY accepted_at_ms LIMIT $2)";

impl Store {
    /// Whether a key has been kept long enough.
    pub(crate) async fn any_old_key(&self, now_ms: i64) -> Result<bool> {
        let row = query(ANY_OLD_KEY)
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
    /// What the events with these ids were accepted as, by id: those that were.
    pub(crate) async fn accepted(
        &mut self,
        (account, event_type): (&AccountId, EventType),
        ids: &[&str],
    ) -> Result<HashMap<String, Accepted>> {
        let rows = query(BY_KEY)
            .bind(account.as_str())
            .bind(event_type.as_str())
            .bind(List(serde_json::to_string(ids)?))
            .fetch_all(&mut self.inner)
            .await?;
        let mut accepted = HashMap::with_capacity(rows.len());
        for row in &rows {
            let digest: Vec<u8> = row.try_get("digest")?;
            if let Some(digest) = Digest::from_bytes(&digest) {
                let deliveries = count(row.try_get("deliveries")?);
                accepted.insert(row.try_get("event_id")?, Accepted { digest, deliveries });
            }
        }
        Ok(accepted)
    }

    /// Notes events by their ids, with the digests of what was sent, and by how many connections each is received.
    pub(crate) async fn note_accepted(
        &mut self,
        (account, event_type): (&AccountId, EventType),
        (keys, deliveries): (&[(&str, &Digest)], u64),
        now_ms: i64,
    ) -> Result<()> {
        let list: Vec<_> = keys.iter().map(|(id, digest)| (id, digest.hex())).collect();
        query(NOTE)
            .bind(account.as_str())
            .bind(event_type.as_str())
            .bind(List(serde_json::to_string(&list)?))
            .bind(i64::try_from(deliveries).unwrap_or(i64::MAX))
            .bind(now_ms)
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    /// Deletes some of the keys that have been kept long enough; returns how many.
    pub(crate) async fn forget_keys(&mut self, now_ms: i64) -> Result<u64> {
        let done = query(DELETE_OLD_KEYS)
            .bind(self.bounds.oldest_key_ms(now_ms))
            .bind(CHUNK)
            .execute(&mut self.inner)
            .await?;
        Ok(done.rows_affected())
    }
}
