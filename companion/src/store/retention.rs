//! Held events beyond the bounds: too many bytes, or too old. Dropped in bounded transactions of their own, so that no
//! intake and no delivery waits for all of them.

use std::collections::BTreeMap;

use super::database::{Store, Tx};
use super::drops::{self, DropReason, GivenUp};
use super::error::Result;
use super::sql::{Row, query};

/// Events that one transaction drops; where more connections than this are beyond their bound, one of each.
const CHUNK: usize = 200;
/// Bytes of events that one transaction drops of a connection: long events cost by their length.
const CHUNK_BYTES: i64 = 4 * 1024 * 1024;

/// Whether a connection holds more than `$1` bytes.
pub(super) const ANY_BEYOND_BOUND: &str = "SELECT 1 FROM delivery WHERE held_bytes > $1 LIMIT 1";

/// The connections that hold more than `$1` bytes.
pub(super) const BEYOND_BOUND: &str = "SELECT connection_id, held_bytes FROM delivery WHERE held_bytes > $1";

/// The oldest events of the connection `$1` that can make room: not the newest one, and none that is being
/// sent or that is unconfirmed.
pub(super) const OLDEST: &str =
    "SELECT seq, bytes FROM outbox WHERE connection_id = $1 AND lease IS NULL AND unconfirmed_at_ms IS NULL
     AND seq < (SELECT MAX(seq) FROM outbox WHERE connection_id = $1 AND unconfirmed_at_ms IS NULL) ORDER BY seq LIMIT $2";

/// Whether an event was accepted before `$1` and is not being sent.
pub(super) const ANY_OLDER: &str = "SELECT 1 FROM outbox WHERE accepted_at_ms < $1 AND lease IS NULL LIMIT 1";

/// Some events that were accepted before `$1` and are not being sent.
pub(super) const OLDER: &str =
    "SELECT connection_id, seq, last_error, unconfirmed_at_ms IS NOT NULL AS is_unconfirmed FROM outbox
     WHERE accepted_at_ms < $1 AND lease IS NULL LIMIT $2";

impl Store {
    /// Whether a connection holds more bytes than the bound.
    pub(crate) async fn any_beyond_bound(&self) -> Result<bool> {
        let row = query(ANY_BEYOND_BOUND)
            .bind(self.bounds.bytes_max)
            .fetch_optional(&self.read)
            .await?;
        Ok(row.is_some())
    }

    /// Whether an event has been held for too long.
    pub(crate) async fn any_expired(&self, now_ms: i64) -> Result<bool> {
        let row = query(ANY_OLDER)
            .bind(now_ms.saturating_sub(self.bounds.age_ms_max))
            .fetch_optional(&self.read)
            .await?;
        Ok(row.is_some())
    }
}

impl Tx {
    /// Drops some of the oldest events of the connections that hold more bytes than the bound; returns how many. None
    /// are dropped where only the newest event and those that are being sent are left.
    pub(crate) async fn make_room(&mut self, now_ms: i64) -> Result<usize> {
        let bytes_max = self.bounds.bytes_max;
        let beyond = query(BEYOND_BOUND)
            .bind(bytes_max)
            .fetch_all(&mut self.inner)
            .await?;
        let share = (CHUNK / beyond.len().max(1)).max(1);
        let why = format!("more than {bytes_max} bytes of events were held; the oldest made room");
        let mut dropped = 0;
        for row in &beyond {
            let connection: String = row.try_get("connection_id")?;
            let excess = row.try_get::<i64>("held_bytes")?.saturating_sub(bytes_max);
            let oldest = query(OLDEST)
                .bind(&connection)
                .bind(i64::try_from(share).unwrap_or(i64::MAX))
                .fetch_all(&mut self.inner)
                .await?;
            let drops = until_freed(&oldest, excess.min(CHUNK_BYTES), &why)?;
            dropped += drops.len();
            drops::drop_events(self, &connection, &drops, DropReason::TooManyBytes, now_ms).await?;
        }
        Ok(dropped)
    }

    /// Drops some of the events that were held for too long; returns how many.
    pub(crate) async fn expire(&mut self, now_ms: i64) -> Result<usize> {
        let age_ms_max = self.bounds.age_ms_max;
        let rows = query(OLDER)
            .bind(now_ms.saturating_sub(age_ms_max))
            .bind(i64::try_from(CHUNK).unwrap_or(i64::MAX))
            .fetch_all(&mut self.inner)
            .await?;
        let hours = age_ms_max / 3_600_000;
        let mut by_connection = BTreeMap::<String, Vec<GivenUp>>::new();
        for row in &rows {
            let error: Option<String> = row.try_get("last_error")?;
            let error = error.map_or_else(String::new, |error| format!("; last error: {error}"));
            let drops = by_connection.entry(row.try_get("connection_id")?).or_default();
            let why = if row.try_get("is_unconfirmed")? {
                format!("accepted more than {hours} hours ago, and unconfirmed since{error}")
            } else {
                format!("held for more than {hours} hours without AWS taking it{error}")
            };
            let seq = row.try_get("seq")?;
            drops.push(GivenUp { seq, why });
        }
        for (connection, drops) in &mut by_connection {
            drops.sort_unstable_by_key(|drop| drop.seq);
            drops::drop_events(self, connection, drops, DropReason::TooOld, now_ms).await?;
        }
        Ok(rows.len())
    }
}

/// The first of these events that have so many bytes together.
fn until_freed(oldest: &[Row], bytes: i64, why: &str) -> Result<Vec<GivenUp>> {
    let (mut freed, mut drops) = (0, vec![]);
    for row in oldest {
        if freed >= bytes {
            break;
        }
        freed += row.try_get::<i64>("bytes")?;
        drops.push(GivenUp {
            seq: row.try_get("seq")?,
            why: why.to_owned(),
        });
    }
    Ok(drops)
}
