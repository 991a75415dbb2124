//! `POST /_companion/clock/confirm`: an operator says that the machine's clock is right, so that held events are dropped
//! for their age again. Scalr's API has no such path.

use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Json, Router};
use serde::Serialize;

use crate::app::App;
use crate::caller::Caller;
use crate::clock::{Clock, Trust};
use crate::clock_watch;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/clock/confirm", post(confirm))
}

/// Whether held events are dropped for their age, and why not.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Standing {
    /// `confirmed`, `started` or `moved`.
    state: &'static str,
    /// How far the wall clock has moved against the monotonic one.
    moved_seconds: i64,
    explanation: String,
}

impl Standing {
    pub(super) fn of(clock: &Clock) -> Self {
        let trust = clock.trust();
        let (state, moved_ms) = match trust {
            Trust::Confirmed => ("confirmed", 0),
            Trust::Started { .. } => ("started", 0),
            Trust::Moved { by_ms } => ("moved", by_ms),
        };
        Self {
            state,
            moved_seconds: moved_ms / 1000,
            explanation: clock_watch::explain(trust),
        }
    }
}

async fn confirm(State(app): State<App>, _caller: Caller) -> impl IntoResponse {
    app.clock.confirm();
    Json(Standing::of(&app.clock))
}
