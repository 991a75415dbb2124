//! The AWS calls that more than one resource makes: each a few lines, "not there" being an answer and no error.

use std::collections::HashMap;

use aws_sdk_cloudwatchlogs::types::LogGroup;
use aws_sdk_eventbridge::operation::describe_event_bus::DescribeEventBusOutput;
use aws_sdk_eventbridge::operation::describe_event_source::DescribeEventSourceOutput;
use aws_sdk_eventbridge::operation::describe_rule::DescribeRuleOutput;
use aws_sdk_eventbridge::types::{EventBus, Tag, Target};

use super::tags::{self, Tags};
use super::{Error, Regional};

/// No list here is longer than this many pages of AWS's.
const PAGES_MAX: usize = 50;

impl Regional {
    /// The partner event source of this name.
    pub async fn source(&self, name: &str) -> Result<Option<DescribeEventSourceOutput>, Error> {
        let answer = self.events.describe_event_source().name(name).send().await;
        found(answer.map_err(|e| self.failed("events:DescribeEventSource", e)))
    }

    /// The bus of this name.
    pub async fn bus(&self, name: &str) -> Result<Option<DescribeEventBusOutput>, Error> {
        let answer = self.events.describe_event_bus().name(name).send().await;
        found(answer.map_err(|e| self.failed("events:DescribeEventBus", e)))
    }

    /// The buses whose names begin so.
    pub async fn buses(&self, prefix: &str) -> Result<Vec<EventBus>, Error> {
        let mut buses = Vec::new();
        let mut token = None;
        for _ in 0..PAGES_MAX {
            let page = self
                .events
                .list_event_buses()
                .name_prefix(prefix)
                .set_next_token(token)
                .send()
                .await;
            let page = page.map_err(|e| self.failed("events:ListEventBuses", e))?;
            buses.extend(page.event_buses.unwrap_or_default());
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        Ok(buses)
    }

    /// A rule of a bus.
    pub async fn rule(&self, bus: &str, name: &str) -> Result<Option<DescribeRuleOutput>, Error> {
        let answer = self
            .events
            .describe_rule()
            .event_bus_name(bus)
            .name(name)
            .send()
            .await;
        found(answer.map_err(|e| self.failed("events:DescribeRule", e)))
    }

    /// Names of the rules of a bus, those that begin with the prefix.
    pub async fn rule_names(&self, bus: &str, prefix: Option<&str>) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        let mut token = None;
        for _ in 0..PAGES_MAX {
            let list = self
                .events
                .list_rules()
                .event_bus_name(bus)
                .set_name_prefix(prefix.map(str::to_owned));
            let page = list.set_next_token(token).send().await;
            let page = page.map_err(|e| self.failed("events:ListRules", e))?;
            names.extend(
                page.rules()
                    .iter()
                    .filter_map(|rule| rule.name().map(str::to_owned)),
            );
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        Ok(names)
    }

    /// Names of the rules of a bus that have a target of this ARN.
    pub async fn rules_with_target(&self, bus: &str, target_arn: &str) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        let mut token = None;
        for _ in 0..PAGES_MAX {
            let list = self
                .events
                .list_rule_names_by_target()
                .event_bus_name(bus)
                .target_arn(target_arn);
            let page = list.set_next_token(token).send().await;
            let page = page.map_err(|e| self.failed("events:ListRuleNamesByTarget", e))?;
            names.extend(page.rule_names.unwrap_or_default());
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        Ok(names)
    }

    /// The targets of a rule; none where there is no such rule.
    pub async fn targets(&self, bus: &str, rule: &str) -> Result<Option<Vec<Target>>, Error> {
        let mut targets = Vec::new();
        let mut token = None;
        for _ in 0..PAGES_MAX {
            let list = self.events.list_targets_by_rule().event_bus_name(bus).rule(rule);
            let page = list.set_next_token(token).send().await;
            let page = found(page.map_err(|e| self.failed("events:ListTargetsByRule", e)))?;
            let Some(page) = page else { return Ok(None) };
            targets.extend(page.targets.unwrap_or_default());
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        Ok(Some(targets))
    }

    /// The tags of a bus or rule, AWS's own left out.
    pub async fn tags(&self, arn: &str) -> Result<Tags, Error> {
        let answer = self
            .events
            .list_tags_for_resource()
            .resource_arn(arn)
            .send()
            .await;
        let answer = answer.map_err(|e| self.failed("events:ListTagsForResource", e))?;
        let pairs = answer.tags().iter().filter(|tag| !tags::is_aws(tag.key()));
        Ok(pairs
            .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
            .collect())
    }

    /// Brings the tags of a bus or rule from `held` to `wanted`.
    pub async fn retag(&self, arn: &str, held: &Tags, wanted: &Tags) -> Result<(), Error> {
        let (set, gone) = tags::change(held, wanted);
        if !gone.is_empty() {
            let call = self
                .events
                .untag_resource()
                .resource_arn(arn)
                .set_tag_keys(Some(gone));
            call.send()
                .await
                .map_err(|e| self.failed("events:UntagResource", e))?;
        }
        if !set.is_empty() {
            let call = self
                .events
                .tag_resource()
                .resource_arn(arn)
                .set_tags(Some(wire_tags(&set)));
            call.send()
                .await
                .map_err(|e| self.failed("events:TagResource", e))?;
        }
        Ok(())
    }

    /// The log group of exactly this name.
    pub async fn log_group(&self, name: &str) -> Result<Option<LogGroup>, Error> {
        let mut token = None;
        for _ in 0..PAGES_MAX {
            let list = self
                .logs
                .describe_log_groups()
                .log_group_name_prefix(name)
                .set_next_token(token);
            let page = list
                .send()
                .await
                .map_err(|e| self.failed("logs:DescribeLogGroups", e))?;
            let mut groups = page.log_groups.unwrap_or_default().into_iter();
            if let Some(group) = groups.find(|group| group.log_group_name() == Some(name)) {
                return Ok(Some(group));
            }
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        Ok(None)
    }

    /// The tags of a log group; none where it is gone.
    pub async fn log_group_tags(&self, arn: &str) -> Result<HashMap<String, String>, Error> {
        let answer = self.logs.list_tags_for_resource().resource_arn(arn).send().await;
        let answer = found(answer.map_err(|e| self.failed("logs:ListTagsForResource", e)))?;
        Ok(answer.and_then(|answer| answer.tags).unwrap_or_default())
    }
}

/// Tags as EventBridge takes them.
pub fn wire_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter()
        .filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok())
        .collect()
}

fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
