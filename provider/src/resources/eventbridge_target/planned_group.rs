//! The log group as a plan finds it at AWS: whose it is, what its class cannot do, and whether its resource policy can take our
//! statements. Without an answer of AWS nothing is said.

use aws_sdk_cloudwatchlogs::types::LogGroup as WireGroup;
use tfplugin::{Path, Plan};

use super::group_messages;
use super::{Target, log_group, messages};
use crate::aws::look::{Look, Service};
use crate::aws::{arn, log_policy};
use crate::defaults;
use crate::ownership::Object;
use crate::resources::{group_owner, names};

/// The class that AWS has for Lambda's logs alone.
const DELIVERY: &str = "DELIVERY";

/// Warns of what may fail at the log group; refuses one of somebody else, which an apply would refuse half way through.
pub(super) async fn judge(plan: &mut Plan<'_, Target>) {
    let Some((name, attribute)) = destination(plan) else {
        return;
    };
    // What a refresh has just read is not asked again.
    if let Some(class) = refreshed(plan, &name) {
        return warn_of_class(plan, &name, &class, attribute);
    }
    let Some(aws) = defaults::look(plan, &Target::region()).await else {
        return;
    };
    if !aws.asks(Service::Logs) {
        return;
    }
    let object = Object::LogGroup {
        region: aws.name.clone(),
        name: name.clone(),
    };
    // In an apply the target that has the group may be going, and the group with it.
    let turn = async {
        match plan.client() {
            Some(client) if is_to_be_owned(plan, &name) => Some(client.memory().turn(&object).await),
            _ => None,
        }
    };
    let turn = tokio::select! {
        biased;
        turn = turn => turn,
        () = plan.cancelled().cancelled() => return,
    };
    let Some(answer) = aws.heard(Service::Logs, aws.log_group(&name).await) else {
        return;
    };
    let Some(held) = answer else {
        drop(turn);
        warn_of_missing(plan, &aws, object, attribute).await;
        return;
    };
    let owner = if turn.is_some() {
        refusal(plan, &aws, &name, &held).await
    } else {
        None
    };
    drop(turn);
    if let Some(refusal) = owner {
        plan.error(refusal);
        return;
    }
    warn_of_class(plan, &name, log_group::class(&held), attribute);
    if !is_ready(plan, &name) {
        warn_of_policy(plan, &aws, &name).await;
    }
}

/// The log group that events go to, in the target's own region, and the attribute that names it.
fn destination(plan: &Plan<'_, Target>) -> Option<(String, Path)> {
    if let Some(name) = plan.planned(Target::log_group().name()).known() {
        return Some((name, Target::log_group().name().into()));
    }
    let destination = plan.config(Target::arn()).known()?;
    let region = plan.planned(Target::region()).known()?;
    let is_here = arn::parse(&destination).is_some_and(|arn| arn.region == &*region);
    let name = arn::log_group_name(&destination).filter(|_| is_here)?.to_owned();
    Some((name, Target::arn().into()))
}

/// The class of a group of which nothing else is open.
fn refreshed(plan: &Plan<'_, Target>, name: &str) -> Option<String> {
    let is_open = !is_ready(plan, name) || is_to_be_owned(plan, name);
    let region = plan.prior().filter(|_| !is_open)?.region.as_deref()?;
    plan.client()?.walk().log_group_class(region, name)
}

/// The target leads to the group, and EventBridge may write to it.
fn is_ready(plan: &Plan<'_, Target>, name: &str) -> bool {
    let group = plan.prior().and_then(|prior| prior.log_group.as_ref());
    group.is_some_and(|group| group.name == name && group.status.as_deref() == Some(log_group::READY))
}

/// Whether the target is to make the group, and has not done so.
fn is_to_be_owned(plan: &Plan<'_, Target>, name: &str) -> bool {
    let is_own = |prior: &Target| prior.own_group().is_some_and(|group| group.name == name);
    plan.planned(Target::log_group().create()).known() == Some(true) && !plan.prior().is_some_and(is_own)
}

/// A group that exists and has no owner tag. One that has a tag may get another owner by what is applied before.
async fn refusal(
    plan: &Plan<'_, Target>,
    aws: &Look,
    name: &str,
    held: &WireGroup,
) -> Option<tfplugin::Diagnostic> {
    let arn = group_owner::arn_of(held, None);
    let tags = aws.heard(Service::Logs, aws.log_group_tags(&arn).await)?;
    if tags.contains_key(group_owner::OWNER_TAG) {
        return None;
    }
    let owner = rule(plan).map(|(bus, rule)| group_owner::rule(&bus, &rule));
    Some(group_messages::group_of_another(
        name,
        &aws.name,
        (None, None),
        (&arn, owner.as_deref()),
    ))
}

/// Warns of a group that somebody else has to make.
async fn warn_of_missing(plan: &mut Plan<'_, Target>, aws: &Look, group: Object, attribute: Path) {
    let is_elses = plan.planned(Target::log_group()).is_null()
        || plan.planned(Target::log_group().create()).known() == Some(false);
    if is_elses && let Some(missing) = names::unplanned(plan, aws, group).await {
        let whose = messages::whose(plan);
        plan.warn(missing.warning(&whose).at(attribute));
    }
}

fn warn_of_class(plan: &mut Plan<'_, Target>, name: &str, class: &str, attribute: Path) {
    if class == DELIVERY {
        plan.warn(messages::class_of_lambda(name).at(attribute));
    }
}

/// Warns where the policies of now could not be given our statements. With `arn` they are left to the user.
async fn warn_of_policy(plan: &mut Plan<'_, Target>, aws: &Look, name: &str) {
    let Some((bus, rule)) = rule(plan).filter(|_| plan.planned(Target::log_group()).is_known()) else {
        return;
    };
    let Some(id) = plan.planned(Target::target_id()).known() else {
        return;
    };
    let Some(account) = aws.heard(Service::Events, aws.account().await) else {
        return;
    };
    let rule_arn = arn::of_rule(&aws.name, account, &bus, &rule);
    let need = log_group::need(&id, name, &rule_arn);
    let found = aws.heard(Service::Logs, log_policy::obstacle(aws, &need).await);
    if let Some(obstacle) = found.flatten() {
        plan.warn(messages::no_way_in(name, &obstacle));
    }
}

fn rule(plan: &Plan<'_, Target>) -> Option<(String, String)> {
    let bus = plan.planned(Target::event_bus_name()).known();
    bus.zip(plan.planned(Target::rule()).known())
}
