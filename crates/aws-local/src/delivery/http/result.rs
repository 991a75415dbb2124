//! How a request ended, and whether another attempt may end better.

use serde::{Deserialize, Serialize};

use crate::delivery::miss::Miss;

/// How a request ended. Its serialised form is part of the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HttpResult {
    Status {
        status: u16,
        retry_after_seconds: Option<i64>,
    },
    /// The authorization endpoint gave no token.
    NoToken { status: u16 },
    /// No response, and why.
    Unreached { timed_out: bool, why: String },
    /// Not sent: the host is not allowed.
    Refused { why: String },
}

/// Whether a status may be another one at a retry.
fn is_transient(status: u16) -> bool {
    matches!(status, 401 | 407 | 409 | 429 | 500..=599)
}

/// A failure is final, or may be retried after at least so many seconds.
pub(in crate::delivery) fn judge(result: &HttpResult) -> Result<(), (Miss, Option<i64>)> {
    match result {
        HttpResult::Status {
            status: 200..=299, ..
        } => Ok(()),
        HttpResult::Status {
            status,
            retry_after_seconds,
        } => {
            let why = format!("the endpoint answered with status {status}");
            let again = is_transient(*status).then(|| retry_after_seconds.unwrap_or(0));
            Err((Miss::Status(*status, why), again))
        }
        HttpResult::NoToken { status } => {
            let why = format!("the authorization endpoint answered with status {status}");
            Err((Miss::Status(*status, why), is_transient(*status).then_some(0)))
        }
        HttpResult::Unreached { timed_out, why } => {
            let code = if *timed_out {
                "TIMEOUT"
            } else {
                "CONNECTION_FAILURE"
            };
            Err((Miss::Http(code, why.clone()), Some(0)))
        }
        HttpResult::Refused { why } => Err((Miss::NoPermissions(why.clone()), None)),
    }
}
