//! The queue as a remote object: what identifies it, from a state or from AWS.

use tfplugin::Plan;

use super::Queue;
use crate::ownership::Object;

impl Queue {
    /// What an operation makes, changes and deletes. The region is known.
    pub(super) fn object(&self) -> Object {
        Object::Queue {
            region: self.region.as_deref().unwrap_or_default().to_owned(),
            name: self.name.clone(),
        }
    }
}

/// What a plan is about: the queue that is there, or is to be made.
pub(super) fn planned(plan: &Plan<'_, Queue>) -> Option<Object> {
    if let Some(prior) = plan.prior() {
        return Some(prior.object());
    }
    Some(Object::Queue {
        region: plan.planned(Queue::region()).known()?.to_string(),
        name: plan.planned(Queue::name()).known()?,
    })
}
