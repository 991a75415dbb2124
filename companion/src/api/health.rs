//! `GET /healthz`: whether the companion answers and can read its database. It needs no token, and tells nothing else.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::app::App;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/healthz", get(read))
}

async fn read(State(app): State<App>) -> impl IntoResponse {
    match app.store.next_step_ms().await {
        Ok(_) => (StatusCode::OK, Json(json!({ "status": "ok" }))),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the database cannot be read"
            );
            let why = "The database cannot be read. The companion's log says why.";
            (
                StatusCode::SERVICE_UNAVAILABLE,
                Json(json!({ "status": "failing", "reason": why })),
            )
        }
    }
}
