//! Data source `scalr_eventbridge_connection_delivery`: what a connection holds, has delivered and has dropped.

use scalr_api::{ClientError, ConnectionId, Delivery as Wire, DroppedEvent};
use tfplugin::{Attrs, DataSource, Operation, Result};

use super::messages;
use crate::check;
use crate::client::Client;
use crate::scalr::companion::{Lack, lack};
use crate::scalr::{Scalr, connection_id};

/// What a connection holds, has delivered and has dropped, counted since it was created.
///
/// `scalr-eventbridge` has these figures. Scalr's own API has no such call, and there this data source fails: use a `scalr_eventbridge_delivery_check` to see whether events arrive.
#[derive(Attrs, Clone, Debug)]
pub struct Delivery {
    /// Connection, `in-…`.
    #[tf(required, check = check::connection_id)]
    connection_id: String,
    /// Events that are held: accepted, and not delivered yet.
    #[tf(computed)]
    held: Option<i64>,
    /// Size of the events that are held, in bytes.
    #[tf(computed)]
    held_bytes: Option<i64>,
    /// When the oldest held event was accepted, in RFC 3339; null if no event is held.
    #[tf(computed)]
    oldest_held_at: Option<String>,
    /// Events that AWS has accepted.
    #[tf(computed)]
    delivered: Option<i64>,
    /// When AWS accepted the last event, in RFC 3339; null before the first.
    #[tf(computed)]
    last_delivered_at: Option<String>,
    /// Events that AWS has acknowledged, after which the event source was not found active: they may have arrived or not, are neither held nor delivered, and are sent again once the connection is active.
    #[tf(computed)]
    unconfirmed: Option<i64>,
    /// Failed attempts to deliver since the last successful one.
    #[tf(computed)]
    failures_in_a_row: Option<i64>,
    /// Why the last failed attempt to deliver failed.
    #[tf(computed)]
    last_error: Option<String>,
    /// Events that AWS does not take, and that are kept until `scalr-eventbridge deliveries redeliver` or `deliveries purge`.
    #[tf(computed)]
    failed: Option<i64>,
    /// Failed events that were purged.
    #[tf(computed)]
    purged: Option<i64>,
    /// All events that were dropped.
    #[tf(computed)]
    dropped: Option<i64>,
    /// Events that were dropped because they had been held too long.
    #[tf(computed)]
    dropped_too_old: Option<i64>,
    /// Events that were dropped because the connection held too many bytes.
    #[tf(computed)]
    dropped_too_many_bytes: Option<i64>,
    /// Events that were dropped because AWS refused them. A server that counts `failed` drops none for this reason.
    #[tf(computed)]
    dropped_refused: Option<i64>,
    /// The last events that were dropped, newest first, 100 at most.
    #[tf(computed)]
    last_dropped: Option<Vec<Explained>>,
}

/// An event that was dropped.
#[derive(Attrs, Clone, Debug)]
pub struct Explained {
    /// Id of the event.
    #[tf(computed)]
    event_id: Option<String>,
    /// `RunExecuted` or `AuditLog`.
    #[tf(computed)]
    detail_type: Option<String>,
    /// `too-old`, `too-many-bytes` or `refused`.
    #[tf(computed)]
    reason: Option<String>,
    /// The reason in a sentence.
    #[tf(computed)]
    explanation: Option<String>,
    /// When it was dropped, in RFC 3339.
    #[tf(computed)]
    dropped_at: Option<String>,
}

impl DataSource for Delivery {
    const NAME: &'static str = "eventbridge_connection_delivery";
    type Client = Client;

    async fn read(config: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
        let id = connection_id(&config.connection_id, Self::connection_id())?;
        match scalr.api.delivery(&id).await {
            Ok(figures) => Ok(config.with(figures)),
            Err(error) => Err(no_figures(&scalr, &id, error).await?),
        }
    }
}

/// Why there are no figures: no such connection, a server that gives none, or a call that failed.
async fn no_figures(scalr: &Scalr, id: &ConnectionId, error: ClientError) -> Result<tfplugin::Diagnostics> {
    let doing = messages::doing_read_delivery(id);
    Ok(match lack(scalr, id, error, &doing).await? {
        Lack::Failed(failed) => failed,
        Lack::Call(object) => {
            messages::gives_no_figures(&object, scalr.api.host(), Delivery::connection_id()).into()
        }
        Lack::Connection => {
            messages::no_connection(&format!("with the id `{id}`"), Delivery::connection_id()).into()
        }
    })
}

impl Delivery {
    fn with(self, wire: Wire) -> Self {
        let dropped = wire.dropped;
        Self {
            held: Some(wire.held),
            held_bytes: Some(wire.held_bytes),
            oldest_held_at: wire.oldest_held_at,
            delivered: Some(wire.delivered),
            last_delivered_at: wire.last_delivered_at,
            unconfirmed: Some(wire.unconfirmed),
            failures_in_a_row: Some(wire.failures_in_a_row),
            last_error: wire.last_error,
            failed: Some(wire.failed),
            purged: Some(wire.purged),
            dropped: Some(
                dropped
                    .too_old
                    .saturating_add(dropped.too_many_bytes)
                    .saturating_add(dropped.refused),
            ),
            dropped_too_old: Some(dropped.too_old),
            dropped_too_many_bytes: Some(dropped.too_many_bytes),
            dropped_refused: Some(dropped.refused),
            last_dropped: Some(wire.last_dropped.into_iter().map(Explained::of).collect()),
            ..self
        }
    }
}

impl Explained {
    fn of(wire: DroppedEvent) -> Self {
        Self {
            event_id: Some(wire.event_id),
            detail_type: Some(wire.detail_type),
            reason: Some(wire.reason),
            explanation: wire.explanation,
            dropped_at: Some(wire.at),
        }
    }
}
