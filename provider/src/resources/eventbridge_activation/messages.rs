//! What users read of an activation.

use scalr_api::{Connection as Wire, Object};
use tfplugin::Diagnostic;

use super::Activation;
use crate::resources::refreshing::Wording;

/// What to do in place of resuming a paused connection.
pub(super) const LEAVE_IT_OUT: &str = "leave the activation out while it is to stay paused";
pub(super) const PLAN_AGAIN: &str = "plan again, and the activation is left alone while it is paused";
/// How the targets come before the events that are held.
pub(super) const DEPEND_ON_THE_TARGETS: &str = "Name the targets in `depends_on` of this resource, so that they are there \
                                                before the connection is active: \
                                                `depends_on = [scalr_eventbridge_target.NAME]`.";
/// The state where the connection did not become active.
pub(super) const NOT_RECORDED: &str = "No activation was recorded, and the connection is as it was.";
pub(super) const STAYS: &str = "The activation stays, and the next plan refreshes again.";

/// How it is said that the connection did not become active.
pub(super) fn not_active(standing: &'static str) -> Wording {
    Wording {
        at: Activation::connection_id().into(),
        standing,
        again: "apply again",
        targets_first: ", and name the bus's targets in this resource's `depends_on`",
    }
}

pub(super) fn gone(id: &str) -> Diagnostic {
    Diagnostic::error(format!("There is no connection `{id}`"))
        .detail("Scalr has no such connection, or the token may not see it. Nothing was changed.")
        .at(Activation::connection_id())
}

pub(super) fn paused(object: &Object<Wire>, instead: &str) -> Diagnostic {
    let name = &object.attributes.name;
    Diagnostic::error(format!("The connection `{name}` is paused"))
        .detail(format!(
            "The connection `{}` is `disabled`, and an activation never resumes a paused connection. Nothing was \
             changed.\n\nSet `enabled = true` on the `scalr_eventbridge_connection` to resume it, or {instead}.",
            object.id
        ))
        .at(Activation::connection_id())
}
