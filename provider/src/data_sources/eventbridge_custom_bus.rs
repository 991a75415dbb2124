//! `scalr_eventbridge_custom_bus`: a custom event bus as AWS shows it.

use std::collections::BTreeMap;

use aws_sdk_eventbridgev2::operation::describe_event_bus::DescribeEventBusOutput;
use aws_sdk_eventbridgev2::types::BusState;
use tfplugin::{Attrs, DataSource, Operation, Result};

use super::custom::with_tags;
use super::messages;
use crate::aws::{custom, custom_checks, filled, written};
use crate::client::Client;
use crate::defaults;
use crate::values::Region;

/// A custom event bus of the AWS account that something else makes: its ARN, its state, and for how long it keeps events.
#[derive(Attrs, Clone, Debug)]
pub struct CustomBus {
    /// Name of the bus.
    #[tf(required, check = custom_checks::bus_name)]
    name: String,
    /// AWS region to look in. Default: the provider's region.
    #[tf(optional, computed)]
    region: Option<Region>,
    /// ARN of the bus.
    #[tf(computed)]
    arn: Option<String>,
    /// State of the bus: `ACTIVE`; `CREATING`, `UPDATING` or `DELETING` for a while; `CREATE_FAILED`, `UPDATE_FAILED` or `DELETE_FAILED`.
    #[tf(computed)]
    state: Option<String>,
    /// Why it is in this state, where AWS says so.
    #[tf(computed)]
    state_reason: Option<String>,
    /// Days for which the bus keeps events.
    #[tf(computed)]
    retention_in_days: Option<i64>,
    /// From when the bus has events, in RFC 3339: a replay begins no earlier.
    #[tf(computed)]
    retention_window_start_time: Option<String>,
    /// What the bus is for.
    #[tf(computed)]
    description: Option<String>,
    /// ARN of the KMS key that encrypts the events on the bus; null for a key that AWS owns.
    #[tf(computed)]
    kms_key_identifier: Option<String>,
    /// Tags of the bus.
    #[tf(computed)]
    tags: Option<BTreeMap<String, String>>,
    /// When the bus was made, in RFC 3339.
    #[tf(computed)]
    creation_time: Option<String>,
}

impl DataSource for CustomBus {
    const NAME: &'static str = "eventbridge_custom_bus";
    type Client = Client;

    async fn read(config: Self, operation: &mut Operation<'_, Self>) -> Result<Self> {
        let aws = defaults::regional(operation, config.region.as_ref())
            .await?
            .with_custom_buses()?;
        let name = config.name.clone();
        let doing = messages::doing_read_custom_bus(&name);
        let found = aws.custom_bus_of_name(&name);
        let arn_of = DescribeEventBusOutput::event_bus_arn;
        let Some((found, tags)) = with_tags(&aws, &doing, found, arn_of).await? else {
            let account = aws.account_in_words().await;
            return Err(messages::no_custom_bus(&name, &account, &aws.name, Self::name()).into());
        };
        let storage = found.storage_configuration();
        let key = found
            .encryption_configuration()
            .and_then(|held| held.kms_key_identifier());
        Ok(Self {
            region: Some(Region::from(&*aws.name)),
            arn: found.event_bus_arn().map(str::to_owned),
            state: found.state().map(|state| BusState::as_str(state).to_owned()),
            state_reason: filled(found.state_reason()),
            retention_in_days: custom::retention(&found),
            retention_window_start_time: storage
                .and_then(|held| held.retention_window_start_time())
                .and_then(written),
            description: filled(found.description()),
            kms_key_identifier: filled(key),
            tags: Some(tags),
            creation_time: found.creation_time().and_then(written),
            ..config
        })
    }
}
