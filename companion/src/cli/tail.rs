//! `tail`: prints the events of a log group, local or real, through the AWS SDK.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use tokio_util::sync::CancellationToken;

use super::aws::Place;
use super::exit::Failure;
use super::given;
use super::jq::{Jq, Unseen};
use super::log_groups;
use super::show::escaped;
use super::{out, readable};
use crate::aws_error::AwsError;
use crate::{aws_error, clock};

const POLL: Duration = Duration::from_millis(500);
/// Wait before a retry while AWS does not answer.
const RETRY: Duration = Duration::from_secs(2);
/// How far before the latest event a query of recent events begins, to find most that arrive late.
const OVERLAP_MS: i64 = 60_000;
/// Shortest time between two queries of the whole group.
const WHOLE: Duration = Duration::from_secs(5);
/// Longest time from an event's ingestion, by AWS's clock, until a query returns it, by ours.
const VISIBLE_WITHIN_MS: i64 = 5 * 60_000;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  scalr-eventbridge tail /aws/events/scalr/RunExecuted --follow
  scalr-eventbridge tail /aws/events/scalr/AuditLog --since 1h --jq .detail.request.action")]
pub(super) struct Args {
    /// The log group.
    log_group: String,
    /// Go on printing what arrives, until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// Print events of the last while only, such as `90s`, `10m`, `2h` or `1d`.
    #[arg(long, value_name = "TIME", value_parser = given::span, allow_hyphen_values = true)]
    since: Option<Duration>,
    /// Print each event's JSON alone, one a line.
    #[arg(long)]
    json: bool,
    /// Print what this jq filter makes of each event, such as `.detail.event.result`.
    #[arg(long, value_name = "FILTER", conflicts_with = "json")]
    jq: Option<String>,
    #[command(flatten)]
    place: Place,
}

pub(super) async fn main(args: Args, stop: CancellationToken) -> anyhow::Result<()> {
    tokio::select! {
        // At any point: printing leaves nothing half done.
        () = stop.cancelled() => Ok(()),
        done = tail(&args) => done,
    }
}

async fn tail(args: &Args) -> anyhow::Result<()> {
    let filter = args.jq.as_deref().map(Jq::compile).transpose();
    let filter = filter.map_err(|why| {
        let given = args.jq.as_deref().unwrap_or_default().escape_debug();
        Failure::setting(format!("`{given}` (`--jq`) is no jq filter: {why}"))
    })?;
    let mut fields = args.jq.as_deref().map(Jq::fields);
    let group = Group {
        client: log_groups::client(&args.place).await?,
        args,
        filter,
        since_ms: args
            .since
            .map(|since| clock::wall_ms() - i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
    };
    let (mut printed, mut first) = (Printed::default(), true);
    loop {
        // A query of the whole group finds events that arrive late, however old.
        let start = Instant::now();
        printed.begin(clock::wall_ms());
        let queried = group
            .print_new(group.since_ms, &mut printed, fields.as_mut())
            .await;
        // A call that can never succeed fails the first time.
        if first {
            queried?;
        } else {
            unless_retryable(queried).await?;
        }
        for warning in fields.iter_mut().flat_map(Unseen::warnings) {
            out::complain(&format!("warning: {warning}"));
        }
        if !args.follow {
            return Ok(());
        }
        first = false;
        printed.end();
        // In between only recent events are queried. Queries of the whole group take at most a tenth of the time.
        let next = Instant::now() + WHOLE.max(start.elapsed() * 10);
        while Instant::now() < next {
            tokio::time::sleep(POLL).await;
            let recent = printed.latest_ms.map(|latest| latest - OVERLAP_MS);
            unless_retryable(
                group
                    .print_new(group.since_ms.max(recent), &mut printed, fields.as_mut())
                    .await,
            )
            .await?;
        }
    }
}

/// Waits after an error that a retry may clear; returns any other.
async fn unless_retryable(queried: anyhow::Result<()>) -> anyhow::Result<()> {
    match queried {
        Err(error) if matches!(error.downcast_ref(), Some(AwsError::Retryable(_))) => {
            tracing::warn!("{error:#}; trying again");
            tokio::time::sleep(RETRY).await;
            Ok(())
        }
        queried => queried,
    }
}

/// The log group that is printed.
struct Group<'a> {
    client: Client,
    args: &'a Args,
    filter: Option<Jq>,
    since_ms: Option<i64>,
}

