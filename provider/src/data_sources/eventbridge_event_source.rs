//! `scalr_eventbridge_event_source`: an event source of a custom event bus as AWS shows it.

use std::collections::BTreeMap;

use aws_sdk_eventbridgev2::operation::describe_event_source::DescribeEventSourceOutput;
use aws_sdk_eventbridgev2::types::{EventSourceConfiguration, PartnerEventsSourceConfiguration};
use tfplugin::{Attrs, DataSource, Operation, Result};

use super::custom::with_tags;
use super::messages;
use crate::aws::{arn, custom_checks, filled, written};
use crate::client::Client;
use crate::defaults;
use crate::failure::Cause as _;
use crate::values::Region;

/// An event source of a custom event bus that something else makes: the bus that it leads to, whose events it has, and whether they reach it.
///
/// The data source `scalr_eventbridge_source` is of the other kind of event source: the one that Scalr makes for a connection, and from which this one has its events.
#[derive(Attrs, Clone, Debug)]
pub struct EventSource {
    /// Name of the event source.
    #[tf(required, check = custom_checks::source_name)]
    name: String,
    /// AWS region to look in. Default: the provider's region.
    #[tf(optional, computed)]
    region: Option<Region>,
    /// ARN of the event source.
    #[tf(computed)]
    arn: Option<String>,
    /// ARN of the custom event bus that it leads to.
    #[tf(computed)]
    event_bus_arn: Option<String>,
    /// ARN of the partner's event source whose events it has; null for one of an AWS service.
    #[tf(computed)]
    partner_event_source_arn: Option<String>,
    /// State of the partner's event source: `ACTIVE`; `PENDING` if its events are dropped, since somebody deleted the Classic bus that AWS manages for it; `DELETED` if Scalr has removed it; null if AWS shows no such source.
    #[tf(computed)]
    partner_source_state: Option<String>,
    /// Event pattern that an event has to match to reach the bus; null for all events.
    #[tf(computed)]
    event_pattern: Option<String>,
    /// KMS key of the Classic bus that AWS manages for it; null for a key that AWS owns.
    #[tf(computed)]
    kms_key_identifier: Option<String>,
    /// ARN of the queue for events that do not reach the bus.
    #[tf(computed)]
    dead_letter_arn: Option<String>,
    /// What the event source is for.
    #[tf(computed)]
    description: Option<String>,
    /// State of the event source: `ACTIVE`; `CREATING`, `UPDATING` or `DELETING` for a while; `CREATE_FAILED`, `UPDATE_FAILED` or `DELETE_FAILED`.
    #[tf(computed)]
    state: Option<String>,
    /// Whether the owner of the bus has taken the bus from it, for good.
    #[tf(computed)]
    revoked: Option<bool>,
    /// Tags of the event source.
    #[tf(computed)]
    tags: Option<BTreeMap<String, String>>,
    /// When the event source was made, in RFC 3339.
    #[tf(computed)]
    creation_time: Option<String>,
}

impl DataSource for EventSource {
    const NAME: &'static str = "eventbridge_event_source";
    type Client = Client;

    async fn read(config: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = defaults::regional(operation, config.region.as_ref())
            .await?
            .with_custom_buses()?;
        let name = config.name.clone();
        let doing = messages::doing_read_source(&name);
        let found = aws.event_source_of_name(&name);
        let arn_of = DescribeEventSourceOutput::event_source_arn;
        let Some((found, tags)) = with_tags(&aws, &doing, found, arn_of).await? else {
            let account = aws.account_in_words().await;
            return Err(messages::no_event_source(&name, &account, &aws.name, Self::name()).into());
        };
        let partner = match found.configuration() {
            Some(EventSourceConfiguration::PartnerEventsConfiguration(partner)) => Some(partner),
            _ => None,
        };
        let partner_arn = partner.map(PartnerEventsSourceConfiguration::partner_event_source_arn);
        let partner_source = match partner_arn.and_then(arn::event_source_name) {
            Some(name) => aws.source(name).await.map_err(|e| e.during(&doing))?,
            None => None,
        };
        Ok(Self {
            region: Some(Region::from(&*aws.name)),
            arn: filled(found.event_source_arn()),
            event_bus_arn: filled(found.event_bus_arn()),
            partner_event_source_arn: filled(partner_arn),
            partner_source_state: partner_source
                .and_then(|source| source.state)
                .map(|state| state.as_str().to_owned()),
            event_pattern: filled(partner.and_then(|partner| partner.pattern())),
            kms_key_identifier: filled(partner.and_then(|partner| partner.partner_bus_kms_key_identifier())),
            dead_letter_arn: filled(
                partner
                    .and_then(|partner| partner.on_failure_configuration())
                    .and_then(|queue| queue.arn()),
            ),
            description: filled(found.description()),
            state: found.state().map(|state| state.as_str().to_owned()),
            revoked: Some(found.revoked().unwrap_or_default()),
            tags: Some(tags),
            creation_time: found.creation_time().and_then(written),
            ..config
        })
    }
}
