//! Scalr's API, as far as the integration needs it. One file an endpoint family: its wire form and its routes.
//!
//! Nothing answers without the token but service discovery. Every body is bounded. Every changing call is audited
//! in the transaction of its change.

mod accounts;
mod audit_log_setting;
mod connections;
mod deliveries;
mod discovery;
mod environments;
mod error;
mod events;
mod form;
mod page;
mod runs;
#[cfg(test)]
mod tests;
mod workspaces;

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::request::Parts;
use axum::middleware::{self, Next};
use axum::response::Response;
use scalr_api::{AccountId, BASE_PATH};

use crate::app::App;
use error::ApiError;
pub(crate) use events::{Emit, Emitted};

/// Longest body that is read.
const BODY_BYTES_MAX: usize = 512 * 1024;
/// Longest `User-Agent` that is repeated in an audit log.
const USER_AGENT_CHARS_MAX: usize = 256;

/// Where a request came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// The proof that somebody showed the token, and whose it is. Handlers that need an account take one.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) account_id: AccountId,
    pub(crate) account_name: String,
    pub(crate) ip_address: String,
    pub(crate) user_agent: String,
    pub(crate) token_end: String,
}

/// The whole API.
pub(crate) fn router(app: App) -> Router {
    let v3 = Router::new()
        .merge(accounts::routes())
        .merge(audit_log_setting::routes())
        .merge(connections::routes())
        .merge(environments::routes())
        .merge(runs::routes())
        .merge(workspaces::routes());
    let own = Router::new().merge(deliveries::routes()).merge(events::routes());
    Router::new()
        .nest(BASE_PATH.trim_end_matches('/'), v3)
        .nest("/_companion", own)
        .fallback(|| async { ApiError::NoRoute })
        .method_not_allowed_fallback(|| async { ApiError::NoMethod })
        .layer(middleware::from_fn_with_state(app.clone(), admit))
        .merge(discovery::routes())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(app)
}

/// Lets a request in that shows the token, with the proof of it.
async fn admit(State(app): State<App>, mut request: Request, next: Next) -> Result<Response, ApiError> {
    let caller = caller(&app, &request)?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

fn caller(app: &App, request: &Request) -> Result<Caller, ApiError> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let token = header(AUTHORIZATION).and_then(bearer).ok_or(ApiError::NoToken)?;
    if !app.owner.token.is(token) {
        return Err(ApiError::WrongToken);
    }
    let peer = request.extensions().get::<ConnectInfo<Peer>>();
    Ok(Caller {
        account_id: app.owner.account_id.clone(),
        account_name: app.owner.account_name.clone(),
        ip_address: peer
            .map(|ConnectInfo(Peer(addr))| addr.ip().to_string())
            .unwrap_or_default(),
        user_agent: header(USER_AGENT)
            .unwrap_or_default()
            .chars()
            .take(USER_AGENT_CHARS_MAX)
            .collect(),
        token_end: app.owner.token.end(),
    })
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
