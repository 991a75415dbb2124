//! Names of what has to be there before a resource is made: an event bus, a rule, a log group. AWS is asked with the plan.
//!
//! What this walk plans to make is there. A resource that is referred to is planned before; where nothing refers to it, its plan
//! may come later, and is waited for. What another provider makes cannot be seen: a name that does not exist is a warning.

use tfplugin::{Attr, Plan, Resource};

use super::messages::Missing;
use crate::aws::look::{Look, Service};
use crate::aws::{Error, Regional};
use crate::client::Client;
use crate::defaults;
use crate::ownership::Object;
use crate::values::Region;

/// Whether the resource is about to be made, perhaps in the place of one.
pub fn is_made<R: Resource<Client = Client>>(plan: &Plan<'_, R>) -> bool {
    plan.prior().is_none() || plan.replaces()
}

/// Notes that an object of the resource's region will be there.
pub fn presence<R: Resource<Client = Client>>(
    plan: &Plan<'_, R>,
    region: &Attr<R, Option<Region>>,
    object: Option<Object>,
) {
    let region = plan.planned(region.clone()).known();
    if let Some((client, object)) = plan.client().zip(object) {
        client
            .walk()
            .presence(object.in_region(region.as_deref().unwrap_or_default()));
    }
}

/// Looks for an object that a resource needs to be made, in the resource's own region. None where it is there or will be, and
/// where AWS does not say.
pub async fn missing<R: Resource<Client = Client>>(
    plan: &Plan<'_, R>,
    region: &Attr<R, Option<Region>>,
    object: Object,
) -> Option<Missing> {
    if plan.is_within_apply() || !is_made(plan) {
        return None;
    }
    let known = plan.planned(region.clone()).known();
    let object = object.in_region(known.as_deref().unwrap_or_default());
    if plan.client()?.walk().has(&object) {
        return None;
    }
    let look = defaults::look(plan, region).await?;
    let object = object.in_region(&look.name);
    if !look.asks(Service::Events) {
        return None;
    }
    let is_there = look.heard(Service::Events, exists(&look.of_this_walk(), &object).await)?;
    if is_there {
        return None;
    }
    unplanned(plan, &look, object).await
}

/// What AWS does not have and no plan of this walk makes.
pub async fn unplanned<R: Resource<Client = Client>>(
    plan: &Plan<'_, R>,
    look: &Look,
    object: Object,
) -> Option<Missing> {
    let walk = plan.client()?.walk();
    if plan.is_within_apply() {
        return None;
    }
    // Other providers make log groups too, and their names are known before they are made: only one that looks misspelt is said.
    let of_group = match object {
        Object::LogGroup { .. } => Some(like(&look.of_this_walk(), &object).await?),
        _ => None,
    };
    if walk.will_have(&object, plan.cancelled()).await {
        return None;
    }
    let elsewhere = match &object {
        Object::Bus { name, .. } => walk.region_of_bus(name).filter(|region| *region != look.name),
        _ => None,
    };
    let like = match of_group {
        Some(like) => Some(like),
        None => like(&look.of_this_walk(), &object).await,
    };
    Some(Missing {
        account: look.account_in_words().await,
        region: look.name.clone(),
        like,
        elsewhere,
        object,
    })
}

async fn exists(aws: &Regional, object: &Object) -> Result<bool, Error> {
    match object {
        Object::Bus { name, .. } => Ok(aws.bus(name).await?.is_some()),
        Object::Rule { bus, name, .. } => {
            let rule = aws.refreshed_rule(bus, name, |_| true).await?;
            Ok(rule.is_some())
        }
        Object::LogGroup { name, .. } => Ok(aws.log_group(name).await?.is_some()),
        // Nothing needs another object by its name.
        _ => Ok(true),
    }
}

async fn like(aws: &Regional, object: &Object) -> Option<String> {
    match object {
        Object::Bus { name, .. } => aws.bus_like(name).await,
        Object::Rule { bus, name, .. } => aws.rule_like(bus, name).await,
        Object::LogGroup { name, .. } => aws.log_group_like(name).await,
        _ => None,
    }
}
