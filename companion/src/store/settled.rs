//! Deliveries that are over, with their events: delivered ones, for as long as the history goes back, and failed ones, until a person
//! has them sent again or purges them.

use scalr_api::DeliveryState;

use super::database::{Store, Tx};
use super::error::{Result, StoreError};
use super::feed::What;
use super::outbox;
use super::sql::{List, Query, Row, Sql, in_order, query};

/// Deliveries that one transaction handles.
const CHUNK: i64 = 200;
/// Bytes of events that one transaction sends again, moves back or deletes: long events cost by their length.
pub(super) const CHUNK_BYTES: i64 = 4 * 1024 * 1024;

/// A delivery that is over.
#[derive(Clone, Debug)]
pub(crate) struct Settled {
    pub(crate) seq: i64,
    pub(crate) state: DeliveryState,
    pub(crate) event_id: String,
    pub(crate) detail_type: String,
    pub(crate) bytes: i64,
    pub(crate) accepted_at_ms: i64,
    pub(crate) attempts: u32,
    pub(crate) error: Option<String>,
    pub(crate) ended_at_ms: i64,
}

/// Which deliveries of a connection are meant: all of one state, or of one event, accepted in a time.
#[derive(Clone, Debug)]
pub(crate) struct Which<'a> {
    pub(crate) connection: &'a str,
    pub(crate) state: DeliveryState,
    pub(crate) event: Option<&'a str>,
    /// Of events accepted at or after this time, and before that.
    pub(crate) time_ms: [i64; 2],
    /// Numbers above this one, and up to that.
    pub(crate) seq: [i64; 2],
}

/// What one step did with some of the deliveries that are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// With how many it was done.
    pub(crate) done: u64,
    /// The number up to which it was; none once all are.
    pub(crate) up_to: Option<i64>,
}

impl<'a> Which<'a> {
    /// All deliveries of a connection in this state.
    pub(crate) const fn all(connection: &'a str, state: DeliveryState) -> Self {
        Self {
            connection,
            state,
            event: None,
            time_ms: [i64::MIN, i64::MAX],
            seq: [0, i64::MAX],
        }
    }
}

/// How the delivery of a row ended.
fn state(row: &Row) -> Result<DeliveryState> {
    let text: String = row.try_get("state")?;
    [
        DeliveryState::Delivered,
        DeliveryState::Failed,
        DeliveryState::Unconfirmed,
    ]
    .into_iter()
    .find(|state| state.as_str() == text)
    .ok_or_else(|| StoreError::Unreadable(format!("no state `{text}`")))
}

/// The statement with the deliveries that are meant after its own beginning: by number where there is no event, else by the event.
macro_rules! of_which {
    ($columns:literal) => {
        [
            concat!(
                "SELECT ",
                $columns,
                " FROM settled WHERE connection_id = $1 AND state = $2 AND seq > $3 AND seq <= $4
                 AND time_ms >= $5 AND time_ms < $6 ORDER BY seq LIMIT $7"
            ),
            concat!(
                "SELECT ",
                $columns,
                " FROM settled WHERE connection_id = $1 AND state || '' = $2 AND +seq > $3 AND +seq <= $4
                 AND time_ms >= $5 AND time_ms < $6 AND event_id = $8 ORDER BY seq LIMIT $7"
            ),
        ]
    };
}

/// A page of them, by both ways.
pub(super) const LISTED: [&str; 2] = of_which!("*");
/// A page of those that are unconfirmed. They are in the outbox, with numbers of their own, of which none is too new.
pub(super) const UNCONFIRMED: &str =
    "SELECT seq, 'unconfirmed' AS state, event_id, detail_type, bytes, time_ms, attempts, last_error AS error,
            unconfirmed_at_ms AS settled_at_ms
     FROM outbox WHERE connection_id = $1 AND unconfirmed_at_ms IS NOT NULL AND seq > $2 AND time_ms >= $3 AND time_ms < $4
       AND ($5 IS NULL OR event_id = $5) ORDER BY seq LIMIT $6";
/// The numbers and sizes of a page.
pub(super) const NUMBERED: [&str; 2] = of_which!("seq, bytes");

