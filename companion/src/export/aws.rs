//! What there is at AWS: buses of connections, with their rules, targets and log groups. It only reads.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use aws_config::{Region, SdkConfig};
use aws_sdk_cloudwatchlogs as logs;
use aws_sdk_eventbridge as events;
use aws_sdk_eventbridge::types::{
    IncludeDetail, Level, LogConfig, RetryPolicy, Rule as WireRule, RuleState, Target as WireTarget,
};
use futures::{StreamExt as _, TryStreamExt as _};

use super::account::{Bus, LogGroup, Rule, Target};
use crate::aws_error::{self, AwsError};
use crate::aws_wire::AwsWire;

/// No list here is longer than this many pages.
pub(super) const PAGES_MAX: usize = 50;
/// Rules of a bus that are read at the same time.
const RULES_AT_ONCE: usize = 8;
/// Tags whose keys begin so are AWS's or the provider's, and are written by nobody.
const RESERVED: [&str; 2] = ["aws:", "scalr-eventbridge:"];
/// The tag of a log group that a target made: the bus and rule that own it.
const OWNER_TAG: &str = "scalr-eventbridge:owner";
const TAG_VALUE_LENGTH_MAX: usize = 256;
/// An owner that is too long for a tag ends in `=` and this many letters.
const DIGEST_LENGTH: usize = 16;
/// What AWS does where no retry policy is set; it may show it anyway.
const AGE_DEFAULT: i32 = 86_400;
const ATTEMPTS_DEFAULT: i32 = 185;

/// Whose a bus is.
pub(crate) enum Owner {
    /// The account's own.
    Account,
    /// A service of AWS's made it and manages it: this one.
    Service(String),
}

/// AWS in one region.
pub(crate) struct Aws {
    region: String,
    events: events::Client,
    logs: logs::Client,
}

impl Aws {
    pub(crate) fn new(config: &SdkConfig, region: &str) -> Self {
        let named = Region::new(region.to_owned());
        let events = events::config::Builder::from(config).region(named.clone());
        let logs = logs::config::Builder::from(config).region(named);
        Self::with(
            region,
            events::Client::from_conf(events.interceptor(AwsWire).build()),
            logs::Client::from_conf(logs.interceptor(AwsWire).build()),
        )
    }

    /// The same through these clients.
    pub(crate) fn with(region: &str, events: events::Client, logs: logs::Client) -> Self {
        Self {
            region: region.to_owned(),
            events,
            logs,
        }
    }

    /// The account of the credentials.
    pub(crate) async fn account(&self) -> anyhow::Result<String> {
        let bus = self.events.describe_event_bus().name("default").send().await;
        let bus = bus.map_err(|error| aws_error::error(&error));
        let bus =
            bus.with_context(|| self.cannot("the account of the credentials", "events:DescribeEventBus"))?;
        let account = bus.arn().and_then(|arn| arn.split(':').nth(4));
        account
            .map(str::to_owned)
            .with_context(|| format!("AWS shows no account of the default event bus in {}", self.region))
    }

    /// The state of an event source, in AWS's word; none where there is no such source.
    pub(crate) async fn source_state(&self, name: &str) -> anyhow::Result<Option<String>> {
        let source = self.events.describe_event_source().name(name).send().await;
        let source = found(source.map_err(|error| aws_error::error(&error)));
        let source = source.with_context(|| {
            self.cannot(
                &format!("the event source `{name}`"),
                "events:DescribeEventSource",
            )
        })?;
        Ok(source.map(|source| {
            source
                .state()
                .map_or_else(String::new, |state| state.as_str().to_owned())
        }))
    }

    /// Whether a bus is there, and whose it is.
    pub(crate) async fn bus_owner(&self, name: &str) -> anyhow::Result<Option<Owner>> {
        let bus = self.events.describe_event_bus().name(name).send().await;
        let bus = found(bus.map_err(|error| aws_error::error(&error)))
            .with_context(|| self.cannot(&format!("the event bus `{name}`"), "events:DescribeEventBus"))?;
        Ok(bus.map(|bus| match filled(bus.managed_by()) {
            Some(service) => Owner::Service(service),
            None => Owner::Account,
        }))
    }

