//! `POST /_companion/clock/confirm`: an operator says that the machine's clock is right, so that held events are dropped
//! for their age again. Scalr's API has no such path.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use scalr_api::ClockStanding;

use super::admit::Steward;
use crate::app::App;
use crate::clock::{Clock, Trust};
use crate::clock_watch;
use crate::routes::Routes;

pub(super) fn routes() -> Routes<App> {
    Routes::new().post("/clock/confirm", confirm)
}

/// Whether held events are dropped for their age, and why not.
pub(super) fn standing(clock: &Clock) -> ClockStanding {
    let trust = clock.trust();
    let (state, moved_ms) = match trust {
        Trust::Confirmed => ("confirmed", 0),
        Trust::Started { .. } => ("started", 0),
        Trust::Moved { by_ms } => ("moved", by_ms),
    };
    ClockStanding {
        state: state.to_owned(),
        moved_seconds: moved_ms / 1000,
        explanation: Some(clock_watch::explain(trust)),
    }
}

async fn confirm(State(app): State<App>, _by: Steward) -> impl IntoResponse {
    app.clock.confirm();
    Json(standing(&app.clock))
}
