//! List `scalr_eventbridge_subscriber`: the account's own subscribers of custom event buses.

use tfplugin::{Attrs, Found, ImportedAttrs, List, Operation, Result};

use super::messages;
use crate::aws::{arn, custom_checks, subscriber_checks};
use crate::defaults;
use crate::failure::Cause as _;
use crate::resources::eventbridge_subscriber::Subscriber;
use crate::values::Region;

/// Finds the subscribers of custom event buses that the AWS account has, managed or not; those of other accounts on its buses are left out.
#[derive(Attrs, Clone, Debug)]
pub struct Subscribers {
    /// AWS region to look in. Default: that of `event_bus_arn`, or the provider's region.
    #[tf(optional)]
    region: Option<Region>,
    /// Only those of this custom event bus.
    #[tf(optional, check = custom_checks::bus_arn)]
    event_bus_arn: Option<String>,
    /// Only those whose name begins with this.
    #[tf(optional, check = subscriber_checks::name)]
    name_prefix: Option<String>,
}

impl List for Subscribers {
    type Of = Subscriber;

    async fn list(self, operation: &mut Operation<'_, Self>, found: &mut Found<Subscriber>) -> Result<()> {
        let of_bus = self.event_bus_arn.as_deref().and_then(arn::parse);
        let region = self.region.or(of_bus.map(|arn| Region::from(arn.region)));
        let aws = defaults::regional(operation, region.as_ref())
            .await?
            .with_custom_buses()?
            .refreshing();
        let failed = |e: crate::aws::Error| e.during(messages::LIST_SUBSCRIBERS);
        let account = aws.account().await.map_err(failed)?;
        let prefix = self.name_prefix.as_deref().unwrap_or_default();
        let listed = aws.subscribers(self.event_bus_arn.as_deref(), prefix).await;
        let mut listed = listed.map_err(failed)?;
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        for (name, arn) in listed
            .into_iter()
            .filter_map(|one| Some((one.name?, one.subscriber_arn?)))
        {
            if arn::account(&arn) != Some(account) {
                continue;
            }
            let by = ImportedAttrs::new()
                .set(Subscriber::name(), &*name)
                .set(Subscriber::region(), Region::from(&*aws.name))
                .set(Subscriber::arn(), &*arn);
            found.import(name, by).await;
        }
        Ok(())
    }
}
