//! What a plan makes of the event source: repaired, gone, or about to lose its bus.

use tfplugin::{Plan, PlanAction, Value};

use super::source::MISSING;
use super::{Bus, messages};

/// A bus is named as its source.
pub(super) fn name(plan: &mut Plan<'_, Bus>) {
    if plan.action() == PlanAction::Create
        && let Value::Known(source) = plan.planned(Bus::event_source_name())
    {
        plan.set(Bus::name(), source);
    }
}

/// A source that lost its association shows as an in-place change; one that is gone cannot be repaired from here.
pub(super) fn source_state(plan: &mut Plan<'_, Bus>) {
    let Some(prior) = plan.prior() else { return };
    if plan.action() != PlanAction::Update {
        return;
    }
    match prior.source_state.as_deref() {
        Some("PENDING") => plan.set(Bus::source_state(), "ACTIVE"),
        // Where the bus is replaced, the plan says so itself.
        Some(state) if is_gone(state) && !plan.replaces() => {
            let warning = messages::source_gone(&prior.event_source_name, state);
            plan.warn(warning);
        }
        _ => {}
    }
}

/// The activation, which is planned later, reads the status that comes of it.
pub(super) fn note_association(plan: &Plan<'_, Bus>) {
    let keeps = |prior: &Bus| prior.source_state.as_deref() != Some("PENDING") && !plan.replaces();
    let Value::Known(source) = plan.planned(Bus::event_source_name()) else {
        return;
    };
    if let Some(client) = plan.client().filter(|_| !plan.prior().is_some_and(keeps)) {
        client.walk().association(&source);
    }
}

/// Scalr or AWS has removed the source.
fn is_gone(source_state: &str) -> bool {
    matches!(source_state, "DELETED" | MISSING)
}

pub(super) fn warn_of_loss(plan: &mut Plan<'_, Bus>) {
    let what = match plan.action() {
        PlanAction::Delete => "Deleting",
        PlanAction::Update if plan.replaces() => "Replacing",
        _ => return,
    };
    let Some(prior) = plan.prior() else { return };
    // Where nothing arrives any more there is nothing left to lose.
    if !prior.source_state.as_deref().is_some_and(is_gone) {
        let warning = messages::loss(what, &prior.event_source_name);
        plan.warn(warning);
    }
}
