//! `/_companion/connections/{id}/delivery`: the figures of a connection's delivery. `…/deliveries`: those that are over, which can be
//! sent again and, where they failed, purged. Scalr's API has no such paths.

use axum::Json;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use scalr_api::{
    ClockStanding, Connection, Deliveries, DeliveriesChanged, DeliveriesWanted, Delivery, DeliveryState,
    DroppedCounts, DroppedEvent, Kind as _, PastDelivery,
};

use super::clock::standing;
use super::connections::missing;
use super::error::ApiError;
use super::form::{bytes, json};
use crate::app::App;
use crate::audit::{self, Change};
use crate::caller::{Admin, Caller, May, Read};
use crate::clock;
use crate::routes::Routes;
use crate::store::{self, DeliveryFigures, Settled, Step, Which};

/// Deliveries that one answer lists.
const LISTED_MAX: i64 = 100;

pub(super) fn routes() -> Routes<App> {
    Routes::new()
        .get("/connections/{id}/delivery", read)
        .get("/connections/{id}/deliveries", list)
        .post("/connections/{id}/deliveries/redeliver", redeliver)
        .post("/connections/{id}/deliveries/purge", purge)
}

fn figures(clock: ClockStanding, delivery: DeliveryFigures, dropped: Vec<store::DroppedEvent>) -> Delivery {
    Delivery {
        held: delivery.held,
        held_bytes: delivery.held_bytes,
        oldest_held_at: delivery.oldest_held_at_ms.map(clock::rfc3339_seconds),
        delivered: delivery.delivered,
        last_delivered_at: delivery.last_delivered_at_ms.map(clock::rfc3339_seconds),
        failures_in_a_row: delivery.failures,
        last_error: delivery.last_error,
        clock,
        made: delivery.made,
        failed: delivery.failed,
        purged: delivery.purged,
        unconfirmed: delivery.unconfirmed,
        dropped: DroppedCounts {
            too_old: delivery.dropped_too_old,
            too_many_bytes: delivery.dropped_too_many,
            refused: delivery.dropped_refused,
        },
        last_dropped: dropped
            .into_iter()
            .map(|drop| DroppedEvent {
                event_id: drop.event_id,
                detail_type: drop.detail_type,
                reason: drop.reason,
                explanation: Some(drop.explanation),
                at: clock::rfc3339_seconds(drop.at_ms),
            })
            .collect(),
    }
}

async fn read(
    State(app): State<App>,
    caller: May<Read>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let found = app.store.delivery_figures(&caller.account_id, &id).await?;
    let (delivery, dropped) = found.ok_or_else(|| missing(&id))?;
    Ok(Json(figures(standing(&app.clock), delivery, dropped)))
}

/// The connection of the caller's account.
async fn connection(app: &App, caller: &Caller, id: &str) -> Result<store::Connection, ApiError> {
    let found = app.store.connection(&caller.account_id, id).await?;
    found.ok_or_else(|| missing(id))
}

/// What is wanted of a connection, with the newest delivery where no earlier step has named it.
async fn which<'a>(
    app: &App,
    connection: &'a str,
    wanted: &'a DeliveriesWanted,
) -> Result<Which<'a>, ApiError> {
    let until = match wanted.until {
        Some(until) => until,
        None => app.store.newest_settled().await?,
    };
    Ok(Which {
        connection,
        state: wanted.state,
        event: wanted.event.as_deref(),
        time_ms: [
            time("from", wanted.from.as_deref(), i64::MIN)?,
            time("to", wanted.to.as_deref(), i64::MAX)?,
        ],
        seq: [wanted.after.unwrap_or(0), until],
    })
}

fn time(name: &str, given: Option<&str>, otherwise: i64) -> Result<i64, ApiError> {
    let Some(text) = given else { return Ok(otherwise) };
    let time: jiff::Timestamp = text.parse().map_err(|_| ApiError::Parameter {
        name: name.to_owned(),
        detail: format!(
            "`{}` is no time of RFC 3339 with a zone, such as `2026-11-29T10:00:00Z`.",
            text.escape_debug()
        ),
    })?;
    Ok(time.as_millisecond())
}

fn past(row: Settled) -> PastDelivery {
    PastDelivery {
        state: row.state,
        event_id: row.event_id,
        detail_type: row.detail_type,
        bytes: row.bytes,
        accepted_at: clock::rfc3339_seconds(row.accepted_at_ms),
        ended_at: clock::rfc3339_seconds(row.ended_at_ms),
        attempts: row.attempts,
        error: row.error,
    }
}

