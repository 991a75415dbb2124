//! What users read of an event source.

use tfplugin::{Diagnostic, Resource as _, WaitEnd};

use super::EventSource;
use super::partner::InTheWay;
use crate::aws::custom_writes::Creation;
use crate::aws::{Error, Regional};
use crate::failure::{Standing, UNCHANGED, import_block};
use crate::resources::messages;

/// What failed is named by what was being done.
pub(super) mod doing {
    pub(in super::super) fn make(name: &str) -> String {
        format!("make the event source `{name}`")
    }

    pub(in super::super) fn change(name: &str) -> String {
        format!("change the event source `{name}`")
    }

    pub(in super::super) fn read(name: &str) -> String {
        format!("read the event source `{name}`")
    }

    pub(in super::super) fn see(name: &str) -> String {
        format!("see the state of the event source `{name}`")
    }

    pub(in super::super) fn tag(name: &str) -> String {
        format!("tag the event source `{name}`")
    }

    pub(in super::super) fn delete(name: &str) -> String {
        format!("delete the event source `{name}`")
    }

    pub(in super::super) fn look_for_partner(name: &str) -> String {
        format!("look for the partner's event source `{name}`")
    }
}

/// What a source is without a bus.
const DROPPED: &str = "Scalr's events are dropped without an error until then; a source that stays PENDING is removed by AWS after two \
                       weeks.";

pub(super) async fn nothing_to_import(name: &str, aws: &Regional) -> Diagnostic {
    let what = format!("event source `{name}`");
    messages::nothing_to_import(&what, &aws.account_in_words().await, &aws.name)
}

/// Read, and of another kind.
pub(super) fn not_of_a_partner(name: &str) -> Diagnostic {
    Diagnostic::error(format!("The event source `{name}` is not a partner's")).detail(
        "This resource has event sources of partners only; that one has events of an AWS service, of a webhook, or of a kind that this \
         version of the provider does not know. Nothing was changed. Leave it out of this configuration.",
    )
}

/// The SDK asks for more than there is.
pub(super) fn incomplete(doing: &str, why: &str) -> Diagnostic {
    Diagnostic::error(format!("Cannot {doing}"))
        .because(why)
        .standing("Nothing was changed.")
}

/// What is made, and the state when CreateEventSource failed.
pub(super) fn creation(name: &str) -> Creation {
    Creation {
        what: format!("the event source `{name}`"),
        standing: Standing::new(
            UNCHANGED,
            "The event source may be there now: if it is, the next apply says so and shows how to import it.",
        ),
    }
}

/// An event source of this name is there.
pub(super) fn exists(name: &str, region: &str, arn: Option<&str>) -> Diagnostic {
    let import_id = arn.map_or_else(|| format!("{name}@{region}"), str::to_owned);
    Diagnostic::error(format!("The event source `{name}` exists already"))
        .detail(format!(
            "The account has it in {region}, and a name is one event source's. It was left as it is. {}",
            what_to_do(name, &import_id)
        ))
        .at(EventSource::name())
}

/// The same, with the plan.
pub(super) fn will_be_refused(name: &str, region: &str, arn: &str) -> Diagnostic {
    Diagnostic::warning(format!("There is an event source `{name}` already"))
        .detail(format!(
            "The account has it in {region}, and a name is one event source's: an apply fails unless it deletes that one first. {}",
            what_to_do(name, arn)
        ))
        .at(EventSource::name())
}

fn what_to_do(name: &str, import_id: &str) -> String {
    format!(
        "If this resource has only another address now, use a `moved` block. If another resource or state has it, choose another name. If \
         nothing has it, as after an apply that was interrupted, import it with\n\n{}",
        import_block(EventSource::NAME, &[name], import_id)
    )
}

/// With the plan: two regions.
pub(super) fn another_region(bus: &str, partner: &str) -> Diagnostic {
    Diagnostic::error("The bus is in another region than the partner's event source").detail(format!(
        "The custom event bus is in {bus}, the partner's event source in {partner}, and AWS leads a partner's events to a bus of their own \
         region only. Nothing has changed. Make the bus in {partner} (`region = \"{partner}\"`), or have the connection lead to {bus}. A \
         subscriber of that bus can pass events on to a bus elsewhere."
    ))
}

