//! Events on their way in: accepted in the transaction of what they tell about.

use scalr_api::ConnectionId;
use sqlx::Row as _;

use super::drops::DropReason;
use super::{Result, Tx};

/// Version of the stored form of an event's detail.
pub(super) const VERSION: i64 = 1;

/// How much is held for a connection that does not take its events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) bytes_max: i64,
    pub(crate) age_ms_max: i64,
}

/// An event to be accepted.
#[derive(Clone, Debug)]
pub(crate) struct NewEvent {
    /// The stable id that consumers dedup on; it is in the detail, too.
    pub(crate) event_id: String,
    /// What order is kept in.
    pub(crate) lane: String,
    pub(crate) detail_type: &'static str,
    pub(crate) detail: String,
    pub(crate) time_ms: i64,
}

/// The oldest event of the connection `?` that can make room, where more than `?` bytes are held.
pub(super) const OLDEST_BEYOND_BOUND: &str = "SELECT d.held_bytes, o.seq FROM delivery d
     JOIN outbox o ON o.connection_id = d.connection_id
     WHERE d.connection_id = ? AND d.held_bytes > ? AND d.held > 1 AND o.lease IS NULL ORDER BY o.seq LIMIT 1";

impl Tx {
    /// Accepts an event for a connection. Beyond the byte bound the oldest held events make room.
    pub(crate) async fn enqueue(
        &mut self,
        connection: &ConnectionId,
        event: &NewEvent,
        bounds: Bounds,
        now_ms: i64,
    ) -> Result<()> {
        let bytes = i64::try_from(event.detail.len()).unwrap_or(i64::MAX);
        sqlx::query(
            "INSERT INTO outbox (connection_id, event_id, lane, version, detail_type, detail, bytes, time_ms,
                                 accepted_at_ms, due_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        )
        .bind(connection.as_str())
        .bind(&event.event_id)
        .bind(&event.lane)
        .bind(VERSION)
        .bind(event.detail_type)
        .bind(&event.detail)
        .bind(bytes)
        .bind(event.time_ms)
        // Due from the first: a clock that is set back must not hold up what it accepted before.
        .bind(now_ms)
        .execute(&mut *self.inner)
        .await?;
        self.make_room(connection, bounds, now_ms).await
    }

    async fn make_room(&mut self, connection: &ConnectionId, bounds: Bounds, now_ms: i64) -> Result<()> {
        loop {
            let row = sqlx::query(OLDEST_BEYOND_BOUND)
                .bind(connection.as_str())
                .bind(bounds.bytes_max)
                .fetch_optional(&mut *self.inner)
                .await?;
            let Some(row) = row else { return Ok(()) };
            let why = format!(
                "more than {} bytes of events were held; the oldest made room",
                bounds.bytes_max
            );
            self.drop_event(row.try_get("seq")?, DropReason::TooMany, &why, now_ms)
                .await?;
        }
    }
}
