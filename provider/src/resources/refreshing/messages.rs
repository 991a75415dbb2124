//! What users read of a connection that is refreshed.

use scalr_api::{ClientError, Connection as Wire, ConnectionAttributes, ConnectionId, Object, Status};
use tfplugin::{Diagnostic, Path, WaitEnd};

use super::Why;
use crate::failure::{Standing, UNCHANGED};

/// What was awaited when the user interrupted a call.
pub(super) const NO_ANSWER: &str = "Scalr had not answered";

/// What differs between those who refresh.
#[derive(Clone, Debug)]
pub struct Wording {
    /// The attribute that names the connection.
    pub at: Path,
    /// The state of things, in a sentence.
    pub standing: &'static str,
    /// How the user has it refreshed again: "apply again".
    pub again: &'static str,
    /// How the targets come first, as the end of a sentence.
    pub targets_first: &'static str,
}

pub(super) fn doing_refresh(id: &ConnectionId) -> String {
    format!("refresh the connection `{id}`")
}

/// The state of things after a refresh that failed.
pub(super) fn looked_or_not() -> Standing {
    Standing::new(
        UNCHANGED,
        "Whether Scalr looked at the event source is not known; another refresh does no harm.",
    )
}

/// Awaited, in the log: a refresh that is sent again.
pub(super) fn not_refreshed(id: &ConnectionId, error: &ClientError) -> String {
    format!("the connection `{id}` could not be refreshed: {error}")
}

/// The step that is missing, as progress.
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

/// Why the connection is not active, and which step is missing.
pub fn not_active(last: Option<&Object<Wire>>, why: &Why, wording: &Wording) -> Diagnostic {
    let (standing, again) = (wording.standing, wording.again);
    let (until, awaited) = match why {
        Why::Wait(WaitEnd::TimedOut { last }) => ("when the timeout passed", last.as_str()),
        Why::Wait(WaitEnd::Cancelled { last }) => ("when the wait was interrupted", last.as_str()),
        Why::NoBus => (
            "when AWS had shown no event bus of its event source for 15 s, and nothing in this apply makes one",
            NO_ANSWER,
        ),
        Why::Once => ("when it had been refreshed once", NO_ANSWER),
    };
    let Some(object) = last else {
        return Diagnostic::error("The connection was not refreshed")
            .detail(format!(
                "That was so {until}: {awaited}. {standing} {} later.",
                capital(again)
            ))
            .at(wording.at.clone());
    };
    let wire = &object.attributes;
    let (missing, next) = match &wire.status {
        Status::Pending => pending(wire, wording),
        Status::Failed => (
            format!("Scalr says that it failed: {}.", reason(wire)),
            format!("Remove the cause, then {again}."),
        ),
        other => (
            format!("Scalr says that it is `{other}`."),
            format!("{} later.", capital(again)),
        ),
    };
    Diagnostic::error(format!(
        "The connection `{}` is not active but `{}`",
        wire.name, wire.status
    ))
    .detail(format!(
        "That was its status {until}. {missing}\n\n{standing} {next}"
    ))
    .at(wording.at.clone())
}

/// As the beginning of a sentence.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn pending(wire: &ConnectionAttributes, wording: &Wording) -> (String, String) {
    let source = wire.event_source.as_deref().unwrap_or("(not named yet)");
    let missing = format!(
        "The missing step: the partner event source `{source}` is not associated with an event bus in AWS account {} in {}.",
        wire.aws_account_id, wire.region
    );
    let next = format!(
        "Associate it with a `scalr_eventbridge_bus` of that name in that account and region{}; or have a `scalr_eventbridge_event_source` \
         lead it to a custom event bus. Then {}.",
        wording.targets_first, wording.again
    );
    (missing, next)
}
