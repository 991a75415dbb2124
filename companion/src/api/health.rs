//! `GET /healthz`: whether the companion answers and can read its database. `GET /readyz`: the same, and whether it goes on to
//! take requests. They need no token, and tell nothing else.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::app::App;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/healthz", get(read))
        .route("/readyz", get(ready))
}

async fn ready(State(app): State<App>) -> Response {
    if app.stop.is_cancelled() {
        let why = "The companion is being stopped.";
        return failing(why).into_response();
    }
    read(State(app)).await.into_response()
}

fn failing(reason: &str) -> (StatusCode, Json<Value>) {
    let body = json!({ "status": "failing", "reason": reason });
    (StatusCode::SERVICE_UNAVAILABLE, Json(body))
}

async fn read(State(app): State<App>) -> impl IntoResponse {
    match app.store.next_step_ms().await {
        Ok(_) => (StatusCode::OK, Json(json!({ "status": "ok" }))),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the database cannot be read"
            );
            failing("The database cannot be read. The companion's log says why.")
        }
    }
}
