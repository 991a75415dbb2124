//! `POST /events/v1/run-executed` and `/events/v1/audit-logs`: events that other systems report; `GET /schemas`: what they look like.
//!
//! A body is one event, or with `application/x-ndjson` one a line: all are accepted, or none. It is answered once the commit is
//! done, with how many connections receive each. An event is known by its id within account and type: sent again, it gets the
//! first answer; with another body, it is refused.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use scalr_api::{AccountId, ConnectionId};
use scalr_events::{EventType, check_detail, path_name, schema_text};
use serde_json::{Value, json};

use super::error::ApiError;
use super::form::bytes;
use crate::app::App;
use crate::caller::{Caller, Intake, May};
use crate::clock::Moment;
use crate::delivery::DETAIL_BYTES_MAX;
use crate::routes::Routes;
use crate::store::{Accepted, NewEvent, StoreError, Tx, outbox};
use crate::token::Digest;
use crate::traces::{self, Call};

/// Lines of one body.
const LINES_MAX: usize = 1000;
/// Deliveries that one body causes: its transaction keeps every other write waiting.
const DELIVERIES_MAX: usize = 20_000;
/// Media types of a body with one event a line.
const LINES: [&str; 3] = ["application/x-ndjson", "application/ndjson", "application/jsonl"];
const SCHEMA: &str = "application/schema+json";
const BOTH: [EventType; 2] = [EventType::RunExecuted, EventType::AuditLog];

pub(super) fn routes() -> Routes<App> {
    Routes::new()
        .post("/run-executed", run_executed)
        .post("/audit-logs", audit_logs)
}

/// What needs no token.
pub(super) fn schemas() -> Router<App> {
    Router::new()
        .route("/schemas", get(list))
        .route("/schemas/{name}", get(schema))
}

async fn list() -> impl IntoResponse {
    let named = BOTH.map(|one| (one.as_str().to_owned(), json!(schema_path(one))));
    Json(Value::Object(named.into_iter().collect()))
}

fn schema_path(event_type: EventType) -> String {
    format!("/schemas/{}.json", path_name(event_type))
}

async fn schema(Path(name): Path<String>) -> Result<impl IntoResponse, ApiError> {
    let found = BOTH
        .into_iter()
        .find(|one| name.strip_suffix(".json") == Some(path_name(*one)));
    let found = found.ok_or(ApiError::NoRoute)?;
    Ok(([(CONTENT_TYPE, SCHEMA)], schema_text(found)))
}

async fn run_executed(State(app): State<App>, caller: May<Intake>, request: Request) -> Response {
    take(&app, &caller, EventType::RunExecuted, request).await
}

async fn audit_logs(State(app): State<App>, caller: May<Intake>, request: Request) -> Response {
    take(&app, &caller, EventType::AuditLog, request).await
}

async fn take(app: &App, caller: &May<Intake>, event_type: EventType, request: Request) -> Response {
    let traceparent = request.headers().get("traceparent");
    let call = Call::begin(traceparent.and_then(|value| value.to_str().ok()));
    let accepted = traces::within(call.as_ref(), take_events(app, caller, event_type, request)).await;
    let (events, answer) = match accepted {
        Ok((events, deliveries)) => {
            let body = json!({ "events": &events, "deliveries": deliveries });
            (events.len(), (StatusCode::ACCEPTED, Json(body)).into_response())
        }
        Err(error) => (0, error.into_response()),
    };
    if let Some(call) = call {
        let route = match event_type {
            EventType::RunExecuted => "/events/v1/run-executed",
            EventType::AuditLog => "/events/v1/audit-logs",
        };
        call.end(
            route,
            caller.account_id.as_str(),
            (answer.status().as_u16(), events),
        );
    }
    answer
}

