//! The calls of custom event buses that more than one part makes. "Not there" is an answer and no error.
//!
//! Messages name these calls as AWS's command line does, `eventsv2:…`. IAM has `events:` for both kinds of bus.
//!
//! Whether AWS sends empty lists and maps of this service, or leaves them out, is not documented: one that is left out is empty here.
//! Nothing is called gone because of it.

use std::collections::HashMap;

use aws_sdk_eventbridgev2::operation::describe_event_bus::DescribeEventBusOutput;
use aws_sdk_eventbridgev2::operation::describe_event_source::DescribeEventSourceOutput;
use aws_sdk_eventbridgev2::operation::describe_subscriber::DescribeSubscriberOutput;
use aws_sdk_eventbridgev2::types::{
    BusState, EventBusSummary, EventSourceConfiguration, EventSourceSummary, SubscriberSummary,
};

use tfplugin::{Diagnostic, Diagnostics};

use super::calls::{found, split};
use super::tags::{self, Ignored, Tags};
use super::{Error, Regional, arn};

/// The service of custom event buses would be asked at AWS itself.
pub fn events_alone_elsewhere() -> Diagnostic {
    super::events_alone_elsewhere(("EventBridge V2", "eventsv2", "EVENTBRIDGEV2"))
}

impl Regional {
    /// The clients, where custom event buses are where EventBridge is.
    pub fn with_custom_buses(self) -> Result<Self, Diagnostics> {
        if self.has_custom_buses {
            return Ok(self);
        }
        Err(events_alone_elsewhere().into())
    }

    /// The custom event bus with this ARN.
    pub async fn custom_bus(&self, arn: &str) -> Result<Option<DescribeEventBusOutput>, Error> {
        const CALL: &str = "eventsv2:DescribeEventBus";
        let ask = || async {
            let call = self.custom.describe_event_bus().event_bus_arn(arn).send();
            let answer = found(self.read(CALL, call).await)?;
            if let Some(bus) = &answer {
                self.given(CALL, "EventBusArn", bus.event_bus_arn())?;
                self.given(CALL, "Name", bus.name())?;
                self.given(CALL, "State", bus.state())?;
                self.given(CALL, "StorageConfiguration", retention(bus))?;
            }
            Ok(answer)
        };
        self.once(&self.reads.custom_buses, arn.to_owned(), ask).await
    }

    /// The account's own custom event buses whose names begin so. AWS lists those too that other accounts share with it.
    pub async fn custom_buses(&self, prefix: &str) -> Result<Vec<EventBusSummary>, Error> {
        const CALL: &str = "eventsv2:ListEventBuses";
        let account = self.account().await?;
        let prefix = (!prefix.is_empty()).then(|| prefix.to_owned());
        let ask = async |token| {
            let list = self.custom.list_event_buses().set_name_prefix(prefix.clone());
            let page = self.read(CALL, list.set_next_token(token).send()).await?;
            self.page(
                CALL,
                "EventBuses",
                Some(page.event_buses.unwrap_or_default()),
                page.next_token,
            )
        };
        let mut buses = self.pages(CALL, ask).await?;
        buses.retain(|bus| bus.event_bus_arn().and_then(arn::account) == Some(account));
        Ok(buses)
    }

    /// The ARN of the account's own custom event bus of this name.
    pub async fn custom_bus_named(&self, name: &str) -> Result<Option<String>, Error> {
        let buses = self.custom_buses(name).await?;
        let named = buses.into_iter().find(|bus| bus.name() == Some(name));
        Ok(named.and_then(|bus| bus.event_bus_arn))
    }

    /// The bus of this name.
    pub async fn custom_bus_of_name(&self, name: &str) -> Result<Option<DescribeEventBusOutput>, Error> {
        match self.custom_bus_named(name).await? {
            Some(arn) => self.custom_bus(&arn).await,
            None => Ok(None),
        }
    }

    /// The event source of custom event buses with this ARN.
    pub async fn event_source(&self, arn: &str) -> Result<Option<DescribeEventSourceOutput>, Error> {
        const CALL: &str = "eventsv2:DescribeEventSource";
        let ask = || async {
            let call = self.custom.describe_event_source().event_source_arn(arn).send();
            let answer = found(self.read(CALL, call).await)?;
            if let Some(source) = &answer {
                self.given(CALL, "EventSourceArn", source.event_source_arn())?;
                self.given(CALL, "EventBusArn", source.event_bus_arn())?;
                self.given(CALL, "State", source.state())?;
                self.given(CALL, "Configuration", source.configuration())?;
            }
            Ok(answer)
        };
        self.once(&self.reads.event_sources, arn.to_owned(), ask).await
    }

