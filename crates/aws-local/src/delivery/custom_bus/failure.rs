//! Why a delivery of a subscriber failed, in the terms of the failure record ("Retries and failures" in AWS's guide).

use crate::delivery::miss::Miss;

/// The code of an expression that fails.
const TRANSFORMATION: &str = "INPUT_TRANSFORMATION_FAILURE";

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

    pub(super) fn is_transformation(&self) -> bool {
        self.code == TRANSFORMATION
    }

    pub(super) fn transformation(message: impl Into<String>) -> Self {
        Self::new(TRANSFORMATION, message)
    }

    pub(super) fn no_resource(what: &str) -> Self {
        Self::new("RESOURCE_NOT_FOUND", format!("{what} does not exist"))
    }

    pub(super) fn throttled(message: impl Into<String>) -> Self {
        Self::new("THROTTLING", message)
    }
}

/// The code of an answer that is none of success. Which code AWS gives a status is not known.
fn code_of(status: u16) -> &'static str {
    match status {
        401 | 403 | 407 => "ACCESS_DENIED",
        404 | 410 => "RESOURCE_NOT_FOUND",
        408 | 504 => "EXECUTION_TIMEOUT",
        409 => "RESOURCE_CONFLICT",
        413 => "REQUEST_TOO_LARGE",
        429 => "THROTTLING",
        500..=599 => "COMPUTE_EXECUTION_ERROR",
        _ => "CUSTOMER_VALIDATION",
    }
}

impl From<Miss> for Failure {
    fn from(miss: Miss) -> Self {
        let code = match &miss {
            Miss::NoPermissions(_) => "ACCESS_DENIED",
            Miss::NoResource(_) => "RESOURCE_NOT_FOUND",
            Miss::BadInput(_) => TRANSFORMATION,
            Miss::TooManyHops => "LOOP_DETECTED",
            Miss::Status(status, _) => code_of(*status),
            Miss::Http(code, _) => match *code {
                Miss::THROTTLING => "THROTTLING",
                "TIMEOUT" => "EXECUTION_TIMEOUT",
                "CONNECTION_FAILURE" => "INVOCATION_DEPENDENCY_INTERNAL",
                _ => "CUSTOMER_VALIDATION",
            },
        };
        Self::new(code, miss.message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_http_has_a_code_of_the_record() {
        for (miss, code) in [
            (Miss::Status(403, String::new()), "ACCESS_DENIED"),
            (Miss::Status(404, String::new()), "RESOURCE_NOT_FOUND"),
            (Miss::Status(400, String::new()), "CUSTOMER_VALIDATION"),
            (Miss::Status(302, String::new()), "CUSTOMER_VALIDATION"),
            (Miss::Status(413, String::new()), "REQUEST_TOO_LARGE"),
            (Miss::Status(429, String::new()), "THROTTLING"),
            (Miss::Status(503, String::new()), "COMPUTE_EXECUTION_ERROR"),
            (Miss::Http("TIMEOUT", String::new()), "EXECUTION_TIMEOUT"),
            (Miss::NoPermissions(String::new()), "ACCESS_DENIED"),
        ] {
            assert_eq!(Failure::from(miss.clone()).code, code, "{miss:?}");
        }
    }
}
