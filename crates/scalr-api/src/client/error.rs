//! What can go wrong with a call.

use std::time::Duration;

use crate::ErrorObject;

/// A failed call. `request` is its method and path; no message holds the token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The server answered, and refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No connection: the call was not sent.
    #[error("{request}: no connection to {host}: {}", root(.source))]
    NotSent {
        /// Method and path.
        request: String,
        /// The host.
        host: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The call was sent and no complete answer received: it may have been carried out.
    #[error("{request}: {host} did not answer: {}", root(.source))]
    NoAnswer {
        /// Method and path.
        request: String,
        /// The host.
        host: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The answer is not in the API's form: another server, perhaps.
    #[error("{request}: {host} answered something that Scalr's API would not: {reason}")]
    NotTheApi {
        /// Method and path.
        request: String,
        /// The host.
        host: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The answer says that the call succeeded, and lacks what it must have: whether it was carried out is not known.
    #[error("{request}: {host} answered without what its answer must have: {reason}")]
    Incomplete {
        /// Method and path.
        request: String,
        /// The host.
        host: String,
        /// What is missing.
        reason: String,
    },
    /// Cancelled by the caller, perhaps while the call was in flight.
    #[error("{request}: stopped on request")]
    Stopped {
        /// Method and path.
        request: String,
    },
    /// The last attempt failed without effect, but an earlier one was not answered and may have been carried out.
    #[error("{0}; an earlier try of this call was not answered")]
    Unsure(#[source] Box<ClientError>),
    /// TLS cannot be set up on this machine.
    #[error("TLS cannot be set up: {}", root(.0))]
    Tls(#[source] reqwest::Error),
    /// The request itself cannot be written.
    #[error("the request cannot be written as JSON: {0}")]
    Unwritable(#[source] serde_json::Error),
}

/// The server's refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Method and path.
    pub request: String,
    /// The host.
    pub host: String,
    /// The HTTP status.
    pub status: u16,
    /// The errors; empty when the answer was not in the API's error form.
    pub errors: Vec<ErrorObject>,
    /// The `Retry-After` of the answer.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// Whether the API says that the object is gone. A bare 404 from whatever answers at that host does not say so.
    pub fn is_gone(&self) -> bool {
        self.status == 404 && !self.errors.is_empty()
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} answered {}", self.request, self.host, self.status)?;
        let mut separator = ": ";
        for message in self.errors.iter().filter_map(ErrorObject::message) {
            write!(f, "{separator}{message}")?;
            separator = "; ";
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

impl ClientError {
    /// The refusal, if the server answered with one.
    pub fn refusal(&self) -> Option<&Refusal> {
        if let Self::Refused(refusal) = self {
            Some(refusal)
        } else {
            None
        }
    }

    /// Whether a retry may succeed.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Refused(refusal) => matches!(refusal.status, 429 | 500 | 502..=504),
            Self::NotSent { .. } | Self::NoAnswer { .. } | Self::Incomplete { .. } => true,
            _ => false,
        }
    }

    /// Whether the server may have carried the call out despite the error. A GET changes nothing.
    pub fn may_be_done(&self) -> bool {
        let changes = |request: &str| !request.starts_with("GET ");
        match self {
            Self::Refused(refusal) => refusal.status >= 500 && changes(&refusal.request),
            Self::NoAnswer { request, .. }
            | Self::NotTheApi { request, .. }
            | Self::Incomplete { request, .. }
            | Self::Stopped { request } => changes(request),
            Self::Unsure(_) => true,
            Self::NotSent { .. } | Self::Tls(_) | Self::Unwritable(_) => false,
        }
    }
}

/// The innermost cause, which is the one that people understand ("connection refused").
fn root(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "timed out".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
