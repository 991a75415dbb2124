//! The figures of each connection's delivery, the events that it holds, and those that it gave up.

use scalr_api::{AccountId, ConnectionId};

use super::database::Store;
use super::error::Result;
use super::row::id;
use super::sql::{Row, Sql, query};

/// Held events that one answer lists.
const HELD_LISTED_MAX: usize = 100;

/// The figures of a connection's delivery.
#[derive(Clone, Debug)]
pub(crate) struct DeliveryFigures {
    pub(crate) held: i64,
    pub(crate) held_bytes: i64,
    pub(crate) oldest_held_at_ms: Option<i64>,
    pub(crate) delivered: i64,
    pub(crate) made: i64,
    pub(crate) failed: i64,
    pub(crate) purged: i64,
    pub(crate) unconfirmed: i64,
    pub(crate) dropped_too_old: i64,
    pub(crate) dropped_too_many: i64,
    pub(crate) dropped_refused: i64,
    pub(crate) failures: i64,
    pub(crate) last_error: Option<String>,
    pub(crate) last_delivered_at_ms: Option<i64>,
}

/// An event that was given up.
#[derive(Clone, Debug)]
pub(crate) struct DroppedEvent {
    pub(crate) event_id: String,
    pub(crate) detail_type: String,
    pub(crate) reason: String,
    pub(crate) explanation: String,
    pub(crate) at_ms: i64,
}

/// The figures of the connection `$2` of the account `$1`. The last subquery needs the index of events with an error: by
/// the one of all events, every held event would be read to find that none has an error.
pub(super) const FIGURES: &str = "SELECT d.*,
         (SELECT o.accepted_at_ms FROM outbox o WHERE o.connection_id = c.id AND o.unconfirmed_at_ms IS NULL
          ORDER BY o.seq LIMIT 1) AS oldest,
         (SELECT o.last_error FROM outbox o
          WHERE o.connection_id = c.id AND o.last_error IS NOT NULL ORDER BY o.seq LIMIT 1) AS held_error
     FROM delivery d JOIN connection c ON c.id = d.connection_id WHERE c.account_id = $1 AND c.id = $2";

/// The newest explanations of the connection `$1`.
pub(super) const EXPLANATIONS: &str =
    "SELECT * FROM dropped WHERE connection_id = $1 ORDER BY seq DESC LIMIT 100";

/// An event that waits to be sent.
#[derive(Clone, Debug)]
pub(crate) struct HeldEvent {
    pub(crate) connection_id: ConnectionId,
    pub(crate) event_id: String,
    pub(crate) detail_type: String,
    pub(crate) bytes: i64,
    pub(crate) accepted_at_ms: i64,
    pub(crate) attempts: u32,
    pub(crate) last_error: Option<String>,
}

/// The oldest `$4` held events of the account `$1`, of one connection and of one id where these are given: no more than `$4` of each
/// connection are read, and none that is unconfirmed.
pub(super) const HELD: Sql = Sql::Each {
    sqlite: "SELECT o.connection_id, o.event_id, o.detail_type, o.bytes, o.time_ms, o.attempts, o.last_error
     FROM connection c CROSS JOIN outbox o
     WHERE o.seq IN (
         SELECT h.seq FROM outbox h WHERE h.connection_id = c.id AND h.unconfirmed_at_ms IS NULL
           AND ($3 IS NULL OR h.event_id = $3) ORDER BY h.seq LIMIT $4)
       AND c.account_id = $1 AND ($2 IS NULL OR c.id = $2) ORDER BY o.seq LIMIT $4",
    postgres:
        "SELECT o.connection_id, o.event_id, o.detail_type, o.bytes, o.time_ms, o.attempts, o.last_error
     FROM connection c CROSS JOIN LATERAL (
         SELECT h.* FROM outbox h WHERE h.connection_id = c.id AND h.unconfirmed_at_ms IS NULL
           AND ($3 IS NULL OR h.event_id = $3) ORDER BY h.seq LIMIT $4) AS o
     WHERE c.account_id = $1 AND ($2 IS NULL OR c.id = $2) ORDER BY o.seq LIMIT $4",
};

fn held(row: &Row) -> Result<HeldEvent> {
    Ok(HeldEvent {
        connection_id: id(row, "connection_id")?,
        event_id: row.try_get("event_id")?,
        detail_type: row.try_get("detail_type")?,
        bytes: row.try_get("bytes")?,
        accepted_at_ms: row.try_get("time_ms")?,
        attempts: row.try_get("attempts")?,
        last_error: row.try_get("last_error")?,
    })
}

fn figures(row: &Row) -> Result<DeliveryFigures> {
    Ok(DeliveryFigures {
        held: row.try_get("held")?,
        held_bytes: row.try_get("held_bytes")?,
        oldest_held_at_ms: row.try_get("oldest")?,
        delivered: row.try_get("delivered")?,
        made: row.try_get("made")?,
        failed: row.try_get("failed")?,
        purged: row.try_get("purged")?,
        unconfirmed: row.try_get("unconfirmed")?,
        dropped_too_old: row.try_get("dropped_too_old")?,
        dropped_too_many: row.try_get("dropped_too_many")?,
        dropped_refused: row.try_get("dropped_refused")?,
        failures: row.try_get("failures")?,
        last_error: row
            .try_get::<Option<String>>("last_error")?
            .or(row.try_get("held_error")?),
        last_delivered_at_ms: row.try_get("last_delivered_at_ms")?,
    })
}

fn dropped(row: &Row) -> Result<DroppedEvent> {
    Ok(DroppedEvent {
        event_id: row.try_get("event_id")?,
        detail_type: row.try_get("detail_type")?,
        reason: row.try_get("reason")?,
        explanation: row.try_get("explanation")?,
        at_ms: row.try_get("at_ms")?,
    })
}

impl Store {
    /// The oldest held events of an account, of one connection and of one id where these are given; and whether there are more.
    pub(crate) async fn held_events(
        &self,
        account: &AccountId,
        [connection, event]: [Option<&str>; 2],
    ) -> Result<(Vec<HeldEvent>, bool)> {
        let rows = query(HELD)
            .bind(account.as_str())
            .bind(connection)
            .bind(event)
            .bind(i64::try_from(HELD_LISTED_MAX + 1).unwrap_or(i64::MAX))
            .fetch_all(&self.read)
            .await?;
        let listed = rows
            .iter()
            .take(HELD_LISTED_MAX)
            .map(held)
            .collect::<Result<_>>()?;
        Ok((listed, rows.len() > HELD_LISTED_MAX))
    }

    /// The figures of a connection of an account, with the last events given up, newest first.
    pub(crate) async fn delivery_figures(
        &self,
        account: &AccountId,
        id: &str,
    ) -> Result<Option<(DeliveryFigures, Vec<DroppedEvent>)>> {
        let row = query(FIGURES)
            .bind(account.as_str())
            .bind(id)
            .fetch_optional(&self.read)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let explained = query(EXPLANATIONS).bind(id).fetch_all(&self.read).await?;
        let explained = explained.iter().map(dropped).collect::<Result<_>>()?;
        Ok(Some((figures(&row)?, explained)))
    }
}
