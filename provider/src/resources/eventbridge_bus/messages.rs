//! What users read of a bus.

use aws_sdk_eventbridge::types::EventSourceState;
use scalr_api::ConnectionAttributes;
use tfplugin::{Diagnostic, Diagnostics, MoveRefused, Resource as _};

use super::Bus;
use super::in_use::InUse;
use super::missing::MissingSource;
use crate::aws::{Error, Regional};
use crate::failure::{Cause as _, Standing, UNCHANGED, import_block};
use crate::resources::messages;

/// How many of the account's event sources a message names at most.
const SOURCES_SHOWN_MAX: usize = 5;
pub(super) const MAY_BE_THERE: &str =
    "The bus may be there now; if it is, the next apply says how to adopt or import it.";

/// What failed is named by what was being done.
pub(super) mod doing {
    pub(in super::super) fn make(name: &str) -> String {
        format!("make the event bus `{name}`")
    }

    pub(in super::super) fn adopt(name: &str) -> String {
        format!("bring the event bus `{name}` to what is configured")
    }

    pub(in super::super) fn read(name: &str) -> String {
        format!("read the event bus `{name}`")
    }

    pub(in super::super) fn read_tags(name: &str) -> String {
        format!("read the tags of the event bus `{name}`")
    }

    pub(in super::super) fn change(name: &str) -> String {
        format!("change the event bus `{name}`")
    }

    pub(in super::super) fn tag(name: &str) -> String {
        format!("tag the event bus `{name}`")
    }

    pub(in super::super) fn delete(name: &str) -> String {
        format!("delete the event bus `{name}`")
    }

    pub(in super::super) fn look_for_source(name: &str) -> String {
        format!("look for the event source `{name}`")
    }

    pub(in super::super) fn read_source(name: &str) -> String {
        format!("read the event source `{name}`")
    }

    pub(in super::super) fn associate(name: &str) -> String {
        format!("associate the event source `{name}` with its bus")
    }
}

pub(super) fn not_made(name: &str, error: &Error) -> Diagnostics {
    error.during_with(doing::make(name), &Standing::new(UNCHANGED, MAY_BE_THERE))
}

pub(super) fn after_tagging() -> Standing {
    Standing::of::<Error>().and("The bus's other settings are as configured.")
}

pub(super) fn after_deleting() -> Standing {
    Standing::new(
        "The bus is still there.",
        "Whether the bus was deleted is not known; the next plan shows it.",
    )
}

pub(super) async fn nothing_to_import(name: &str, aws: &Regional) -> Diagnostic {
    let what = format!("event bus `{name}`");
    messages::nothing_to_import(&what, &aws.account_in_words().await, &aws.name)
}

/// The bus is there and was not to be adopted.
pub(super) fn exists(name: &str, region: &str, state: &EventSourceState) -> Diagnostic {
    let left_over = if *state == EventSourceState::Pending {
        " It belonged to an earlier connection of the same name: AWS does not associate it with the new event source by \
         itself, so the connection stays pending. An apply after it is adopted or imported associates it."
    } else {
        ""
    };
    Diagnostic::error(format!("The event bus `{name}` exists already")).detail(format!(
        "It is in {region}, and this resource was to make it; it was left as it is.{left_over} Either set \
         `adopt_existing = true`, which adopts it and gives it the settings written here, or import it with\n\n{}\n\nIf \
         the bus is being replaced, `create_before_destroy` (which Terraform passes on from a rule to its bus) cannot work: there \
         is one bus of a name. Apply again, without it if this comes back.",
        import_block(Bus::NAME, &[messages::short_bus(name)], format_args!("{name}@{region}"))
    ))
}