/// A connection's deliveries that are over, oldest first, as many as an answer may have.
pub(crate) async fn listed(
    app: &App,
    caller: &May<Read>,
    id: &str,
    wanted: &DeliveriesWanted,
) -> Result<Deliveries, ApiError> {
    let connection = connection(app, caller, id).await?;
    let which = which(app, connection.id.as_str(), wanted).await?;
    let (found, more) = app.store.settled(&which, LISTED_MAX).await?;
    let after = found.last().map(|last| last.seq).filter(|_| more);
    let deliveries = found.into_iter().map(past).collect();
    Ok(Deliveries { deliveries, after })
}

async fn list(
    State(app): State<App>,
    caller: May<Read>,
    Path(id): Path<String>,
    Query(wanted): Query<DeliveriesWanted>,
) -> Result<Json<Deliveries>, ApiError> {
    Ok(Json(listed(&app, &caller, &id, &wanted).await?))
}

/// What a change's body wants.
async fn body(request: Request, app: &App) -> Result<DeliveriesWanted, ApiError> {
    let body = json(&bytes(request, app).await?)?;
    let invalid = |pointer: &str, detail: String| ApiError::Invalid {
        pointer: pointer.to_owned(),
        detail,
    };
    if body.get("state").is_none() {
        return Err(invalid(
            "/state",
            "Name the `state`: `failed` or `delivered`.".into(),
        ));
    }
    serde_json::from_value(body).map_err(|error| invalid("", format!("{error}.")))
}

/// Sends some deliveries again.
pub(crate) async fn send_again(
    app: &App,
    caller: &May<Admin>,
    id: &str,
    wanted: &DeliveriesWanted,
) -> Result<DeliveriesChanged, ApiError> {
    let connection = connection(app, caller, id).await?;
    if wanted.state == DeliveryState::Unconfirmed {
        return Err(ApiError::Invalid {
            pointer: "/state".into(),
            detail: "`unconfirmed` deliveries are sent again by themselves, once the event source is ACTIVE."
                .into(),
        });
    }
    let which = which(app, connection.id.as_str(), wanted).await?;
    let mut tx = app.store.begin().await?;
    let step = tx.send_again(&which, app.clock.now_ms()).await?;
    let step = step.ok_or_else(|| ApiError::Conflict {
        pointer: "/state".into(),
        detail: format!(
            "Nothing was sent again: the connection `{}` would hold more than its bound of {} bytes, and its oldest events would be \
             dropped for that. Repeat the call once it holds less.",
            connection.id,
            app.store.held_bytes_max(),
        ),
    })?;
    let action = "redeliver-aws-event-bridge-deliveries";
    record(&mut tx, app, caller, (&connection, action), step).await?;
    tx.commit().await?;
    Ok(changed(step, &which))
}

async fn redeliver(
    State(app): State<App>,
    caller: May<Admin>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<DeliveriesChanged>, ApiError> {
    connection(&app, &caller, &id).await?;
    let wanted = body(request, &app).await?;
    Ok(Json(send_again(&app, &caller, &id, &wanted).await?))
}

/// Purges some failed deliveries.
pub(crate) async fn purge_failed(
    app: &App,
    caller: &May<Admin>,
    id: &str,
    wanted: &DeliveriesWanted,
) -> Result<DeliveriesChanged, ApiError> {
    let connection = connection(app, caller, id).await?;
    if wanted.state != DeliveryState::Failed {
        return Err(ApiError::Invalid {
            pointer: "/state".into(),
            detail: "Only `failed` deliveries are purged; `delivered` ones go with their age.".into(),
        });
    }
    let which = which(app, connection.id.as_str(), wanted).await?;
    let mut tx = app.store.begin().await?;
    let step = tx.purge_failed(&which).await?;
    let action = "purge-aws-event-bridge-deliveries";
    record(&mut tx, app, caller, (&connection, action), step).await?;
    tx.commit().await?;
    Ok(changed(step, &which))
}

async fn purge(
    State(app): State<App>,
    caller: May<Admin>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<DeliveriesChanged>, ApiError> {
    connection(&app, &caller, &id).await?;
    let wanted = body(request, &app).await?;
    Ok(Json(purge_failed(&app, &caller, &id, &wanted).await?))
}

fn changed(step: Step, which: &Which<'_>) -> DeliveriesChanged {
    DeliveriesChanged {
        deliveries: step.done,
        after: step.up_to,
        until: which.seq[1],
    }
}

/// Records a change, where there was one.
async fn record(
    tx: &mut store::Tx,
    app: &App,
    caller: &Caller,
    (connection, action): (&store::Connection, &'static str),
    step: Step,
) -> Result<(), ApiError> {
    if step.done == 0 {
        return Ok(());
    }
    let change = Change {
        action,
        kind: Connection::TYPE,
        id: connection.id.to_string(),
        name: connection.name.clone(),
        scope: None,
        status: StatusCode::OK.as_u16(),
    };
    audit::record(tx, &app.clock, caller, &change).await?;
    Ok(())
}
