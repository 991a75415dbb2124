//! What a plan makes of the event source: repaired, gone, or about to lose its bus.

use tfplugin::{Operation, Plan, PlanAction, Value};

use super::source::MISSING;
use super::{Bus, in_use, managed, messages, missing, object, routes};
use crate::defaults;
use crate::ownership::Object;
use crate::resources::{handover, names, placement};

/// Private state of a bus whose connection is in the state too, as of the last refresh.
const WITH_CONNECTION: &str = "with_connection";

/// All of it.
pub(super) async fn decide(plan: &mut Plan<'_, Bus>) {
    let deletes = plan.action() == PlanAction::Delete;
    if !deletes {
        defaults::plan_region(plan, &Bus::region());
    }
    warn_of_loss(plan);
    in_use::judge(plan).await;
    if deletes {
        note_removal(plan);
        return;
    }
    defaults::plan_tags(plan, &Bus::tags(), &Bus::tags_all(), |bus| bus.tags.as_ref());
    name(plan);
    source_state(plan);
    let object = object::planned(plan);
    handover::plan(
        plan,
        object,
        "another `event_source_name`",
        Bus::event_source_name(),
    );
    note_association(plan);
    let attributes = placement::Attributes {
        bus: Bus::event_source_name(),
        region: Bus::region(),
        arn: |bus: &Bus| bus.arn.as_deref(),
    };
    if let Some(elsewhere) = placement::find(plan, &attributes).await {
        plan.warn(elsewhere.warning("this `scalr_eventbridge_bus`"));
    } else {
        missing::warn(plan).await;
        managed::warn(plan).await;
    }
    note_presence(plan);
    routes::warn(plan).await;
}

/// A bus is named as its source.
fn name(plan: &mut Plan<'_, Bus>) {
    if plan.action() == PlanAction::Create
        && let Value::Known(source) = plan.planned(Bus::event_source_name())
    {
        plan.set(Bus::name(), source);
    }
}

/// A source that lost its association shows as an in-place change; one that is gone cannot be repaired from here.
fn source_state(plan: &mut Plan<'_, Bus>) {
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

/// The rules and targets, which are planned later, find the bus by its name.
fn note_presence(plan: &Plan<'_, Bus>) {
    let name = plan.planned(Bus::event_source_name()).known();
    let region = String::new();
    names::presence(
        plan,
        &Bus::region(),
        name.map(|name| Object::Bus { region, name }),
    );
}

/// An event source of a custom event bus may be planned to get the events.
fn note_removal(plan: &Plan<'_, Bus>) {
    if let Some((client, bus)) = plan.client().zip(plan.prior()) {
        client.walk().removal(bus.object());
    }
}

/// The activation, which is planned later, reads the status that comes of it.
fn note_association(plan: &Plan<'_, Bus>) {
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

/// What a later plan needs of a refresh: that there was one, and whether the connection is of this state. It is refreshed
/// before the bus, which refers to it.
pub(super) fn note_refresh(operation: &Operation<'_, Bus>, bus: &Bus) {
    let walk = operation.client().walk();
    let connected = walk.is_connected(&bus.event_source_name);
    operation.set_private(WITH_CONNECTION, if connected { "true" } else { "" });
    walk.refreshed(bus.object());
}

/// Warns that events are dropped from now on; not where nothing sends any: the source is gone, or a `destroy` takes the
/// connection too.
fn warn_of_loss(plan: &mut Plan<'_, Bus>) {
    let Some(prior) = plan.prior() else { return };
    let what = match plan.action() {
        PlanAction::Delete if in_use::is_destroy(plan, prior) && plan.private(WITH_CONNECTION).is_some() => {
            return;
        }
        PlanAction::Delete => "Deleting",
        PlanAction::Update if plan.replaces() => "Replacing",
        _ => return,
    };
    // Where nothing arrives any more there is nothing left to lose.
    if prior.source_state.as_deref().is_some_and(is_gone) {
        return;
    }
    let warning = messages::loss(what, &prior.event_source_name);
    // A bus that is deleted has no configuration to point to.
    let is_moved = plan.planned(Bus::region()) != Value::from(prior.region.clone());
    let warning = match plan.action() {
        PlanAction::Delete => warning,
        _ if is_moved && !plan.config(Bus::region()).is_null() => warning.at(Bus::region()),
        _ => warning.at(Bus::event_source_name()),
    };
    plan.warn(warning);
}
