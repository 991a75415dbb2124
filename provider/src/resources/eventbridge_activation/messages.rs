//! What users read of an activation.

use scalr_api::{ClientError, Connection as Wire, ConnectionAttributes, ConnectionId, Object, Status};
use tfplugin::{Diagnostic, WaitEnd};

use super::Activation;
use super::scalr::Why;

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
/// What was awaited when the user interrupted a call.
pub(super) const NO_ANSWER: &str = "Scalr had not answered";

pub(super) fn doing_refresh(id: &ConnectionId) -> String {
    format!("refresh the connection `{id}`")
}

/// Awaited, in the log: a refresh that is sent again.
pub(super) fn not_refreshed(id: &ConnectionId, error: &ClientError) -> String {
    format!("the connection `{id}` could not be refreshed: {error}")
}

pub(super) fn gone(id: &str) -> Diagnostic {
    Diagnostic::error(format!("There is no connection `{id}`"))
        .detail("Scalr has no such connection, or the token may not see it. Nothing was changed.")
        .at(Activation::connection_id())
}

/// The step that is missing, for the log.
pub(super) fn awaited(wire: &ConnectionAttributes) -> String {
    let (name, source) = (
        &wire.name,
        wire.event_source.as_deref().unwrap_or("its event source"),
    );
    match &wire.status {
        Status::Pending => format!(
            "connection `{name}` is pending: waiting for an event bus of {source} in AWS account {}, {}",
            wire.aws_account_id, wire.region
        ),
        Status::Failed => format!("connection `{name}` has failed: {}", reason(wire)),
        other => format!("connection `{name}` is {other}: waiting for it to be active"),
    }
}

fn reason(wire: &ConnectionAttributes) -> String {
    let message = wire
        .err_message
        .as_deref()
        .map(|text| text.trim_end_matches('.'))
        .filter(|text| !text.is_empty());
    message.unwrap_or("Scalr gives no reason").to_owned()
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

/// Why the connection is not active, and which step is missing.
pub(super) fn not_active(last: Option<&Object<Wire>>, why: &Why, standing: &str) -> Diagnostic {
    let (until, awaited) = match why {
        Why::Wait(WaitEnd::TimedOut { last }) => ("when the timeout passed", last.as_str()),
        Why::Wait(WaitEnd::Cancelled { last }) => ("when the wait was interrupted", last.as_str()),
        Why::NoBus => (
            "when AWS had shown no event bus of its event source for 15 s, and nothing in this apply makes one",
            NO_ANSWER,
        ),
    };
    let Some(object) = last else {
        return Diagnostic::error("The connection was not refreshed")
            .detail(format!(
                "That was so {until}: {awaited}. {standing} Apply again later."
            ))
            .at(Activation::connection_id());
    };
    let wire = &object.attributes;
    let (missing, next) = match &wire.status {
        Status::Pending => pending(wire),
        Status::Failed => (
            format!("Scalr says that it failed: {}.", reason(wire)),
            "Remove the cause, then apply again.".to_owned(),
        ),
        other => (
            format!("Scalr says that it is `{other}`."),
            "Apply again later.".to_owned(),
        ),
    };
    Diagnostic::error(format!(
        "The connection `{}` is not active but `{}`",
        wire.name, wire.status
    ))
    .detail(format!(
        "That was its status {until}. {missing}\n\n{standing} {next}"
    ))
    .at(Activation::connection_id())
}

fn pending(wire: &ConnectionAttributes) -> (String, String) {
    let source = wire.event_source.as_deref().unwrap_or("(not named yet)");
    let missing = format!(
        "The missing step: the partner event source `{source}` is not associated with an event bus in AWS account {} in {}.",
        wire.aws_account_id, wire.region
    );
    let next = "Associate it with a `scalr_eventbridge_bus` of that name in that account and region, and name the bus's \
                targets in this resource's `depends_on`; then apply again."
        .to_owned();
    (missing, next)
}
