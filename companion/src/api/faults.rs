//! `/_companion/faults`: calls of this API that go wrong on request, so that clients can be tested against them. The same words
//! as the local AWS's `/_local/faults`; a call is named by its method and path. Scalr's API has no such path.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use scalr_api::{ErrorDocument, ErrorObject};

use super::answer::Answer;
use super::error::ApiError;
use super::form::bytes;
use crate::app::App;
use crate::caller::{Admin, May, Read};
use crate::routes::Routes;

/// The path that never meets a fault.
const PATH: &str = "/_companion/faults";
/// What a fault can be for; `*` stands for an id.
pub(super) const OPERATIONS: [&str; 36] = [
    "GET /.well-known/terraform.json",
    "GET /_companion/accounts",
    "POST /_companion/accounts",
    "GET /_companion/accounts/*",
    "PATCH /_companion/accounts/*",
    "GET /_companion/tokens",
    "POST /_companion/tokens",
    "DELETE /_companion/tokens/*",
    "GET /_companion/connections/*/delivery",
    "GET /_companion/connections/*/deliveries",
    "POST /_companion/connections/*/deliveries/redeliver",
    "POST /_companion/connections/*/deliveries/purge",
    "POST /_companion/clock/confirm",
    "GET /_companion/events",
    "POST /_companion/events",
    "POST /_companion/runs",
    "POST /events/v1/run-executed",
    "POST /events/v1/audit-logs",
    "POST /api/iacp/v3/access-tokens",
    "GET /api/iacp/v3/access-tokens/*",
    "DELETE /api/iacp/v3/access-tokens/*",
    "GET /api/iacp/v3/accounts/*",
    "GET /api/iacp/v3/accounts/*/audit-log-setting",
    "PATCH /api/iacp/v3/accounts/*/audit-log-setting",
    "GET /api/iacp/v3/environments",
    "GET /api/iacp/v3/environments/*",
    "DELETE /api/iacp/v3/integrations/aws-event-bridge/*",
    "GET /api/iacp/v3/integrations/aws-event-bridge",
    "GET /api/iacp/v3/integrations/aws-event-bridge/*",
    "PATCH /api/iacp/v3/integrations/aws-event-bridge/*",
    "POST /api/iacp/v3/integrations/aws-event-bridge",
    "GET /api/iacp/v3/runs",
    "GET /api/iacp/v3/runs/*",
    "POST /api/iacp/v3/runs",
    "GET /api/iacp/v3/workspaces",
    "GET /api/iacp/v3/workspaces/*",
];

pub(super) fn routes() -> Routes<App> {
    Routes::new()
        .get("/faults", list)
        .post("/faults", add)
        .delete("/faults", clear)
}

async fn list(State(app): State<App>, _caller: May<Read>) -> impl IntoResponse {
    Json(app.faults.list())
}

async fn add(
    State(app): State<App>,
    _caller: May<Admin>,
    request: Request,
) -> Result<impl IntoResponse, ApiError> {
    let body = bytes(request, &app).await?;
    let added = app.faults.add(&body, &OPERATIONS);
    let added = added.map_err(|refused| ApiError::Body(StatusCode::BAD_REQUEST, refused.to_string()))?;
    Ok(Json(added))
}

async fn clear(State(app): State<App>, _caller: May<Admin>) -> impl IntoResponse {
    Json(app.faults.clear())
}

/// Lets a call go wrong where a fault says so.
pub(super) async fn meet(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path == PATH {
        return next.run(request).await;
    }
    let Some(hit) = app.faults.meet(&format!("{} {path}", request.method())) else {
        return next.run(request).await;
    };
    let answer = if hit.is_carried_out() {
        next.run(request).await
    } else {
        Response::default()
    };
    let answer = match hit.error() {
        Some(error) => {
            let code = error.code.as_deref().unwrap_or("internal-error");
            let object = ErrorObject::new(error.status, "Fault on request", error.message.as_str());
            let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Answer(status, ErrorDocument::from(object.with_code(code))).into_response()
        }
        None => answer,
    };
    hit.spoil(answer).await
}
