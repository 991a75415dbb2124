//! Scalr's API, as far as the integration needs it. One file an endpoint family: its wire form and its routes.
//!
//! Nothing but service discovery and `/healthz` answers without a token. Every body is bounded. Every changing call is audited
//! in the transaction of its change.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! answer                                                         the body of an answer
//! error                                                          refusals, as JSON:API errors
//! form host page                                                 the body of a request; its Host; the query of a list
//! accounts access_tokens audit_log_setting connections environments  one endpoint family a file
//! clock faults health                                            the same, for operators: the machine's clock, calls that go wrong, whether it answers
//! runs workspaces deliveries discovery events                    the same; the last three are not in Scalr's JSON:API
//! ```

mod access_tokens;
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
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::request::Parts;
use axum::middleware::{self, Next};
use axum::response::Response;
use scalr_api::BASE_PATH;

use crate::app::App;
use crate::caller::{Admitted, May, Operator, Peer, Power};
use crate::routes::Routes;

pub(crate) use error::{ApiError, turned};

/// Longest body that is read.
const BODY_BYTES_MAX: usize = 512 * 1024;
/// What answers with a token alone.
fn routes() -> Routes<App> {
    let v3 = Routes::new()
        .merge(accounts::routes())
        .merge(audit_log_setting::routes())
        .merge(connections::routes())
        .merge(environments::routes())
        .merge(runs::routes())
        .merge(workspaces::routes());
    let own = Routes::new()
        .merge(access_tokens::routes())
        .merge(accounts::own_routes())
        .merge(clock::routes())
        .merge(deliveries::routes())
        .merge(events::routes())
        .merge(faults::routes())
        .merge(runs::own_routes());
    Routes::new()
        .nest(BASE_PATH.trim_end_matches('/'), v3)
        .nest("/_companion", own)
}

/// The whole API.
pub(crate) fn router(app: App) -> Router {
    routes()
        .into_router()
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

/// Admits a request that shows a token, and attaches the proof of it.
async fn admit(State(app): State<App>, mut request: Request, next: Next) -> Result<Response, ApiError> {
    // A request is not shared with what is awaited.
    let (token, user_agent) = shown(request.headers()).ok_or(ApiError::NoToken)?;
    let peer = request.extensions().get::<ConnectInfo<Peer>>();
    let peer = peer.map(|ConnectInfo(peer)| *peer);
    let admitted = app.admit(&token, peer, &user_agent).await?;
    let admitted = admitted.map_err(ApiError::Turned)?;
    if let Some(guest) = request.extensions().get::<Guest>() {
        guest.is_right();
    }
    request.extensions_mut().insert(admitted);
    Ok(next.run(request).await)
}

/// The token that was sent, and what sent it.
fn shown(headers: &HeaderMap) -> Option<(String, String)> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let token = header(AUTHORIZATION).and_then(bearer)?;
    let user_agent = header(USER_AGENT).unwrap_or_default();
    Some((token.to_owned(), user_agent.to_owned()))
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn admitted(parts: &Parts) -> Result<Admitted, ApiError> {
    let admitted = parts.extensions.get::<Admitted>();
    admitted.cloned().ok_or(ApiError::NoToken)
}

impl<S: Send + Sync, P: Power> FromRequestParts<S> for May<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match admitted(parts)? {
            Admitted::Caller(caller) => Ok(caller.may()?),
            Admitted::Operator(_) => Err(ApiError::NotAllowed(
                "The token that was sent is an operator's, which opens no account. `scalr-eventbridge tokens create --account` \
                 makes one that does."
                    .to_owned(),
            )),
        }
    }
}

impl<S: Send + Sync, P: Power> FromRequestParts<S> for May<P, Operator> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match admitted(parts)? {
            Admitted::Operator(operator) => Ok(operator.may()?),
            Admitted::Caller(_) => Err(ApiError::NotAllowed(
                "This takes an operator's token; the one that was sent opens an account.".to_owned(),
            )),
        }
    }
}