/// Accepts the events of a call; the answer of each, and the deliveries of all.
async fn take_events(
    app: &App,
    caller: &May<Intake>,
    event_type: EventType,
    request: Request,
) -> Result<(Vec<Value>, u64), ApiError> {
    let _place = app.intakes.enter(&caller.account_id).ok_or(ApiError::Busy)?;
    let media_type = request.headers().get(CONTENT_TYPE);
    let media_type = media_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_owned();
    let has_lines = LINES.iter().any(|one| media_type.eq_ignore_ascii_case(one));
    let body = bytes(request, app).await?;
    let at = app.clock.look();
    let events = if has_lines {
        lines(&body, |place, line| event(caller, event_type, place, line, at))?
    } else {
        vec![event(caller, event_type, Place(None), &body, at)?]
    };
    let mut tx = app.store.begin().await?;
    let receivers = outbox::receivers(&mut tx, &caller.account_id, event_type).await?;
    check_deliveries(events.len(), receivers.len())?;
    let of = (&caller.account_id, event_type);
    let answers = accept(&mut tx, of, &receivers, &events).await?;
    tx.commit().await?;
    let total: u64 = answers
        .iter()
        .filter_map(|one| one.get("deliveries").and_then(Value::as_u64))
        .sum();
    Ok((answers, total))
}

/// Refuses a body whose events are too many for so many connections.
fn check_deliveries(events: usize, receivers: usize) -> Result<(), ApiError> {
    if events.saturating_mul(receivers) <= DELIVERIES_MAX {
        return Ok(());
    }
    let most = DELIVERIES_MAX / receivers.max(1);
    let detail = format!(
        "{receivers} connections receive each of the {events} events, and one body causes at most {DELIVERIES_MAX} deliveries: \
         send at most {most} events in one."
    );
    Err(Place(None).body(StatusCode::PAYLOAD_TOO_LARGE, &detail))
}

/// The line that an event stands on, from 0; none where it is the whole body.
#[derive(Clone, Copy, Debug)]
struct Place(Option<usize>);

impl Place {
    fn pointer(self, within: &str) -> String {
        self.0.map_or_else(String::new, |at| format!("/{at}")) + within
    }

    /// The beginning of a sentence about what is wrong there.
    fn in_words(self) -> String {
        self.0.map_or_else(String::new, |at| format!("Line {}: ", at + 1))
    }

    fn invalid(self, within: &str, detail: &str) -> ApiError {
        ApiError::Invalid {
            pointer: self.pointer(within),
            detail: format!("{}{detail} Nothing was accepted.", self.in_words()),
        }
    }

    fn body(self, status: StatusCode, detail: &str) -> ApiError {
        ApiError::Body(
            status,
            format!("{}{detail} Nothing was accepted.", self.in_words()),
        )
    }
}

/// The events of a body with one a line; empty lines count, and are none.
fn lines(
    body: &[u8],
    mut event: impl FnMut(Place, &[u8]) -> Result<(Place, Reported), ApiError>,
) -> Result<Vec<(Place, Reported)>, ApiError> {
    let mut events = vec![];
    for (at, line) in body.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if events.len() == LINES_MAX {
            let detail = format!("A body has at most {LINES_MAX} events: send the others in a further one.");
            return Err(Place(None).body(StatusCode::PAYLOAD_TOO_LARGE, &detail));
        }
        events.push(event(Place(Some(at)), line)?);
    }
    if events.is_empty() {
        return Err(Place(None).body(StatusCode::BAD_REQUEST, "The body has no event."));
    }
    Ok(events)
}

/// An event that was reported, and the digest of what was sent.
#[derive(Debug)]
struct Reported {
    event: NewEvent,
    digest: Digest,
}

impl std::ops::Deref for Reported {
    type Target = NewEvent;

    fn deref(&self) -> &NewEvent {
        &self.event
    }
}

