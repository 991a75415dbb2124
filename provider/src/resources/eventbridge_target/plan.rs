//! What a plan decides of a target: its id, whether another destination means another target, and what may not work.

use tfplugin::{Diagnostic, GeneratedConfig, Plan, PlanAction, Value};

use super::group_messages;
use super::{Target, input, log_group, messages, object, planned_group, routes, warnings};
use crate::aws::{arn, target_id};
use crate::defaults;
use crate::ownership::Object;
use crate::resources::placement::Judged;
use crate::resources::{group_owner, handover, names, placement};

/// All of it.
pub(super) async fn decide(plan: &mut Plan<'_, Target>) {
    if plan.action() == PlanAction::Delete {
        note_removal(plan);
        warn_of_kept_group(plan);
        return;
    }
    defaults::plan_region(plan, &Target::region());
    destination(plan);
    managed(plan);
    let whose = messages::whose(plan);
    warn(plan, &whose);
    note_group(plan);
    judge_rule(plan, &whose).await;
    let object = object::planned(plan);
    handover::plan(plan, object, "another `target_id`", Target::target_id());
    refuse_shared_group(plan);
    planned_group::judge(plan).await;
    routes::warn(plan).await;
}

/// The bus and the rule have to be there. What this walk plans of the rule says the same of its bus.
async fn judge_rule(plan: &mut Plan<'_, Target>, whose: &str) {
    let rule = rule(plan);
    if let Some((client, rule)) = plan.client().zip(rule.as_ref())
        && client.walk().has(rule)
    {
        return;
    }
    let attributes = placement::Attributes {
        bus: Target::event_bus_name(),
        region: Target::region(),
        arn: |_: &Target| None,
    };
    if placement::judge(plan, &attributes, whose).await == Judged::Found {
        return;
    }
    if let Some(rule) = rule
        && let Some(missing) = names::missing(plan, &Target::region(), rule).await
    {
        plan.warn(missing.warning(whose).at(Target::rule()));
    }
}

/// The target's rule, in a region that may not be known yet.
fn rule(plan: &Plan<'_, Target>) -> Option<Object> {
    let region = plan.planned(Target::region()).known();
    Some(Object::Rule {
        region: region.map_or_else(String::new, |region| region.to_string()),
        bus: plan.planned(Target::event_bus_name()).known()?,
        name: plan.planned(Target::rule()).known()?,
    })
}

/// A log group that the target makes is there for what is planned later.
fn note_group(plan: &Plan<'_, Target>) {
    let name = plan.planned(Target::log_group().name()).known();
    let is_made = plan.planned(Target::log_group().create()).known() != Some(false);
    let region = String::new();
    let group = name
        .filter(|_| is_made)
        .map(|name| Object::LogGroup { region, name });
    names::presence(plan, &Target::region(), group);
}

/// Says with the plan of a destroy which log group stays: the apply would say it when everything is gone.
fn warn_of_kept_group(plan: &mut Plan<'_, Target>) {
    let Some(prior) = plan.prior() else { return };
    let region = prior.region.as_deref().unwrap_or_default();
    let kept = prior.own_group().filter(|group| !group.delete_on_destroy);
    if let Some(warning) = kept.map(|group| group_messages::group_stays(&group.name, region)) {
        plan.warn(warning);
    }
}

/// The plans of rule and bus, which a `destroy` makes after those of the targets, count what stays.
fn note_removal(plan: &Plan<'_, Target>) {
    if let Some((client, target)) = plan.client().zip(plan.prior()) {
        client.walk().removal(target.object());
    }
}

/// Leaves the id out of a generated configuration where it is the one that a target without an id gets.
pub(super) fn leave_out_derived_id(config: &mut GeneratedConfig<'_, Target>) {
    let id = config.value(Target::target_id()).known();
    let bus = config.value(Target::event_bus_name()).known();
    let rule = config.value(Target::rule()).known();
    let group = config.value(Target::log_group().name()).known();
    let destination = group.or_else(|| config.value(Target::arn()).known());
    let derived = bus.zip(rule).zip(destination).map(|((bus, rule), destination)| {
        let destination = arn::log_group_name(&destination).unwrap_or(&destination);
        target_id::derive(&bus, &rule, destination)
    });
    if id.is_some() && id == derived {
        config.leave_out(Target::target_id());
    }
}

/// Plans id and log group; decides whether another destination means another target.
fn destination(plan: &mut Plan<'_, Target>) {
    let group = plan.planned(Target::log_group().name());
    if plan.planned(Target::log_group()).is_known() {
        plan.set(Target::log_group().status(), log_group::READY);
    }
    if plan.action() == PlanAction::Update {
        let held = plan
            .prior()
            .and_then(|prior| prior.arn.clone())
            .unwrap_or_default();
        match group {
            Value::Known(name) if arn::log_group_name(&held) != Some(&name) => {
                plan.replace(Target::log_group());
            }
            Value::Unknown => plan.replace(Target::log_group()),
            _ => {}
        }
        return;
    }
    let destination = match group {
        Value::Known(name) => Some(name),
        Value::Unknown => None,
        Value::Null => plan
            .planned(Target::arn())
            .known()
            .map(|arn| arn::log_group_name(&arn).map_or_else(|| arn.clone(), str::to_owned)),
    };
    let bus = plan.planned(Target::event_bus_name()).known();
    let rule = plan.planned(Target::rule()).known();
    if plan.config(Target::target_id()).is_null()
        && let (Some(bus), Some(rule), Some(destination)) = (bus, rule, destination)
    {
        plan.set(Target::target_id(), target_id::derive(&bus, &rule, &destination));
    }
}

