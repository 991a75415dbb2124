//! Why a target did not get an event, in the terms of a dead letter.

/// The reason of a failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Miss {
    NoPermissions(String),
    NoResource(String),
    /// The payload is not what the target takes.
    BadInput(String),
    /// The other side of an HTTP request: its own code and message.
    Http(&'static str, String),
}

impl Miss {
    /// `ERROR_CODE` of a dead letter.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::NoPermissions(_) => "NO_PERMISSIONS",
            Self::NoResource(_) => "NO_RESOURCE",
            Self::BadInput(_) => "INVALID_JSON",
            Self::Http(code, _) => code,
        }
    }

    /// `ERROR_MESSAGE` of a dead letter.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::NoPermissions(why) | Self::NoResource(why) | Self::BadInput(why) | Self::Http(_, why) => {
                why
            }
        }
    }
}
