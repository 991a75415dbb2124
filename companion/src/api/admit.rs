//! Who calls, and what they may: the token of a request is looked up, and handlers take the proof of what it permits.

use aws_local::Guest;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use super::error::ApiError;
use crate::app::{App, Mode};
use crate::caller::{Admin, Admitted, May, Operator, Peer, Power, Read};

/// Admits a request that shows a token, and attaches the proof of it.
pub(super) async fn admit(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
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

/// Whoever may decide on what all accounts share: an operator, or, in `dev`, who holds its token.
pub(super) struct Steward;

impl FromRequestParts<App> for Steward {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        if app.mode == Mode::Dev && matches!(admitted(parts)?, Admitted::Caller(_)) {
            May::<Admin>::from_request_parts(parts, app).await?;
        } else {
            May::<Admin, Operator>::from_request_parts(parts, app).await?;
        }
        Ok(Self)
    }
}

/// Whoever may see what all accounts have together: an operator, or, in `dev`, who holds its token.
pub(super) struct Overseer;

impl FromRequestParts<App> for Overseer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        if app.mode == Mode::Dev && matches!(admitted(parts)?, Admitted::Caller(_)) {
            May::<Read>::from_request_parts(parts, app).await?;
        } else {
            May::<Read, Operator>::from_request_parts(parts, app).await?;
        }
        Ok(Self)
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
