//! The queue at AWS: adopted, made, changed, deleted.

use std::collections::HashMap;
use std::ops::ControlFlow::{Break, Continue};
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use tfplugin::{Operation, Path, Plan, Result};

use super::messages::{self, doing};
use super::{Queue, stored};
use crate::aws::admission::{Admission, QUEUE_BYTES_MAX};
use crate::aws::queues::{HeldQueue, QueueAttributes, is_no_queue};
use crate::aws::retry::Retry;
use crate::aws::tags::Tags;
use crate::aws::{Error, Regional, held_text};
use crate::client::Client;
use crate::defaults;
use crate::failure::Cause as _;
use crate::resources::existing::{self, differing};
use crate::values::Region;

/// SQS takes the name of a deleted queue only after a minute.
const CREATE_EVERY: Duration = Duration::from_secs(5);
/// How often a queue is looked at until it shows what was written.
const WRITTEN_EVERY: Duration = Duration::from_secs(2);
/// `Sid` of our statement.
const SID: &str = "ScalrEventBridge";

/// The attributes that a queue is read with.
pub(super) const READ: [QueueAttributeName; 7] = [
    QueueAttributeName::QueueArn,
    QueueAttributeName::Policy,
    QueueAttributeName::MessageRetentionPeriod,
    QueueAttributeName::VisibilityTimeout,
    QueueAttributeName::KmsMasterKeyId,
    QueueAttributeName::RedrivePolicy,
    QueueAttributeName::DelaySeconds,
];

/// The clients of the queue's region.
pub(super) async fn regional(operation: &Operation<'_, Queue>, region: Option<&Region>) -> Result<Regional> {
    let aws = defaults::regional(operation, region).await?;
    if !aws.has_queues {
        return Err(messages::events_alone_elsewhere().into());
    }
    Ok(aws)
}

/// Refuses with the plan what every operation refuses.
pub(super) async fn refuse_elsewhere(plan: &mut Plan<'_, Queue>) {
    let look = defaults::look(plan, &Queue::region()).await;
    if look.is_some_and(|look| !look.has_queues) {
        plan.error(messages::events_alone_elsewhere().at(Queue::name()));
    }
}

/// Looks for a queue of that name: CreateQueue would return it as if it were new. Its URL where it is just as planned.
pub(super) async fn adopt_or_refuse(aws: &Regional, client: &Client, plan: &Queue) -> Result<Option<String>> {
    let failed = |e: Error| e.during(doing::make(&plan.name));
    let Some(held) = aws.queue(&plan.name, &READ).await.map_err(failed)? else {
        return Ok(None);
    };
    let mut now = plan.clone();
    now.with(&held);
    let (tags, _) = aws.queue_tags_and_owner(&held).await.map_err(failed)?;
    now.tags_all = Some(defaults::tagging(client)?.ignored.without(tags));
    let mut differences = plan.differences(&now);
    if has_more(&held, &plan.admission()) {
        differences.push("settings that this resource does not have".to_owned());
    }
    existing::adopt_or_refuse(&messages::existing(plan, &aws.name), &differences)?;
    Ok(Some(held.url))
}

/// Makes the queue with all that belongs to it in one call, and returns its URL.
pub(super) async fn create(
    operation: &Operation<'_, Queue>,
    aws: &Regional,
    plan: &Queue,
    tags: &Tags,
) -> Result<String> {
    const CREATE: &str = "sqs:CreateQueue";
    let mut attributes = plan.attributes();
    let policy = plan.policy(None, &doing::make(&plan.name))?;
    attributes.insert(QueueAttributeName::Policy, policy);
    attributes.extend(plan.encryption(true));
    let tags: HashMap<String, String> = tags.clone().into_iter().collect();
    let call = aws.queues.create_queue().queue_name(&plan.name);
    let call = call
        .set_attributes(Some(attributes))
        .set_tags((!tags.is_empty()).then_some(tags));
    let mut retry = Retry::new(
        operation,
        CREATE_EVERY,
        doing::make(&plan.name),
        messages::after_creating(),
    );
    let mut url = String::new();
    while retry.next().await {
        let answer = call.clone().send().await;
        let made = answer.map_err(|e| aws.failed(CREATE, e));
        let made = made.and_then(|made| aws.given(CREATE, "QueueUrl", made.queue_url));
        let attempted = match made {
            Ok(made) => {
                url = made;
                Ok(Break(()))
            }
            Err(e) if is_deleted_recently(&e) => Ok(Continue(messages::deleted_recently(&plan.name))),
            Err(e) => Err(e),
        };
        if let Some(done) = retry.judge(attempted) {
            return done.map(|()| url);
        }
    }
    Err(retry.given_up())
}

/// Brings attributes and policy to what is planned.
pub(super) async fn update(aws: &Regional, plan: &Queue) -> Result<()> {
    let name = &plan.name;
    let failed = |e: Error| e.during(doing::change(name));
    let held = aws
        .queue(name, &[QueueAttributeName::Policy])
        .await
        .map_err(failed)?;
    let Some(held) = held else {
        return Err(messages::gone(plan, &aws.name).into());
    };
    let mut attributes = plan.attributes();
    let policy = plan.policy(held.text(&QueueAttributeName::Policy), &doing::change(name))?;
    attributes.insert(QueueAttributeName::Policy, policy);
    attributes.extend(plan.encryption(false));
    let call = aws
        .queues
        .set_queue_attributes()
        .queue_url(held.url)
        .set_attributes(Some(attributes));
    let answer = call.send().await;
    answer.map_err(|e| failed(aws.failed("sqs:SetQueueAttributes", e)))?;
    Ok(())
}

