//! Scalr's API, as far as the integration needs it. One file an endpoint family: its wire form and its routes.
//!
//! Nothing but service discovery, health and `/schemas` answers without a token. Every body is bounded. Every changing call is audited
//! in the transaction of its change.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! answer                                                         the body of an answer
//! error                                                          refusals, as JSON:API errors
//! admit form host page                                           who calls; the body of a request; its Host; the query of a list
//! accounts access_tokens audit_log_setting connections environments  one endpoint family a file
//! clock faults health                                            the same, for operators: the machine's clock, calls that go wrong, whether it answers
//! own_tokens runs workspaces deliveries discovery events intake  the same; the last four are not in Scalr's JSON:API
//! ```

mod access_tokens;
mod accounts;
mod admit;
mod answer;
pub(crate) mod audit_log_setting;
mod clock;
pub(crate) mod connections;
pub(crate) mod deliveries;
mod discovery;
mod environments;
mod error;
mod events;
mod faults;
pub(crate) mod form;
mod health;
mod host;
mod intake;
mod own_tokens;
mod page;
pub(crate) mod runs;
#[cfg(test)]
mod tests;
mod workspaces;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use scalr_api::BASE_PATH;

use crate::app::{App, Mode};
use crate::routes::Routes;

pub(crate) use error::{ApiError, turned};

/// Longest body that is read.
const BODY_BYTES_MAX: usize = 512 * 1024;
/// What answers with a token alone.
fn routes(mode: Mode) -> Routes<App> {
    let v3 = Routes::new()
        .merge(accounts::routes())
        .merge(audit_log_setting::routes())
        .merge(connections::routes())
        .merge(environments::routes())
        .merge(own_tokens::routes())
        .merge(runs::routes())
        .merge(workspaces::routes());
    let own = Routes::new()
        .merge(access_tokens::routes())
        .merge(accounts::own_routes())
        .merge(clock::routes())
        .merge(deliveries::routes())
        .merge(events::routes())
        .merge(runs::own_routes());
    // A fault is for whoever calls: no account of a service may make the calls of another go wrong.
    let own = match mode {
        Mode::Dev => own.merge(faults::routes()),
        Mode::Service { .. } => own,
    };
    Routes::new()
        .nest(BASE_PATH.trim_end_matches('/'), v3)
        .nest("/_companion", own)
        .nest("/events/v1", intake::routes())
}

/// Health and figures, without a token.
pub(crate) fn open_router(app: App) -> Router {
    health::routes()
        .merge(health::open_figures())
        .fallback(|| async { ApiError::NoRoute })
        .layer(middleware::from_fn(host::check))
        .with_state(app)
}

/// The whole API.
pub(crate) fn router(app: App) -> Router {
    routes(app.mode)
        .into_router()
        .fallback(|| async { ApiError::NoRoute })
        .method_not_allowed_fallback(|| async { ApiError::NoMethod })
        .layer(middleware::from_fn_with_state(app.clone(), faults::meet))
        // No fault that a trial asks for hides what is watched.
        .merge(health::figures().into_router())
        .layer(middleware::from_fn_with_state(app.clone(), admit::admit))
        .merge(health::routes())
        .merge(intake::schemas())
        .merge(discovery::routes().layer(middleware::from_fn_with_state(app.clone(), faults::meet)))
        .layer(middleware::from_fn(host::check))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(app)
}
