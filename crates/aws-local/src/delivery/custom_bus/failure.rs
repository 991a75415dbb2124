//! Why a delivery of a subscriber failed, in the terms of the failure record ("Retries and failures" in AWS's guide).

use crate::delivery::miss::Miss;

/// A failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new("CUSTOMER_VALIDATION", message)
    }

    pub(super) fn transformation(message: impl Into<String>) -> Self {
        Self::new("INPUT_TRANSFORMATION_FAILURE", message)
    }

    pub(super) fn no_resource(what: &str) -> Self {
        Self::new("RESOURCE_NOT_FOUND", format!("{what} does not exist"))
    }
}

impl From<Miss> for Failure {
    fn from(miss: Miss) -> Self {
        let code = match &miss {
            Miss::NoPermissions(_) => "ACCESS_DENIED",
            Miss::NoResource(_) => "RESOURCE_NOT_FOUND",
            Miss::BadInput(_) => "INPUT_TRANSFORMATION_FAILURE",
            Miss::TooManyHops => "LOOP_DETECTED",
            Miss::Http(..) | Miss::Status(..) if miss.code() == Miss::THROTTLING => "THROTTLING",
            Miss::Http(..) | Miss::Status(..) => "CUSTOMER_VALIDATION",
        };
        Self::new(code, miss.message())
    }
}