/// Waits until the queue shows what was written: SQS documents up to 60 seconds for that, and 15 minutes for the retention. It is
/// written by then, so that what is not seen is a warning.
pub(super) async fn await_written(operation: &Operation<'_, Queue>, aws: &Regional, plan: &Queue) {
    let mut attempts = operation.attempts(WRITTEN_EVERY);
    while attempts.next().await.is_some() {
        match aws.queue(&plan.name, &READ).await {
            Ok(Some(held)) => {
                let mut now = plan.clone();
                now.with(&held);
                if plan.is_like(&now) {
                    return;
                }
            }
            Ok(None) => {}
            Err(error) => {
                for failure in &error.during_with(doing::see(&plan.name), &messages::not_seen()) {
                    operation.warn(failure.clone());
                }
                return;
            }
        }
        attempts.awaiting(messages::not_shown_yet(&plan.name));
    }
    operation.warn(messages::not_shown(&plan.name));
}

/// Deletes the queue; one that is gone is no error.
pub(super) async fn delete(aws: &Regional, state: &Queue) -> Result<()> {
    let failed = |e: Error| e.during_with(doing::delete(&state.name), &messages::after_deleting());
    let held = aws.queue(&state.name, &stored::COUNTS).await.map_err(failed)?;
    let Some(held) = held else { return Ok(()) };
    let count = held.messages();
    if count > 0 && !state.force_destroy {
        return Err(messages::holds_messages(state, count).into());
    }
    let answer = aws.queues.delete_queue().queue_url(held.url).send().await;
    match answer.map_err(|e| aws.failed("sqs:DeleteQueue", e)) {
        Err(e) if !is_no_queue(&e) => Err(failed(e)),
        _ => Ok(()),
    }
}

/// The code is the same in both of the protocols that SQS has had.
fn is_deleted_recently(error: &Error) -> bool {
    error
        .code()
        .is_some_and(|code| code.rsplit('.').next() == Some("QueueDeletedRecently"))
}

/// The queue has what somebody set for a purpose of their own.
fn has_more(held: &HeldQueue, ours: &Admission<'_>) -> bool {
    held.text(&QueueAttributeName::RedrivePolicy).is_some()
        || held
            .number(&QueueAttributeName::DelaySeconds)
            .is_some_and(|delay| delay != 0)
        || ours.has_others(held.text(&QueueAttributeName::Policy))
}

impl Queue {
    fn admission(&self) -> Admission<'_> {
        Admission {
            sid: SID,
            action: "sqs:SendMessage",
            resource: self.known_arn(),
        }
    }

    /// The policy that is there, with our statement.
    fn policy(&self, held: Option<&str>, doing: &str) -> Result<String> {
        let document = self.admission().with(held, &self.rule_arns, QUEUE_BYTES_MAX);
        Ok(document.map_err(|e| messages::policy_cannot_be_written(doing, &e))?)
    }

    fn attributes(&self) -> QueueAttributes {
        HashMap::from([
            (
                QueueAttributeName::MessageRetentionPeriod,
                self.message_retention_seconds.to_string(),
            ),
            (
                QueueAttributeName::VisibilityTimeout,
                self.visibility_timeout_seconds.to_string(),
            ),
        ])
    }

    /// One kind of encryption, and not the other.
    fn encryption(&self, new: bool) -> QueueAttributes {
        let key = self.kms_master_key_id.clone();
        let by_sqs = (
            QueueAttributeName::SqsManagedSseEnabled,
            key.is_none().to_string(),
        );
        let key =
            (key.is_some() || !new).then(|| (QueueAttributeName::KmsMasterKeyId, key.unwrap_or_default()));
        key.into_iter().chain([by_sqs]).collect()
    }

    /// Takes what AWS holds.
    pub(super) fn with(&mut self, held: &HeldQueue) {
        self.url = Some(held.url.clone());
        if let Some(arn) = held.text(&QueueAttributeName::QueueArn) {
            self.arn = Some(arn.to_owned());
        }
        let policy = held.text(&QueueAttributeName::Policy);
        self.rule_arns = self.admission().rules(policy);
        let number = |name| held.number(&name).unwrap_or_default();
        self.message_retention_seconds = number(QueueAttributeName::MessageRetentionPeriod);
        self.visibility_timeout_seconds = number(QueueAttributeName::VisibilityTimeout);
        let key = held.text(&QueueAttributeName::KmsMasterKeyId);
        self.kms_master_key_id = held_text(self.kms_master_key_id.as_deref(), key);
    }

    /// What SetQueueAttributes writes is the same; tags are another call's.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.written(other).iter().all(|(_, same)| *same)
    }

    /// The attributes in which another differs.
    fn differences(&self, other: &Self) -> Vec<String> {
        let tags = (Self::tags().into(), self.tags_all == other.tags_all);
        differing(self.written(other).into_iter().chain([tags]))
    }

    /// The attributes that SetQueueAttributes writes, and whether another has the same.
    fn written(&self, other: &Self) -> [(Path, bool); 4] {
        [
            (Self::rule_arns().into(), self.rule_arns == other.rule_arns),
            (
                Self::message_retention_seconds().into(),
                self.message_retention_seconds == other.message_retention_seconds,
            ),
            (
                Self::visibility_timeout_seconds().into(),
                self.visibility_timeout_seconds == other.visibility_timeout_seconds,
            ),
            (
                Self::kms_master_key_id().into(),
                self.kms_master_key_id == other.kms_master_key_id,
            ),
        ]
    }
}