/// With the plan: AWS does not have the source that the bus is for.
pub(super) fn no_source(missing: &MissingSource) -> Diagnostic {
    let MissingSource { name, place, .. } = missing;
    let left = if missing.is_deleted {
        "AWS shows only what is left of an earlier one there (DELETED)."
    } else {
        "AWS has none of this name there."
    };
    let meant = match (&missing.near, missing.others.as_slice()) {
        (Some(near), _) => format!(" Did you mean `{near}`?"),
        (None, []) => String::new(),
        (None, others) => {
            let (shown, rest) = others.split_at(others.len().min(SOURCES_SHOWN_MAX));
            let rest = if rest.is_empty() { "" } else { ", and others" };
            format!(" Scalr's event sources there are `{}`{rest}.", shown.join("`, `"))
        }
    };
    let connection = match missing.is_of_connection {
        Some(true) => {
            " Scalr has its connection: AWS removes a source that no bus was associated with for two weeks, and the connection has to be \
             made again then."
        }
        Some(false) => " Scalr has no connection of it, and no resource of this plan makes one.",
        None => " No resource of this plan makes its connection.",
    };
    Diagnostic::warning(format!("There is no event source `{name}` for this `scalr_eventbridge_bus`")).detail(format!(
        "This looked in {place}. {left}{meant}{connection}\n\nThe apply waits for the source as long as `timeouts` says, and fails if \
         it does not come. Where something makes the connection in the same apply, refer to it, so that it is made first: \
         `event_source_name = scalr_eventbridge_connection.NAME.event_source_name`."
    ))
}

pub(super) fn not_of_a_partner(name: &str, why: &str) -> Diagnostic {
    Diagnostic::error(format!("The event bus `{name}` is not one of a partner")).detail(format!(
        "Its name {why}. This resource manages buses of partner event sources only. Nothing was imported."
    ))
}

/// There is no resource here for a bus without an event source.
pub(super) fn not_of_a_partner_to_move(name: &str) -> MoveRefused {
    MoveRefused::new(format!(
        "The event bus `{name}` is not that of a partner event source, and a `scalr_eventbridge_bus` is nothing else."
    ))
    .instead(
        "Remove the `moved` block and leave the bus as `aws_cloudwatch_event_bus`. Rules and targets on it can be \
         `scalr_eventbridge_rule` and `scalr_eventbridge_target` nevertheless.",
    )
}

/// The bus is adopted, and something of its settings failed.
pub(super) fn not_as_configured(name: &str, failure: &Diagnostic) -> Diagnostic {
    Diagnostic::warning(format!(
        "The event bus `{name}` is adopted, but not yet as configured"
    ))
    .detail(format!(
        "{}: {}\n\nThe bus is in the state and keeps what it had. The next plan shows what differs, and the next apply sets it.",
        failure.summary, failure.detail
    ))
}

/// The bus is made, and why its source may not be associated with it.
pub(super) fn perhaps_nothing_arrives(name: &str, why: &str) -> Diagnostic {
    Diagnostic::warning(format!(
        "The event bus `{name}` exists, but perhaps receives nothing yet"
    ))
    .detail(format!(
        "{why}\n\nThe bus is in the state; the next plan shows whether its event source is associated, and the next apply \
         associates it if not."
    ))
}

/// With the plan: what is on a bus that is to go. `deletes`: it does not come back.
pub(super) fn in_use(name: &str, found: &InUse, deletes: bool) -> Diagnostic {
    let listed = |what: &str, names: &[String]| {
        (!names.is_empty()).then(|| format!("the {what} `{}`", names.join("`, `")))
    };
    let targets = found.targets.iter().map(|(rule, ids)| {
        format!(
            "on the rule `{rule}`, which goes, the targets `{}`",
            ids.join("`, `")
        )
    });
    let parts = [listed("archives", &found.archives), listed("rules", &found.rules)];
    let parts: Vec<String> = parts.into_iter().flatten().chain(targets).collect();
    let whose = if deletes {
        "they stop the deletion, unless another resource of this plan removes them"
    } else {
        "those that are not replaced with it stop the replacement"
    };
    Diagnostic::warning(format!("The event bus `{name}` is in use")).detail(format!(
        "AWS deletes a bus only when it has neither archives nor rules, and a rule only when it has no targets. There are {}; \
         {whose}. Delete them first ({}), or let the same apply delete them.",
        parts.join(" and "),
        by_hand(name, found)
    ))
}

/// The commands that delete what is in the way, the first of each kind.
fn by_hand(bus: &str, found: &InUse) -> String {
    let archive = found.archives.first();
    let archive = archive.map(|archive| format!("`aws events delete-archive --archive-name {archive}`"));
    let rule = found.rules.first().map(|rule| {
        format!("`aws events delete-rule --event-bus-name {bus} --name {rule}`, after its targets")
    });
    let targets = found.targets.first_key_value().map(|(rule, ids)| {
        format!(
            "`aws events remove-targets --event-bus-name {bus} --rule {rule} --ids {}`",
            ids.join(" ")
        )
    });
    let commands: Vec<String> = [archive, rule, targets].into_iter().flatten().collect();
    commands.join("; ")
}

