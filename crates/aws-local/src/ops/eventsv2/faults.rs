//! What the service refuses, with the status that its model gives each error.

use crate::fault::Fault;
use crate::model::Service;

pub(super) fn invalid(why: impl Into<String>) -> Fault {
    Fault::new("InvalidInputException", why)
}

/// What AWS has and the local one does not.
pub(super) fn not_here(what: &str) -> Fault {
    invalid(format!("{what}: not in the local AWS; nothing was done."))
}

pub(super) fn denied() -> Fault {
    with("AccessDeniedException", "Access denied.")
}

pub(super) fn missing(what: &str, arn: &str) -> Fault {
    with(
        "ResourceNotFoundException",
        format!("{what} {arn} does not exist."),
    )
}

pub(super) fn exists(what: &str, name: &str) -> Fault {
    with(
        "ResourceAlreadyExistsException",
        format!("{what} {name} already exists."),
    )
}

pub(super) fn in_use(why: impl Into<String>) -> Fault {
    with("ResourceInUseException", why)
}

pub(super) fn state(why: impl Into<String>) -> Fault {
    with("InvalidStateException", why)
}

pub(super) fn concurrent(why: impl Into<String>) -> Fault {
    with("ConcurrentModificationException", why)
}

pub(super) fn mismatch() -> Fault {
    let why = "The client token was used before, with other parameters.";
    with("IdempotentParameterMismatchException", why)
}

pub(super) fn conflict(why: impl Into<String>) -> Fault {
    with("ConflictException", why)
}

pub(super) fn limit(why: impl Into<String>) -> Fault {
    with("LimitExceededException", why)
}

pub(super) fn with(code: &'static str, why: impl Into<String>) -> Fault {
    let fault = Fault::new(code, why);
    let status = Service::EventsV2.model().status_of(code);
    Fault {
        status: status.unwrap_or(fault.status),
        ..fault
    }
}
