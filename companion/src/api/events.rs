//! `/_companion/events`: `POST` accepts an event as if it had just happened, for trials in `dev`; `GET` lists those that are held.
//! Scalr's API has no such path.

use axum::Json;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use scalr_api::{Emit, Emitted, Held, HeldEvent};
use scalr_events::EventType;
use serde::Deserialize;
use serde_json::Value;

use super::error::ApiError;
use super::form::{bytes, json};
use crate::app::{App, Mode};
use crate::caller::{Caller, Intake, May, Read};
use crate::clock::{self, Moment};
use crate::delivery::DETAIL_BYTES_MAX;
use crate::routes::Routes;
use crate::store::{self, NewEvent, outbox};

pub(super) fn routes() -> Routes<App> {
    Routes::new().get("/events", list).post("/events", create)
}

/// Which of the held events are listed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    connection: Option<String>,
    event: Option<String>,
}

/// The events that wait to be sent, oldest first, as many as an answer may have.
async fn list(
    State(app): State<App>,
    caller: May<Read>,
    Query(which): Query<Which>,
) -> Result<impl IntoResponse, ApiError> {
    let only = [which.connection.as_deref(), which.event.as_deref()];
    let (events, more) = app.store.held_events(&caller.account_id, only).await?;
    let events = events.into_iter().map(held).collect();
    Ok(Json(Held { events, more }))
}

fn held(row: store::HeldEvent) -> HeldEvent {
    HeldEvent {
        event_id: row.event_id,
        connection_id: row.connection_id,
        detail_type: row.detail_type,
        accepted_at: clock::rfc3339_seconds(row.accepted_at_ms),
        bytes: row.bytes,
        attempts: row.attempts,
        last_error: row.last_error,
    }
}

fn invalid(pointer: &str, detail: impl Into<String>) -> ApiError {
    ApiError::Invalid {
        pointer: pointer.to_owned(),
        detail: detail.into(),
    }
}

async fn create(
    State(app): State<App>,
    caller: May<Intake>,
    request: Request,
) -> Result<impl IntoResponse, ApiError> {
    if app.mode != Mode::Dev {
        return Err(ApiError::NoTrialEvents);
    }
    let body = json(&bytes(request, &app).await?)?;
    let emit: Emit = serde_json::from_value(body).map_err(|error| invalid("", format!("{error}.")))?;
    let event_type: EventType = emit
        .detail_type
        .parse()
        .map_err(|error: scalr_events::UnknownType| invalid("/detail-type", error.to_string()))?;
    let event = event(&caller, event_type, emit.detail, app.clock.look())?;
    let mut tx = app.store.begin().await?;
    let connections = outbox::accept(&mut tx, &event).await?;
    if connections.is_empty() {
        return Err(ApiError::Conflict {
            pointer: "/detail-type".into(),
            detail: no_receiver(event_type).into(),
        });
    }
    tx.commit().await?;
    Ok((
        StatusCode::ACCEPTED,
        Json(Emitted {
            event_id: event.event_id,
            connections,
        }),
    ))
}

/// Why no connection receives an event of this type.
fn no_receiver(event_type: EventType) -> &'static str {
    match event_type {
        EventType::RunExecuted => "This account has no connection to send it on.",
        EventType::AuditLog => "The audit-log setting selects no connection, so audit logs are not streamed.",
    }
}

fn event(caller: &Caller, event_type: EventType, detail: Value, at: Moment) -> Result<NewEvent, ApiError> {
    let wrong = |error: serde_json::Error| invalid("/detail", format!("This is no `{event_type}`: {error}."));
    let account = caller.account_id.clone();
    let event = match event_type {
        EventType::RunExecuted => {
            NewEvent::run_executed(account, &serde_json::from_value(detail).map_err(wrong)?, at)
        }
        EventType::AuditLog => {
            NewEvent::audit_log(account, &serde_json::from_value(detail).map_err(wrong)?, at)
        }
    }?;
    if event.detail.len() > DETAIL_BYTES_MAX {
        let detail = format!("The detail is longer than {DETAIL_BYTES_MAX} bytes.");
        return Err(invalid("/detail", detail));
    }
    Ok(event)
}