/// With the plan: a Classic bus has the events.
pub(super) fn classic_bus(source: &str, region: &str, stays: bool) -> Diagnostic {
    let title = format!("A Classic event bus has the events of `{source}`");
    if stays {
        return Diagnostic::warning(title).detail(format!(
            "It is in {region}, and AWS activates a source for a Classic bus or for a custom one. An apply waits for 15 seconds and then \
             fails. To move: remove its `scalr_eventbridge_bus`, the rules and the targets from the configuration, or delete them in AWS, in \
             an apply that also makes this resource. {DROPPED} How long that is: from the deletion of the Classic bus, which comes after \
             its rules and targets, until this resource is there; some seconds within one apply. Nothing that is on the Classic bus is \
             taken along."
        ));
    }
    Diagnostic::warning(title).detail(format!(
        "It is in {region}, and this plan deletes it. {DROPPED} Until then: from the deletion of the Classic bus until this resource is \
         there, some seconds within one apply."
    ))
}

/// With the plan: another event source has the events.
pub(super) fn another_source(source: &str, name: Option<&str>) -> Diagnostic {
    let whose = name.map_or_else(
        || "another event source".to_owned(),
        |name| format!("the event source `{name}`"),
    );
    Diagnostic::warning(format!("The events of `{source}` go elsewhere")).detail(format!(
        "AWS leads a partner's events to one custom event bus, and {whose} has them. An apply fails unless it deletes that one first; a \
         replacement cannot make the new one first (`create_before_destroy`). To have the events on two buses, make a subscriber on the \
         first whose target is the second."
    ))
}

/// The partner's source has not become PENDING.
pub(super) fn not_pending(
    plan: &EventSource,
    state: &str,
    in_the_way: &InTheWay,
    region: &str,
) -> Diagnostic {
    let source = plan.partner_source();
    let why = match in_the_way {
        InTheWay::Classic => format!(
            "A Classic event bus of that name has its events, in {region}. Nothing was made. Delete it: remove its `scalr_eventbridge_bus` \
             with the rules and targets from the configuration, or in AWS `aws events delete-event-bus --name {source}` after its rules. \
             {DROPPED}"
        ),
        InTheWay::Other(name) => format!(
            "{} has its events, and AWS leads a partner's events to one custom event bus. Nothing was made, and that one is as it was: its \
             events go on. If this apply replaces it, remove the line `create_before_destroy = true` from the `lifecycle` block of this resource, \
             and of each resource that depends on it, since Terraform passes the setting on: the old one has to be deleted first. \
             Otherwise delete that one, or make a subscriber on its bus whose target is this bus.",
            name.as_ref().map_or_else(
                || "Another event source".to_owned(),
                |name| format!("The event source `{name}`")
            )
        ),
        InTheWay::Nothing => format!(
            "AWS shows no bus that has its events. Nothing was made. Look at it with `aws events describe-event-source --name {source}`, and \
             apply again."
        ),
    };
    Diagnostic::error(format!(
        "The partner's event source `{source}` is {state}, not PENDING"
    ))
    .detail(why)
    .at(EventSource::partner_event_source_arn())
}

pub(super) fn partner_deleted(source: &str, place: &str) -> Diagnostic {
    Diagnostic::error(format!("The partner's event source `{source}` is DELETED"))
        .detail(format!(
            "In {place} there is only what is left of an earlier connection: Scalr has deleted the event source. Nothing was made. Is the \
             Scalr connection of this name there, for this account and region? Make it again; then apply."
        ))
        .at(EventSource::partner_event_source_arn())
}

pub(super) fn partner_never_came(source: &str, place: &str, awaited: &str) -> Diagnostic {
    Diagnostic::error(format!("The partner's event source `{source}` did not appear"))
        .detail(format!(
            "The wait ended; {awaited}. Nothing was made. AWS shows the source of a connection only in the account and region that the \
             connection names; this looked in {place}. Compare with the connection's `aws_account_id` and `region`, and with the AWS \
             credentials."
        ))
        .at(EventSource::partner_event_source_arn())
}

pub(super) fn interrupted_before_made(awaited: &str) -> Diagnostic {
    Diagnostic::error("Interrupted before the event source was made").detail(format!(
        "While waiting: {awaited}. Nothing was made; apply again to continue."
    ))
}

