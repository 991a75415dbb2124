//! What a plan says of a subscriber: that events would be missed, that AWS would refuse it, or that another resource has it.

use tfplugin::{Plan, PlanAction, Value};

use super::{Subscriber, filters, log_group, messages, role, role_messages, role_policy};
use crate::aws::arn;
use crate::aws::look::Service;
use crate::defaults;
use crate::ownership::Object;
use crate::resources::{custom_look, handover};
use crate::values::Region;

/// All of it. A destroy says which log group stays; the events stay on the bus.
pub(super) async fn decide(plan: &mut Plan<'_, Subscriber>) {
    if plan.action() == PlanAction::Delete {
        let prior = plan.prior();
        let region = prior
            .and_then(|prior| prior.region.as_deref())
            .unwrap_or_default();
        let kept = prior.and_then(Subscriber::own_group);
        let kept = kept.filter(|group| !group.delete_on_destroy);
        let warning = kept.map(|group| messages::group_stays(&group.name, region));
        return warning.into_iter().for_each(|warning| plan.warn(warning));
    }
    region(plan);
    target(plan);
    plan_role(plan);
    refuse_role_that_goes(plan);
    defaults::plan_tags(plan, &Subscriber::tags(), &Subscriber::tags_all(), |subscriber| {
        subscriber.tags.as_ref()
    });
    warn_of_gap(plan);
    unfinished(plan);
    warn_of_group(plan);
    judge_regions(plan);
    filters::warn(plan);
    look(plan).await;
    let object = planned(plan);
    handover::plan(plan, object, "another `name`", Subscriber::name());
}

/// It is that of the bus.
fn region(plan: &mut Plan<'_, Subscriber>) {
    let bus = plan.planned(Subscriber::event_bus_arn()).known();
    let is_new = plan.prior().is_none() || plan.replaces();
    if let Some(arn) = bus.as_deref().and_then(arn::parse).filter(|_| is_new) {
        plan.set(Subscriber::region(), Region::from(arn.region));
    }
}

/// A log group is reached by a call, and an apply makes it ready.
fn target(plan: &mut Plan<'_, Subscriber>) {
    let group = plan.planned(Subscriber::log_group());
    if matches!(group, Value::Unknown) {
        return whole_group_unknown(plan);
    }
    if group.is_known() {
        plan.set(Subscriber::target_arn(), log_group::CALL);
        if plan
            .prior()
            .is_some_and(|prior| prior.target() != log_group::CALL)
        {
            plan.replace(Subscriber::target_arn());
        }
        plan.set(Subscriber::log_group().status(), log_group::READY);
    }
    let name = plan.planned(Subscriber::log_group().name());
    let held = plan.prior().and_then(|prior| prior.log_group.as_ref());
    if held.is_some_and(|held| name != Value::Known(held.name.clone())) && !name.is_null() {
        plan.set_unknown(Subscriber::log_group().arn());
    }
}

/// A role that is made here is known when it is made.
fn plan_role(plan: &mut Plan<'_, Subscriber>) {
    let role = plan.planned(Subscriber::role());
    if role.is_null() {
        return;
    }
    if role.is_known() {
        plan.set(Subscriber::role().status(), log_group::READY);
    }
    let is_own = plan.prior().is_some_and(role_policy::is_own);
    if !is_own && plan.config(Subscriber::role_arn()).is_null() {
        plan.set_unknown(Subscriber::role_arn());
    }
}

/// The old subscriber takes the role with it that was made for it. Whether it is replaced may be known only to the plan of the new one: with
/// `-replace` that has its private state, and of a tainted one there is what its refresh has noted.
fn refuse_role_that_goes(plan: &mut Plan<'_, Subscriber>) {
    let is_new = plan.prior().is_none() || plan.replaces();
    let named = plan.planned(Subscriber::role_arn()).known();
    let Some(named) = named.filter(|_| is_new && plan.planned(Subscriber::role()).is_null()) else {
        return;
    };
    let of_state = plan.prior().filter(|prior| role_policy::is_own(prior));
    let is_own = of_state.is_some_and(|prior| prior.known_role() == named);
    let is_of_tainted = plan
        .client()
        .zip(planned(plan).filter(|_| plan.prior().is_none()))
        .is_some_and(|(client, subscriber)| client.walk().is_role_of(&named, &subscriber));
    if is_own || is_of_tainted || role::of_replaced(plan).as_deref() == Some(&*named) {
        plan.error(role_messages::goes_with_the_old(&named));
    }
}