/// A query for those that are meant, by the statement of the two that serves it.
fn meant<'q>(statements: [&'static str; 2], which: &'q Which<'q>, limit: i64) -> Query<'q> {
    let [by_number, by_event] = statements;
    let statement = if which.event.is_some() {
        by_event
    } else {
        by_number
    };
    let meant = query(statement)
        .bind(which.connection)
        .bind(which.state.as_str())
        .bind(which.seq[0])
        .bind(which.seq[1])
        .bind(which.time_ms[0])
        .bind(which.time_ms[1])
        .bind(limit);
    match which.event {
        Some(event) => meant.bind(event),
        None => meant,
    }
}

/// The same for those that are unconfirmed.
fn unconfirmed<'q>(which: &'q Which<'q>, limit: i64) -> Query<'q> {
    query(UNCONFIRMED)
        .bind(which.connection)
        .bind(which.seq[0])
        .bind(which.time_ms[0])
        .bind(which.time_ms[1])
        .bind(which.event)
        .bind(limit)
}

/// The numbers of the first of these rows, with their size: until they have enough bytes, and but for the first no more than `bytes_max`.
pub(super) fn first_of(rows: &[Row], [enough, bytes_max]: [i64; 2]) -> Result<(Vec<i64>, i64)> {
    let (mut list, mut bytes) = (vec![], 0_i64);
    for row in rows {
        let more: i64 = row.try_get("bytes")?;
        let is_beyond = !list.is_empty() && bytes.saturating_add(more) > bytes_max;
        if bytes >= enough || is_beyond {
            break;
        }
        bytes = bytes.saturating_add(more);
        list.push(row.try_get("seq")?);
    }
    Ok((list, bytes))
}

fn settled(row: &Row) -> Result<Settled> {
    Ok(Settled {
        seq: row.try_get("seq")?,
        state: state(row)?,
        event_id: row.try_get("event_id")?,
        detail_type: row.try_get("detail_type")?,
        bytes: row.try_get("bytes")?,
        accepted_at_ms: row.try_get("time_ms")?,
        attempts: row.try_get("attempts")?,
        error: row.try_get("error")?,
        ended_at_ms: row.try_get("settled_at_ms")?,
    })
}

/// Sends the deliveries of the list `$1` again at `$2`: as new ones of their lanes.
pub(super) const SEND_AGAIN: Sql = in_order!(
    "INSERT INTO outbox (connection_id, event_id, lane, version, detail_type, detail, bytes, time_ms, accepted_at_ms, due_at_ms)
     SELECT s.connection_id, s.event_id, s.lane, s.version, s.detail_type, s.detail, s.bytes, s.time_ms, $2, 0
     FROM json_each($1) list CROSS JOIN settled s WHERE s.seq = CAST(list.atom AS BIGINT)",
    "list.rowid"
);

/// Deletes the deliveries of the list `$1`.
pub(super) const DELETE_SETTLED: &str =
    "DELETE FROM settled WHERE seq IN (SELECT CAST(atom AS BIGINT) FROM json_each($1))";

/// Of a connection `$2`, counts `$1` that are no longer deliveries of their own.
const MADE_LESS: &str = "UPDATE delivery SET made = made - $1 WHERE connection_id = $2";
/// Of a connection `$2`, counts `$1` that were purged.
const PURGED: &str = "UPDATE delivery SET purged = purged + $1 WHERE connection_id = $2";

/// Whether a delivered event that is confirmed was delivered before `$1`. By their times: one that a clock which was ahead has stamped
/// keeps no other one.
pub(super) const ANY_OLD: &str =
    "SELECT 1 FROM settled s CROSS JOIN delivery d
     WHERE d.connection_id = s.connection_id AND s.state = 'delivered' AND s.settled_at_ms < $1 AND s.seq <= d.confirmed_seq LIMIT 1";

/// `$2` of them.
pub(super) const OLD: &str =
    "SELECT s.seq, s.bytes FROM settled s CROSS JOIN delivery d
     WHERE d.connection_id = s.connection_id AND s.state = 'delivered' AND s.settled_at_ms < $1 AND s.seq <= d.confirmed_seq LIMIT $2";

