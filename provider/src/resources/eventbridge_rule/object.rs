//! The rule as a remote object: what identifies it, from a state or from AWS.

use tfplugin::Plan;

use super::Rule;
use crate::ownership::Object;
use crate::resources::names;

impl Rule {
    /// What an operation makes, changes and deletes. The region is known.
    pub(super) fn object(&self) -> Object {
        Object::Rule {
            region: self.region.as_deref().unwrap_or_default().to_owned(),
            bus: self.event_bus_name.clone(),
            name: self.known_name().to_owned(),
        }
    }

    /// A target of the rule.
    pub(super) fn target(&self, id: String) -> Object {
        Object::Target {
            region: self.region.as_deref().unwrap_or_default().to_owned(),
            bus: self.event_bus_name.clone(),
            rule: self.known_name().to_owned(),
            id,
        }
    }

    /// The bus, from which a destroy removes the rule.
    pub(super) fn bus(&self) -> Object {
        Object::Bus {
            region: self.region.as_deref().unwrap_or_default().to_owned(),
            name: self.event_bus_name.clone(),
        }
    }
}

/// The targets, which are planned later, find the rule by its name.
pub(super) fn note_presence(plan: &Plan<'_, Rule>) {
    let bus = plan.planned(Rule::event_bus_name()).known();
    let rule = bus.zip(plan.planned(Rule::name()).known());
    let region = String::new();
    let rule = rule.map(|(bus, name)| Object::Rule { region, bus, name });
    names::presence(plan, &Rule::region(), rule);
}

/// What a plan is about: the rule that is there, or is to be made.
pub(super) fn planned(plan: &Plan<'_, Rule>) -> Option<Object> {
    if let Some(prior) = plan.prior() {
        return Some(prior.object());
    }
    Some(Object::Rule {
        region: plan.planned(Rule::region()).known()?.to_string(),
        bus: plan.planned(Rule::event_bus_name()).known()?,
        name: plan.planned(Rule::name()).known()?,
    })
}
