//! What users read of a custom event bus.

use aws_sdk_eventbridgev2::operation::describe_event_bus::DescribeEventBusOutput;
use aws_sdk_eventbridgev2::types::BusState;
use scalr_events::regions;
use tfplugin::{Diagnostic, Resource as _, WaitEnd};

use super::CustomBus;
use super::aws::Change;
use crate::aws::custom_writes::Creation;
use crate::aws::{Error, Regional, quoted};
use crate::failure::{Standing, UNCHANGED, import_block};
use crate::resources::messages;

/// What failed is named by what was being done.
pub(super) mod doing {
    pub(in super::super) fn change(name: &str) -> String {
        format!("change the custom event bus `{name}`")
    }

    pub(in super::super) fn read(name: &str) -> String {
        format!("read the custom event bus `{name}`")
    }

    pub(in super::super) fn see(name: &str) -> String {
        format!("see the state of the custom event bus `{name}`")
    }

    pub(in super::super) fn tag(name: &str) -> String {
        format!("tag the custom event bus `{name}`")
    }

    pub(in super::super) fn delete(name: &str) -> String {
        format!("delete the custom event bus `{name}`")
    }
}

pub(super) async fn nothing_to_import(name: &str, aws: &Regional) -> Diagnostic {
    let what = format!("custom event bus `{name}`");
    messages::nothing_to_import(&what, &aws.account_in_words().await, &aws.name)
}

/// What is made, and the state when CreateEventBus failed.
pub(super) fn creation(name: &str) -> Creation {
    Creation {
        what: format!("the custom event bus `{name}`"),
        standing: Standing::new(
            UNCHANGED,
            "The bus may be there now: if it is, the next apply says so and shows how to import it.",
        ),
    }
}

/// A bus of this name is there, and is nobody's that this apply knows.
pub(super) fn exists(name: &str, region: &str, arn: Option<&str>) -> Diagnostic {
    let import_id = arn.map_or_else(|| format!("{name}@{region}"), str::to_owned);
    Diagnostic::error(format!("The custom event bus `{name}` exists already"))
        .detail(format!(
            "The account has it in {region}, and a name is one bus's. It was left as it is. {}",
            what_to_do(name, &import_id)
        ))
        .at(CustomBus::name())
}

/// The same, with the plan.
pub(super) fn will_be_refused(name: &str, region: &str, arn: &str) -> Diagnostic {
    Diagnostic::warning(format!("There is a custom event bus `{name}` already"))
        .detail(format!(
            "The account has it in {region}, and a name is one bus's: an apply fails unless it deletes that one first. {}",
            what_to_do(name, arn)
        ))
        .at(CustomBus::name())
}

fn what_to_do(name: &str, import_id: &str) -> String {
    format!(
        "If this resource has only another address now, use a `moved` block. If another resource or state has the bus, choose another \
         name. If nothing has it, as after an apply that was interrupted, import it with\n\n{}",
        import_block(CustomBus::NAME, &[name], import_id)
    )
}

/// With the plan: AWS offers no such bus there, as far as is known.
pub(super) fn no_custom_buses_in(region: &str) -> Diagnostic {
    Diagnostic::warning(format!("AWS has no custom event buses in `{region}`"))
        .detail(format!("{} An apply there fails. {INSTEAD}", in_regions()))
        .at(CustomBus::region())
}

/// With the plan of a replacement, which deletes first.
pub(super) fn cannot_move_to(region: &str) -> Diagnostic {
    Diagnostic::error(format!("AWS has no custom event buses in `{region}`"))
        .detail(format!(
            "{} To move the bus there, an apply would delete it first, and then fail. Nothing has changed. {INSTEAD}",
            in_regions()
        ))
        .at(CustomBus::region())
}

const INSTEAD: &str = "A partner's events reach a custom bus in the region of the connection only: have the connection lead to one of \
                       these regions, or use a Classic bus (`scalr_eventbridge_bus`), which AWS has everywhere.";

fn in_regions() -> String {
    format!(
        "This version of the provider knows of them in `{}`; AWS may have added regions since.",
        regions::with_custom_buses().join("`, `")
    )
}

/// With the plan: the quota may be used up.
pub(super) fn too_many(held: usize, planned: usize, buses_max: usize, region: &str) -> Diagnostic {
    Diagnostic::warning(format!("Region {region} would have more than {buses_max} custom event buses"))
        .detail(format!(
            "The account has {held} there, and this plan makes {planned}. AWS allows {buses_max} unless it raised that for the account; \
             an apply then fails with LimitExceededException. Delete one that is not needed, share a bus (subscribers tell events \
             apart), or ask for more under Service Quotas."
        ))
        .at(CustomBus::name())
}

/// With the plan: what goes with the bus.
pub(super) fn loss(what: &str, bus: &CustomBus) -> Diagnostic {
    Diagnostic::warning(format!("{what} the custom event bus `{}` deletes the events on it", bus.name)).detail(format!(
        "It keeps events for {}, for replays and for subscribers that are stopped. They go with the bus, and a new bus of the same name \
         has another ARN: event sources and subscribers have to be made again.",
        days(bus.retention_in_days)
    ))
}

fn days(count: i64) -> String {
    if count == 1 {
        "1 day".to_owned()
    } else {
        format!("{count} days")
    }
}

/// Awaited while a bus is about to be in another state.
pub(super) fn is_still(name: &str, state: &str) -> String {
    format!("the custom event bus `{name}` is {state}")
}

