//! Events on their way in: accepted in the transaction of the change that they report.

use scalr_api::ConnectionId;
use scalr_events::EventType;
use sqlx::Row as _;

use super::database::Tx;
use super::drops::{self, DropReason};
use super::error::Result;
use super::event::{NewEvent, VERSION};

/// The oldest event of the connection `?` that can make room, where more than `?` bytes are held.
pub(super) const OLDEST_BEYOND_BOUND: &str = "SELECT d.held_bytes, o.seq FROM delivery d
     JOIN outbox o ON o.connection_id = d.connection_id
     WHERE d.connection_id = ? AND d.held_bytes > ? AND o.lease IS NULL
     AND o.seq < (SELECT MAX(seq) FROM outbox WHERE connection_id = d.connection_id) ORDER BY o.seq LIMIT 1";

/// Accepts an event for each connection that receives it, and returns those connections. The commit of the transaction
/// wakes delivery.
pub(crate) async fn accept(tx: &mut Tx, event: &NewEvent) -> Result<Vec<ConnectionId>> {
    let receivers = receivers(tx, event).await?;
    for connection in &receivers {
        enqueue(tx, connection, event).await?;
        make_room(tx, connection, event.at_ms).await?;
        tx.wake_delivery();
    }
    Ok(receivers)
}

/// A RunExecuted goes to every connection of its account. An AuditLog goes to the one that the setting selects, or, where
/// this transaction has switched the setting off, to the one that was selected until then.
async fn receivers(tx: &mut Tx, event: &NewEvent) -> Result<Vec<ConnectionId>> {
    match event.event_type {
        EventType::RunExecuted => tx.connection_ids(&event.account_id).await,
        EventType::AuditLog => {
            let selected = tx.audit_connection(&event.account_id).await?;
            let until_now = tx.deselected.as_ref();
            let until_now = until_now.filter(|(account, _)| *account == event.account_id);
            let receiver = selected.or_else(|| until_now.map(|(_, connection)| connection.clone()));
            Ok(receiver.into_iter().collect())
        }
    }
}

async fn enqueue(tx: &mut Tx, connection: &ConnectionId, event: &NewEvent) -> Result<()> {
    let bytes = i64::try_from(event.detail.len()).unwrap_or(i64::MAX);
    // Due at 0, not now: a clock that is set back must not delay what was accepted before.
    sqlx::query(
        "INSERT INTO outbox (connection_id, event_id, lane, version, detail_type, detail, bytes, time_ms,
                             accepted_at_ms, due_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, 0)",
    )
    .bind(connection.as_str())
    .bind(&event.event_id)
    .bind(&event.lane)
    .bind(VERSION)
    .bind(event.event_type.as_str())
    .bind(&event.detail)
    .bind(bytes)
    .bind(event.at_ms)
    .execute(&mut *tx.inner)
    .await?;
    Ok(())
}

/// Drops the connection's oldest events until it holds no more bytes than the bound; the newest event always stays.
async fn make_room(tx: &mut Tx, connection: &ConnectionId, now_ms: i64) -> Result<()> {
    let bytes_max = tx.bounds.bytes_max;
    loop {
        let row = sqlx::query(OLDEST_BEYOND_BOUND)
            .bind(connection.as_str())
            .bind(bytes_max)
            .fetch_optional(&mut *tx.inner)
            .await?;
        let Some(row) = row else { return Ok(()) };
        let why = format!("more than {bytes_max} bytes of events were held; the oldest made room");
        drops::drop_event(tx, row.try_get("seq")?, DropReason::TooManyBytes, &why, now_ms).await?;
    }
}