    /// The bus of an event source in this account with all that is on it; none where the source has none. What cannot be
    /// exported is said.
    pub(crate) async fn bus(
        &self,
        name: &str,
        account: &str,
        left_out: &mut Vec<String>,
    ) -> anyhow::Result<Option<Bus>> {
        let answer = self.events.describe_event_bus().name(name).send().await;
        let held = found(answer.map_err(|error| aws_error::error(&error)))
            .with_context(|| self.cannot(&format!("the event bus `{name}`"), "events:DescribeEventBus"))?;
        let Some(held) = held else { return Ok(None) };
        let mut bus = Bus {
            name: name.to_owned(),
            aws_account_id: account.to_owned(),
            region: self.region.clone(),
            description: filled(held.description()),
            kms_key_identifier: filled(held.kms_key_identifier()),
            dead_letter_arn: held.dead_letter_config().and_then(|queue| filled(queue.arn())),
            log: held.log_config().and_then(log_of),
            tags: self.tags(held.arn().unwrap_or_default()).await?,
            rules: Vec::new(),
        };
        let rules = self.rules(name, false).await?;
        let mut reads = futures::stream::iter(rules)
            .map(|rule| self.rule(name, rule))
            .buffered(RULES_AT_ONCE);
        while let Some((rule, not_exported)) = reads.try_next().await? {
            bus.rules.extend(rule);
            left_out.extend(not_exported);
        }
        Ok(Some(bus))
    }

    /// The rules of a bus, by name: those that AWS manages, which are its own, or the others.
    pub(crate) async fn rules(&self, bus: &str, managed: bool) -> anyhow::Result<Vec<WireRule>> {
        let what = format!("the rules of the event bus `{bus}`");
        let mut all = Vec::new();
        let mut token = None;
        for _ in 0..PAGES_MAX {
            let list = self.events.list_rules().event_bus_name(bus).set_next_token(token);
            let page = list.send().await.map_err(|error| aws_error::error(&error));
            let page = page.with_context(|| self.cannot(&what, "events:ListRules"))?;
            all.extend(
                page.rules
                    .into_iter()
                    .flatten()
                    .filter(|rule| rule.managed_by().is_some() == managed),
            );
            token = page.next_token;
            if token.is_none() {
                all.sort_by(|a, b| a.name().cmp(&b.name()));
                return Ok(all);
            }
        }
        bail!("{what} in {} are more than {PAGES_MAX} pages", self.region)
    }

    /// A rule with its targets, and what cannot be exported of it.
    async fn rule(&self, bus: &str, held: WireRule) -> anyhow::Result<(Option<Rule>, Vec<String>)> {
        let name = held.name().unwrap_or_default();
        let Some(pattern) = held.event_pattern() else {
            let why = format!("The rule {name} on {bus} has a schedule and no event pattern.");
            return Ok((None, vec![why]));
        };
        let mut left_out = Vec::new();
        let mut rule = Rule {
            name: name.to_owned(),
            description: filled(held.description()),
            event_pattern: pattern.to_owned(),
            enabled: held.state() != Some(&RuleState::Disabled),
            role_arn: filled(held.role_arn()),
            tags: self.tags(held.arn().unwrap_or_default()).await?,
            targets: Vec::new(),
        };
        for target in self.targets(bus, name).await? {
            if has_more(&target) {
                let id = target.id();
                left_out.push(format!(
                    "The target {id} of the rule {name} on {bus} has settings that the provider does not know."
                ));
                continue;
            }
            rule.targets.push(self.target(bus, name, &target).await?);
        }
        Ok((Some(rule), left_out))
    }

    pub(crate) async fn targets(&self, bus: &str, rule: &str) -> anyhow::Result<Vec<WireTarget>> {
        let what = format!("the targets of the rule `{rule}` on the event bus `{bus}`");
        let mut all = Vec::new();
        let mut token = None;
        for _ in 0..PAGES_MAX {
            let list = self.events.list_targets_by_rule().event_bus_name(bus).rule(rule);
            let page = list.set_next_token(token).send().await;
            let page = page.map_err(|error| aws_error::error(&error));
            let page = page.with_context(|| self.cannot(&what, "events:ListTargetsByRule"))?;
            all.extend(page.targets.into_iter().flatten());
            token = page.next_token;
            if token.is_none() {
                all.sort_by(|a, b| a.id().cmp(b.id()));
                return Ok(all);
            }
        }
        bail!("{what} in {} are more than {PAGES_MAX} pages", self.region)
    }

    /// The service that manages a bus, and the custom event bus that its rules forward to; none where the bus is the account's own, or
    /// is not there.
    pub(crate) async fn managed_bus(&self, name: &str) -> anyhow::Result<Option<(String, Option<String>)>> {
        let Some(Owner::Service(service)) = self.bus_owner(name).await? else {
            return Ok(None);
        };
        for rule in self.rules(name, true).await? {
            let targets = self.targets(name, rule.name().unwrap_or_default()).await?;
            if let Some(custom) = targets.iter().find_map(|target| custom_bus_name(target.arn())) {
                return Ok(Some((service, Some(custom.to_owned()))));
            }
        }
        Ok(Some((service, None)))
    }

