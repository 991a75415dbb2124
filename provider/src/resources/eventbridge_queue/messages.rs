//! What users read of a queue.

use tfplugin::{Diagnostic, Resource as _, sentence};

use super::Queue;
use crate::aws::policy::PolicyError;
use crate::aws::{Error, Regional};
use crate::failure::{Standing, UNCHANGED};
use crate::resources::messages::{self, Existing};

/// What failed is named by what was being done.
pub(super) mod doing {
    pub(in super::super) fn make(name: &str) -> String {
        format!("make the queue `{name}`")
    }

    pub(in super::super) fn change(name: &str) -> String {
        format!("change the queue `{name}`")
    }

    pub(in super::super) fn read(name: &str) -> String {
        format!("read the queue `{name}`")
    }

    pub(in super::super) fn see(name: &str) -> String {
        format!("see whether the queue `{name}` has its settings")
    }

    pub(in super::super) fn tag(name: &str) -> String {
        format!("tag the queue `{name}`")
    }

    pub(in super::super) fn delete(name: &str) -> String {
        format!("delete the queue `{name}`")
    }
}

pub(super) fn existing<'a>(plan: &'a Queue, region: &'a str) -> Existing<'a> {
    Existing {
        what: format!("The queue `{}` exists already", plan.name),
        region,
        other: "another name",
        resource: Queue::NAME,
        named: vec![&plan.name],
        import_id: plan.name.clone(),
    }
}

/// The queue would be at AWS itself.
pub(super) fn events_alone_elsewhere() -> Diagnostic {
    crate::aws::events_alone_elsewhere(("SQS", "sqs", "SQS"))
}

pub(super) async fn nothing_to_import(name: &str, aws: &Regional) -> Diagnostic {
    let what = format!("queue `{name}`");
    messages::nothing_to_import(&what, &aws.account_in_words().await, &aws.name)
}

/// The state when CreateQueue failed.
pub(super) fn after_creating() -> Standing {
    Standing::new(
        UNCHANGED,
        "The queue may be there now; the next apply adopts it if it is.",
    )
}

/// Awaited before a queue of that name can be made.
pub(super) fn deleted_recently(name: &str) -> String {
    format!("a queue `{name}` was deleted, and SQS takes its name only 60 seconds later")
}

/// The queue is written, and cannot be read back.
pub(super) fn not_seen() -> Standing {
    const WRITTEN: &str = "The settings were written.";
    Standing::new(WRITTEN, WRITTEN)
}

/// Awaited after a write.
pub(super) fn not_shown_yet(name: &str) -> String {
    format!("the queue `{name}` does not show its settings yet, which SQS may take a minute for")
}

/// The wait for that is over.
pub(super) fn not_shown(name: &str) -> Diagnostic {
    Diagnostic::warning(format!("The queue `{name}` does not show its settings yet")).detail(
        "They were written. SQS documents up to 60 seconds until a change shows, and up to 15 minutes for \
         `message_retention_seconds`. Plan again later: a plan that shows a change then means that somebody else has changed the queue.",
    )
}

/// The queue was deleted between plan and apply.
pub(super) fn gone(plan: &Queue, region: &str) -> Diagnostic {
    Diagnostic::error(format!("There is no queue `{}` any more", plan.name)).detail(format!(
        "It was in region {region} when this was planned. Nothing was changed. Plan again: the plan then makes it."
    ))
}

/// Our statement cannot be added to the policy that is there.
pub(super) fn policy_cannot_be_written(doing: &str, error: &PolicyError) -> Diagnostic {
    let next = match error {
        PolicyError::Unreadable => "Correct or remove the queue's policy at AWS, and apply again.".to_owned(),
        PolicyError::TooLong { .. } => {
            "Name fewer rules, and give the others a queue of their own.".to_owned()
        }
    };
    Diagnostic::error(format!("Cannot {doing}: its policy cannot be written"))
        .detail(format!(
            "{} Nothing was changed. {next}",
            sentence(&error.to_string())
        ))
        .at(Queue::rule_arns())
}

pub(super) fn after_tagging() -> Standing {
    Standing::of::<Error>().and("The queue's other settings are as configured.")
}

pub(super) fn after_deleting() -> Standing {
    Standing::new(
        "The queue is still there.",
        "Whether the queue was deleted is not known; the next plan shows it.",
    )
}

/// A destroy or a replacement would lose messages.
pub(super) fn holds_messages(queue: &Queue, count: i64) -> Diagnostic {
    Diagnostic::error(format!("The queue `{}` holds messages", queue.name))
        .detail(format!(
            "It holds about {count}, which would be deleted with it. Nothing was deleted.\n\nIf the resource only has another address \
             now, write a `moved` block from the old one to the new one: nothing is then deleted. Otherwise receive the messages \
             first, or have them deleted: set `force_destroy = true` on the queue, apply that, and try again. To keep the queue and forget it here, use \
             a `removed` block with `lifecycle {{ destroy = false }}`."
        ))
        .at(Queue::force_destroy())
}

/// Rules whose events cannot reach the queue.
pub(super) fn rules_elsewhere(queue: &str, rules: &[&str], region: &str) -> Diagnostic {
    Diagnostic::warning(format!("The queue `{queue}` allows a rule of another region"))
        .detail(format!(
            "The queue is in region {region}, and EventBridge sends events to queues of the rule's own region only; these rules \
             are elsewhere: `{}`. Set `region` of the queue to that of their bus.",
            rules.join("`, `")
        ))
        .at(Queue::rule_arns())
}
