//! AWS's side of a connection, for the resources of Scalr's side. It is asked only where the credentials reach the
//! connection's account; without them, or without an answer, nothing is said: these resources need no AWS.

use std::time::Duration;

use aws_sdk_eventbridge::types::{EventSourceState, RuleState};
use tfplugin::{ClientOf, Operation};
use tokio::time::timeout;

use crate::aws::{Error, Limits, Regional, arn};
use crate::client::Client;

/// How long signing in may take, and each look after that.
const WITHIN: Duration = Duration::from_secs(10);

/// Where a connection's events go.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The event source, and so the bus.
    pub source: &'a str,
    /// The AWS account.
    pub account: &'a str,
    /// The region.
    pub region: &'a str,
}

/// The receiving account and region, with credentials for it.
#[derive(Debug)]
pub struct Receiver {
    aws: Regional,
    source: String,
}

/// What the bus of an event source does with its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bus {
    /// There is none.
    Missing,
    /// No enabled rule has a target: the events are dropped.
    Drops,
    /// A rule with a target may pick them up, or a subscriber of a custom event bus.
    Keeps,
    /// AWS manages it for a custom event bus, and no rule leads there: the events are dropped.
    LeadsNowhere,
    /// AWS manages it for the custom event bus of this name, which has no subscriber.
    NobodyReads(String),
    /// AWS manages it for the event source of this name, from which the owner of the custom event bus has taken the bus: the events are dropped.
    Revoked(String),
}

impl Receiver {
    /// None where there are no credentials, or none of that account.
    pub async fn of<T, K>(operation: &Operation<'_, T>, place: Place<'_>) -> Option<Self>
    where
        T: ClientOf<K, Client = Client>,
    {
        let aws = operation.client().aws().ok()?;
        let reach = async {
            let regional = aws.region(Some(place.region), Limits::of(operation)).await.ok()?;
            let is_theirs = regional.account().await.ok()? == place.account;
            is_theirs.then_some(regional)
        };
        let aws = timeout(WITHIN, Box::pin(reach)).await.ok()??;
        Some(Self {
            aws,
            source: place.source.to_owned(),
        })
    }

    /// The bus of the source; none where that cannot be found out.
    pub async fn bus(&self) -> Option<Bus> {
        timeout(WITHIN, Box::pin(self.look())).await.ok()?.ok()
    }

    async fn look(&self) -> Result<Bus, Error> {
        let bus = &self.source;
        match self.aws.bus(bus).await? {
            None => return Ok(Bus::Missing),
            Some(held) if held.managed_by().is_some() => return self.look_behind().await,
            Some(_) => {}
        }
        let rules = self.aws.rules(bus, None).await?;
        let enabled = rules
            .into_iter()
            .filter(|rule| rule.state() != Some(&RuleState::Disabled));
        for name in enabled.filter_map(|rule| rule.name) {
            if self
                .aws
                .targets(bus, &name)
                .await?
                .is_some_and(|held| !held.is_empty())
            {
                return Ok(Bus::Keeps);
            }
        }
        Ok(Bus::Drops)
    }

    /// What becomes of the events on the custom event bus for which AWS manages the bus. A subscriber that is stopped has them later.
    async fn look_behind(&self) -> Result<Bus, Error> {
        let Some(arn) = self.aws.forwarded_to(&self.source).await? else {
            return Ok(Bus::LeadsNowhere);
        };
        if !self.aws.has_custom_buses {
            return Ok(Bus::Keeps);
        }
        // Who may not look for event sources is still told of the rest.
        if let Ok(Some(revoked)) = self.aws.revoked_source_of(&self.source).await {
            return Ok(Bus::Revoked(revoked));
        }
        let subscribers = self.aws.subscribers(Some(&arn), "").await?;
        let mut live = subscribers
            .iter()
            .filter(|one| !one.revoked().unwrap_or_default());
        Ok(match live.next() {
            Some(_) => Bus::Keeps,
            None => Bus::NobodyReads(arn::custom_bus_name(&arn).unwrap_or(&arn).to_owned()),
        })
    }

    /// Whether the source is seen to be associated with a bus.
    pub async fn is_associated(&self) -> bool {
        let source = timeout(WITHIN, Box::pin(self.aws.source(&self.source))).await;
        let source = source.ok().and_then(Result::ok).flatten();
        source.is_some_and(|source| source.state == Some(EventSourceState::Active))
    }
}
