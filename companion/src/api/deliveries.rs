//! `/_companion/connections/{id}/delivery`: the figures of a connection's delivery. Scalr's API has no such path.

use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::clock::Standing;
use super::error::ApiError;
use crate::app::App;
use crate::caller::Caller;
use crate::clock;
use crate::store::{DeliveryFigures, DroppedEvent};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/connections/{id}/delivery", get(read))
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Figures {
    held: i64,
    held_bytes: i64,
    oldest_held_at: Option<String>,
    delivered: i64,
    last_delivered_at: Option<String>,
    failures_in_a_row: i64,
    last_error: Option<String>,
    /// Whether events are dropped for their age.
    clock: Standing,
    dropped: Dropped,
    last_dropped: Vec<Explained>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Dropped {
    too_old: i64,
    too_many_bytes: i64,
    refused: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Explained {
    event_id: String,
    detail_type: String,
    reason: String,
    explanation: String,
    at: String,
}

fn figures(clock: Standing, delivery: DeliveryFigures, dropped: Vec<DroppedEvent>) -> Figures {
    Figures {
        held: delivery.held,
        held_bytes: delivery.held_bytes,
        oldest_held_at: delivery.oldest_held_at_ms.map(clock::rfc3339_seconds),
        delivered: delivery.delivered,
        last_delivered_at: delivery.last_delivered_at_ms.map(clock::rfc3339_seconds),
        failures_in_a_row: delivery.failures,
        last_error: delivery.last_error,
        clock,
        dropped: Dropped {
            too_old: delivery.dropped_too_old,
            too_many_bytes: delivery.dropped_too_many,
            refused: delivery.dropped_refused,
        },
        last_dropped: dropped
            .into_iter()
            .map(|drop| Explained {
                event_id: drop.event_id,
                detail_type: drop.detail_type,
                reason: drop.reason,
                explanation: drop.explanation,
                at: clock::rfc3339_seconds(drop.at_ms),
            })
            .collect(),
    }
}

async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let found = app.store.delivery_figures(&caller.account_id, &id).await?;
    let (delivery, dropped) =
        found.ok_or_else(|| ApiError::NotFound(format!("connection `{}`", id.escape_debug())))?;
    Ok(Json(figures(Standing::of(&app.clock), delivery, dropped)))
}
