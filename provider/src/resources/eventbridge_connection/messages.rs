//! What users read of a connection.

use scalr_api::{Connection as Wire, ConnectionId, Object, Status};
use tfplugin::{Diagnostic, MoveRefused, Resource as _};

use super::Connection;
use super::plan::Wanted;
use crate::failure::import_block;
use crate::ownership::Conflict;

/// The state where Scalr may have made the connection, and does not list it.
pub(super) const NOT_THERE_YET: &str = "Whether Scalr made the connection is not known; it shows none at present. Apply again: \
                                        if it is there then, the message says how to import it.";
/// The state where a new connection was to be paused.
pub(super) const NOT_PAUSED: &str = "The connection exists, and is not paused. The next plan shows that.";
/// Why the event source has no name yet.
pub(super) const NOT_NAMED_IN_TIME: &str = "Scalr did not name it within the `create` timeout.";
pub(super) const INTERRUPTED: &str = "The wait for it was interrupted.";
pub(super) const NOT_ASKED: &str = "Scalr could not be asked for it.";

/// How the targets come before the events that are held.
pub(super) const TARGETS_FIRST: &str = "Apply the rules and their targets while the connection is paused, then set \
                                        `enabled = true`.";

/// What the state has for an id belongs to something else.
pub(super) fn id_to_move(id: &str, why: &str) -> MoveRefused {
    MoveRefused::new(format!("The id in its state, `{id}`, {why}."))
}

/// What failed is named by what was being done.
pub(super) mod doing {
    pub(in super::super) fn create(name: &str) -> String {
        format!("create the connection `{name}`")
    }

    pub(in super::super) fn pause(name: &str) -> String {
        format!("pause the connection `{name}`")
    }

    pub(in super::super) fn resume(name: &str) -> String {
        format!("resume the connection `{name}`")
    }

    pub(in super::super) fn delete(name: &str) -> String {
        format!("delete the connection `{name}`")
    }
}

/// Another connection has the AWS account and region.
pub(super) fn taken(plan: &Wanted<'_>, holder: &Object<Wire>) -> Diagnostic {
    Diagnostic::error(format!(
        "AWS account {} has a connection in {} already",
        plan.account, plan.region
    ))
    .detail(format!(
        "Scalr keeps one EventBridge connection for each AWS account and region, and {} holds this place. Nothing was \
         created.\n\nIf another workspace manages it, do not import it, so that no two states have it: read it with `data \
         \"scalr_eventbridge_connection\"`. {}\n\nIf another resource of this configuration has had it, write a `moved` block; if that one \
         is being replaced, remove `create_before_destroy` from it and from what depends on it.",
        described(holder),
        how_to_import(plan, holder)
    ))
    .at(Connection::aws_account_id())
}

/// Another connection of this plan leads to the same AWS account and region: its name, where that is known.
pub(super) fn planned_twice(
    conflict: Conflict,
    (account, region): (&str, &str),
    first: Option<&str>,
) -> Diagnostic {
    let first = first.map_or_else(
        || "one whose name is not known yet".to_owned(),
        |name| format!("one with `name = \"{name}\"`"),
    );
    let how = match conflict {
        Conflict::BothMake => format!("Two resources of this configuration make it: this one, and {first}."),
        Conflict::OneHasIt => format!(
            "This resource and {first} are to have it; one of the two has it in the state and keeps it, the other one makes it."
        ),
    };
    Diagnostic::error(format!("AWS account {account} is to have two connections in {region}"))
        .detail(format!(
            "{how} Scalr keeps one EventBridge connection for each AWS account and region, so the apply would fail on the second. Nothing was \
             changed.\n\nRemove one of the two: a bus can have rules for each consumer, and a custom event bus subscribers. Or give one of them \
             another `aws_account_id` or `region`. If one is the other under a new address, write a `moved` block."
        ))
        .at(Connection::aws_account_id())
}

/// [`taken`], with a plan that has seen no connection of the state.
pub(super) fn may_be_taken(plan: &Wanted<'_>, holder: &Object<Wire>) -> Diagnostic {
    Diagnostic::warning(format!(
        "AWS account {} has a connection in {} already",
        plan.account, plan.region
    ))
    .detail(format!(
        "Scalr keeps one EventBridge connection for each AWS account and region, and {} holds this place. Unless this plan replaces that one \
         (it is tainted, and the plan was made with `-refresh=false`), the apply will fail.\n\nIf another workspace manages it, do not import \
         it, so that no two states have it: read it with `data \"scalr_eventbridge_connection\"`. {}",
        described(holder),
        how_to_import(plan, holder)
    ))
    .at(Connection::aws_account_id())
}

