//! The look of a plan at custom event buses and what belongs to them.

use tfplugin::{Path, Plan, Resource};

use super::names;
use crate::aws::custom::events_alone_elsewhere;
use crate::aws::look::Look;
use crate::client::Client;
use crate::ownership::Object;

/// The clients for a look at what there is, where something is to be made. Where EventBridge alone has an endpoint of its own, the
/// plan is refused at an attribute.
pub fn to_make<R: Resource<Client = Client>>(
    plan: &mut Plan<'_, R>,
    aws: Option<Look>,
    at: impl Into<Path>,
) -> Option<Look> {
    let aws = aws?;
    if !aws.has_custom_buses {
        plan.error(events_alone_elsewhere().at(at));
        return None;
    }
    (!plan.is_within_apply() && names::is_made(plan)).then_some(aws)
}

/// Whether the state has this object, so that it may be what the plan replaces: a tainted one is planned as if nothing were there. Without a
/// refresh that is not known.
pub fn is_of_state<R: Resource<Client = Client>>(plan: &Plan<'_, R>, object: &Object) -> bool {
    plan.client()
        .is_some_and(|client| client.walk().is_refreshed(object))
}
