//! What users read of a topic's permission.

use tfplugin::{Diagnostic, sentence};

use super::TopicPermission;
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

/// What was written did not stay.
pub(super) fn overwritten(topic: &str) -> String {
    format!("the policy of the topic `{topic}` was written by somebody else at the same time")
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
pub(super) fn rule_elsewhere(topic: &str, rule: &str) -> Diagnostic {
    Diagnostic::warning("The rule is in another region than the topic")
        .detail(format!(
            "The topic is in region {topic}, the rule in {rule}, and EventBridge sends events to topics of the rule's own region \
             only. Make a topic in {rule}."
        ))
        .at(TopicPermission::rule_arn())
}
