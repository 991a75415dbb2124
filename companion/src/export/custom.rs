//! What there is at AWS behind a bus that AWS manages: the event source that has the connection's events, its custom event bus and
//! what subscribes to that. It only reads.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use aws_config::{Region, SdkConfig};
use aws_sdk_eventbridgev2 as custom;
use aws_sdk_eventbridgev2::operation::describe_event_bus::DescribeEventBusOutput;
use aws_sdk_eventbridgev2::operation::describe_event_source::DescribeEventSourceOutput;
use aws_sdk_eventbridgev2::operation::describe_subscriber::DescribeSubscriberOutput;
use aws_sdk_eventbridgev2::types::{
    EventSourceConfiguration, PartnerEventsSourceConfiguration, StorageConfigurationOutput, SubscriberSummary,
};

use super::account::{CustomBus, EventSource};
use super::aws::{PAGES_MAX, cannot, filled, found, written};
use crate::aws_error;
use crate::aws_wire::AwsWire;

/// The service of custom event buses in one region.
pub(crate) struct CustomBuses {
    region: String,
    client: custom::Client,
}

impl CustomBuses {
    pub(crate) fn new(config: &SdkConfig, region: &str) -> Self {
        let settings = custom::config::Builder::from(config).region(Region::new(region.to_owned()));
        Self {
            region: region.to_owned(),
            client: custom::Client::from_conf(settings.interceptor(AwsWire).build()),
        }
    }

    /// The event source of this account that has the events of a connection's source, and its bus; none where there is none.
    pub(crate) async fn of(
        &self,
        source: &str,
        account: &str,
    ) -> anyhow::Result<Option<(CustomBus, EventSource)>> {
        let Some(held) = self.source_of(source).await? else {
            return Ok(None);
        };
        let Some(of) = partner_of(&held) else {
            return Ok(None);
        };
        let arn = held.event_source_arn().unwrap_or_default().to_owned();
        let found = EventSource {
            name: held.name().unwrap_or_default().to_owned(),
            aws_account_id: account.to_owned(),
            region: self.region.clone(),
            event_bus_arn: held.event_bus_arn().unwrap_or_default().to_owned(),
            source: source.to_owned(),
            event_pattern: filled(of.pattern()),
            kms_key_identifier: filled(of.partner_bus_kms_key_identifier()),
            dead_letter_arn: of
                .on_failure_configuration()
                .and_then(|queue| filled(queue.arn())),
            description: filled(held.description()),
            tags: self.tags(&arn).await?,
            arn,
        };
        let bus = self.bus(&found.event_bus_arn, account).await?;
        Ok(bus.map(|bus| (bus, found)))
    }

    /// The event source of this account that has the events of a connection's source.
    pub(crate) async fn source_of(&self, source: &str) -> anyhow::Result<Option<DescribeEventSourceOutput>> {
        for arn in self.event_sources().await? {
            let held = self
                .client
                .describe_event_source()
                .event_source_arn(&arn)
                .send()
                .await;
            let held = found(held.map_err(|error| aws_error::error(&error))).with_context(|| {
                self.cannot(&format!("the event source `{arn}`"), "events:DescribeEventSource")
            })?;
            let Some(mut held) = held else { continue };
            let partner = partner_of(&held).map(PartnerEventsSourceConfiguration::partner_event_source_arn);
            if partner.and_then(source_name) == Some(source) {
                held.event_source_arn = Some(arn);
                return Ok(Some(held));
            }
        }
        Ok(None)
    }

