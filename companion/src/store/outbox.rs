//! Events on their way in: accepted in the transaction of the change that they report.

use scalr_api::{AccountId, ConnectionId};
use scalr_events::EventType;
use sqlx::Row as _;

use super::database::Tx;
use super::error::Result;
use super::event::{NewEvent, VERSION};
use super::feed::What;

/// How many bytes the connection `?` holds.
pub(super) const HELD_BYTES: &str = "SELECT held_bytes FROM delivery WHERE connection_id = ?";

/// Accepts an event for each connection that receives it, and returns those connections. The commit of the transaction
/// wakes delivery, and, where a connection then holds more than the bound, retention: making room here would keep
/// every other write waiting.
pub(crate) async fn accept(tx: &mut Tx, event: &NewEvent) -> Result<Vec<ConnectionId>> {
    let receivers = receivers(tx, &event.account_id, event.event_type).await?;
    for connection in &receivers {
        enqueue(tx, connection, event).await?;
        let accepted = What::Accepted {
            event_id: event.event_id.clone(),
            detail_type: event.event_type.as_str().to_owned(),
        };
        tx.note(connection.as_str(), accepted);
        if held_bytes(tx, connection.as_str()).await? > tx.bounds.bytes_max {
            tx.wake_retention();
        }
        tx.wake_delivery();
        tracing::info!(
            event = event.event_id,
            "type" = event.event_type.as_str(),
            connection = connection.as_str(),
            "an event is to be sent"
        );
    }
    Ok(receivers)
}

/// A RunExecuted goes to every connection of its account. An AuditLog goes to the one that the setting selects, or, where
/// this transaction has switched the setting off, to the one that was selected until then.
pub(crate) async fn receivers(
    tx: &mut Tx,
    account: &AccountId,
    event_type: EventType,
) -> Result<Vec<ConnectionId>> {
    match event_type {
        EventType::RunExecuted => tx.connection_ids(account).await,
        EventType::AuditLog => {
            let selected = tx.audit_connection(account).await?;
            let until_now = tx.deselected.as_ref();
            let until_now = until_now.filter(|(of, _)| of == account);
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
                             accepted_at_ms, due_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0)",
    )
    .bind(connection.as_str())
    .bind(&event.event_id)
    .bind(&event.lane)
    .bind(VERSION)
    .bind(event.event_type.as_str())
    .bind(&event.detail)
    .bind(bytes)
    .bind(event.at.wall_ms)
    .bind(event.at.now_ms)
    .execute(&mut *tx.inner)
    .await?;
    Ok(())
}

/// How many bytes of events a connection holds.
pub(super) async fn held_bytes(tx: &mut Tx, connection: &str) -> Result<i64> {
    let row = sqlx::query(HELD_BYTES)
        .bind(connection)
        .fetch_one(&mut *tx.inner)
        .await?;
    Ok(row.try_get("held_bytes")?)
}