    async fn target(&self, bus: &str, rule: &str, held: &WireTarget) -> anyhow::Result<Target> {
        let log_group = match log_group_name(held.arn()) {
            Some(name) => Some(self.log_group(name, held.arn(), bus, rule).await?),
            None => None,
        };
        let transformer = held.input_transformer().map(|transformer| {
            let paths = transformer.input_paths_map().into_iter().flatten();
            let paths = paths.map(|(name, path)| (name.clone(), path.clone())).collect();
            (paths, transformer.input_template().to_owned())
        });
        let retry = |pick: fn(&RetryPolicy) -> Option<i32>, default: i32| {
            held.retry_policy()
                .and_then(pick)
                .filter(|number| *number != default)
                .map(i64::from)
        };
        Ok(Target {
            id: held.id().to_owned(),
            arn: held.arn().to_owned(),
            log_group,
            input: filled(held.input()),
            input_path: filled(held.input_path()),
            transformer,
            event_age_seconds: retry(RetryPolicy::maximum_event_age_in_seconds, AGE_DEFAULT),
            retry_attempts: retry(RetryPolicy::maximum_retry_attempts, ATTEMPTS_DEFAULT),
            dead_letter_arn: held.dead_letter_config().and_then(|queue| filled(queue.arn())),
            role_arn: filled(held.role_arn()),
        })
    }

    async fn log_group(&self, name: &str, arn: &str, bus: &str, rule: &str) -> anyhow::Result<LogGroup> {
        let arn = arn.trim_end_matches(":*");
        let tags = self.logs.list_tags_for_resource().resource_arn(arn).send().await;
        let tags = found(tags.map_err(|error| aws_error::error(&error)));
        let tags = tags
            .with_context(|| {
                self.cannot(
                    &format!("the tags of the log group `{name}`"),
                    "logs:ListTagsForResource",
                )
            })?
            .and_then(|answer| answer.tags)
            .unwrap_or_default();
        let create = tags
            .get(OWNER_TAG)
            .is_some_and(|owner| is_owner(owner, bus, rule));
        // Of a group that is somebody else's, a target has the name alone.
        let held = if create {
            self.held_group(name).await?
        } else {
            None
        };
        Ok(LogGroup {
            name: name.to_owned(),
            create,
            retention_in_days: held
                .as_ref()
                .and_then(logs::types::LogGroup::retention_in_days)
                .map(i64::from),
            kms_key_id: held.as_ref().and_then(|held| filled(held.kms_key_id())),
        })
    }

    pub(crate) async fn held_group(&self, name: &str) -> anyhow::Result<Option<logs::types::LogGroup>> {
        let what = format!("the log group `{name}`");
        let mut pages = self
            .logs
            .describe_log_groups()
            .log_group_name_prefix(name)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| aws_error::error(&error));
            let page = page.with_context(|| self.cannot(&what, "logs:DescribeLogGroups"))?;
            let mut groups = page.log_groups.into_iter().flatten();
            if let Some(group) = groups.find(|group| group.log_group_name() == Some(name)) {
                return Ok(Some(group));
            }
        }
        Ok(None)
    }

    /// Whether a log group has a log stream.
    pub(crate) async fn has_log_stream(&self, group: &str, stream: &str) -> anyhow::Result<bool> {
        let list = self.logs.describe_log_streams().log_group_name(group);
        // Sorted by name: the stream itself is the first whose name begins so.
        let page = list.log_stream_name_prefix(stream).send().await;
        let page = found(page.map_err(|error| aws_error::error(&error))).with_context(|| {
            self.cannot(
                &format!("the log streams of `{group}`"),
                "logs:DescribeLogStreams",
            )
        })?;
        let streams = page.and_then(|page| page.log_streams).unwrap_or_default();
        Ok(streams.iter().any(|one| one.log_stream_name() == Some(stream)))
    }

    /// The tags of a bus or rule that a person writes.
    async fn tags(&self, arn: &str) -> anyhow::Result<BTreeMap<String, String>> {
        let answer = self
            .events
            .list_tags_for_resource()
            .resource_arn(arn)
            .send()
            .await;
        let answer = answer.map_err(|error| aws_error::error(&error));
        let answer = answer
            .with_context(|| self.cannot(&format!("the tags of `{arn}`"), "events:ListTagsForResource"))?;
        let tags = answer.tags().iter();
        Ok(written(
            tags.map(|tag| (tag.key().to_owned(), tag.value().to_owned())),
        ))
    }

    fn cannot(&self, what: &str, action: &str) -> String {
        cannot(what, action, &self.region)
    }
}