    /// The ARNs of all event sources.
    async fn event_sources(&self) -> anyhow::Result<Vec<String>> {
        let (mut all, mut token) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let list = self.client.list_event_sources().set_next_token(token);
            let page = list.send().await.map_err(|error| aws_error::error(&error));
            let page = page.with_context(|| {
                self.cannot(
                    "the event sources of custom event buses",
                    "events:ListEventSources",
                )
            })?;
            let page_sources = page.event_sources.unwrap_or_default().into_iter();
            all.extend(page_sources.filter_map(|one| one.event_source_arn));
            token = page.next_token;
            if token.is_none() {
                return Ok(all);
            }
        }
        bail!(
            "the event sources of custom event buses in {} are more than {PAGES_MAX} pages",
            self.region
        )
    }

    /// A custom event bus; none where it is gone.
    pub(crate) async fn held_bus(&self, arn: &str) -> anyhow::Result<Option<DescribeEventBusOutput>> {
        let held = self.client.describe_event_bus().event_bus_arn(arn).send().await;
        found(held.map_err(|error| aws_error::error(&error))).with_context(|| {
            self.cannot(
                &format!("the custom event bus `{arn}`"),
                "events:DescribeEventBus",
            )
        })
    }

    /// The subscribers of a custom event bus, by name.
    pub(crate) async fn subscribers(&self, bus: &str) -> anyhow::Result<Vec<SubscriberSummary>> {
        let what = format!("the subscribers of the custom event bus `{bus}`");
        let (mut all, mut token) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let list = self
                .client
                .list_subscribers()
                .event_bus_arn(bus)
                .set_next_token(token);
            let page = list.send().await.map_err(|error| aws_error::error(&error));
            let page = page.with_context(|| self.cannot(&what, "events:ListSubscribers"))?;
            all.extend(page.subscribers.unwrap_or_default());
            token = page.next_token;
            if token.is_none() {
                all.sort_by(|a, b| a.name().cmp(&b.name()));
                return Ok(all);
            }
        }
        bail!("{what} in {} are more than {PAGES_MAX} pages", self.region)
    }

    /// A subscriber; none where it is gone.
    pub(crate) async fn subscriber(&self, arn: &str) -> anyhow::Result<Option<DescribeSubscriberOutput>> {
        let held = self.client.describe_subscriber().subscriber_arn(arn).send().await;
        found(held.map_err(|error| aws_error::error(&error)))
            .with_context(|| self.cannot(&format!("the subscriber `{arn}`"), "events:DescribeSubscriber"))
    }

    async fn bus(&self, arn: &str, account: &str) -> anyhow::Result<Option<CustomBus>> {
        let held = self.held_bus(arn).await?;
        let Some(held) = held else { return Ok(None) };
        let storage = held.storage_configuration();
        let key = held.encryption_configuration();
        Ok(Some(CustomBus {
            arn: arn.to_owned(),
            name: held.name().unwrap_or_default().to_owned(),
            aws_account_id: account.to_owned(),
            region: self.region.clone(),
            retention_in_days: storage
                .and_then(StorageConfigurationOutput::retention_period_in_days)
                .map(i64::from),
            description: filled(held.description()),
            kms_key_identifier: key.and_then(|key| filled(key.kms_key_identifier())),
            tags: self.tags(arn).await?,
        }))
    }

    fn cannot(&self, what: &str, action: &str) -> String {
        cannot(what, action, &self.region)
    }

    async fn tags(&self, arn: &str) -> anyhow::Result<BTreeMap<String, String>> {
        let answer = self
            .client
            .list_tags_for_resource()
            .resource_arn(arn)
            .send()
            .await;
        let answer = answer.map_err(|error| aws_error::error(&error));
        let answer = answer
            .with_context(|| self.cannot(&format!("the tags of `{arn}`"), "events:ListTagsForResource"))?;
        Ok(written(answer.tags.unwrap_or_default()))
    }
}

fn partner_of(held: &DescribeEventSourceOutput) -> Option<&PartnerEventsSourceConfiguration> {
    match held.configuration()? {
        EventSourceConfiguration::PartnerEventsConfiguration(partner) => Some(partner),
        _ => None,
    }
}

/// The name of the partner's event source in its ARN.
fn source_name(arn: &str) -> Option<&str> {
    arn.splitn(6, ':').nth(5)?.strip_prefix("event-source/")
}
