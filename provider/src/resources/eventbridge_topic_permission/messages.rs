//! What users read of a topic's permission.

use tfplugin::{Diagnostic, sentence};

use super::TopicPermission;
use crate::aws::arn::Arn;
use crate::aws::policy::PolicyError;
use crate::aws::{Error, Regional};
use crate::failure::Standing;
use crate::resources::messages;

/// What failed is named by what was being done.
pub(super) mod doing {
    pub(in super::super) fn add(topic: &str) -> String {
        format!("let EventBridge publish to the topic `{topic}`")
    }

    pub(in super::super) fn read(topic: &str) -> String {
        format!("read the policy of the topic `{topic}`")
    }

    pub(in super::super) fn remove(topic: &str) -> String {
        format!("take EventBridge's permission from the policy of the topic `{topic}`")
    }
}

/// What would be at AWS itself.
pub(super) fn events_alone_elsewhere() -> Diagnostic {
    crate::aws::events_alone_elsewhere(("SNS", "sns", "SNS"))
}

pub(super) fn made_by_two(of: &TopicPermission) -> Diagnostic {
    messages::made_by_two(&of.object())
}

pub(super) async fn nothing_to_import(of: &TopicPermission, aws: &Regional) -> Diagnostic {
    let account = aws.account_in_words().await;
    Diagnostic::error(format!("The topic `{}` has no such permission", of.topic_arn)).detail(format!(
        "Its policy has no statement `{}` that lets the rule `{}` publish, or there is no such topic. This looked in {account}, region \
         {}. Nothing was imported. Statements that something else wrote are not imported: leave them, and make this one beside \
         them.",
        of.sid(),
        of.rule_arn,
        aws.name
    ))
}

/// With the plan: the apply ends with an error, unless something makes the topic before.
pub(super) fn topic_is_missing(topic: &str, account: &str, region: &str) -> Diagnostic {
    let name = topic.rsplit(':').next().unwrap_or_default();
    Diagnostic::warning(format!("There is no topic `{name}`"))
        .detail(format!(
            "There is no `{topic}`; this looked in {account}, region {region}. The permission cannot be added, and a target that \
             leads there loses its events without an error.\n\nMake the topic, and refer to it by its resource (such as \
             `aws_sns_topic.NAME.arn`), so that it is made first. If it is not there by then, the apply ends with an error."
        ))
        .at(TopicPermission::topic_arn())
}

pub(super) fn no_topic(of: &TopicPermission, account: &str, region: &str) -> Diagnostic {
    Diagnostic::error(format!("There is no topic `{}`", of.topic_arn))
        .detail(format!(
            "This looked in {account}, region {region}. Nothing was changed. Make the topic first, and refer to it by its resource \
             (such as `aws_sns_topic.NAME.arn`), so that it is there when this is applied."
        ))
        .at(TopicPermission::topic_arn())
}

/// The policy that is there is none that can be worked with.
pub(super) fn policy_cannot_be_written(doing: &str, error: &PolicyError) -> Diagnostic {
    Diagnostic::error(format!("Cannot {doing}")).detail(format!(
        "{} Nothing was changed. Correct the topic's policy at AWS, and apply again.",
        sentence(&error.to_string())
    ))
}

/// What was written is not there when it is read back.
pub(super) fn overwritten(topic: &str) -> String {
    format!(
        "the policy of the topic `{topic}` does not show the change yet, or was written by somebody else at the same time"
    )
}

pub(super) fn after_adding() -> Standing {
    Standing::of::<Error>().and("The other statements of the policy are as they were.")
}

pub(super) fn after_removing() -> Standing {
    Standing::new(
        "The statement is still there.",
        "Whether the statement was removed is not known; the next plan shows it.",
    )
}

/// Events do not get there.
pub(super) fn rule_elsewhere(topic: &Arn<'_>, rule: &Arn<'_>) -> Diagnostic {
    let name = rule.resource.rsplit('/').next().unwrap_or_default();
    Diagnostic::warning(format!(
        "The rule `{name}` is in another region than the topic `{}`",
        topic.resource
    ))
    .detail(format!(
        "The topic is in region {}, the rule in {region}, and EventBridge sends events to topics of the rule's own region only. Make \
         a topic in {region}.",
        topic.region,
        region = rule.region
    ))
    .at(TopicPermission::rule_arn())
}