/// With the plan: another connection has the name, and so the name of the event source.
pub(super) fn same_name(plan: &Wanted<'_>, holder: &Object<Wire>) -> Diagnostic {
    let wire = &holder.attributes;
    Diagnostic::warning(format!("A connection `{}` in {} exists already", wire.name, wire.region))
        .detail(format!(
            "It is {} and leads to AWS account {}, this one is to lead to {}. Both would have the event source of one name; Scalr may refuse \
             the second. Choose another `name`.",
            described(holder),
            wire.aws_account_id,
            plan.account
        ))
        .at(Connection::name())
}

/// The state where the answer was lost, and a connection is there.
pub(super) fn there_now(plan: &Wanted<'_>, holder: &Object<Wire>) -> String {
    format!(
        "Scalr has a connection for this AWS account and region now: {}, perhaps made by this very call. {}",
        described(holder),
        how_to_import(plan, holder)
    )
}

fn described(object: &Object<Wire>) -> String {
    format!(
        "`{}` (`{}`, {})",
        object.id, object.attributes.name, object.attributes.status
    )
}

fn how_to_import(plan: &Wanted<'_>, object: &Object<Wire>) -> String {
    let held = &object.attributes.name;
    let renamed = match plan.name {
        Some(name) if held != name => format!(
            "\n\nWrite `name = \"{held}\"` with it: a connection's name cannot be changed. With `name = \"{name}\"` the plan would \
             replace the connection, and its event source, with which the bus is associated, would go."
        ),
        _ => String::new(),
    };
    format!(
        "To manage it with this resource, apply again with this block:\n\n{}{renamed}",
        import_block(Connection::NAME, &[held], &object.id)
    )
}

/// Scalr answers with another status than it was asked for.
pub(super) fn not_enabled(name: &str, enabled: bool, status: &Status) -> Diagnostic {
    let asked = if enabled { "resume" } else { "pause" };
    Diagnostic::error(format!("Scalr did not {asked} the connection `{name}`"))
        .detail(format!(
            "Scalr took the call and answers that the connection is `{status}`. The next plan shows it as it is then."
        ))
        .at(Connection::enabled())
}

/// Awaited, in the log.
pub(super) fn awaited(name: &str, id: &ConnectionId) -> String {
    format!("connection `{name}` ({id}): waiting for Scalr to name its event source")
}

pub(super) fn not_paused_yet(object: &Object<Wire>) -> String {
    let wire = &object.attributes;
    format!(
        "connection `{}` is `{}`: waiting for the pause",
        wire.name, wire.status
    )
}

pub(super) fn not_active_yet(object: &Object<Wire>) -> String {
    let wire = &object.attributes;
    format!(
        "connection `{}` is `{}`, and its event source has a bus: waiting for it to be active",
        wire.name, wire.status
    )
}

pub(super) fn no_name_yet(object: &Object<Wire>, why: &str) -> Diagnostic {
    Diagnostic::warning(format!(
        "The event source of connection `{}` has no name yet",
        object.attributes.name
    ))
    .detail(format!(
        "{why} The connection `{}` exists and is kept; the next plan reads the name of its event source, and what depends \
         on it continues from there.",
        object.id
    ))
}

/// The connection has failed.
pub(super) fn failed(object: &Object<Wire>) -> Diagnostic {
    let wire = &object.attributes;
    let said = wire.err_message.as_deref().filter(|text| !text.is_empty());
    let said = said.map_or("Scalr gives no reason.".to_owned(), |text| {
        format!("Scalr says: {}.", text.trim_end_matches('.'))
    });
    Diagnostic::warning(format!("The connection `{}` has failed", wire.name)).detail(format!(
        "{said} No event reaches AWS account {} in {} through `{}`.\n\nWhen the cause is removed, the \
         `scalr_eventbridge_activation` of this connection has Scalr look again on the next apply.",
        wire.aws_account_id, wire.region, object.id
    ))
}

pub(super) fn gone(id: &ConnectionId) -> Diagnostic {
    Diagnostic::error(format!("The connection `{id}` is gone")).detail(
        "Scalr has no such connection any more; someone may have deleted it. The next plan creates it again.",
    )
}
