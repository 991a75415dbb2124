//! Why a target did not get an event, in the terms of a dead letter.

/// The reason of a failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Miss {
    NoPermissions(String),
    NoResource(String),
    /// The payload is not what the target takes.
    BadInput(String),
    /// An HTTP request without an answer, or one that was not sent: a code and a message.
    Http(&'static str, String),
    /// An HTTP request was answered with a status that is none of success.
    Status(u16, String),
    /// The event has passed as many buses as it may.
    TooManyHops,
}

/// `ERROR_CODE` of a dead letter, by the status of an answer.
fn code_of(status: u16) -> &'static str {
    match status {
        401 | 403 | 407 => "NO_PERMISSIONS",
        404 | 410 => "NO_RESOURCE",
        429 => Miss::THROTTLING,
        400..=499 => "SDK_CLIENT_ERROR",
        _ => "SERVER_ERROR",
    }
}

impl Miss {
    /// The code of a target, or of a queue for it, that takes no more for now.
    pub(crate) const THROTTLING: &'static str = "THROTTLING";

    /// `ERROR_CODE` of a dead letter.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::NoPermissions(_) => "NO_PERMISSIONS",
            Self::NoResource(_) => "NO_RESOURCE",
            Self::BadInput(_) => "INVALID_JSON",
            Self::Http(code, _) => code,
            Self::Status(status, _) => code_of(*status),
            Self::TooManyHops => "NOT_SENT",
        }
    }

    /// `ERROR_MESSAGE` of a dead letter.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::NoPermissions(why)
            | Self::NoResource(why)
            | Self::BadInput(why)
            | Self::Http(_, why)
            | Self::Status(_, why) => why,
            Self::TooManyHops => "an event that came from another bus is not sent on to a third",
        }
    }

    /// The status of the answer, where there was one.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Status(status, _) => Some(*status),
            _ => None,
        }
    }
}
