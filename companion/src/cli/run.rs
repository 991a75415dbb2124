//! `run`: starts a run in a workspace, and fails when the run does, or when its event does not arrive.

use std::time::Duration;

use anyhow::bail;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use scalr_api::{Client, Object, Run};
use scalr_events::EventType;
use serde_json::Value;

use super::aws::Place;
use super::exit::Failure;
use super::log_groups;
use super::out;
use super::progress;
use super::reach;
use super::remote::Remote;
use super::runs::Wanted;
use crate::{aws_error, clock};

const POLL: Duration = Duration::from_millis(100);
const WAIT: Duration = Duration::from_mins(1);
/// How often the log group is looked into.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long the event may take once the run is over.
const ARRIVES_WITHIN: Duration = Duration::from_mins(1);
/// Clocks may differ by this much.
const SKEW_MS: i64 = 5 * 60 * 1000;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  scalr-eventbridge run network
  scalr-eventbridge run ws-v0o9h --dry --log-group /aws/events/scalr/RunExecuted

With --log-group it starts no run, and ends with 4, where neither side shows a way for the event to that log group: no connection is
active, the log group is not there, or no target leads to it.")]
pub(super) struct Args {
    #[command(flatten)]
    wanted: Wanted,
    /// Do not wait until it is over.
    #[arg(long)]
    no_wait: bool,
    /// Wait until the run's event is in this log group, and print it; no run is started where it cannot arrive there.
    #[arg(long, value_name = "NAME", conflicts_with = "no_wait")]
    log_group: Option<String>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    remote: Remote,
}

/// Where the run's event is to arrive.
struct Awaited<'a> {
    logs: aws_sdk_cloudwatchlogs::Client,
    group: &'a str,
    since_ms: i64,
}

pub(super) async fn main(args: Args) -> anyhow::Result<()> {
    let client = args.remote.client()?;
    // Before the run: one that cannot be followed is not started.
    let awaited = match &args.log_group {
        None => None,
        Some(group) => Some(awaited(&args.place, &client, group).await?),
    };
    let run = args.wanted.start(&client).await?;
    out::line(&format!("{} {}", run.id, run.attributes.status))?;
    if args.no_wait {
        return Ok(());
    }
    ended(&client, &run).await?;
    match awaited {
        Some(awaited) => event(&awaited, &run).await,
        None => Ok(()),
    }
}

/// The log group, where it can be read, and the run's event can arrive there as far as is seen.
async fn awaited<'a>(place: &Place, client: &Client, group: &'a str) -> anyhow::Result<Awaited<'a>> {
    const NONE_STARTED: &str = "no run was started";
    let config = place.config("logs").await?;
    let logs = log_groups::client_of(&config);
    if let Err(error) = log_groups::look(&logs, group).await {
        return Err(match error.downcast() {
            Ok(Failure::WithNext { what, next }) => Failure::FoundWrong {
                what: format!("{NONE_STARTED}: {what}"),
                next,
            }
            .into(),
            Ok(other) => anyhow::Error::new(other).context(NONE_STARTED),
            Err(error) => error.context(NONE_STARTED),
        });
    }
    let region = config.region().map_or("", AsRef::as_ref);
    let place = reach::Place { group, region };
    let arrives = reach::check(client, &config, &place);
    progress::during("looking at the chain", Box::pin(arrives)).await?;
    Ok(Awaited {
        logs,
        group,
        since_ms: clock::wall_ms(),
    })
}

/// Waits until the run is over.
async fn ended(client: &Client, run: &Object<Run>) -> anyhow::Result<()> {
    let what = format!("waiting for the run `{}` to end", run.id);
    let over = tokio::time::timeout(WAIT, over(client, run));
    match progress::during(&what, over).await {
        Ok(over) => over,
        Err(_) => bail!(
            "waited {} seconds for the run `{}` to end, and it still runs; `scalr-eventbridge runs list` shows its status, and \
             `--no-wait` does not wait",
            WAIT.as_secs(),
            run.id
        ),
    }
}

/// Waits until the run's event is in the log group.
async fn event(awaited: &Awaited<'_>, run: &Object<Run>) -> anyhow::Result<()> {
    let what = format!("waiting for the run's event in `{}`", awaited.group);
    let arrived = tokio::time::timeout(ARRIVES_WITHIN, awaited.arrived(run.id.as_str()));
    match progress::during(&what, arrived).await {
        Ok(arrived) => arrived,
        Err(_) => bail!(
            "waited {} seconds after the end of the run `{}` for its event in the log group `{}`, and it did not arrive; \
             `scalr-eventbridge status` names the link that is broken",
            ARRIVES_WITHIN.as_secs(),
            run.id,
            awaited.group
        ),
    }
}

async fn over(client: &Client, run: &Object<Run>) -> anyhow::Result<()> {
    loop {
        tokio::time::sleep(POLL).await;
        let Some(now) = client.run(&run.id).await? else {
            bail!("the run `{}` is gone", run.id)
        };
        let status = &now.attributes.status;
        if status.is_final() {
            out::line(&format!("{} {status}", now.id))?;
            if status.is_success() {
                return Ok(());
            }
            bail!("the run `{}` ended as {status}", run.id);
        }
    }
}

/// Whether a log event is the run's: the AuditLog event of the call that started it names it too.
fn is_of(message: &str, run: &str) -> bool {
    let event: Value = serde_json::from_str(message).unwrap_or_default();
    match event.get("detail-type") {
        Some(kind) => kind == EventType::RunExecuted.as_str() && event["detail"]["event"]["run-id"] == run,
        // What the target makes of an event.
        None => event.pointer("/request/action").is_none(),
    }
}

impl Awaited<'_> {
    /// Prints the run's event once it is there.
    async fn arrived(&self, run: &str) -> anyhow::Result<()> {
        loop {
            let mut pages = self
                .logs
                .filter_log_events()
                .log_group_name(self.group)
                .start_time(self.since_ms.saturating_sub(SKEW_MS))
                .filter_pattern(format!("\"{run}\""))
                .into_paginator()
                .send();
            while let Some(page) = pages.next().await {
                let page = match page {
                    Ok(page) => page,
                    Err(error) => {
                        return Err(
                            log_groups::failed(&self.logs, self.group, aws_error::error(&error)).await,
                        );
                    }
                };
                let mut messages = page.events().iter().filter_map(FilteredLogEvent::message);
                if let Some(message) = messages.find(|message| is_of(message, run)) {
                    return Ok(out::line(message)?);
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_of_the_call_that_started_a_run_is_not_the_runs() {
        for (message, want) in [
            (
                r#"{"detail-type": "RunExecuted", "detail": {"event": {"run-id": "run-1"}}}"#,
                true,
            ),
            (
                r#"{"detail-type": "RunExecuted", "detail": {"event": {"run-id": "run-12"}}}"#,
                false,
            ),
            (
                r#"{"detail-type": "AuditLog", "detail": {"target": {"id": "run-1"}}}"#,
                false,
            ),
            (
                r#"{"request": {"action": "create-run"}, "target": {"id": "run-1"}}"#,
                false,
            ),
            ("the run run-1 is done", true),
        ] {
            assert_eq!(is_of(message, "run-1"), want, "{message}");
        }
    }
}
