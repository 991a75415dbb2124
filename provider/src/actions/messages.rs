//! What users read of the actions.

use scalr_api::{Connection, ConnectionId, Object};
use tfplugin::{Diagnostic, Path};

use crate::resources::refreshing::Wording;

/// How the targets come before the events that are held.
pub(super) const AFTER_THE_TARGETS: &str = "Invoke the action once the targets are there: in `action_trigger` of a \
                                            `scalr_eventbridge_target`, or by `-invoke` after the apply that makes them.";
/// After an event that did not arrive.
pub(super) const SEND_AGAIN: &str = "Nothing was changed. Invoke the action again to send another event.";

/// The status of a connection, as progress.
pub(super) fn status(object: &Object<Connection>) -> String {
    let wire = &object.attributes;
    format!(
        "the connection `{}` (`{}`) is {}",
        wire.name, object.id, wire.status
    )
}

/// How it is said that the connection did not become active.
pub(super) fn not_active(at: impl Into<Path>) -> Wording {
    Wording {
        at: at.into(),
        standing: "The connection is as it was.",
        again: "invoke the action again",
        targets_first: ", with the rules and targets that its events are for",
    }
}

pub(super) fn paused(object: &Object<Connection>, at: impl Into<Path>) -> Diagnostic {
    Diagnostic::error(format!("The connection `{}` is paused", object.attributes.name))
        .detail(format!(
            "The connection `{}` is `disabled`, and the call that refreshes would resume it. It was not refreshed, and nothing \
             was changed.\n\nSet `enabled = true` on its `scalr_eventbridge_connection` to resume it.",
            object.id
        ))
        .at(at)
}

pub(super) fn no_connection(id: &ConnectionId, at: impl Into<Path>) -> Diagnostic {
    Diagnostic::error(format!("There is no connection `{id}`"))
        .detail("Scalr has no such EventBridge connection, or the token may not see it. Nothing was changed.")
        .at(at)
}
