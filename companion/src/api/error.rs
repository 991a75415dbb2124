//! Refusals, as JSON:API errors.

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use scalr_api::{ErrorDocument, ErrorObject};
use tokio::task::JoinError;

use super::answer::Answer;
use crate::app::Turned;
use crate::caller::Lacks;
use crate::panics;
use crate::store::StoreError;

/// Why a call is refused.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// No token was sent.
    NoToken,
    /// The token that was sent admits nobody.
    Turned(Turned),
    /// The token that was sent does not permit this; what would.
    NotAllowed(String),
    /// The Host header is not a host with or without a port, or there are several.
    Host,
    /// Runs are not made up here.
    NoSimulatedRuns,
    /// Events for trials are not taken here.
    NoTrialEvents,
    /// No route has this path.
    NoRoute,
    /// The route does not take this method.
    NoMethod,
    /// As many calls are under way as may be.
    Busy,
    /// Such as `connection in-1`.
    NotFound(String),
    /// A query parameter is wrong.
    Parameter { name: String, detail: String },
    /// The body is not JSON, too long or too late.
    Body(StatusCode, String),
    /// A part of the body is wrong.
    Invalid { pointer: String, detail: String },
    /// The request conflicts with what is stored.
    Conflict { pointer: String, detail: String },
    /// The store failed; nothing was accepted.
    Store(StoreError),
    /// The call panicked: it may or may not have taken effect.
    Panicked(JoinError),
}

impl ApiError {
    /// An attribute is wrong.
    pub(crate) fn attribute(name: &str, detail: impl Into<String>) -> Self {
        Self::Invalid {
            pointer: format!("/data/attributes/{name}"),
            detail: detail.into(),
        }
    }

    /// Logs what the caller does not read.
    pub(crate) fn log(&self) {
        match self {
            Self::Store(error) => {
                tracing::error!(error = error as &dyn std::error::Error, "a call cannot be stored");
            }
            Self::Panicked(error) => tracing::error!(error = panics::describe(error), "a call panicked"),
            _ => {}
        }
    }

    /// What the caller reads.
    pub(crate) fn object(&self) -> ErrorObject {
        let simple = |status, title: &str, detail: &str| ErrorObject::new(status, title, detail);
        match self {
            Self::NoToken => simple(
                401,
                "Unauthorized",
                "No token was sent. Send it as `Authorization: Bearer TOKEN`.",
            )
            .with_code("unauthorized"),
            Self::Turned(why) => simple(401, "Unauthorized", turned(*why)).with_code("unauthorized"),
            Self::Busy => simple(
                429,
                "Too many calls at a time",
                "As many calls of this account are under way as may be, so nothing was accepted. Repeat the call in a second.",
            )
            .with_code("busy"),
            Self::NoSimulatedRuns => simple(
                409,
                "No simulated runs",
                "No run was started: this service starts none that is made up. Runs of Scalr's own cause events; for trials, start \
                 `scalr-eventbridge serve` with `--simulate-runs`, and leave delivery checks, which start a run, out until then.",
            )
            .with_code("no-simulated-runs"),
            Self::NoTrialEvents => simple(
                409,
                "No trial events",
                "No event was accepted: `POST /_companion/events` is for trials with `scalr-eventbridge dev`. This service takes events \
                 at `POST /events/v1/run-executed` and `POST /events/v1/audit-logs`, whose body is the event's detail alone.",
            )
            .with_code("no-trial-events"),
            Self::NotAllowed(detail) => simple(403, "Forbidden", detail).with_code("forbidden"),
            Self::Host => simple(
                400,
                "Invalid host",
                "A request has one Host header, with a host and perhaps a port.",
            )
            .with_code("invalid-host"),
            Self::NoRoute => {
                simple(404, "Not found", "There is nothing under this path.").with_code("no-route")
            }
            Self::NoMethod => simple(405, "Method not allowed", "This path does not take this method."),
            Self::NotFound(what) => simple(404, "Not found", &format!("There is no {what} in this account."))
                .with_code("not-found"),
            Self::Parameter { name, detail } => {
                let mut error = simple(400, "Invalid parameter", detail).with_code("invalid-parameter");
                error.source.get_or_insert_default().parameter = Some(name.clone());
                error
            }
            Self::Body(status, detail) => {
                simple(status.as_u16(), "Invalid body", detail).with_code("invalid-body")
            }
            Self::Invalid { pointer, detail } => simple(422, "Invalid input", detail)
                .with_code("invalid")
                .at(pointer.clone()),
            Self::Conflict { pointer, detail } => simple(409, "Conflict", detail)
                .with_code("conflict")
                .at(pointer.clone()),
            Self::Store(_) => simple(
                503,
                "Not accepted",
                "The companion's database failed, so nothing was accepted. Its log says why.",
            )
            .with_code("store"),
            Self::Panicked(_) => simple(
                500,
                "Internal error",
                "The companion failed during this call, which may have taken effect: check that first. Its log says why.",
            )
            .with_code("broken"),
        }
    }
}

/// Why a token admits nobody, and what to do.
pub(crate) const fn turned(why: Turned) -> &'static str {
    match why {
        Turned::Unknown => {
            "The token that was sent is not this companion's: it is in the line that `scalr-eventbridge dev` prints, or \
             what `scalr-eventbridge tokens create` has printed."
        }
        Turned::Revoked => {
            "The token that was sent is revoked. Ask an operator for another: `scalr-eventbridge tokens create` makes one."
        }
        Turned::Expired => {
            "The token that was sent has expired. Make another with a token of the account (`POST access-tokens`, or the ephemeral \
             resource `scalr_access_token`), or ask an operator: `scalr-eventbridge tokens create` makes one."
        }
        Turned::Disabled => {
            "The account of the token that was sent is disabled. An operator enables it with `scalr-eventbridge accounts enable`."
        }
    }
}

impl From<Lacks> for ApiError {
    fn from(Lacks(scope): Lacks) -> Self {
        let scope = scope.as_str();
        Self::NotAllowed(format!(
            "This takes a token with the scope `{scope}`, which the one that was sent has not. `scalr-eventbridge tokens create \
             --scope {scope}` makes one."
        ))
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<scalr_api::InvalidId> for ApiError {
    fn from(error: scalr_api::InvalidId) -> Self {
        Self::Store(StoreError::Unreadable(error.to_string()))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        let object = self.object();
        let status = object.status.as_deref().and_then(|text| text.parse().ok());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = Answer(status, ErrorDocument::from(object)).into_response();
        if matches!(self, Self::Busy) {
            answer
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        answer
    }
}
