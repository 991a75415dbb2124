//! What the reads of a refresh share, in one region.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::Arc;

use aws_sdk_cloudwatchlogs::types::LogGroup;
use aws_sdk_eventbridge::operation::describe_event_bus::DescribeEventBusOutput;
use aws_sdk_eventbridge::operation::describe_event_source::DescribeEventSourceOutput;
use aws_sdk_eventbridge::operation::describe_rule::DescribeRuleOutput;
use aws_sdk_eventbridge::types::{Rule, Target};
use aws_sdk_eventbridgev2::operation::describe_event_bus::DescribeEventBusOutput as CustomBus;
use aws_sdk_eventbridgev2::operation::describe_event_source::DescribeEventSourceOutput as EventSource;
use aws_sdk_eventbridgev2::operation::describe_subscriber::DescribeSubscriberOutput as Subscriber;

use super::log_policy::{AccountPolicies, GroupPolicies, GroupPolicy};
use super::names::Names;
use super::tags::Tags;
use super::{Error, Regional};
use crate::shared_read::{Freshness, Keyed, Listing, Shared, Writes};

/// Bus and rule.
type RuleKey = (String, String);

/// Shared reads, since the configuration.
#[derive(Debug)]
pub(super) struct Reads {
    pub(super) buses: Keyed<String, Option<DescribeEventBusOutput>>,
    /// By ARN.
    pub(super) custom_buses: Keyed<String, Option<CustomBus>>,
    /// By ARN.
    pub(super) event_sources: Keyed<String, Option<EventSource>>,
    /// By ARN.
    pub(super) subscribers: Keyed<String, Option<Subscriber>>,
    /// Of each bus by name, as a list shows them.
    pub(super) listed_rules: Keyed<String, Arc<BTreeMap<String, Rule>>>,
    pub(super) rule_lists: Listing,
    pub(super) rules: Keyed<RuleKey, Option<DescribeRuleOutput>>,
    pub(super) targets: Keyed<RuleKey, Option<Vec<Target>>>,
    /// Of buses of both kinds and of rules, by ARN.
    pub(super) tags: Keyed<String, Tags>,
    pub(super) log_groups: Keyed<String, Option<LogGroup>>,
    pub(super) log_group_tags: Keyed<String, HashMap<String, String>>,
    pub(super) account_policies: Shared<AccountPolicies>,
    /// As a list shows them; none where there are too many.
    pub(super) listed_policies: Shared<Option<GroupPolicies>>,
    pub(super) policy_lists: Listing,
    /// Of log groups, by ARN.
    pub(super) policies: Keyed<String, Option<GroupPolicy>>,
    pub(super) sources: Keyed<String, Option<DescribeEventSourceOutput>>,
    pub(super) source_names: Shared<Names>,
    pub(super) bus_names: Shared<Names>,
    /// By the beginning of their names.
    pub(super) group_names: Keyed<String, Names>,
}

impl Reads {
    pub(super) fn new(writes: &Writes) -> Self {
        let writes = || writes.clone();
        Self {
            buses: Keyed::new(writes()),
            custom_buses: Keyed::new(writes()),
            event_sources: Keyed::new(writes()),
            subscribers: Keyed::new(writes()),
            listed_rules: Keyed::new(writes()),
            rule_lists: Listing::new(writes()),
            rules: Keyed::new(writes()),
            targets: Keyed::new(writes()),
            tags: Keyed::new(writes()),
            log_groups: Keyed::new(writes()),
            log_group_tags: Keyed::new(writes()),
            account_policies: Shared::new(writes()),
            listed_policies: Shared::new(writes()),
            policy_lists: Listing::new(writes()),
            policies: Keyed::new(writes()),
            sources: Keyed::new(writes()),
            source_names: Shared::new(writes()),
            bus_names: Shared::new(writes()),
            group_names: Keyed::new(writes()),
        }
    }
}

impl Regional {
    /// The answer to a question about one thing: in a refresh, one for all that ask in this walk.
    pub(super) async fn once<K: Ord + Clone, T: Clone, F: Future<Output = Result<T, Error>>>(
        &self,
        of: &Keyed<K, T>,
        key: K,
        ask: impl Fn() -> F,
    ) -> Result<T, Error> {
        if self.freshness == Freshness::Now {
            return ask().await;
        }
        of.of(&key).read(Freshness::Walk, ask).await
    }
}
