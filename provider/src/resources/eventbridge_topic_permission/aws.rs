//! The statement in the topic's policy: added, read back, removed. SNS has no revision of a policy: what others write at the
//! same moment may undo it, so that it is read back until it stays.

use std::collections::BTreeSet;
use std::ops::ControlFlow::{Break, Continue};
use std::time::Duration;

use tfplugin::{Operation, Result};

use super::TopicPermission;
use super::messages::{self, doing};
use crate::aws::policy::Without;
use crate::aws::retry::{Attempted, Retry};
use crate::aws::{Error, Regional};

const EVERY: Duration = Duration::from_secs(1);

/// Adds the statement, unless it is there.
pub(super) async fn add(
    operation: &Operation<'_, TopicPermission>,
    aws: &Regional,
    plan: &TopicPermission,
) -> Result<()> {
    let doing = doing::add(&plan.topic_arn);
    let mut retry = Retry::new(operation, EVERY, doing.clone(), messages::after_adding());
    while retry.next().await {
        let _writing = aws.policy_writes.lock().await;
        let policy = match aws.topic_policy(&plan.topic_arn).await {
            Ok(Some(policy)) => policy,
            Ok(None) => return Err(messages::no_topic(plan, &aws.account_in_words().await, &aws.name).into()),
            Err(e) => match retry.judge(Err(e)) {
                Some(done) => return done,
                None => continue,
            },
        };
        let sid = plan.sid();
        let rules = BTreeSet::from([plan.rule_arn.clone()]);
        let document = plan.admission(&sid).with(policy.as_deref(), &rules, usize::MAX);
        let document = document.map_err(|e| messages::policy_cannot_be_written(&doing, &e))?;
        let attempted = write(aws, plan, document, true).await;
        if let Some(done) = retry.judge(attempted) {
            return done;
        }
    }
    Err(retry.given_up())
}

/// Removes the statement; a topic that is gone has none.
pub(super) async fn remove(
    operation: &Operation<'_, TopicPermission>,
    aws: &Regional,
    state: &TopicPermission,
) -> Result<()> {
    let doing = doing::remove(&state.topic_arn);
    let mut retry = Retry::new(operation, EVERY, doing.clone(), messages::after_removing());
    while retry.next().await {
        let _writing = aws.policy_writes.lock().await;
        let policy = match aws.topic_policy(&state.topic_arn).await {
            Ok(policy) => policy.flatten(),
            Err(e) => match retry.judge(Err(e)) {
                Some(done) => return done,
                None => continue,
            },
        };
        let Some(policy) = policy else { return Ok(()) };
        let sid = state.sid();
        let without = state.admission(&sid).without(&policy);
        let left = match without.map_err(|e| messages::policy_cannot_be_written(&doing, &e))? {
            Without::Unchanged => return Ok(()),
            Without::Document(left) => left,
            Without::Empty => first_policy(&state.topic_arn),
        };
        let attempted = write(aws, state, left, false).await;
        if let Some(done) = retry.judge(attempted) {
            return done;
        }
    }
    Err(retry.given_up())
}

/// Writes the policy and reads it back. `is_wanted`: whether the statement is to be in it.
async fn write(aws: &Regional, of: &TopicPermission, document: String, is_wanted: bool) -> Attempted {
    let call = aws.topics.set_topic_attributes().topic_arn(&of.topic_arn);
    let call = call.attribute_name("Policy").attribute_value(document);
    call.send()
        .await
        .map_err(|e| aws.failed("sns:SetTopicAttributes", e))?;
    let policy: Result<_, Error> = aws.topic_policy(&of.topic_arn).await;
    if of.is_in(policy?.flatten().as_deref()) == is_wanted {
        return Ok(Break(()));
    }
    Ok(Continue(messages::overwritten(&of.topic_arn)))
}

/// The policy of a new topic, which lets its owner in (AWS's guide, *Overview of managing access in Amazon SNS*): SNS takes
/// none without a statement.
fn first_policy(topic: &str) -> String {
    let owner = crate::aws::arn::account(topic).unwrap_or_default();
    let statement = serde_json::json!({
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": { "AWS": "*" },
        "Action": [
            "SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission", "SNS:DeleteTopic",
            "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish",
        ],
        "Resource": topic,
        "Condition": { "StringEquals": { "AWS:SourceOwner": owner } },
    });
    serde_json::json!({ "Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement] })
        .to_string()
}
