//! What the service refuses, with the status that its model gives each error.

use crate::fault::Fault;

pub(super) fn invalid(why: impl Into<String>) -> Fault {
    Fault::new("InvalidInputException", why)
}

/// What AWS has and the local one does not.
pub(super) fn not_here(what: &str) -> Fault {
    invalid(format!("{what}: not in the local AWS; nothing was done."))
}

pub(super) fn denied() -> Fault {
    with(403, "AccessDeniedException", "Access denied.")
}

pub(super) fn missing(what: &str, arn: &str) -> Fault {
    with(
        404,
        "ResourceNotFoundException",
        format!("{what} {arn} does not exist."),
    )
}

pub(super) fn exists(what: &str, name: &str) -> Fault {
    with(
        409,
        "ResourceAlreadyExistsException",
        format!("{what} {name} already exists."),
    )
}

pub(super) fn in_use(why: impl Into<String>) -> Fault {
    with(409, "ResourceInUseException", why)
}

pub(super) fn state(why: impl Into<String>) -> Fault {
    with(409, "InvalidStateException", why)
}

pub(super) fn concurrent(why: impl Into<String>) -> Fault {
    with(409, "ConcurrentModificationException", why)
}

pub(super) fn mismatch() -> Fault {
    let why = "The client token was used before, with other parameters.";
    with(409, "IdempotentParameterMismatchException", why)
}

pub(super) fn conflict(why: impl Into<String>) -> Fault {
    with(409, "ConflictException", why)
}

pub(super) fn limit(why: impl Into<String>) -> Fault {
    with(400, "LimitExceededException", why)
}

pub(super) fn with(status: u16, code: &'static str, why: impl Into<String>) -> Fault {
    Fault {
        status,
        ..Fault::new(code, why)
    }
}
