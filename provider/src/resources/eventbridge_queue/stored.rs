//! Messages in a queue that is to go. They would go with it, so that the plan is refused, before anything else is destroyed.

use aws_sdk_sqs::types::QueueAttributeName;
use tfplugin::{Plan, PlanAction};

use super::{Queue, messages};
use crate::aws::look::Service;

/// What is asked for.
pub(super) const COUNTS: [QueueAttributeName; 3] = [
    QueueAttributeName::ApproximateNumberOfMessages,
    QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    QueueAttributeName::ApproximateNumberOfMessagesDelayed,
];

/// Refuses to delete or replace a queue that holds messages. What AWS does not say, the destroy asks again.
pub(super) async fn refuse_loss(plan: &mut Plan<'_, Queue>) {
    if plan.action() != PlanAction::Delete && !plan.replaces() {
        return;
    }
    let Some(prior) = plan.prior().filter(|prior| !prior.force_destroy).cloned() else {
        return;
    };
    let count = count(plan, &prior).await.unwrap_or_default();
    if count > 0 {
        plan.error(messages::holds_messages(&prior, count));
    }
}

async fn count(plan: &Plan<'_, Queue>, prior: &Queue) -> Option<i64> {
    let region = prior.region.as_deref();
    let aws = plan.client()?.aws().ok()?.look(region, plan.cancelled()).await?;
    if !aws.asks(Service::Queues) {
        return None;
    }
    let held = aws.heard(Service::Queues, aws.queue(&prior.name, &COUNTS).await)??;
    Some(held.messages())
}