/// The bus is made or changed, and cannot be looked at.
pub(super) fn not_seen() -> Standing {
    Standing::same("AWS took the change. What state the bus is in is not known; the next plan shows it.")
}

/// The wait for that is over.
pub(super) fn not_active_yet(name: &str, end: &WaitEnd) -> Diagnostic {
    let (how, last) = ended(end);
    Diagnostic::warning(format!("The custom event bus `{name}` may not be ACTIVE yet")).detail(format!(
        "{how}: {last}. It is in the state. Until it is ACTIVE, AWS takes no events, event sources or subscribers for it. The next plan \
         shows its state; apply again to continue."
    ))
}

fn ended(end: &WaitEnd) -> (&'static str, &str) {
    match end {
        WaitEnd::TimedOut { last } => ("Too late", last),
        WaitEnd::Cancelled { last } => ("Interrupted", last),
    }
}

/// Somebody deleted it meanwhile.
pub(super) fn gone(name: &str, region: &str) -> Diagnostic {
    Diagnostic::error(format!("The custom event bus `{name}` is gone")).detail(format!(
        "AWS took the change, and then had no such bus in {region}: somebody has deleted it. The next apply makes it again."
    ))
}

/// AWS could not do what it took on.
pub(super) fn failed(name: &str, held: &DescribeEventBusOutput, change: Change) -> Diagnostic {
    let state = held.state().map_or("", BusState::as_str);
    let next = match change {
        Change::Create => {
            "A bus in this state can only be deleted. Correct what the reason names (for a KMS key: its policy, its region, whether it \
             is enabled); the next apply deletes the bus and makes it again."
        }
        Change::Update => {
            "The bus is still there, with its events. Correct what the reason names (for a KMS key: its policy, its region, whether it \
             is enabled), and apply again."
        }
    };
    let what = match change {
        Change::Create => "made",
        Change::Update => "changed",
    };
    Diagnostic::error(format!("The custom event bus `{name}` could not be {what}"))
        .detail(format!("Its state is {state}{}.\n\n{next}", reason(held)))
        .at(CustomBus::kms_key_identifier())
}

/// The reason that AWS gives, if it gives one.
fn reason(held: &DescribeEventBusOutput) -> String {
    let reason = held.state_reason().filter(|reason| !reason.is_empty());
    reason.map_or_else(String::new, |reason| {
        format!(": {}", quoted(reason).trim_end_matches('.'))
    })
}

/// The state when UpdateEventBus failed.
pub(super) fn after_changing() -> Standing {
    Standing::of::<Error>()
}

pub(super) fn after_tagging() -> Standing {
    Standing::of::<Error>().and("The bus's other settings are as configured.")
}

pub(super) fn after_deleting() -> Standing {
    Standing::new(
        "The bus is still there.",
        "Whether the bus is being deleted is not known; the next plan shows it.",
    )
}

/// Awaited before a bus can be deleted.
pub(super) fn still_in_use(name: &str, left: &[Vec<String>; 2]) -> String {
    format!("the custom event bus `{name}` still has {}", in_words(left))
}

fn in_words([subscribers, sources]: &[Vec<String>; 2]) -> String {
    let listed = |what: &str, names: &[String]| {
        (!names.is_empty()).then(|| format!("the {what} `{}`", names.join("`, `")))
    };
    let parts = [
        listed("subscribers", subscribers),
        listed("event sources", sources),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "subscribers or event sources that AWS does not list".to_owned()
    } else {
        parts.join(" and ")
    }
}

/// Nothing removes what is in the way of a delete.
pub(super) fn in_use(bus: &CustomBus, region: &str, left: &[Vec<String>; 2], error: &Error) -> Diagnostic {
    let (name, arn) = (&bus.name, bus.known_arn());
    Diagnostic::error(format!("Cannot delete the custom event bus `{name}`: it is in use"))
        .quoting(error)
        .standing(format!(
            "For 15 seconds it has had {} in {region}, and AWS deletes a bus only when it has none. The bus is still there, with its \
             events.",
            in_words(left)
        ))
        .next(format!(
            "If resources of this configuration have them, refer to the bus by its `arn` there (`event_bus_arn = \
             scalr_eventbridge_custom_bus.NAME.arn`), so that they go first. What no resource manages has to be deleted in AWS: `aws \
             eventsv2 list-subscribers --region {region} --event-bus-arn {arn}` and `aws eventsv2 list-event-sources --region {region} \
             --event-bus-arn {arn}` show the ARNs, for `aws eventsv2 delete-subscriber --region {region} --subscriber-arn` and `aws eventsv2 \
             delete-event-source --region {region} --event-source-arn`. Then apply again."
        ))
}

/// The bus is there after AWS took its deletion.
pub(super) fn not_deleted(name: &str, held: &DescribeEventBusOutput) -> Diagnostic {
    let state = held.state().map_or("", BusState::as_str);
    Diagnostic::error(format!("The custom event bus `{name}` was not deleted")).detail(format!(
        "AWS took the deletion, and the bus is {state}{}. It is still there and in the state. Has something been made on it meanwhile, or \
         its KMS key been taken away? Correct that, and apply again.",
        reason(held)
    ))
}

/// The wait for the end of a deletion is over.
pub(super) fn deletion_not_seen(name: &str, end: &WaitEnd) -> Diagnostic {
    let (how, last) = ended(end);
    Diagnostic::error(format!("{how}: the custom event bus `{name}` is not gone yet")).detail(format!(
        "AWS took the deletion; {last}. The bus stays in the state until it is gone. Apply again to continue."
    ))
}
