//! List `scalr_eventbridge_rule`: rules of buses.

use tfplugin::{Attrs, Found, ImportedAttrs, List, Operation, Result};

use super::{buses, rules};
use crate::aws::checks;
use crate::defaults;
use crate::resources::eventbridge_rule::Rule;
use crate::values::Region;

/// Finds rules of event buses, managed or not. It leaves out rules that AWS manages itself and rules with a schedule.
#[derive(Attrs, Clone, Debug)]
pub struct Rules {
    /// Name of the event bus. Default: all buses of Scalr's event sources.
    #[tf(optional, check = checks::bus)]
    event_bus_name: Option<String>,
    /// AWS region to look in. Default: the provider's region.
    #[tf(optional)]
    region: Option<Region>,
    /// Beginning of the rule's name.
    #[tf(optional, check = checks::name)]
    name_prefix: Option<String>,
}

impl List for Rules {
    type Of = Rule;

    async fn list(self, operation: &mut Operation<'_, Self>, found: &mut Found<Rule>) -> Result<()> {
        let aws = defaults::regional(operation, self.region.as_ref()).await?;
        for bus in buses(&aws, self.event_bus_name.as_deref()).await? {
            for name in rules(&aws, &bus, self.name_prefix.as_deref()).await? {
                let by = ImportedAttrs::new()
                    .set(Rule::event_bus_name(), &*bus)
                    .set(Rule::name(), &*name)
                    .set(Rule::region(), Region::from(&*aws.name));
                found.import(name, by).await;
            }
        }
        Ok(())
    }
}
