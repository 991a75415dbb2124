//! `/_companion/connections/{id}/delivery`: the figures of a connection's delivery. Scalr's API has no such path.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use scalr_api::{ClockStanding, Delivery, DroppedCounts, DroppedEvent};

use super::clock::standing;
use super::error::ApiError;
use crate::app::App;
use crate::caller::{May, Read};
use crate::clock;
use crate::routes::Routes;
use crate::store::{self, DeliveryFigures};

pub(super) fn routes() -> Routes<App> {
    Routes::new().get("/connections/{id}/delivery", read)
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
    let (delivery, dropped) =
        found.ok_or_else(|| ApiError::NotFound(format!("connection `{}`", id.escape_debug())))?;
    Ok(Json(figures(standing(&app.clock), delivery, dropped)))
}
