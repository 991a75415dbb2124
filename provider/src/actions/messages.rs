//! What users read of the actions.

use scalr_api::{Connection, ConnectionId, DeliveryState, Host, Object, Status};
use tfplugin::{Diagnostic, Path};

use crate::failure::Standing;
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
        standing: "The refresh changed nothing but the status.",
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

/// How many deliveries were sent again, and how they had ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replayed {
    pub(super) count: u64,
    pub(super) state: DeliveryState,
}

impl Replayed {
    /// As in "3 failed deliveries".
    fn words(self) -> String {
        let noun = if self.count == 1 { "delivery" } else { "deliveries" };
        format!("{} {} {noun}", self.count, self.state.as_str())
    }

    /// The state of things, in a paragraph: what was done before this, and what a repetition does.
    fn so_far(self) -> String {
        if self.count == 0 {
            return "Nothing was sent again.".to_owned();
        }
        let again = match self.state {
            DeliveryState::Delivered => {
                "Another invocation with the same range would send those once more: narrow `accepted_from` and `accepted_before`, or name \
                 `event_ids`."
            }
            _ => "They are no longer failed: another invocation continues with the rest.",
        };
        let were = if self.count == 1 { "was" } else { "were" };
        format!(
            "Before that, {} {were} put among what is sent. {again}",
            self.words()
        )
    }
}

/// A connection as messages name it.
fn named(object: &Object<Connection>) -> String {
    format!("the connection `{}` (`{}`)", object.attributes.name, object.id)
}

/// A replay of delivered events that names no range.
pub(super) fn which(at: impl Into<Path>) -> Diagnostic {
    Diagnostic::error("Say which delivered events to send again")
        .detail(
            "With `state = \"delivered\"` the whole history would be sent again, and arrive once more everywhere. Set `accepted_from` to the \
             time from which, or `event_ids` to those that are meant.",
        )
        .at(at)
}

/// The connection does not stream.
pub(super) fn not_replayed(object: &Object<Connection>, at: impl Into<Path>) -> Diagnostic {
    let status = &object.attributes.status;
    let next = match status {
        Status::Pending => {
            "Its event source at AWS has no event bus, or its status was not refreshed since. Associate the source with a bus \
             (`scalr_eventbridge_bus`), refresh the connection (`scalr_eventbridge_activation`, or the action `scalr_eventbridge_refresh`), \
             and invoke the action again."
        }
        Status::Disabled => {
            "It is paused. Set `enabled = true` on its `scalr_eventbridge_connection`, apply, and invoke the action again."
        }
        _ => {
            "The data source `scalr_eventbridge_connection` has the reason as `error_message`. Once the connection is active, invoke the \
             action again."
        }
    };
    Diagnostic::error(format!(
        "The connection `{}` is not active",
        object.attributes.name
    ))
    .detail(format!(
        "{} is `{status}`, and would hold what is sent again. Nothing was sent again.\n\n{next}",
        uppercase(&named(object)),
    ))
    .at(at)
}

/// The connection was paused, or its event source lost its bus, while there was no room.
pub(super) fn stopped_meanwhile(
    object: &Object<Connection>,
    so_far: Replayed,
    at: impl Into<Path>,
) -> Diagnostic {
    Diagnostic::error(format!("The connection `{}` is active no more", object.attributes.name))
        .detail(format!(
            "{} holds as much as it may, so there was no room for what is sent again, and now it is `{}`. {}\n\nMake it active, and invoke the \
             action again.",
            uppercase(&named(object)),
            object.attributes.status,
            so_far.so_far()
        ))
        .at(at)
}

/// There is no room, as progress.
pub(super) fn no_room(object: &Object<Connection>) -> String {
    format!(
        "{} holds as much as it may: waiting for it to deliver",
        named(object)
    )
}

/// A step is done, as progress.
pub(super) fn replayed_so_far(object: &Object<Connection>, so_far: Replayed) -> String {
    format!(
        "{} of {} are to be sent again so far",
        so_far.words(),
        named(object)
    )
}

/// All is done, as progress.
pub(super) fn replayed(object: &Object<Connection>, total: Replayed) -> String {
    if total.count == 0 {
        return format!(
            "{} has no such {} delivery: nothing is sent again",
            named(object),
            total.state.as_str()
        );
    }
    format!(
        "{} of {} are to be sent again, after what it holds for their workspaces",
        total.words(),
        named(object)
    )
}

/// An event that was named has no such delivery.
pub(super) fn nothing_of(
    event: &str,
    object: &Object<Connection>,
    so_far: Replayed,
    at: impl Into<Path>,
) -> Diagnostic {
    let state = so_far.state.as_str();
    Diagnostic::error(format!("There is no {state} delivery of the event `{event}`"))
        .detail(format!(
            "{} has no {state} delivery of it: it may be held, in another state, or older than the history. {}\n\n`scalr-eventbridge \
             deliveries show` tells where an event is. Leave it out, or correct `state`.",
            uppercase(&named(object)),
            so_far.so_far()
        ))
        .at(at)
}

/// The time is over, or the user has interrupted.
pub(super) fn replay_ended(object: &Object<Connection>, so_far: Replayed, at: impl Into<Path>) -> Diagnostic {
    Diagnostic::error("Not all events were sent again")
        .detail(format!(
            "The time was over, or the action was interrupted, before all of {} was done. {}\n\nInvoke the action again, with a longer \
             `timeouts` where that was too short.",
            named(object),
            so_far.so_far()
        ))
        .at(at)
}

pub(super) fn doing_replay(object: &Object<Connection>) -> String {
    format!("send deliveries of {} again", named(object))
}

/// The state of things after a step that failed.
pub(super) fn replay_standing(so_far: Replayed) -> Standing {
    Standing::new(
        so_far.so_far(),
        format!(
            "Whether the last step, of up to 200 deliveries, was done is not known. {}",
            so_far.so_far()
        ),
    )
}

/// The server has the connection and sends nothing again.
pub(super) fn replays_nothing(object: &Object<Connection>, host: &Host, at: impl Into<Path>) -> Diagnostic {
    Diagnostic::error("This server sends no events again")
        .detail(format!(
            "`{host}` has {}, and no call that sends its events again: `scalr-eventbridge` has one, and Scalr's own API documents none. \
             Nothing was changed.\n\nA custom event bus can replay what it has kept: see `scalr_eventbridge_custom_bus`. On a Classic \
             event bus, an archive at AWS can.",
            named(object)
        ))
        .at(at)
}

/// The text as the beginning of a sentence.
fn uppercase(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
