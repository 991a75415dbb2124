//! List `scalr_eventbridge_event_source`: event sources of custom event buses that lead Scalr's events to them.

use aws_sdk_eventbridgev2::types::EventSourceConfiguration;
use tfplugin::{Attrs, Found, ImportedAttrs, List, Operation, Result};

use super::messages;
use crate::aws::{arn, custom_checks};
use crate::check::SOURCE_PREFIX;
use crate::defaults;
use crate::failure::Cause as _;
use crate::resources::eventbridge_event_source::EventSource;
use crate::values::Region;

/// Finds the event sources of custom event buses that lead events of Scalr to them, managed or not. Those of other partners and of AWS's services are left out.
#[derive(Attrs, Clone, Debug)]
pub struct EventSources {
    /// AWS region to look in. Default: the provider's region.
    #[tf(optional)]
    region: Option<Region>,
    /// Only those whose name begins with this.
    #[tf(optional, check = custom_checks::source_name)]
    name_prefix: Option<String>,
}

impl List for EventSources {
    type Of = EventSource;

    async fn list(self, operation: &mut Operation<'_, Self>, found: &mut Found<EventSource>) -> Result<()> {
        let aws = defaults::regional(operation, self.region.as_ref())
            .await?
            .with_custom_buses()?
            .refreshing();
        let prefix = self.name_prefix.as_deref().unwrap_or_default();
        let listed = aws.event_sources(prefix).await;
        let mut listed = listed.map_err(|e| e.during(messages::LIST_EVENT_SOURCES))?;
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        for (name, arn) in listed
            .into_iter()
            .filter_map(|one| Some((one.name?, one.event_source_arn?)))
        {
            // The list does not say whose events they are.
            let held = aws.event_source(&arn).await;
            let held = held.map_err(|e| e.during(messages::LIST_EVENT_SOURCES))?;
            if !held.is_some_and(|held| held.configuration().is_some_and(is_of_scalr)) {
                continue;
            }
            let by = ImportedAttrs::new()
                .set(EventSource::name(), &*name)
                .set(EventSource::region(), Region::from(&*aws.name))
                .set(EventSource::arn(), &*arn);
            found.import(name, by).await;
        }
        Ok(())
    }
}

fn is_of_scalr(configuration: &EventSourceConfiguration) -> bool {
    let EventSourceConfiguration::PartnerEventsConfiguration(partner) = configuration else {
        return false;
    };
    let name = arn::event_source_name(partner.partner_event_source_arn());
    name.is_some_and(|name| name.starts_with(SOURCE_PREFIX))
}