/// Whether a delivered event is confirmed. By connection: those that are not confirmed are not read.
pub(super) const ANY_CONFIRMED: &str = "SELECT 1 FROM delivery d CROSS JOIN settled s
     WHERE s.connection_id = d.connection_id AND s.state = 'delivered' AND s.seq <= d.confirmed_seq LIMIT 1";

/// `$1` of them.
pub(super) const CONFIRMED: &str = "SELECT s.seq, s.bytes FROM delivery d CROSS JOIN settled s
     WHERE s.connection_id = d.connection_id AND s.state = 'delivered' AND s.seq <= d.confirmed_seq LIMIT $1";

/// Connections whose delivered events have more than `$1` bytes.
pub(super) const HISTORY_BEYOND_BOUND: &str =
    "SELECT connection_id, history_bytes FROM delivery WHERE history_bytes > $1";

/// The oldest delivered events of the connection `$1` that are confirmed.
pub(super) const OLDEST_DELIVERED: &str =
    "SELECT s.seq, s.bytes FROM delivery d CROSS JOIN settled s
     WHERE d.connection_id = $1 AND s.connection_id = $1 AND s.state = 'delivered' AND s.seq <= d.confirmed_seq ORDER BY s.seq LIMIT $2";

impl Store {
    /// How long AWS is asked again to take an event that it does not take.
    pub(crate) const fn retry_ms_max(&self) -> i64 {
        self.bounds.retry_ms_max
    }

    /// How many bytes of events a connection holds at most.
    pub(crate) const fn held_bytes_max(&self) -> i64 {
        self.bounds.bytes_max
    }

    /// Deliveries that are over, oldest first, as many as one answer may have; and whether there are more.
    pub(crate) async fn settled(&self, which: &Which<'_>, limit: i64) -> Result<(Vec<Settled>, bool)> {
        let limit_and_one = limit.saturating_add(1);
        let query = match which.state {
            DeliveryState::Unconfirmed => unconfirmed(which, limit_and_one),
            DeliveryState::Delivered | DeliveryState::Failed => meant(LISTED, which, limit_and_one),
        };
        let rows = query.fetch_all(&self.read).await?;
        let limit = usize::try_from(limit).unwrap_or_default();
        let listed = rows.iter().take(limit).map(settled).collect::<Result<_>>()?;
        Ok((listed, rows.len() > limit))
    }

    /// The number of the newest delivery that is over.
    pub(crate) async fn newest_settled(&self) -> Result<i64> {
        let row = query("SELECT COALESCE(MAX(seq), 0) AS seq FROM settled")
            .fetch_one(&self.read)
            .await?;
        Ok(row.try_get("seq")?)
    }

    /// Whether a connection's history has more bytes than the bound.
    pub(crate) async fn any_history_beyond_bound(&self) -> Result<bool> {
        let row = query(HISTORY_BEYOND_BOUND)
            .bind(self.bounds.history_bytes_max)
            .fetch_optional(&self.read)
            .await?;
        Ok(row.is_some())
    }

    /// Whether delivered events are kept once they are confirmed.
    pub(crate) const fn keeps_history(&self) -> bool {
        self.bounds.history_ms > 0
    }

    /// Whether a delivered event is older than the history goes back.
    pub(crate) async fn any_old_history(&self, now_ms: i64) -> Result<bool> {
        let query = if self.keeps_history() {
            query(ANY_OLD).bind(now_ms.saturating_sub(self.bounds.history_ms))
        } else {
            query(ANY_CONFIRMED)
        };
        let row = query.fetch_optional(&self.read).await?;
        Ok(row.is_some())
    }
}

impl Tx {
    /// Sends some of the deliveries that are meant again: as many as the connection has room for. A failed one is the same delivery again;
    /// of a delivered one a new delivery is made. `None`, and nothing is done, where there is no room for the first: the oldest events
    /// would make room for it.
    pub(crate) async fn send_again(&mut self, which: &Which<'_>, now_ms: i64) -> Result<Option<Step>> {
        let held = outbox::held_bytes(self, which.connection).await?;
        let room = self.bounds.bytes_max.saturating_sub(held);
        let (list, bytes, step) = self.some_of(which, room.min(CHUNK_BYTES)).await?;
        if step.done > 0 && bytes > room {
            return Ok(None);
        }
        query(SEND_AGAIN)
            .bind(List(list.as_str()))
            .bind(now_ms)
            .execute(&mut self.inner)
            .await?;
        // It leaves the history too, and comes back once it is delivered: else each repetition would send every copy.
        let deleted = self.delete_settled(&list).await?;
        if which.state == DeliveryState::Failed {
            self.count(MADE_LESS, deleted, which).await?;
        }
        self.wake_delivery();
        Ok(Some(step))
    }