/// What failed, and what it takes.
pub(super) fn cannot(what: &str, action: &str, region: &str) -> String {
    format!("cannot read {what} in {region} (this takes `{action}`)")
}

/// An answer of something that may not be there.
pub(crate) fn found<T>(answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(AwsError::Refused { code, .. }) if code == "ResourceNotFoundException" => Ok(None),
        Err(error) => Err(error),
    }
}

/// The tags that a person writes.
pub(super) fn written(tags: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let is_reserved = |key: &str| RESERVED.iter().any(|reserved| key.starts_with(reserved));
    tags.into_iter().filter(|(key, _)| !is_reserved(key)).collect()
}

pub(super) fn filled(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Level and detail; none of a log that is off, which AWS shows where none was ever set up.
fn log_of(log: &LogConfig) -> Option<(String, String)> {
    let level = log.level().map_or(Level::Off.as_str(), Level::as_str);
    let detail = log
        .include_detail()
        .map_or(IncludeDetail::None.as_str(), IncludeDetail::as_str);
    let is_off = level == Level::Off.as_str() && detail == IncludeDetail::None.as_str();
    (!is_off).then(|| (level.to_owned(), detail.to_owned()))
}

/// The log group in an ARN.
pub(crate) fn log_group_name(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let service = parts.nth(2);
    let resource = parts.nth(2)?;
    let name = resource.strip_prefix("log-group:")?;
    (service == Some("logs")).then(|| name.trim_end_matches(":*"))
}

/// The custom event bus (EventBridge V2) in an ARN.
pub(crate) fn custom_bus_name(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let service = parts.nth(2);
    let resource = parts.nth(2)?.strip_prefix("event-busv2/")?;
    let name = resource.split('/').next().filter(|name| !name.is_empty());
    name.filter(|_| service == Some("events"))
}

/// Whether the owner that a log group's tag names is this rule. One that is too long for a tag is cut.
fn is_owner(owner: &str, bus: &str, rule: &str) -> bool {
    let whole = format!("{bus}/{rule}");
    if whole.len() <= TAG_VALUE_LENGTH_MAX {
        return owner == whole;
    }
    let kept = whole.get(..TAG_VALUE_LENGTH_MAX - DIGEST_LENGTH - 1);
    let rest = kept.and_then(|kept| owner.strip_prefix(kept));
    rest.is_some_and(|rest| rest.starts_with('=') && rest.len() == DIGEST_LENGTH + 1)
}

/// Settings of other kinds of targets, which the provider has not: an apply would remove them.
fn has_more(held: &WireTarget) -> bool {
    held.kinesis_parameters().is_some()
        || held.run_command_parameters().is_some()
        || held.ecs_parameters().is_some()
        || held.batch_parameters().is_some()
        || held.sqs_parameters().is_some()
        || held.http_parameters().is_some()
        || held.redshift_data_parameters().is_some()
        || held.sage_maker_pipeline_parameters().is_some()
        || held.app_sync_parameters().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_groups_are_found_in_arns() {
        for (arn, want) in [
            ("arn:aws:logs:us-east-1:1:log-group:/a/b", Some("/a/b")),
            ("arn:aws:logs:us-east-1:1:log-group:/a/b:*", Some("/a/b")),
            ("arn:aws:sqs:us-east-1:1:q", None),
            ("arn:aws:logs:us-east-1:1:other:x", None),
            ("x", None),
        ] {
            assert_eq!(log_group_name(arn), want, "{arn}");
        }
    }

    #[test]
    fn owners_are_compared_as_far_as_a_tag_holds_them() {
        assert!(is_owner("a/b/r", "a/b", "r"));
        assert!(!is_owner("a/b/r", "a/b", "s"));
        let bus = "b".repeat(250);
        let kept = &format!("{bus}/rule-long")[..239];
        assert!(is_owner(&format!("{kept}=0123456789abcdef"), &bus, "rule-long"));
        assert!(!is_owner(&format!("{kept}=0123"), &bus, "rule-long"));
        assert!(!is_owner(&format!("{bus}/rule-long"), &bus, "rule-long"));
    }
}
