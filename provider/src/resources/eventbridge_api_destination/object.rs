//! The API destination as a remote object: what identifies it, from a state or from AWS.

use tfplugin::Plan;

use super::ApiDestination;
use crate::ownership::Object;

impl ApiDestination {
    /// What an operation makes, changes and deletes. The region is known.
    pub(super) fn object(&self) -> Object {
        Object::ApiDestination {
            region: self.region.as_deref().unwrap_or_default().to_owned(),
            name: self.name.clone(),
        }
    }
}

/// What a plan is about: the one that is there, or is to be made.
pub(super) fn planned(plan: &Plan<'_, ApiDestination>) -> Option<Object> {
    if let Some(prior) = plan.prior() {
        return Some(prior.object());
    }
    Some(Object::ApiDestination {
        region: plan.planned(ApiDestination::region()).known()?.to_string(),
        name: plan.planned(ApiDestination::name()).known()?,
    })
}