/// A destroy is refused before the first target goes.
pub(super) fn refused_in_use(in_use: &Diagnostic) -> Diagnostic {
    let detail = &in_use.detail;
    Diagnostic::error(&in_use.summary).detail(format!(
        "{detail}\n\nRefused now, since targets and rules go first, and events would be lost while the bus stays. Nothing was \
         changed. Where another provider of this configuration manages them and removes them in the same destroy, set \
         `managed_with_others = true` on the bus and apply that first."
    ))
}

/// A rule of a bus in words: an archive's is made by AWS, and goes with the archive.
fn rule_in_words(rule: &str) -> String {
    match rule.strip_prefix("Events-Archive-") {
        Some(archive) => format!("the archive `{archive}`"),
        None => format!("the rule `{rule}`"),
    }
}

pub(super) fn source_state(state: &str) -> String {
    format!("Its event source is not associated: its state is {state}.")
}

pub(super) fn association_timed_out(awaited: &str) -> String {
    format!("Its event source was not associated in time: {awaited}.")
}

pub(super) fn association_interrupted(awaited: &str) -> String {
    format!("Interrupted before its event source was associated: {awaited}.")
}

pub(super) fn loss(what: &str, name: &str) -> Diagnostic {
    Diagnostic::warning(format!("{what} the event bus `{name}` stops Scalr's events")).detail(format!(
        "{what} the bus sends its event source back to PENDING. Scalr's events are then dropped without an error, \
         and two weeks later AWS removes the source, unless a bus is associated with it again."
    ))
}

/// Awaited before a bus can be deleted.
pub(super) fn rules_left(name: &str, left: &[String]) -> String {
    let rules = if left.is_empty() {
        "rules".to_owned()
    } else {
        let words: Vec<String> = left.iter().map(|rule| rule_in_words(rule)).collect();
        words.join(" and ")
    };
    format!(
        "the bus `{name}` still has {rules}, and AWS deletes a bus only when it has neither rules nor archives"
    )
}

/// Nothing removes the rules that are in the way of a delete.
pub(super) fn rules_stay(name: &str, region: &str, left: &[String]) -> Diagnostic {
    let words: Vec<String> = left.iter().map(|rule| rule_in_words(rule)).collect();
    Diagnostic::error(format!("Cannot delete the event bus `{name}`: it is in use")).detail(format!(
        "AWS deletes a bus only when it has neither rules nor archives. For 15 seconds it has had {} in {region}, and this apply is \
         deleting none of them. The bus and its rules are still there.\n\nIf the bus is to be replaced, have its rules and \
         their targets replaced with it: `lifecycle {{ replace_triggered_by = [scalr_eventbridge_bus.NAME.arn] }}` in each \
         `scalr_eventbridge_rule` and `scalr_eventbridge_target`, or one more `-replace` for each of them beside the bus's. \
         What no resource manages (as after a `removed` block with `destroy = false`) has to be deleted in AWS: the targets, \
         then the rules, and the archives. Then apply again.",
        words.join(" and ")
    ))
}

/// Awaited while AWS does not answer for the source.
pub(super) fn cannot_now(doing: &str, error: &Error) -> String {
    format!("cannot {doing} at present: {error}")
}

pub(super) fn not_there_yet(name: &str, place: &str) -> String {
    format!("the event source `{name}` is not there yet in {place}")
}

pub(super) fn still_deleted(name: &str, place: &str) -> String {
    format!("the event source `{name}` in {place} is DELETED; waiting for Scalr to make it again")
}

/// Awaited.
pub(super) fn still_managed(name: &str) -> String {
    format!("an event source of a custom event bus still has the events of `{name}`")
}

