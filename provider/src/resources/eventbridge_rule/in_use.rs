//! Targets that stay on a rule that is to go: AWS deletes a rule only when it has none.
//!
//! A plan warns of them. The plan of the bus refuses a `destroy` of both (`eventbridge_bus/in_use.rs`): what another provider
//! of the same configuration removes in the same destroy cannot be seen from here, and the bus says whether there is any.

use tfplugin::{Plan, PlanAction};

use super::{Rule, messages};
use crate::aws::look::Service;
use crate::aws::target_id;
use crate::ownership::Object;
use crate::resources::handover;

/// Warns of targets that stay.
pub(super) async fn judge(plan: &mut Plan<'_, Rule>) {
    let deletes = plan.action() == PlanAction::Delete;
    if !deletes && !plan.replaces() {
        return;
    }
    let Some(prior) = plan.prior().cloned() else {
        return;
    };
    if deletes && let Some(client) = plan.client() {
        client.walk().removal(prior.object());
    }
    let ids = look(plan, &prior).await.unwrap_or_default();
    let staying = if deletes {
        staying(plan, &prior, ids).await
    } else {
        // Targets are planned after their rule: those with a default id are of a resource, and can go with it.
        ids.into_iter().filter(|id| !target_id::is_derived(id)).collect()
    };
    if !staying.is_empty() {
        plan.warn(messages::in_use(&prior, &staying, deletes));
    }
}

async fn look(plan: &Plan<'_, Rule>, prior: &Rule) -> Option<Vec<String>> {
    let aws = plan.client()?.aws().ok()?;
    let aws = aws.look(prior.region.as_deref(), plan.cancelled()).await?;
    if !aws.asks(Service::Events) {
        return None;
    }
    let held = aws.targets(&prior.event_bus_name, prior.known_name()).await;
    let held = aws.heard(Service::Events, held)??;
    Some(held.into_iter().map(|target| target.id).collect())
}

/// The targets that no plan removes; none where the rule is left to another resource.
async fn staying(plan: &Plan<'_, Rule>, prior: &Rule, ids: Vec<String>) -> Vec<String> {
    let Some(client) = plan.client() else {
        return Vec::new();
    };
    if client.memory().plans_creation(&prior.object()) {
        return Vec::new();
    }
    let targets = ids.into_iter().map(|id| prior.target(id)).collect();
    let staying = client.walk().staying(targets, plan.cancelled()).await;
    let arn = prior.arn.as_deref().unwrap_or_default();
    if staying.is_empty() || handover::will_be_left(plan, prior.object(), arn).await {
        return Vec::new();
    }
    let ids = staying.into_iter().filter_map(|object| match object {
        Object::Target { id, .. } => Some(id),
        _ => None,
    });
    let ids: Vec<String> = ids.collect();
    client.walk().targets_stay(prior.object(), ids.clone());
    ids
}