    /// The event sources of the account whose names begin so, as a list shows them.
    pub async fn event_sources(&self, prefix: &str) -> Result<Vec<EventSourceSummary>, Error> {
        const CALL: &str = "eventsv2:ListEventSources";
        let prefix = (!prefix.is_empty()).then(|| prefix.to_owned());
        let ask = async |token| {
            let list = self.custom.list_event_sources().set_name_prefix(prefix.clone());
            let page = self.read(CALL, list.set_next_token(token).send()).await?;
            let sources = page.event_sources.unwrap_or_default();
            self.page(CALL, "EventSources", Some(sources), page.next_token)
        };
        self.pages(CALL, ask).await
    }

    /// The ARN of the event source of this name.
    pub async fn event_source_named(&self, name: &str) -> Result<Option<String>, Error> {
        let sources = self.event_sources(name).await?;
        let named = sources.into_iter().find(|source| source.name() == Some(name));
        Ok(named.and_then(|source| source.event_source_arn))
    }

    /// The event source of this name.
    pub async fn event_source_of_name(&self, name: &str) -> Result<Option<DescribeEventSourceOutput>, Error> {
        match self.event_source_named(name).await? {
            Some(arn) => self.event_source(&arn).await,
            None => Ok(None),
        }
    }

    /// The event source that has the events of this partner's source. One that is revoked may have had them before.
    pub async fn event_source_of(&self, partner: &str) -> Result<Option<DescribeEventSourceOutput>, Error> {
        let mut all = self.event_sources("").await?;
        all.sort_by_key(is_revoked);
        self.first_of(partner, all).await
    }

    /// The name of the event source of this partner's source, if it is revoked.
    pub async fn revoked_source_of(&self, partner: &str) -> Result<Option<String>, Error> {
        let mut all = self.event_sources("").await?;
        if !all.iter().any(is_revoked) {
            return Ok(None);
        }
        all.sort_by_key(is_revoked);
        let held = self.first_of(partner, all).await?;
        let held = held.filter(|held| held.revoked().unwrap_or_default());
        Ok(held.and_then(|held| held.name))
    }

    /// The first of these that has the events of this partner's source.
    async fn first_of(
        &self,
        partner: &str,
        all: Vec<EventSourceSummary>,
    ) -> Result<Option<DescribeEventSourceOutput>, Error> {
        for source in all {
            let Some(arn) = source.event_source_arn() else {
                continue;
            };
            let held = self.event_source(arn).await?;
            let of = held.as_ref().and_then(|held| match held.configuration() {
                Some(EventSourceConfiguration::PartnerEventsConfiguration(held)) => {
                    arn::event_source_name(held.partner_event_source_arn())
                }
                _ => None,
            });
            if of == Some(partner) {
                return Ok(held);
            }
        }
        Ok(None)
    }

    /// The subscribers of a bus, or of all of them, whose names begin so, as a list shows them.
    pub async fn subscribers(
        &self,
        bus: Option<&str>,
        prefix: &str,
    ) -> Result<Vec<SubscriberSummary>, Error> {
        const CALL: &str = "eventsv2:ListSubscribers";
        let prefix = (!prefix.is_empty()).then(|| prefix.to_owned());
        let ask = async |token| {
            let list = self
                .custom
                .list_subscribers()
                .set_event_bus_arn(bus.map(str::to_owned));
            let list = list.set_name_prefix(prefix.clone()).set_next_token(token);
            let page = self.read(CALL, list.send()).await?;
            let subscribers = page.subscribers.unwrap_or_default();
            self.page(CALL, "Subscribers", Some(subscribers), page.next_token)
        };
        self.pages(CALL, ask).await
    }

    /// The ARNs of the account's own subscribers of this name.
    pub async fn subscribers_named(&self, name: &str) -> Result<Vec<String>, Error> {
        let account = self.account().await?;
        let found = self.subscribers(None, name).await?;
        let named = found.into_iter().filter(|one| one.name() == Some(name));
        let arns = named.filter_map(|one| one.subscriber_arn);
        Ok(arns.filter(|arn| arn::account(arn) == Some(account)).collect())
    }

