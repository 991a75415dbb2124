//! The bus as a remote object: what identifies it, from a state or from AWS.

use tfplugin::Plan;

use super::Bus;
use crate::ownership::Object;

impl Bus {
    /// What an operation makes, changes and deletes. The region is known.
    pub(super) fn object(&self) -> Object {
        Object::Bus {
            region: self.region.as_deref().unwrap_or_default().to_owned(),
            name: self.event_source_name.clone(),
        }
    }
}

/// What a plan is about: the bus that is there, or is to be made.
pub(super) fn planned(plan: &Plan<'_, Bus>) -> Option<Object> {
    if let Some(prior) = plan.prior() {
        return Some(prior.object());
    }
    Some(Object::Bus {
        region: plan.planned(Bus::region()).known()?.to_string(),
        name: plan.planned(Bus::event_source_name()).known()?,
    })
}