impl Group<'_> {
    /// Prints, page by page, the events from that time on that are not printed yet.
    async fn print_new(
        &self,
        from_ms: Option<i64>,
        printed: &mut Printed,
        mut fields: Option<&mut Unseen>,
    ) -> anyhow::Result<()> {
        let group = &self.args.log_group;
        let mut pages = self
            .client
            .filter_log_events()
            .log_group_name(group)
            .set_start_time(from_ms.filter(|ms| *ms > 0))
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    return Err(log_groups::failed(&self.client, group, aws_error::error(&error)).await);
                }
            };
            for event in page.events() {
                if printed.is_new(event) {
                    if let Some(fields) = &mut fields {
                        fields.see(event.message().unwrap_or_default());
                    }
                    print(event, self.args.json, self.filter.as_ref())?;
                }
            }
        }
        Ok(())
    }
}

/// What is printed already: all events ingested before a time, and the ids of those ingested since.
#[derive(Debug, Default)]
struct Printed {
    /// Every event ingested before this time is printed.
    complete_until_ms: i64,
    /// The same once the running query of the whole group has ended.
    next_complete_until_ms: i64,
    /// Ids of the events ingested since, and when.
    recent: HashMap<String, i64>,
    /// Time of the latest event.
    latest_ms: Option<i64>,
}

impl Printed {
    /// A query of the whole group begins.
    fn begin(&mut self, now_ms: i64) {
        self.next_complete_until_ms = now_ms - VISIBLE_WITHIN_MS;
    }

    /// The query of the whole group has ended.
    fn end(&mut self) {
        self.complete_until_ms = self.next_complete_until_ms;
        self.recent
            .retain(|_, ingested_ms| *ingested_ms >= self.complete_until_ms);
    }

    /// Whether this event is not printed yet; it counts as printed from here on.
    fn is_new(&mut self, event: &FilteredLogEvent) -> bool {
        self.latest_ms = self.latest_ms.max(event.timestamp());
        let ingested_ms = event.ingestion_time().unwrap_or(i64::MAX);
        let id = event.event_id().unwrap_or_default();
        if ingested_ms < self.complete_until_ms || self.recent.contains_key(id) {
            return false;
        }
        // A query returns an event once, and after it older events are recognised by their ingestion time.
        if ingested_ms >= self.next_complete_until_ms {
            self.recent.insert(id.to_owned(), ingested_ms);
        }
        true
    }
}

fn print(event: &FilteredLogEvent, json: bool, filter: Option<&Jq>) -> std::io::Result<()> {
    let message = event.message().unwrap_or_default();
    if json {
        return out::line(message);
    }
    if let Some(filter) = filter {
        match filter.run(message) {
            Ok(results) => results.iter().try_for_each(|result| out::line(result))?,
            Err(why) => out::complain(&format!("warning: the filter fails on an event: {why}")),
        }
        return Ok(());
    }
    let at = clock::rfc3339_seconds(event.timestamp().unwrap_or_default());
    let line = readable::line(message).unwrap_or_else(|| escaped(message));
    out::styled(&format!("{at}  {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, at_ms: i64, ingested_ms: i64) -> FilteredLogEvent {
        FilteredLogEvent::builder()
            .event_id(id)
            .timestamp(at_ms)
            .ingestion_time(ingested_ms)
            .build()
    }

    #[test]
    fn each_event_is_printed_once_however_late_it_arrives() {
        let minute = 60_000;
        let old = event("old", 0, 0);
        let recent = event("recent", 100 * minute, 98 * minute);
        let late = event("late", 50 * minute, 101 * minute);
        let mut printed = Printed::default();
        let new = |printed: &mut Printed| [&old, &recent, &late].map(|event| printed.is_new(event));
        printed.begin(100 * minute);
        assert!(printed.is_new(&old) && printed.is_new(&recent), "the first query");
        assert_eq!(printed.recent.len(), 1, "the old one is recognised by its time");
        printed.end();
        assert_eq!(new(&mut printed), [false, false, true]);
        assert_eq!(new(&mut printed), [false, false, false]);
        printed.begin(200 * minute);
        assert_eq!(new(&mut printed), [false, false, false]);
        printed.end();
        assert_eq!(printed.recent.len(), 0);
        assert_eq!(new(&mut printed), [false, false, false]);
        assert_eq!(printed.latest_ms, Some(100 * minute));
    }
}