    /// The subscriber with this ARN.
    pub async fn subscriber(&self, arn: &str) -> Result<Option<DescribeSubscriberOutput>, Error> {
        const CALL: &str = "eventsv2:DescribeSubscriber";
        let ask = || async {
            let call = self.custom.describe_subscriber().subscriber_arn(arn).send();
            let answer = found(self.read(CALL, call).await)?;
            if let Some(subscriber) = &answer {
                self.given(CALL, "SubscriberArn", subscriber.subscriber_arn())?;
                self.given(CALL, "EventBusArn", subscriber.event_bus_arn())?;
                self.given(CALL, "State", subscriber.state())?;
                self.given(CALL, "InvokeConfiguration", subscriber.invoke_configuration())?;
            }
            Ok(answer)
        };
        self.once(&self.reads.subscribers, arn.to_owned(), ask).await
    }

    /// Names of what keeps a custom event bus from being deleted: its subscribers, and its event sources. Those that were revoked do not.
    pub async fn on_custom_bus(&self, arn: &str) -> Result<[Vec<String>; 2], Error> {
        const SOURCES: &str = "eventsv2:ListEventSources";
        let subscribers = self.subscribers(Some(arn), "").await?;
        let ask = async |token| {
            let list = self.custom.list_event_sources().event_bus_arn(arn);
            let page = self.read(SOURCES, list.set_next_token(token).send()).await?;
            let sources = page.event_sources.unwrap_or_default();
            self.page(SOURCES, "EventSources", Some(sources), page.next_token)
        };
        let sources = self.pages(SOURCES, ask).await?;
        let subscribers = subscribers
            .into_iter()
            .filter(|one| !one.revoked().unwrap_or_default());
        let sources = sources.into_iter().filter(|one| !is_revoked(one));
        Ok([
            subscribers.filter_map(|one| one.name).collect(),
            sources.filter_map(|one| one.name).collect(),
        ])
    }

    /// The tags of what belongs to a custom event bus, AWS's own and this provider's left out.
    pub async fn custom_tags(&self, arn: &str) -> Result<Tags, Error> {
        const CALL: &str = "eventsv2:ListTagsForResource";
        let ask = || async {
            let call = self.custom.list_tags_for_resource().resource_arn(arn).send();
            let answer = self.read(CALL, call).await?;
            Ok(answer.tags.unwrap_or_default().into_iter().collect())
        };
        let all = self.once(&self.reads.tags, arn.to_owned(), ask).await?;
        Ok(split(all).0)
    }

    /// Brings the tags of what belongs to a custom event bus from `held` to `wanted`; those that are ignored stay as they are.
    pub async fn retag_custom(
        &self,
        arn: &str,
        held: &Tags,
        wanted: &Tags,
        ignored: &Ignored,
    ) -> Result<(), Error> {
        let (set, gone) = tags::change(held, wanted, ignored);
        if !gone.is_empty() {
            let call = self.custom.untag_resource().resource_arn(arn);
            let answer = call.set_tag_keys(Some(gone)).send().await;
            answer.map_err(|e| self.failed("eventsv2:UntagResource", e))?;
        }
        if !set.is_empty() {
            let call = self.custom.tag_resource().resource_arn(arn);
            let answer = call.set_tags(wire_custom_tags(&set)).send().await;
            answer.map_err(|e| self.failed("eventsv2:TagResource", e))?;
        }
        Ok(())
    }
}

/// Whether the owner of the bus has taken it from an event source.
fn is_revoked(source: &EventSourceSummary) -> bool {
    source.revoked().unwrap_or_default()
}

/// Days for which a bus keeps events.
pub fn retention(bus: &DescribeEventBusOutput) -> Option<i64> {
    bus.storage_configuration()?
        .retention_period_in_days()
        .map(i64::from)
}

/// Whether a bus is about to be in another state.
pub fn is_on_its_way(state: &BusState) -> bool {
    matches!(
        state,
        BusState::Creating | BusState::Updating | BusState::Deleting
    )
}

/// Tags as this service takes them, none where there are none.
pub fn wire_custom_tags(tags: &Tags) -> Option<HashMap<String, String>> {
    (!tags.is_empty()).then(|| tags.clone().into_iter().collect())
}
