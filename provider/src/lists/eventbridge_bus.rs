//! List `scalr_eventbridge_bus`: buses that are associated with event sources of Scalr's.

use tfplugin::{Attrs, Found, ImportedAttrs, List, Operation, Result};

use super::buses_of;
use crate::aws::checks;
use crate::check::SOURCE_PREFIX;
use crate::defaults;
use crate::resources::eventbridge_bus::Bus;
use crate::values::Region;

/// Finds event buses that are associated with partner event sources of Scalr, managed or not.
#[derive(Attrs, Clone, Debug)]
pub struct Buses {
    /// AWS region to look in. Default: the provider's region.
    #[tf(optional)]
    region: Option<Region>,
    /// Beginning of the bus's name, such as `aws.partner/scalr.com/ACCOUNT/` for those of one Scalr account.
    #[tf(optional, default = SOURCE_PREFIX.to_owned(), check = checks::source_prefix)]
    name_prefix: String,
}

impl List for Buses {
    type Of = Bus;

    async fn list(self, operation: &mut Operation<'_, Self>, found: &mut Found<Bus>) -> Result<()> {
        let aws = defaults::regional(operation, self.region.as_ref()).await?;
        for name in buses_of(&aws, &self.name_prefix).await? {
            let by = ImportedAttrs::new()
                .set(Bus::name(), &*name)
                .set(Bus::region(), Region::from(&*aws.name));
            found.import(name, by).await;
        }
        Ok(())
    }
}