/// With the plan: the events go to a custom event bus. `stays`: no resource of this plan removes its event source.
pub(super) fn will_be_managed(name: &str, region: &str, source: Option<&str>, stays: bool) -> Diagnostic {
    let title = format!("A custom event bus has the events of `{name}`");
    let whose = of_event_source(source);
    if stays {
        return Diagnostic::warning(title).detail(format!(
            "{whose} in {region} leads them there, and AWS activates a source for a Classic bus or for a custom one. An apply waits for a \
             minute and then fails. To move: remove its `scalr_eventbridge_event_source` and the subscribers from the configuration, or delete \
             them in AWS, in an apply that also makes this bus. What Scalr sends in between is dropped, unless the connection is paused."
        ));
    }
    Diagnostic::warning(title).detail(format!(
        "{whose} in {region} leads them there, and this plan deletes it. What Scalr sends from then until this bus has its rules and targets, \
         some seconds within one apply, is dropped, unless the connection is paused."
    ))
}

/// The bus of this name is AWS's own, and stays.
pub(super) fn is_managed(name: &str, region: &str, source: Option<&str>) -> Diagnostic {
    let whose = of_event_source(source);
    Diagnostic::error(format!("AWS manages the event bus `{name}`"))
        .detail(format!(
            "{whose} in {region} leads the events to a custom event bus, and AWS has a Classic bus of its own for that. Nothing was made. To \
             have the events on a Classic bus, delete the event source: remove its `scalr_eventbridge_event_source` with the subscribers from \
             the configuration. One that is of no configuration is listed by `aws eventsv2 list-event-sources --region {region}`. Then apply \
             again."
        ))
        .at(Bus::event_source_name())
}

fn of_event_source(name: Option<&str>) -> String {
    name.map_or_else(
        || "An event source (EventBridge V2)".to_owned(),
        |name| format!("The event source `{name}` (EventBridge V2)"),
    )
}

pub(super) fn still_pending(name: &str) -> String {
    format!("the event source `{name}` is still PENDING")
}

pub(super) fn interrupted_before_made(awaited: &str) -> Diagnostic {
    Diagnostic::error("Interrupted before the event bus was made").detail(format!(
        "While waiting: {awaited}. Nothing was made; apply again to continue."
    ))
}

pub(super) fn elsewhere(name: &str, wire: &ConnectionAttributes, account: &str, region: &str) -> Diagnostic {
    Diagnostic::error(format!("The event source `{name}` is in another place"))
        .detail(format!(
            "The connection `{}` goes to AWS account {}, region {}; this looked in account {account}, region {region}. Nothing \
             was made.\n\nGive this resource the connection's `region`, and AWS credentials of the connection's account.",
            wire.name, wire.aws_account_id, wire.region
        ))
        .at(Bus::region())
}

pub(super) fn not_associated(name: &str, awaited: &str) -> Diagnostic {
    Diagnostic::error(format!("The event source `{name}` is not associated")).detail(format!(
        "The wait ended; {awaited}. AWS was asked to associate it. The bus is unchanged; apply again to continue."
    ))
}

/// The source of a bus that exists is gone. A plan warns of it.
pub(super) fn source_gone(name: &str, state: &str) -> Diagnostic {
    let who = if state == "DELETED" {
        "Scalr has deleted it"
    } else {
        "AWS has removed it"
    };
    Diagnostic::error("The event bus receives nothing: its event source is gone").detail(format!(
        "The event source `{name}` is {state}: {who}. The bus and its rules stay. Make the Scalr connection of this name \
         again: its source then waits in state PENDING, and the apply after that associates this bus with it. A bus is \
         never associated with a new source by itself, which is why a connection made again under the same name stays \
         pending until then."
    ))
}

pub(super) fn source_deleted(name: &str, place: &str) -> Diagnostic {
    Diagnostic::error(format!("The event source `{name}` is DELETED")).detail(format!(
        "In {place} there is only what is left of an earlier connection: Scalr has deleted the event source, and its old \
         event bus still holds the name. Nothing was made. Is the Scalr connection of this name there, for this account \
         and region? Make it again; then apply. The old bus and its rules are adopted with `adopt_existing = true`, or \
         delete the bus in AWS first."
    ))
}

pub(super) fn source_never_came(name: &str, place: &str, awaited: &str) -> Diagnostic {
    Diagnostic::error(format!("The event source `{name}` did not appear")).detail(format!(
        "The wait ended; {awaited}. Nothing was made. AWS shows the source of a connection only in the account and region \
         that the connection names; this looked in {place}. Compare with the connection's `aws_account_id` and `region`, \
         and with this resource's `region` and AWS credentials. A source that no bus was associated with for two weeks is \
         removed by AWS: then make the connection again."
    ))
}