/// Awaited.
pub(super) fn not_there_yet(source: &str, place: &str) -> String {
    format!("the partner's event source `{source}` is not there yet in {place}")
}

/// Awaited.
pub(super) fn is_still(source: &str, state: &str) -> String {
    format!("the partner's event source `{source}` is {state}, and PENDING is needed")
}

/// Awaited while AWS does not answer.
pub(super) fn cannot_now(doing: &str, error: &Error) -> String {
    format!("cannot {doing} at present: {error}")
}

/// Awaited while an event source is about to be in another state.
pub(super) fn is_on_its_way(name: &str) -> String {
    format!("the event source `{name}` is not in its last state yet")
}

/// The event source is made or changed, and cannot be looked at.
pub(super) fn not_seen() -> Standing {
    Standing::same(
        "AWS took the change. What state the event source is in is not known; the next plan shows it.",
    )
}

/// The wait for that is over.
pub(super) fn not_active_yet(name: &str, end: &WaitEnd) -> Diagnostic {
    let (WaitEnd::TimedOut { last } | WaitEnd::Cancelled { last }) = end;
    Diagnostic::warning(format!("The event source `{name}` may not be ACTIVE yet")).detail(format!(
        "The wait ended; {last}. It is in the state. The next plan shows in which state it is; apply again to continue."
    ))
}

/// AWS could not do what it took on; it gives no reason.
pub(super) fn failed(name: &str, state: &str) -> Diagnostic {
    Diagnostic::error(format!("The event source `{name}` is {state}")).detail(
        "AWS took the change, could not carry it out, and gives no reason for an event source. It is in the state. Can the credentials \
         use the KMS key (`kms:DescribeKey`, `kms:Decrypt`), and is the queue of `dead_letter_arn` a standard one of this account and \
         region? Correct that, and apply again.",
    )
}

/// The state when UpdateEventSource failed.
pub(super) fn after_changing() -> Standing {
    Standing::of::<Error>()
}

pub(super) fn after_tagging() -> Standing {
    Standing::of::<Error>().and("The event source's other settings are as configured.")
}

pub(super) fn after_deleting() -> Standing {
    Standing::new(
        "The event source is still there.",
        "Whether the event source is being deleted is not known; the next plan shows it.",
    )
}

pub(super) fn not_deleted(name: &str) -> Diagnostic {
    Diagnostic::error(format!("The event source `{name}` was not deleted"))
        .detail("AWS took the deletion, and the event source is DELETE_FAILED. It is in the state. Apply again to delete it once more.")
}

/// With the plan: events are dropped from now on.
pub(super) fn loss(source: &EventSource, replaces: bool) -> Diagnostic {
    let partner = source.partner_source();
    let (what, until) = if replaces {
        (
            "Replacing",
            "until the new event source is there. The old one has to be deleted first: with the line `create_before_destroy = true` in the \
             `lifecycle` block of this resource, or of one that depends on it, the apply fails before it changes this one",
        )
    } else {
        (
            "Deleting",
            "until another event source or a Classic bus takes them",
        )
    };
    Diagnostic::warning(format!("{what} the event source `{}` stops Scalr's events", source.name)).detail(format!(
        "The partner's source `{partner}` goes back to PENDING, and its events are dropped without an error {until}. A source that stays \
         PENDING is removed by AWS after two weeks. Events that are on the bus already stay there."
    ))
}

/// With the plan: the owner of the bus has ended it.
pub(super) fn revoked(name: &str) -> Diagnostic {
    Diagnostic::warning(format!("The event source `{name}` is revoked")).detail(
        "The owner of the custom event bus has taken the bus from it, for good: its events are dropped, and AWS refuses to change it. Remove \
         this resource, or ask the owner of the bus and then replace it (`-replace`).",
    )
}

/// With the plan: nothing arrives any more.
pub(super) fn partner_gone(source: &str, state: &str) -> Diagnostic {
    let who = if state == "DELETED" {
        "Scalr has deleted it"
    } else {
        "AWS has removed it"
    };
    Diagnostic::warning(format!("The partner's event source `{source}` is gone")).detail(format!(
        "It is {state}: {who}. Events that are on the bus stay there, and no new ones arrive. Make the Scalr connection of this name again; \
         then replace this resource (`-replace`), so that AWS activates the new source for it."
    ))
}