/// The event in a body or a line. What is stored and sent is what was reported, also members that this version does not know.
fn event(
    caller: &Caller,
    event_type: EventType,
    place: Place,
    text: &[u8],
    at: Moment,
) -> Result<(Place, Reported), ApiError> {
    let detail: Value = serde_json::from_slice(text).map_err(|error| {
        let hint = if place.0.is_none() && error.to_string().starts_with("trailing") {
            " Several events are sent with the content type `application/x-ndjson`."
        } else {
            ""
        };
        place.body(
            StatusCode::BAD_REQUEST,
            &format!("This is not JSON: {error}.{hint}"),
        )
    })?;
    check_detail(event_type, &detail).map_err(|wrong| {
        let schema = schema_path(event_type);
        place.invalid(
            &wrong.pointer,
            &format!("{} `{schema}` says what a {event_type} has.", wrong.detail),
        )
    })?;
    let text = detail.to_string();
    if text.len() > DETAIL_BYTES_MAX {
        let detail =
            format!("This event has more than {DETAIL_BYTES_MAX} bytes, which no call to EventBridge takes.");
        return Err(place.body(StatusCode::PAYLOAD_TOO_LARGE, &detail));
    }
    let account = caller.account_id.clone();
    let wrong = |error: serde_json::Error| place.invalid("", &format!("This is no {event_type}: {error}."));
    let made = match event_type {
        EventType::RunExecuted => {
            NewEvent::run_executed(account, &serde_json::from_value(detail).map_err(wrong)?, at)
        }
        EventType::AuditLog => {
            NewEvent::audit_log(account, &serde_json::from_value(detail).map_err(wrong)?, at)
        }
    };
    let made = made.map_err(ApiError::from)?;
    let digest = Digest::of(&text);
    let event = NewEvent { detail: text, ..made };
    Ok((place, Reported { event, digest }))
}

/// Accepts the events that were not accepted before; the answer of each, with how many connections receive it.
async fn accept(
    tx: &mut Tx,
    (account, event_type): (&AccountId, EventType),
    receivers: &[ConnectionId],
    events: &[(Place, Reported)],
) -> Result<Vec<Value>, ApiError> {
    let ids: Vec<&str> = events.iter().map(|(_, event)| event.event_id.as_str()).collect();
    let mut known = tx.accepted((account, event_type), &ids).await?;
    let deliveries =
        u64::try_from(receivers.len()).map_err(|error| StoreError::Unreadable(error.to_string()))?;
    let (mut new, mut answers) = (vec![], Vec::with_capacity(events.len()));
    for (place, event) in events {
        let deliveries = match known.get(&event.event_id) {
            Some(before) if before.digest.is(&event.digest) => before.deliveries,
            Some(_) => return Err(conflict(*place, event)),
            None => {
                let accepted = Accepted {
                    digest: event.digest,
                    deliveries,
                };
                // A second line with this key is the same event.
                known.insert(event.event_id.clone(), accepted);
                new.push(event);
                deliveries
            }
        };
        answers.push(json!({ "event-id": event.event_id, "deliveries": deliveries }));
    }
    // An event without a receiver may be sent again once there is one.
    if deliveries > 0
        && let Some(first) = new.first()
    {
        let keys: Vec<_> = new
            .iter()
            .map(|one| (one.event_id.as_str(), &one.digest))
            .collect();
        tx.note_accepted((account, event_type), (&keys, deliveries), first.at.now_ms)
            .await?;
        let new: Vec<&NewEvent> = new.iter().map(|one| &one.event).collect();
        outbox::accept_for(tx, receivers, &new).await?;
    }
    Ok(answers)
}

fn conflict(place: Place, event: &Reported) -> ApiError {
    let id = event.event_id.escape_debug();
    ApiError::Conflict {
        pointer: place.pointer(match event.event_type {
            EventType::RunExecuted => "/event/run-id",
            EventType::AuditLog => "/request/id",
        }),
        detail: format!(
            "{}The {} `{id}` was accepted before with another body. Nothing was accepted.",
            place.in_words(),
            event.event_type
        ),
    }
}
