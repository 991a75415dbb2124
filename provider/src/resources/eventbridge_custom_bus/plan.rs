//! What a plan says of a custom event bus: that events would be lost, that AWS would refuse it, or that another resource has it.

use aws_sdk_eventbridgev2::types::BusState;
use scalr_events::regions;
use tfplugin::{Plan, PlanAction, Value};

use super::{CustomBus, messages};
use crate::aws::look::Service;
use crate::defaults;
use crate::ownership::Object;
use crate::resources::{custom_look, handover};

/// How many an account has in a region, unless AWS raised that.
const BUSES_MAX: usize = 5;

/// All of it.
pub(super) async fn decide(plan: &mut Plan<'_, CustomBus>) {
    if plan.action() == PlanAction::Delete {
        return warn_of_loss(plan);
    }
    defaults::plan_region(plan, &CustomBus::region());
    defaults::plan_tags(plan, &CustomBus::tags(), &CustomBus::tags_all(), |bus| {
        bus.tags.as_ref()
    });
    warn_of_loss(plan);
    judge_region(plan);
    plan_state(plan);
    look(plan).await;
    let object = planned(plan);
    handover::plan(plan, object, "another `name`", CustomBus::name());
}

/// The bus that is there, or is to be made.
fn planned(plan: &Plan<'_, CustomBus>) -> Option<Object> {
    if let Some(prior) = plan.prior() {
        return Some(prior.object());
    }
    Some(Object::CustomBus {
        region: plan.planned(CustomBus::region()).known()?.to_string(),
        name: plan.planned(CustomBus::name()).known()?,
    })
}

/// The events that a bus keeps are nowhere else.
fn warn_of_loss(plan: &mut Plan<'_, CustomBus>) {
    let what = match plan.action() {
        PlanAction::Delete => "Deleting",
        PlanAction::Update if plan.replaces() => "Replacing",
        _ => return,
    };
    if let Some(warning) = plan.prior().map(|prior| messages::loss(what, prior)) {
        plan.warn(warning);
    }
}

/// A new bus in a region without custom ones is warned of, since AWS may have added it; what a replacement deletes first would be
/// lost, so that is refused.
fn judge_region(plan: &mut Plan<'_, CustomBus>) {
    let Some(region) = plan.planned(CustomBus::region()).known() else {
        return;
    };
    // One that does not exist is said already.
    if regions::with_custom_buses().contains(&&*region) || !regions::is_known(&region) {
        return;
    }
    match plan.prior() {
        None => plan.warn(messages::no_custom_buses_in(&region)),
        Some(prior) if prior.region.as_deref() != Some(&*region) => {
            plan.error(messages::cannot_move_to(&region));
        }
        Some(_) => {}
    }
}

/// A change of the settings may lead to another state.
fn plan_state(plan: &mut Plan<'_, CustomBus>) {
    let Some(prior) = plan.prior().filter(|_| !plan.replaces()) else {
        return;
    };
    let keeps = plan.planned(CustomBus::kms_key_identifier()) == prior.kms_key_identifier.clone().into()
        && plan.planned(CustomBus::description()) == prior.description.clone().into()
        && plan.planned(CustomBus::retention_in_days()) == Value::Known(prior.retention_in_days);
    if !keeps {
        plan.set_unknown(CustomBus::state());
    }
}

/// Looks at the account where a bus is to be made: whether its name is free, and how many there are.
async fn look(plan: &mut Plan<'_, CustomBus>) {
    let aws = defaults::look(plan, &CustomBus::region()).await;
    let Some(aws) = custom_look::to_make(plan, aws, CustomBus::name()) else {
        return;
    };
    let name = plan.planned(CustomBus::name()).known();
    let (Some(name), Some(client), true) = (name, plan.client(), aws.asks(Service::CustomBuses)) else {
        return;
    };
    let object = Object::CustomBus {
        region: aws.name.clone(),
        name: name.clone(),
    };
    let planned = client.walk().custom_bus(object.clone());
    let Some(mut held) = aws.heard(Service::CustomBuses, aws.custom_buses("").await) else {
        return;
    };
    // An apply waits until these are gone, and deletes what it replaces.
    let is_replaced = custom_look::is_of_state(plan, &object);
    held.retain(|bus| {
        bus.state() != Some(&BusState::Deleting) && !(is_replaced && bus.name() == Some(&name))
    });
    let same = held.iter().find(|bus| bus.name() == Some(&name));
    if let Some(arn) = same
        .and_then(|bus| bus.event_bus_arn())
        .filter(|_| plan.prior().is_none())
    {
        plan.warn(messages::will_be_refused(&name, &aws.name, arn));
    } else if plan.prior().is_none() && held.len() + planned > BUSES_MAX {
        plan.warn(messages::too_many(held.len(), planned, BUSES_MAX, &aws.name));
    }
}
