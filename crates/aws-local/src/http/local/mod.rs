//! `/_local/…`: what AWS does not have and tests need.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::edge::Edge;

mod pages;
pub(super) mod stories;
mod story;

use crate::clock::{Millis, read_time};
use crate::fault::Fault;
use crate::ops::{self, Answer};

/// The farthest the clock may be moved in one call: a century.
const ADVANCE_SECONDS_MAX: i64 = 100 * 366 * 24 * 60 * 60;

pub(super) async fn reset(State(edge): State<Arc<Edge>>) -> (StatusCode, Json<Value>) {
    edge.faults.clear();
    edge.calls.clear();
    shown(edge.engine.reset().await.map(|()| json!({ "reset": true })))
}

/// That it answers, which it does only while its state can be read.
pub(super) async fn health(State(edge): State<Arc<Edge>>) -> (StatusCode, Json<Value>) {
    shown(edge.engine.look(|_| json!({ "status": "ok" })).await)
}

pub(super) async fn clock(State(edge): State<Arc<Edge>>) -> Json<Value> {
    Json(time(edge.engine.now()))
}

/// The calls that came, by operation and `User-Agent`.
pub(super) async fn calls(State(edge): State<Arc<Edge>>) -> Json<Value> {
    Json(edge.calls.list())
}

/// The faults, and how many calls they have met.
pub(super) async fn faults(State(edge): State<Arc<Edge>>) -> Json<Value> {
    Json(edge.faults.list())
}

/// Adds a fault.
pub(super) async fn add_fault(State(edge): State<Arc<Edge>>, body: Bytes) -> (StatusCode, Json<Value>) {
    match edge.faults.add(&body, ops::names()) {
        Ok(list) => (StatusCode::OK, Json(list)),
        Err(refused) => {
            let why = refused.to_string();
            (StatusCode::BAD_REQUEST, Json(json!({ "message": why })))
        }
    }
}

/// Removes all faults.
pub(super) async fn clear_faults(State(edge): State<Arc<Edge>>) -> Json<Value> {
    Json(edge.faults.clear())
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveClock {
    advance_seconds: Option<i64>,
    now: Option<Value>,
}

/// Moves the clock forward: `{"advance_seconds": 3600}` or `{"now": "2030-01-01T00:00:00Z"}`.
pub(super) async fn move_clock(State(edge): State<Arc<Edge>>, body: Bytes) -> (StatusCode, Json<Value>) {
    let now = edge.engine.now();
    let wanted: MoveClock = serde_json::from_slice(&body).unwrap_or_default();
    let to = match (wanted.advance_seconds, &wanted.now) {
        (Some(seconds), None) if (0..=ADVANCE_SECONDS_MAX).contains(&seconds) => Some(now + seconds * 1000),
        (None, Some(time)) => {
            read_time(time).filter(|to| (now..now + ADVANCE_SECONDS_MAX * 1000).contains(to))
        }
        _ => None,
    };
    if let Some(to) = to {
        return shown(edge.engine.move_clock(to).await.map(time));
    }
    let why = "Give `advance_seconds` or `now`, not in the past: the clock only goes forward.";
    (StatusCode::BAD_REQUEST, Json(json!({ "message": why })))
}

fn time(now: Millis) -> Value {
    json!({ "now": crate::clock::rfc3339_seconds(now), "epoch_ms": now })
}

/// A refusal of what was asked for.
fn refused(fault: &Fault) -> (StatusCode, Json<Value>) {
    (StatusCode::BAD_REQUEST, Json(json!({ "message": fault.message })))
}

fn shown(answer: Answer) -> (StatusCode, Json<Value>) {
    match answer {
        Ok(value) => (StatusCode::OK, Json(value)),
        Err(fault) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            Json(json!({ "message": fault.message })),
        ),
    }
}
