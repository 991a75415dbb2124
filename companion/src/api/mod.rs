//! Scalr's API, as far as the integration needs it. One file an endpoint family: its wire form and its routes.
//!
//! Nothing but service discovery and `/healthz` answers without the token. Every body is bounded. Every changing call is audited
//! in the transaction of its change.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! answer                                                         the body of an answer
//! error                                                          refusals, as JSON:API errors
//! form host page                                                 the body of a request; its Host; the query of a list
//! accounts audit_log_setting connections environments            one endpoint family a file
//! clock faults health                                            the same, for operators: the machine's clock, calls that go wrong, whether it answers
//! runs workspaces deliveries discovery events                    the same; the last three are not in Scalr's JSON:API
//! ```

mod accounts;
mod answer;
pub(crate) mod audit_log_setting;
mod clock;
pub(crate) mod connections;
mod deliveries;
mod discovery;
mod environments;
mod error;
mod events;
mod faults;
pub(crate) mod form;
mod health;
mod host;
mod page;
pub(crate) mod runs;
#[cfg(test)]
mod tests;
mod workspaces;

use aws_local::Guest;
use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::request::Parts;
use axum::middleware::{self, Next};
use axum::response::Response;
use scalr_api::BASE_PATH;

use crate::app::App;
use crate::caller::{Caller, Peer};

pub(crate) use error::ApiError;

/// Longest body that is read.
const BODY_BYTES_MAX: usize = 512 * 1024;
/// The whole API.
pub(crate) fn router(app: App) -> Router {
    let v3 = Router::new()
        .merge(accounts::routes())
        .merge(audit_log_setting::routes())
        .merge(connections::routes())
        .merge(environments::routes())
        .merge(runs::routes())
        .merge(workspaces::routes());
    let own = Router::new()
        .merge(clock::routes())
        .merge(deliveries::routes())
        .merge(events::routes())
        .merge(faults::routes())
        .merge(runs::own_routes());
    Router::new()
        .nest(BASE_PATH.trim_end_matches('/'), v3)
        .nest("/_companion", own)
        .fallback(|| async { ApiError::NoRoute })
        .method_not_allowed_fallback(|| async { ApiError::NoMethod })
        .layer(middleware::from_fn_with_state(app.clone(), faults::meet))
        .layer(middleware::from_fn_with_state(app.clone(), admit))
        .merge(health::routes())
        .merge(discovery::routes().layer(middleware::from_fn_with_state(app.clone(), faults::meet)))
        .layer(middleware::from_fn(host::check))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(app)
}

/// Admits a request that shows the token, and attaches the proof of it.
async fn admit(State(app): State<App>, mut request: Request, next: Next) -> Result<Response, ApiError> {
    let caller = caller(&app, &request)?;
    if let Some(guest) = request.extensions().get::<Guest>() {
        guest.is_right();
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

fn caller(app: &App, request: &Request) -> Result<Caller, ApiError> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let token = header(AUTHORIZATION).and_then(bearer).ok_or(ApiError::NoToken)?;
    let peer = request.extensions().get::<ConnectInfo<Peer>>();
    let peer = peer.map(|ConnectInfo(peer)| *peer);
    let user_agent = header(USER_AGENT).unwrap_or_default();
    app.owner
        .admit(token, peer, user_agent)
        .ok_or(ApiError::WrongToken)
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or(ApiError::NoToken)
    }
}