/// Plans to take a target back. A state of an earlier version does not say whether it is to be.
fn managed(plan: &mut Plan<'_, Target>) {
    if plan.prior().is_none_or(|prior| prior.managed == Some(false)) {
        plan.set(Target::managed(), true);
    }
}

/// Warns of what may not work, and of what goes with the target.
fn warn(plan: &mut Plan<'_, Target>, whose: &str) {
    warn_of_release(plan);
    warn_of_template(plan, whose);
    let region = plan.planned(Target::region()).known();
    let region = region.as_deref();
    let queue = plan.config(Target::dead_letter_config().arn()).known();
    if let Some(warning) = queue
        .zip(region)
        .and_then(|(queue, region)| warnings::dead_letters_elsewhere(whose, &queue, region))
    {
        plan.warn(warning);
    }
    if let Value::Known(arn) = plan.config(Target::arn())
        && plan.config(Target::log_group()).is_null()
    {
        let role = plan.config(Target::role_arn());
        for warning in warnings::of_destination(whose, &arn, &role, region) {
            plan.warn(warning);
        }
    }
}

/// Refuses a log group that targets of two rules are to have as their own. A replacement has it by its create.
fn refuse_shared_group(plan: &mut Plan<'_, Target>) {
    if plan.prior().is_some() && plan.replaces() {
        return;
    }
    if let Some(refusal) = shared_group(plan) {
        plan.error(refusal.at(Target::log_group().name()));
    }
}

fn shared_group(plan: &Plan<'_, Target>) -> Option<Diagnostic> {
    let name = plan.planned(Target::log_group().name()).known()?;
    if plan.planned(Target::log_group().create()).known() != Some(true) {
        return None;
    }
    let region = plan.planned(Target::region()).known()?.to_string();
    let (bus, rule) = (
        plan.planned(Target::event_bus_name()).known()?,
        plan.planned(Target::rule()).known()?,
    );
    let own = group_owner::rule(&bus, &rule);
    let group = Object::LogGroup {
        region: region.clone(),
        name: name.clone(),
    };
    let rule = Object::Rule {
        region,
        bus,
        name: rule,
    };
    match plan.client()?.walk().claim_group(group, rule)? {
        Object::Rule { bus, name: rule, .. } => {
            let other = group_owner::rule(&bus, &rule);
            Some(group_messages::group_of_two(&name, [&other, &own]))
        }
        _ => None,
    }
}

fn warn_of_release(plan: &mut Plan<'_, Target>) {
    let Some(group) = plan.prior().and_then(|prior| prior.own_group().cloned()) else {
        return;
    };
    let stays_ours = plan.planned(Target::log_group().create()).known() == Some(true);
    match plan.replaces() {
        true if group.delete_on_destroy => plan.warn(group_messages::group_will_be_deleted(&group)),
        true if leaves(plan, &group.name) => {
            let region = plan.prior().and_then(|prior| prior.region.clone());
            let region = region.as_deref().unwrap_or_default();
            plan.warn(group_messages::group_stays(&group.name, region));
        }
        false if !stays_ours => plan.warn(group_messages::group_will_be_released(&group)),
        _ => {}
    }
}

/// Whether another destination is planned, as far as it is known.
fn leaves(plan: &Plan<'_, Target>, group: &str) -> bool {
    match plan.planned(Target::log_group().name()) {
        Value::Known(name) => name != group,
        Value::Null => true,
        Value::Unknown => false,
    }
}

/// A template that leads to no JSON, or to a message that is no text: AWS takes it, and delivers nothing, or something else.
fn warn_of_template(plan: &mut Plan<'_, Target>, whose: &str) {
    let template = plan.config(Target::input_transformer().input_template());
    let paths = plan.config(Target::input_transformer().input_paths());
    let (Value::Known(template), false) = (template, paths.is_unknown()) else {
        return;
    };
    let bus = plan.planned(Target::event_bus_name()).known();
    let from_scalr = bus.is_some_and(|bus| bus.starts_with(scalr_events::SOURCE_PREFIX));
    let paths = paths.known().unwrap_or_default();
    let names = input::quoted_containers(&template, &paths, from_scalr);
    if !names.is_empty() {
        plan.warn(messages::quoted_containers(whose, &names));
    }
    let destination = plan.config(Target::arn()).known().unwrap_or_default();
    let is_group = plan.config(Target::log_group()).is_known() || arn::log_group_name(&destination).is_some();
    if is_group && let Some(name) = input::message_container(&template, &paths, from_scalr) {
        plan.warn(messages::message_is_no_text(whose, name));
    }
}
