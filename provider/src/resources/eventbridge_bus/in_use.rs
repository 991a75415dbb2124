//! What is on a bus that is to go: AWS deletes a bus only when it has no rule, and an archive has one.
//!
//! A destroy takes targets and rules first, and would find out only after them. So it is refused with the plan where
//! something of this state goes first and something else stays: an archive, a rule, or a target on a rule that goes. Whether
//! another provider of the same configuration removes that in the same destroy cannot be seen from here:
//! `managed_with_others` says so.
//!
//! Of rules and targets only a `destroy` is refused: there what is on the bus is planned before it. Resources whose blocks
//! were deleted are planned in no order, so that a rule which is still there may be of this state; that is warned of.

use std::collections::BTreeMap;

use tfplugin::{Plan, PlanAction};

use super::{Bus, messages};
use crate::aws::look::Service;
use crate::ownership::Object;
use crate::resources::handover;

/// What stays on the bus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct InUse {
    /// Names of archives.
    pub(super) archives: Vec<String>,
    /// Names of rules.
    pub(super) rules: Vec<String>,
    /// Ids of targets on rules that go, by the rule.
    pub(super) targets: BTreeMap<String, Vec<String>>,
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
    let is_ordered = deletes && is_destroy(plan, &prior);
    let Some(found) = find(plan, &prior, is_ordered).await else {
        return;
    };
    if found == InUse::default()
        || (deletes && handover::will_be_left(plan, prior.object(), prior.known_arn()).await)
    {
        return;
    }
    let diagnostic = messages::in_use(&prior.event_source_name, &found, deletes);
    let stops = is_ordered || !found.archives.is_empty();
    if deletes && stops && takes_first(plan, &prior) && !prior.managed_with_others {
        plan.error(messages::refused_in_use(&diagnostic));
    } else {
        plan.warn(diagnostic);
    }
}

/// Whether what is on the bus was planned before it.
pub(super) fn is_destroy(plan: &Plan<'_, Bus>, prior: &Bus) -> bool {
    let client = plan.client();
    client.is_some_and(|client| !client.walk().is_refreshed(&prior.object()))
}

/// Whether rules or targets go before the bus.
fn takes_first(plan: &Plan<'_, Bus>, prior: &Bus) -> bool {
    let client = plan.client();
    client.is_some_and(|client| client.walk().removes_from(&prior.object()))
}

/// `is_ordered`: what is on the bus was planned before it.
async fn find(plan: &Plan<'_, Bus>, prior: &Bus, is_ordered: bool) -> Option<InUse> {
    let (client, bus) = (plan.client()?, prior.object());
    let region = prior.region.as_deref();
    let aws = client.aws().ok()?.look(region, plan.cancelled()).await?;
    if !aws.asks(Service::Events) {
        return None;
    }
    let archives = aws.heard(Service::Events, aws.archives(prior.known_arn()).await);
    let name = &prior.event_source_name;
    let rules = aws.heard(Service::Events, aws.unmanaged_rules(name).await);
    let rules = rules.unwrap_or_default().into_iter().map(|rule| Object::Rule {
        region: region.unwrap_or_default().to_owned(),
        bus: name.clone(),
        name: rule,
    });
    let staying = client.walk().staying(rules.collect(), plan.cancelled()).await;
    // The plan of the rule has warned of its targets: they are said once more where they stop the destroy.
    let targets = if is_ordered && !prior.managed_with_others {
        client.walk().staying_targets(&bus)
    } else {
        BTreeMap::new()
    };
    Some(InUse {
        archives: archives.unwrap_or_default(),
        rules: staying.into_iter().filter_map(name_of).collect(),
        targets: targets
            .into_iter()
            .filter_map(|(rule, ids)| Some((name_of(rule)?, ids)))
            .collect(),
    })
}

fn name_of(rule: Object) -> Option<String> {
    match rule {
        Object::Rule { name, .. } => Some(name),
        _ => None,
    }
}