    /// Purges some of the failed deliveries that are meant.
    pub(crate) async fn purge_failed(&mut self, which: &Which<'_>) -> Result<Step> {
        let (list, _, step) = self.some_of(which, CHUNK_BYTES).await?;
        let deleted = self.delete_settled(&list).await?;
        self.count(PURGED, deleted, which).await?;
        if step.done > 0 {
            self.note(which.connection, What::Purged { events: step.done });
        }
        Ok(step)
    }

    /// Deletes these deliveries; returns how many.
    async fn delete_settled(&mut self, list: &str) -> Result<i64> {
        let done = query(DELETE_SETTLED)
            .bind(List(list))
            .execute(&mut self.inner)
            .await?;
        Ok(i64::try_from(done.rows_affected()).unwrap_or(i64::MAX))
    }

    /// Counts so many of a connection by this statement.
    async fn count(&mut self, statement: &'static str, deliveries: i64, which: &Which<'_>) -> Result<()> {
        query(statement)
            .bind(deliveries)
            .bind(which.connection)
            .execute(&mut self.inner)
            .await?;
        Ok(())
    }

    /// The first of the deliveries that are meant, as a list of their numbers, with their size.
    async fn some_of(&mut self, which: &Which<'_>, bytes_max: i64) -> Result<(String, i64, Step)> {
        let rows = meant(NUMBERED, which, CHUNK.saturating_add(1))
            .fetch_all(&mut self.inner)
            .await?;
        let (chunk, _) = rows.split_at(rows.len().min(usize::try_from(CHUNK).unwrap_or_default()));
        let (list, bytes) = first_of(chunk, [i64::MAX, bytes_max])?;
        let step = Step {
            done: u64::try_from(list.len()).unwrap_or_default(),
            up_to: list.last().copied().filter(|_| list.len() < rows.len()),
        };
        Ok((serde_json::to_string(&list)?, bytes, step))
    }

    /// Deletes some of the delivered events that are older than the history goes back; returns how many.
    pub(crate) async fn forget_history(&mut self, now_ms: i64) -> Result<u64> {
        let history_ms = self.bounds.history_ms;
        let query = if history_ms > 0 {
            query(OLD).bind(now_ms.saturating_sub(history_ms))
        } else {
            query(CONFIRMED)
        };
        let rows = query.bind(CHUNK).fetch_all(&mut self.inner).await?;
        let (list, _) = first_of(&rows, [i64::MAX, CHUNK_BYTES])?;
        self.forget(&list).await
    }

    /// Deletes these delivered events; returns how many.
    async fn forget(&mut self, list: &[i64]) -> Result<u64> {
        let deleted = self.delete_settled(&serde_json::to_string(list)?).await?;
        Ok(u64::try_from(deleted).unwrap_or_default())
    }

    /// Deletes some of the oldest delivered events of the connections whose history has more bytes than the bound; returns how many. What
    /// is not confirmed stays.
    pub(crate) async fn trim_history(&mut self) -> Result<u64> {
        let bytes_max = self.bounds.history_bytes_max;
        let beyond = query(HISTORY_BEYOND_BOUND)
            .bind(bytes_max)
            .fetch_all(&mut self.inner)
            .await?;
        let mut list = Vec::<i64>::new();
        for row in &beyond {
            let excess = row.try_get::<i64>("history_bytes")?.saturating_sub(bytes_max);
            let connection: String = row.try_get("connection_id")?;
            let oldest = query(OLDEST_DELIVERED)
                .bind(&connection)
                .bind(CHUNK)
                .fetch_all(&mut self.inner)
                .await?;
            (list, _) = first_of(&oldest, [excess, CHUNK_BYTES])?;
            // The other connections come with the next step.
            if !list.is_empty() {
                break;
            }
        }
        self.forget(&list).await
    }
}
