//! List `scalr_eventbridge_custom_bus`: the account's own custom event buses.

use tfplugin::{Attrs, Found, ImportedAttrs, List, Operation, Result};

use super::messages;
use crate::aws::custom_checks;
use crate::defaults;
use crate::failure::Cause as _;
use crate::resources::eventbridge_custom_bus::CustomBus;
use crate::values::Region;

/// Finds the custom event buses of the AWS account, managed or not; those that other accounts share with it are left out.
#[derive(Attrs, Clone, Debug)]
pub struct CustomBuses {
    /// AWS region to look in. Default: the provider's region.
    #[tf(optional)]
    region: Option<Region>,
    /// Only those whose name begins with this.
    #[tf(optional, check = custom_checks::bus_name)]
    name_prefix: Option<String>,
}

impl List for CustomBuses {
    type Of = CustomBus;

    async fn list(self, operation: &mut Operation<'_, Self>, found: &mut Found<CustomBus>) -> Result<()> {
        let aws = defaults::regional(operation, self.region.as_ref())
            .await?
            .with_custom_buses()?;
        let listed = aws
            .custom_buses(self.name_prefix.as_deref().unwrap_or_default())
            .await;
        let mut listed = listed.map_err(|e| e.during(messages::LIST_CUSTOM_BUSES))?;
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        for bus in listed {
            let name = bus.name.unwrap_or_default();
            let by = ImportedAttrs::new()
                .set(CustomBus::name(), &*name)
                .set(CustomBus::region(), Region::from(&*aws.name))
                .set(CustomBus::arn(), bus.event_bus_arn);
            found.import(name, by).await;
        }
        Ok(())
    }
}
