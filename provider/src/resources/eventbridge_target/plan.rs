//! What a plan decides of a target: its id, whether another destination means another target, and what may not work.

use tfplugin::{Action, Plan, Value};

use super::{LogGroup, Target, log_group, messages, warnings};
use crate::aws::{arn, target_id};

pub(super) fn plan(plan: &mut Plan<'_, Target>) {
    if plan.action() == Action::Delete {
        return;
    }
    destination(plan);
    warn_of_release(plan);
    let region = plan.planned::<String>("region").known();
    if let (Value::Known(queue), Some(region)) = (plan.config::<String>("dead_letter_config.arn"), &region)
        && let Some(warning) = warnings::dead_letters_elsewhere(&queue, region)
    {
        plan.warn(warning);
    }
    if let Value::Known(arn) = plan.config::<String>("arn")
        && plan.config::<LogGroup>("log_group").is_null()
    {
        let role = plan.config::<String>("role_arn");
        for warning in warnings::of_destination(&arn, &role, region.as_deref()) {
            plan.warn(warning);
        }
    }
}

/// Plans id and log group; decides whether another destination means another target.
fn destination(plan: &mut Plan<'_, Target>) {
    let group = plan.planned::<String>("log_group.name");
    if !plan.planned::<LogGroup>("log_group").is_null() && !plan.planned::<LogGroup>("log_group").is_unknown()
    {
        plan.set("log_group.status", log_group::READY);
    }
    if plan.action() == Action::Update {
        let held = plan
            .prior()
            .and_then(|prior| prior.arn.clone())
            .unwrap_or_default();
        match group {
            Value::Known(name) if arn::log_group_name(&held) != Some(&name) => plan.replace("log_group"),
            Value::Unknown => plan.replace("log_group"),
            _ => {}
        }
        return;
    }
    let destination = match group {
        Value::Known(name) => Some(name),
        Value::Unknown => None,
        Value::Null => plan
            .planned::<String>("arn")
            .known()
            .map(|arn| arn::log_group_name(&arn).map_or_else(|| arn.clone(), str::to_owned)),
    };
    let bus = plan.planned::<String>("event_bus_name").known();
    let rule = plan.planned::<String>("rule").known();
    if plan.config::<String>("target_id").is_null()
        && let (Some(bus), Some(rule), Some(destination)) = (bus, rule, destination)
    {
        plan.set("target_id", target_id::derive(&bus, &rule, &destination));
    }
}

fn warn_of_release(plan: &mut Plan<'_, Target>) {
    let Some(group) = plan.prior().and_then(|prior| prior.own_group().cloned()) else {
        return;
    };
    let stays_ours = plan.planned::<bool>("log_group.create").known() == Some(true);
    match plan.replaces() {
        true if group.delete_on_destroy => plan.warn(messages::group_will_be_deleted(&group)),
        false if !stays_ours => plan.warn(messages::group_will_be_released(&group)),
        _ => {}
    }
}
