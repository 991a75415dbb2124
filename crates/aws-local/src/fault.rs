//! Refusals: AWS's error code, message and HTTP status.

use std::borrow::Cow;

use crate::model::{Problems, Service};

/// A refusal, in AWS's vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// `ResourceNotFoundException` and the like: what SDKs match on.
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) status: u16,
}

impl Fault {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            status: 400,
        }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    /// The logs service's code for bad input.
    pub(crate) fn parameter(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new("ResourceNotFoundException", message)
    }

    pub(crate) fn exists(message: impl Into<String>) -> Self {
        Self::new("ResourceAlreadyExistsException", message)
    }

    pub(crate) fn state(message: impl Into<String>) -> Self {
        Self::new("InvalidStateException", message)
    }

    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::new("LimitExceededException", message)
    }

    /// What the events service says of every quota.
    pub(crate) fn quota() -> Self {
        Self::limit("The requested resource exceeds the maximum number allowed.")
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self {
            code: "InternalFailure".into(),
            message: message.into(),
            status: 500,
        }
    }

    /// A request that violates the service's model; each service has its own code for that.
    pub(crate) fn model(service: Service, problems: Problems) -> Self {
        match problems {
            Problems::Unreadable(why) => Self::new("SerializationException", why),
            Problems::Invalid { why, missing } => match (service, missing) {
                (Service::Logs, _) => Self::parameter(why),
                (Service::Sqs, Some(name)) => Self::new(
                    "MissingParameter",
                    format!("The request must contain the parameter {name}."),
                ),
                (Service::Sts | Service::Sns | Service::Iam, _) => Self::new("ValidationError", why),
                (Service::EventsV2, _) => Self::new("InvalidInputException", why),
                (Service::Events | Service::Sqs, _) => Self::validation(why),
            },
        }
    }

    /// An operation that is not implemented here, whether AWS has it or not.
    pub(crate) fn unknown(service: Service, operation: &str) -> Self {
        let message = if service.model().knows(operation) {
            format!(
                "The local AWS does not have the operation `{operation}`. It is known to AWS; nothing was done."
            )
        } else {
            format!("There is no operation `{operation}`.")
        };
        Self::new("UnknownOperationException", message)
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::new("SerializationException", error.to_string())
    }
}
