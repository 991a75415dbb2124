//! What a plan makes of the event source: repaired, gone, or about to lose its bus.

use tfplugin::{Action, Plan, Value};

use super::source::MISSING;
use super::{Bus, messages};

/// A bus is named as its source.
pub(super) fn name(plan: &mut Plan<'_, Bus>) {
    if plan.action() == Action::Create
        && let Value::Known(source) = plan.planned(Bus::event_source_name())
    {
        plan.set(Bus::name(), source);
    }
}

/// A source that lost its association shows as an in-place change; one that is gone cannot be repaired from here.
pub(super) fn source_state(plan: &mut Plan<'_, Bus>) {
    let Some(prior) = plan.prior() else { return };
    if plan.action() != Action::Update {
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
        Action::Delete => "Deleting",
        Action::Update if plan.replaces() => "Replacing",
        _ => return,
    };
    let Some(prior) = plan.prior() else { return };
    // Where nothing arrives any more there is nothing left to lose.
    if prior.source_state.as_deref().is_some_and(is_gone) {
        return;
    }
    let warning = messages::loss(what, &prior.event_source_name);
    // A bus that is deleted has no configuration to point to.
    let is_moved = plan.planned(Bus::region()) != Value::from(prior.region.clone());
    let warning = match plan.action() {
        Action::Delete => warning,
        _ if is_moved && !plan.config(Bus::region()).is_null() => warning.at(Bus::region()),
        _ => warning.at(Bus::event_source_name()),
    };
    plan.warn(warning);
}
