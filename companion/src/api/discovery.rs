//! `GET /.well-known/terraform.json`: the path of the API. The one answer that needs no token.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::{Router, routing::get};
use scalr_api::{BASE_PATH, DISCOVERY_KEY, DISCOVERY_PATH};
use serde_json::json;

use crate::app::App;

pub(super) fn routes() -> Router<App> {
    Router::new().route(DISCOVERY_PATH, get(discover))
}

async fn discover() -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "application/json")],
        json!({ DISCOVERY_KEY: BASE_PATH }).to_string(),
    )
}
