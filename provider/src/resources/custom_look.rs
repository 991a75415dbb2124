//! The look of a plan at custom event buses and what belongs to them.

use tfplugin::{Path, Plan, Resource};

use super::names;
use crate::aws::custom::events_alone_elsewhere;
use crate::aws::look::Look;
use crate::client::Client;

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
