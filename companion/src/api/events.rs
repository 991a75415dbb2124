//! `POST /_companion/events`: accepts an event as if it had just happened. Ours, for trying things out.
//!
//! A RunExecuted goes to every connection, an AuditLog to the one that the setting selects, as real ones do.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Json, Router};
use scalr_api::ConnectionId;
use scalr_events::{AuditLog, EventType, RunExecuted};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Caller;
use super::error::ApiError;
use super::form::{bytes, json};
use crate::app::App;
use crate::clock;
use crate::delivery::DETAIL_BYTES_MAX;
use crate::store::{NewEvent, Tx};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/events", post(create))
}

/// What is sent.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Emit {
    pub(crate) detail_type: String,
    pub(crate) detail: Value,
}

/// What was accepted.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Emitted {
    pub(crate) event_id: String,
    pub(crate) connections: Vec<String>,
}

fn invalid(pointer: &str, detail: impl Into<String>) -> ApiError {
    ApiError::Invalid {
        pointer: pointer.to_owned(),
        detail: detail.into(),
    }
}

async fn create(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<impl IntoResponse, ApiError> {
    let body = json(&bytes(request, &app).await?)?;
    let emit: Emit = serde_json::from_value(body).map_err(|error| invalid("", format!("{error}.")))?;
    let event_type: EventType = emit
        .detail_type
        .parse()
        .map_err(|error: scalr_events::UnknownType| invalid("/detail-type", error.to_string()))?;
    let event = event(event_type, emit.detail)?;
    let mut tx = app.store.begin().await?;
    let connections = takers(&mut tx, &caller, event_type).await?;
    let now = clock::now_ms();
    for connection in &connections {
        tx.enqueue(connection, &event, app.bounds, now).await?;
    }
    tx.commit().await?;
    app.deliver.notify_one();
    let connections = connections.iter().map(ToString::to_string).collect();
    Ok((
        StatusCode::ACCEPTED,
        Json(Emitted {
            event_id: event.event_id,
            connections,
        }),
    ))
}

async fn takers(tx: &mut Tx, caller: &Caller, event_type: EventType) -> Result<Vec<ConnectionId>, ApiError> {
    let (connections, nobody) = match event_type {
        EventType::RunExecuted => (
            tx.connection_ids(&caller.account_id).await?,
            "This account has no connection to send it on.",
        ),
        EventType::AuditLog => (
            tx.audit_connection(&caller.account_id)
                .await?
                .into_iter()
                .collect(),
            "The audit-log setting selects no connection, so audit logs are not streamed.",
        ),
    };
    if connections.is_empty() {
        return Err(ApiError::Conflict {
            pointer: "/detail-type".into(),
            detail: nobody.into(),
        });
    }
    Ok(connections)
}

fn event(event_type: EventType, detail: Value) -> Result<NewEvent, ApiError> {
    let wrong = |error: serde_json::Error| invalid("/detail", format!("This is no `{event_type}`: {error}."));
    let (event_id, lane, detail) = match event_type {
        EventType::RunExecuted => {
            let run: RunExecuted = serde_json::from_value(detail).map_err(wrong)?;
            let lane = tagged(&run.tags, "scalr-workspace:")
                .unwrap_or(&run.event.workspace)
                .to_owned();
            (run.event.run_id.clone(), lane, serde_json::to_string(&run))
        }
        EventType::AuditLog => {
            let log: AuditLog = serde_json::from_value(detail).map_err(wrong)?;
            let lane = log
                .target
                .context
                .workspace
                .as_ref()
                .map_or("account", |w| w.id.as_str())
                .to_owned();
            (log.request.id.clone(), lane, serde_json::to_string(&log))
        }
    };
    let detail = detail.map_err(wrong)?;
    if detail.len() > DETAIL_BYTES_MAX {
        return Err(invalid(
            "/detail",
            format!("The detail is longer than {DETAIL_BYTES_MAX} bytes."),
        ));
    }
    Ok(NewEvent {
        event_id,
        lane,
        detail_type: event_type.as_str(),
        detail,
        time_ms: clock::now_ms(),
    })
}

fn tagged<'a>(tags: &'a [String], prefix: &str) -> Option<&'a str> {
    tags.iter().find_map(|tag| tag.strip_prefix(prefix))
}
