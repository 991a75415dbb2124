//! `GET /healthz`: whether the companion answers and can read its database. `GET /readyz`: whether it can do its work, and each of
//! its own faults with the next step. They need no token, and tell nothing of an account. `GET /metrics`: figures of the whole process,
//! with an operator's token, or without one where the operator has opened an address for that.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::admit::Overseer;
use super::error::ApiError;
use crate::app::App;
use crate::metrics;
use crate::readiness::{self, Fault, Seen};
use crate::routes::Routes;

/// What answers without a token.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
}

/// What answers with an operator's.
pub(super) fn figures() -> Routes<App> {
    Routes::new().get("/metrics", metrics_for)
}

/// Figures without a token, for an address of their own.
pub(super) fn open_figures() -> Router<App> {
    Router::new().route("/metrics", get(metrics_now))
}

async fn look(app: &App) -> Seen {
    readiness::look(&app.store, &app.partner, &app.clock, &app.stop).await
}

async fn ready(State(app): State<App>) -> impl IntoResponse {
    let faults = readiness::faults(&look(&app).await);
    let Some(first) = faults.first() else {
        return (StatusCode::OK, Json(json!({ "status": "ok" })));
    };
    let body = json!({ "status": "failing", "reason": first.what, "faults": faults.iter().map(shown).collect::<Vec<_>>() });
    (StatusCode::SERVICE_UNAVAILABLE, Json(body))
}

fn shown(fault: &Fault) -> Value {
    json!({ "fault": fault.name, "region": fault.region, "what": fault.what, "next": fault.next })
}

async fn alive(State(app): State<App>) -> impl IntoResponse {
    if look(&app).await.is_readable {
        return (StatusCode::OK, Json(json!({ "status": "ok" })));
    }
    let reason = "The database cannot be read. The companion's log says why.";
    let body = json!({ "status": "failing", "reason": reason });
    (StatusCode::SERVICE_UNAVAILABLE, Json(body))
}

async fn metrics_for(state: State<App>, _by: Overseer) -> Result<Response, ApiError> {
    metrics_now(state).await
}

async fn metrics_now(State(app): State<App>) -> Result<Response, ApiError> {
    let _one_at_a_time = app.scrapes.lock().await;
    let seen = look(&app).await;
    // That the database cannot be read is itself a figure.
    let totals = app.store.totals().await.ok();
    let now = metrics::Now {
        ms: app.clock.now_ms(),
        faults: &readiness::faults(&seen),
        seen: &seen,
        totals: totals.as_deref(),
        doubts: app.store.doubts().await.ok(),
    };
    let text = metrics::text(app.partner.calls(), app.store.commits(), &now)
        .map_err(|error| ApiError::from(crate::store::StoreError::Unreadable(error.to_string())))?;
    Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}
