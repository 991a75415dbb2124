//! What is on a bus that is to go: AWS deletes a bus only when it has no rule, and an archive has one.
//!
//! A destroy takes targets and rules first, and would find out only after them. So it is refused with the plan where rules
//! go and an archive stays. Whether another provider of the same configuration removes that in the same destroy cannot be
//! seen from here: `managed_with_others` says so. Rules are warned of only: those whose blocks were deleted are planned
//! beside the bus, in no order, so that one which is still there may be ours.

use tfplugin::{Plan, PlanAction};

use super::{Bus, messages};
use crate::aws::look::Service;
use crate::aws::tags::INSTANCE;
use crate::ownership::{Owner, PRIVATE};

/// What stays on the bus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct InUse {
    /// Names of archives.
    pub(super) archives: Vec<String>,
    /// Names of rules.
    pub(super) rules: Vec<String>,
}

/// Warns of what stays on the bus; refuses a destroy that would take targets and then fail.
pub(super) async fn judge(plan: &mut Plan<'_, Bus>) {
    let deletes = plan.action() == PlanAction::Delete;
    if !deletes && !plan.replaces() {
        return;
    }
    let Some(prior) = plan.prior().cloned() else {
        return;
    };
    let Some(mut found) = look(plan, &prior).await else {
        return;
    };
    let going = plan
        .client()
        .map(|client| client.walk().removed_rules(&prior.event_source_name));
    let going = going.unwrap_or_default();
    found.rules.retain(|rule| !going.contains(rule));
    if found == InUse::default() || (deletes && is_left(plan, &prior).await) {
        return;
    }
    let diagnostic = messages::in_use(&prior.event_source_name, &found, deletes);
    if deletes && !going.is_empty() && !found.archives.is_empty() && !prior.managed_with_others {
        plan.error(messages::refused_in_use(&diagnostic));
    } else {
        plan.warn(diagnostic);
    }
}

/// Whether a destroy will leave the bus to the resource that adopted it.
async fn is_left(plan: &Plan<'_, Bus>, prior: &Bus) -> bool {
    let adopted_by = async {
        let aws = plan.client()?.aws().ok()?;
        let aws = aws.look(prior.region.as_deref(), plan.cancelled()).await?;
        let arn = prior.arn.as_deref().unwrap_or_default();
        aws.heard(Service::Events, aws.owner(arn, INSTANCE).await)?
    };
    let adopted_by = adopted_by.await;
    adopted_by.is_some() && adopted_by != plan.private(PRIVATE).and_then(Owner::from_private)
}

async fn look(plan: &Plan<'_, Bus>, prior: &Bus) -> Option<InUse> {
    let region = prior.region.as_deref();
    let aws = plan.client()?.aws().ok()?.look(region, plan.cancelled()).await?;
    if !aws.asks(Service::Events) {
        return None;
    }
    let arn = prior.arn.as_deref().unwrap_or_default();
    let archives = aws.heard(Service::Events, aws.archives(arn).await);
    let rules = aws.heard(
        Service::Events,
        aws.unmanaged_rules(&prior.event_source_name).await,
    );
    Some(InUse {
        archives: archives.unwrap_or_default(),
        rules: rules.unwrap_or_default(),
    })
}
