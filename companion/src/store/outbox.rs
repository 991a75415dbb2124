//! Events on their way in: accepted in the transaction of the change that they report.

use scalr_api::{AccountId, ConnectionId};
use scalr_events::EventType;

use super::database::Tx;
use super::error::Result;
use super::event::{NewEvent, VERSION};
use super::feed::What;
use super::sql::{List, Sql, in_order, query};

/// How many bytes the connection `$1` holds.
pub(super) const HELD_BYTES: &str = "SELECT held_bytes FROM delivery WHERE connection_id = $1";

/// Accepts the events of the list `$1` (id, lane, detail, bytes), in their order, for each connection of the list `$2`. They are due at 0,
/// not now: a clock that is set back must not delay what was accepted before.
pub(super) const ENQUEUE: Sql = in_order!(
    "INSERT INTO outbox (connection_id, event_id, lane, version, detail_type, detail, bytes, time_ms, accepted_at_ms, due_at_ms)
     SELECT receiver.atom, list.value ->> 0, list.value ->> 1, $3, $4, list.value ->> 2, CAST(list.value ->> 3 AS BIGINT), $5, $6, 0
     FROM json_each($1) list CROSS JOIN json_each($2) receiver",
    "list.rowid, receiver.rowid"
);

/// Whether a connection of the list `$1` holds more than `$2` bytes.
pub(super) const ANY_OF_THEM_BEYOND_BOUND: &str = "SELECT 1 FROM json_each($1) list CROSS JOIN delivery d WHERE d.connection_id = list.atom AND d.held_bytes > $2 LIMIT 1";

/// Accepts an event for each connection that receives it, and returns those connections. The commit of the transaction
/// wakes delivery, and, where a connection then holds more than the bound, retention: making room here would keep
/// every other write waiting.
pub(crate) async fn accept(tx: &mut Tx, event: &NewEvent) -> Result<Vec<ConnectionId>> {
    let receivers = receivers(tx, &event.account_id, event.event_type).await?;
    accept_for(tx, &receivers, &[event]).await?;
    Ok(receivers)
}

/// Accepts events of one type and time, in their order, for each of these connections.
pub(crate) async fn accept_for(tx: &mut Tx, receivers: &[ConnectionId], events: &[&NewEvent]) -> Result<()> {
    let Some(first) = events.first().filter(|_| !receivers.is_empty()) else {
        return Ok(());
    };
    let details = events.iter().map(|event| {
        let bytes = i64::try_from(event.detail.len()).unwrap_or(i64::MAX);
        (&event.event_id, &event.lane, &event.detail, bytes)
    });
    let details: Vec<_> = details.collect();
    let connections: Vec<&str> = receivers.iter().map(ConnectionId::as_str).collect();
    let connections = serde_json::to_string(&connections)?;
    query(ENQUEUE)
        .bind(List(serde_json::to_string(&details)?))
        .bind(List(connections.as_str()))
        .bind(VERSION)
        .bind(first.event_type.as_str())
        .bind(first.at.wall_ms)
        .bind(first.at.now_ms)
        .execute(&mut tx.inner)
        .await?;
    let beyond = query(ANY_OF_THEM_BEYOND_BOUND)
        .bind(List(connections.as_str()))
        .bind(tx.bounds.bytes_max)
        .fetch_optional(&mut tx.inner)
        .await?;
    if beyond.is_some() {
        tx.wake_retention();
    }
    tx.wake_delivery_of(receivers);
    for event in events {
        for connection in receivers {
            let accepted = What::Accepted {
                event_id: event.event_id.clone(),
                detail_type: event.event_type.as_str().to_owned(),
            };
            tx.note(connection.as_str(), accepted);
            tracing::info!(
                event = event.event_id,
                "type" = event.event_type.as_str(),
                connection = connection.as_str(),
                "an event is to be sent"
            );
        }
    }
    Ok(())
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

/// How many bytes of events a connection holds.
pub(super) async fn held_bytes(tx: &mut Tx, connection: &str) -> Result<i64> {
    let row = query(HELD_BYTES)
        .bind(connection)
        .fetch_one(&mut tx.inner)
        .await?;
    Ok(row.try_get("held_bytes")?)
}