/// A state without a subscriber is what a creation or destroy left that did not end: that goes, and another is made.
fn unfinished(plan: &mut Plan<'_, Subscriber>) {
    if plan.prior().is_some_and(|prior| prior.arn.is_none()) {
        plan.set_unknown(Subscriber::arn());
        plan.replace(Subscriber::arn());
    }
}

/// Where no other target is written, a log group that is not known yet is the target; a configuration without any is refused by then.
fn whole_group_unknown(plan: &mut Plan<'_, Subscriber>) {
    let is_another = |prior: &Subscriber| prior.target() != log_group::CALL;
    if plan.config(Subscriber::target_arn()).is_null() && plan.prior().is_some_and(is_another) {
        plan.set_unknown(Subscriber::target_arn());
        plan.replace(Subscriber::target_arn());
    }
}

/// The subscriber that is there, or is to be made.
fn planned(plan: &Plan<'_, Subscriber>) -> Option<Object> {
    if let Some(prior) = plan.prior() {
        return Some(prior.object());
    }
    Some(Object::Subscriber {
        region: plan.planned(Subscriber::region()).known()?.to_string(),
        name: plan.planned(Subscriber::name()).known()?,
    })
}

/// A new subscriber begins with what arrives after it was made.
fn warn_of_gap(plan: &mut Plan<'_, Subscriber>) {
    let is_latest = plan.planned(Subscriber::starting_position()) != Value::Known("POINT_IN_TIME".to_owned());
    if plan.action() == PlanAction::Update && plan.replaces() && is_latest {
        let warning = plan.prior().map(|prior| messages::gap(&prior.name));
        if let Some(warning) = warning {
            plan.warn(warning);
        }
    }
    let revoked = plan
        .prior()
        .filter(|prior| prior.state.as_deref() == Some("REVOKED"));
    if let Some(warning) = revoked.map(|prior| messages::revoked(&prior.name))
        && !plan.replaces()
    {
        plan.warn(warning);
    }
}

/// The log group goes with a subscriber that is replaced.
fn warn_of_group(plan: &mut Plan<'_, Subscriber>) {
    let Some(prior) = plan.prior().filter(|_| plan.replaces()) else {
        return;
    };
    let is_there = prior.arn.is_some();
    let group = prior.own_group().filter(|group| group.delete_on_destroy);
    if let Some(warning) = group.map(|group| messages::group_will_be_deleted(&group.name, is_there)) {
        plan.warn(warning);
    }
}

/// Targets are where the subscriber is, except for custom event buses and calls to AWS.
fn judge_regions(plan: &mut Plan<'_, Subscriber>) {
    let bus = plan.planned(Subscriber::event_bus_arn()).known();
    let target = plan.planned(Subscriber::target_arn()).known();
    let Some((bus, target)) = bus.zip(target) else {
        return;
    };
    if bus == target {
        plan.error(messages::own_bus().at(Subscriber::target_arn()));
        return;
    }
    let is_free = |resource: &str| resource.starts_with("event-busv2/") || resource.starts_with("aws-sdk:");
    let Some((bus, target)) = arn::parse(&bus).zip(arn::parse(&target)) else {
        return;
    };
    if bus.region != target.region && !is_free(target.resource) {
        let error = messages::another_region(bus.region, target.region);
        plan.error(error.at(Subscriber::target_arn()));
    }
}

/// Looks at the account where a subscriber is to be made: whether its name is free.
async fn look(plan: &mut Plan<'_, Subscriber>) {
    let Some(region) = plan.planned(Subscriber::region()).known() else {
        return;
    };
    let aws = defaults::look_in(plan, &region).await;
    let Some(aws) = custom_look::to_make(plan, aws, Subscriber::name()) else {
        return;
    };
    let name = plan.planned(Subscriber::name()).known();
    let Some(name) = name.filter(|_| plan.prior().is_none()) else {
        return;
    };
    let object = Object::Subscriber {
        region: aws.name.clone(),
        name: name.clone(),
    };
    if !aws.asks(Service::CustomBuses) || custom_look::is_of_state(plan, &object) {
        return;
    }
    let found = aws.heard(Service::CustomBuses, aws.subscribers_named(&name).await);
    if let Some(arn) = found.as_ref().and_then(|found| found.first()) {
        plan.warn(messages::will_be_refused(&name, &aws.name, arn));
    }
}
