//! AWS as a customer sees it, for the pages of AWS's side: through AWS's SDK and its endpoint setting, as everywhere.
//!
//! These pages exist only where the local AWS runs in this process: it takes an account's id as its access key.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_sdk_cloudwatchlogs as logs;
use aws_sdk_eventbridge as events;
use aws_sdk_eventbridge::config::retry::RetryConfig;
use aws_sdk_eventbridge::config::{BehaviorVersion, Credentials, Region};

use super::chain::Feed;
use super::text::Shown;
use crate::aws_error::{self, AwsError};
use crate::aws_wire::AwsWire;
use crate::export::{self, Bus};

/// Clients of more places than these are not kept.
const PLACES_MAX: usize = 64;
/// Pages of a list that are read, each of 100.
pub(super) const PAGES_MAX: usize = 10;

/// The local AWS of this process.
#[derive(Debug)]
pub(crate) struct LocalAws {
    /// Its address.
    pub(crate) endpoint: String,
    /// The account and region that are shown where nothing names others.
    pub(crate) account: String,
    pub(crate) region: String,
    places: Mutex<HashMap<(String, String), Place>>,
}

/// An account in a region.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) events: events::Client,
    pub(super) logs: logs::Client,
}

/// A partner event source in a customer's account.
pub(super) struct Source {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) state: String,
}

impl LocalAws {
    /// The AWS at this address.
    pub(crate) fn new(endpoint: &str, account: &str, region: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            account: account.to_owned(),
            region: region.to_owned(),
            places: Mutex::default(),
        }
    }

    /// An account in a region.
    pub(super) fn place(&self, account: &str, region: &str) -> Place {
        // No panic can leave the map half changed, so a poisoned lock is safe to use.
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= PLACES_MAX {
            places.clear();
        }
        let key = (account.to_owned(), region.to_owned());
        places
            .entry(key)
            .or_insert_with(|| self.connect(account, region))
            .clone()
    }

    fn connect(&self, account: &str, region: &str) -> Place {
        let keys = Credentials::new(account, "none", None, None, "console");
        let named = Region::new(region.to_owned());
        let events = events::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.endpoint)
            .region(named.clone())
            .credentials_provider(keys.clone())
            .retry_config(RetryConfig::disabled())
            .interceptor(AwsWire)
            .build();
        let logs = logs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.endpoint)
            .region(named)
            .credentials_provider(keys)
            .retry_config(RetryConfig::disabled())
            .interceptor(AwsWire)
            .build();
        Place {
            account: account.to_owned(),
            region: region.to_owned(),
            events: events::Client::from_conf(events),
            logs: logs::Client::from_conf(logs),
        }
    }
}

impl Place {
    /// The partner event sources from Scalr, by name.
    pub(super) async fn sources(&self) -> Result<Vec<Source>, AwsError> {
        let (mut all, mut token) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let list = self.events.list_event_sources();
            let list = list
                .name_prefix(scalr_events::SOURCE_PREFIX)
                .set_next_token(token);
            let page = list.send().await.map_err(|error| aws_error::error(&error))?;
            all.extend(page.event_sources().iter().map(|source| {
                Source {
                    name: source.name().unwrap_or_default().to_owned(),
                    arn: source.arn().unwrap_or_default().to_owned(),
                    state: source
                        .state()
                        .map_or("UNKNOWN", |state| state.as_str())
                        .to_owned(),
                }
            }));
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// One source, if it is there.
    pub(super) async fn source(&self, name: &str) -> Result<Option<Source>, AwsError> {
        let found = self.events.describe_event_source().name(name).send().await;
        let found = found.map_err(|error| aws_error::error(&error));
        Ok(there(found)?.map(|source| Source {
            name: name.to_owned(),
            arn: source.arn().unwrap_or_default().to_owned(),
            state: source
                .state()
                .map_or("UNKNOWN", |state| state.as_str())
                .to_owned(),
        }))
    }

    /// "Associate with event bus".
    pub(super) async fn associate(&self, source: &str) -> Result<(), AwsError> {
        let made = self
            .events
            .create_event_bus()
            .name(source)
            .event_source_name(source);
        let made = made.send().await.map_err(|error| aws_error::error(&error));
        made.map(drop)
    }

    /// The names of the event buses: `default` first, then by name.
    pub(super) async fn buses(&self) -> Result<Vec<String>, AwsError> {
        let (mut all, mut token) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let page = self.events.list_event_buses().set_next_token(token).send().await;
            let page = page.map_err(|error| aws_error::error(&error))?;
            let names = page.event_buses().iter().filter_map(|bus| bus.name());
            all.extend(names.map(str::to_owned));
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        all.sort_by(|a, b| (a != "default", a).cmp(&(b != "default", b)));
        Ok(all)
    }

    /// A bus with its rules and their targets, if it is there; and what is on it that is not shown.
    pub(super) async fn bus(&self, name: &str) -> Result<(Option<Bus>, Vec<Shown>), AwsError> {
        let aws = export::Aws::with(&self.region, self.events.clone(), self.logs.clone());
        let mut left_out = Vec::new();
        let bus = aws.bus(name, &self.account, &mut left_out).await;
        let bus = bus.map_err(|error| AwsError::Retryable(format!("{error:#}")))?;
        Ok((bus, left_out.iter().map(Shown::new).collect()))
    }

    /// What AWS manages a bus for; none where the bus is the account's own, or is not there.
    pub(super) async fn feed(&self, name: &str) -> Result<Option<Feed>, AwsError> {
        let aws = export::Aws::with(&self.region, self.events.clone(), self.logs.clone());
        let managed = aws.managed_bus(name).await;
        let managed = managed.map_err(|error| AwsError::Retryable(format!("{error:#}")))?;
        Ok(managed.map(|(service, to)| Feed { service, to }))
    }

    /// Whether an event matches a pattern, as AWS tests it.
    pub(super) async fn test_pattern(&self, pattern: &str, event: &str) -> Result<bool, AwsError> {
        let test = self
            .events
            .test_event_pattern()
            .event_pattern(pattern)
            .event(event);
        let tested = test.send().await.map_err(|error| aws_error::error(&error))?;
        Ok(tested.result())
    }
}

/// An answer about something that may not be there.
pub(super) fn there<T>(answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(AwsError::Refused { code, .. }) if code == "ResourceNotFoundException" => Ok(None),
        Err(error) => Err(error),
    }
}
