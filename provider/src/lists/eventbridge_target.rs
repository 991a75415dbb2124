//! List `scalr_eventbridge_target`: where rules send the events that they match.

use tfplugin::{Attrs, Found, ImportedAttrs, List, Operation, Result};

use super::{buses, messages, rules};
use crate::aws::checks;
use crate::defaults;
use crate::failure::Cause as _;
use crate::resources::eventbridge_target::Target;
use crate::values::Region;

/// Finds targets of rules, managed or not.
#[derive(Attrs, Clone, Debug)]
pub struct Targets {
    /// Name of the event bus. Default: all buses of Scalr's event sources.
    #[tf(optional, check = checks::bus)]
    event_bus_name: Option<String>,
    /// Exact name of the rule. Default: all rules of the bus or buses.
    #[tf(optional, check = checks::name)]
    rule: Option<String>,
    /// AWS region to look in. Default: the provider's region.
    #[tf(optional)]
    region: Option<Region>,
}

impl List for Targets {
    type Of = Target;

    async fn list(self, operation: &mut Operation<'_, Self>, found: &mut Found<Target>) -> Result<()> {
        let aws = defaults::refreshing(operation, self.region.as_ref()).await?;
        for bus in buses(&aws, self.event_bus_name.as_deref()).await? {
            let named = rules(&aws, &bus, self.rule.as_deref()).await?.into_iter();
            for rule in named.filter(|rule| self.rule.as_ref().is_none_or(|wanted| wanted == rule)) {
                let targets = aws.targets(&bus, &rule).await;
                let targets = targets.map_err(|e| e.during(messages::list_targets(&bus, &rule)))?;
                for target in targets.into_iter().flatten() {
                    let by = ImportedAttrs::new()
                        .set(Target::event_bus_name(), &*bus)
                        .set(Target::rule(), &*rule)
                        .set(Target::target_id(), target.id())
                        .set(Target::region(), Region::from(&*aws.name));
                    found.import(format!("{rule}/{}", target.id()), by).await;
                }
            }
        }
        Ok(())
    }
}
