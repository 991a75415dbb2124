//! Reading what is behind a bus that AWS manages: the event source, the custom event bus, its subscribers and their log groups.

use aws_sdk_eventbridgev2::operation::describe_event_source::DescribeEventSourceOutput;
use aws_sdk_eventbridgev2::operation::describe_subscriber::DescribeSubscriberOutput;
use aws_sdk_eventbridgev2::types::{Filter, FilterScope, SubscriberState, SubscriberSummary};
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use super::seen::{CustomBus, EventSource, Subscriber};
use crate::export::{Aws, CustomBuses};

/// Connections, rules of one, or subscribers of a bus, that are read at the same time.
pub(super) const AT_ONCE: usize = 8;
/// The target that calls PutLogEvents: there is none of a log group.
const PUT_LOG_EVENTS: &str = ":aws-sdk:cloudwatchlogs:putLogEvents";
/// What an expression begins with, whose value is known at a delivery only.
const EXPRESSION: &str = "{%";
/// More subscribers that run are not asked for their filters and inputs.
const DESCRIBED_MAX: usize = 100;

/// What reads in a region.
pub(super) struct Readers {
    pub(super) aws: Aws,
    pub(super) custom: CustomBuses,
}

/// What is behind the bus of a source; `fed`: the custom event bus that a rule of it leads to. What cannot be read is said in it.
pub(super) async fn behind(readers: &Readers, source: &str, fed: Option<&str>) -> CustomBus {
    let mut custom = CustomBus::default();
    let not_seen = |error: anyhow::Error| Some(format!("{error:#}"));
    match readers.custom.source_of(source).await {
        Ok(held) => {
            custom.arn = held.as_ref().and_then(|held| held.event_bus_arn.clone());
            custom.event_source = held.map(event_source);
        }
        Err(error) => custom.not_seen = not_seen(error),
    }
    custom.arn = custom.arn.or_else(|| fed.map(str::to_owned));
    let Some(arn) = custom.arn.clone() else {
        return custom;
    };
    match bus(readers, &arn).await {
        Ok((state, subscribers)) => (custom.state, custom.subscribers) = (state, subscribers),
        Err(error) => custom.not_seen = custom.not_seen.or(not_seen(error)),
    }
    custom
}

/// The event source that has the events of a source whose bus is gone; nothing where that cannot be read.
pub(super) async fn without_bus(readers: &Readers, source: &str) -> Option<CustomBus> {
    let held = readers.custom.source_of(source).await.ok()??;
    Some(CustomBus {
        arn: held.event_bus_arn.clone(),
        event_source: Some(event_source(held)),
        ..CustomBus::default()
    })
}

fn event_source(held: DescribeEventSourceOutput) -> EventSource {
    EventSource {
        state: held.state().map_or("ACTIVE", |state| state.as_str()).to_owned(),
        revoked: held.revoked().unwrap_or_default(),
        name: held.name.unwrap_or_default(),
        arn: held.event_source_arn.unwrap_or_default(),
    }
}

async fn bus(readers: &Readers, arn: &str) -> anyhow::Result<(Option<String>, Vec<Subscriber>)> {
    let Some(held) = readers.custom.held_bus(arn).await? else {
        return Ok((None, Vec::new()));
    };
    let state = held.state().map_or("ACTIVE", |state| state.as_str()).to_owned();
    let listed = readers.custom.subscribers(arn).await?.into_iter().enumerate();
    let all = futures::stream::iter(listed)
        .map(|(at, one)| subscriber(readers, one, at < DESCRIBED_MAX))
        .buffered(AT_ONCE);
    Ok((Some(state), all.try_collect().await?))
}

async fn subscriber(
    readers: &Readers,
    listed: SubscriberSummary,
    is_described: bool,
) -> anyhow::Result<Subscriber> {
    let mut one = Subscriber {
        state: listed
            .state()
            .map_or("RUNNING", SubscriberState::as_str)
            .to_owned(),
        revoked: listed.revoked().unwrap_or_default(),
        name: listed.name.unwrap_or_default(),
        arn: listed.subscriber_arn.unwrap_or_default(),
        target_arn: listed.target_arn,
        matches_none: Vec::new(),
        missing_log_group: None,
        missing_log_stream: None,
    };
    if !is_described {
        return Ok(one);
    }
    let Some(held) = readers.custom.subscriber(&one.arn).await? else {
        return Ok(one);
    };
    let filters = held.filter_configuration().map_or(&[][..], |held| held.filters());
    one.matches_none = filters.iter().flat_map(misses).collect();
    if let Some((group, stream)) = written_to(&held).filter(|_| one.runs()) {
        if readers.aws.held_group(&group).await?.is_none() {
            one.missing_log_group = Some(group);
        } else if let Some(stream) = stream
            && !readers.aws.has_log_stream(&group, &stream).await?
        {
            one.missing_log_stream = Some((group, stream));
        }
    }
    Ok(one)
}

/// Why a filter matches none of Scalr's events: all filters have to match.
fn misses(filter: &Filter) -> Vec<String> {
    match filter.scope() {
        FilterScope::Data => {
            let pattern = serde_json::from_str(filter.pattern()).unwrap_or_default();
            scalr_events::unmatched(&pattern).whole
        }
        FilterScope::Metadata => vec!["they have no metadata".to_owned()],
        _ => Vec::new(),
    }
}

/// The log group and log stream that a subscriber writes to, as far as no expression gives them.
fn written_to(held: &DescribeSubscriberOutput) -> Option<(String, Option<String>)> {
    let invoke = held.invoke_configuration()?;
    if !invoke.target_arn().ends_with(PUT_LOG_EVENTS) {
        return None;
    }
    named(invoke.universal_target_parameters()?.input())
}

fn named(input: &str) -> Option<(String, Option<String>)> {
    let input: Value = serde_json::from_str(input).ok()?;
    let text = |name: &str| {
        let text = input.get(name).and_then(Value::as_str);
        let text = text.filter(|text| !text.is_empty() && !text.trim_start().starts_with(EXPRESSION));
        text.map(str::to_owned)
    };
    Some((text("LogGroupName")?, text("LogStreamName")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_groups_and_streams_are_in_the_input() {
        let both = |stream: Option<&str>| Some(("/g".to_owned(), stream.map(str::to_owned)));
        for (input, want) in [
            (r#"{"LogGroupName": "/g", "LogStreamName": "s"}"#, both(Some("s"))),
            (
                r#"{"LogGroupName": "/g", "LogStreamName": "{% $events[0].Data.id %}"}"#,
                both(None),
            ),
            (r#"{"LogGroupName": " {% '/g' %}", "LogStreamName": "s"}"#, None),
            ("{% $events %}", None),
            ("{}", None),
        ] {
            assert_eq!(named(input), want, "{input}");
        }
    }

    #[test]
    fn filters_are_judged_by_scalrs_events() {
        for (scope, pattern, matches) in [
            (FilterScope::Data, r#"{"detail-type": ["RunExecuted"]}"#, true),
            (FilterScope::Data, r#"{"detail-type": ["Other"]}"#, false),
            (FilterScope::Metadata, r#"{"a": ["b"]}"#, false),
            (FilterScope::SystemMetadata, r#"{"a": ["b"]}"#, true),
        ] {
            let filter = Filter::builder().scope(scope).pattern(pattern).build().unwrap();
            assert_eq!(misses(&filter).is_empty(), matches, "{pattern}");
        }
    }
}
