//! `run`: starts a run in a workspace, and fails when the run does, or when its event does not arrive.

use std::time::Duration;

use anyhow::{Context as _, bail};
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use scalr_api::{Client, Object, Run, RunInput, WorkspaceId};
use scalr_events::EventType;
use serde_json::Value;

use super::log_groups::{Place, unreadable};
use super::out;
use super::remote::Remote;
use crate::{clock, partner};

const POLL: Duration = Duration::from_millis(100);
const WAIT: Duration = Duration::from_mins(1);
/// How often the log group is looked into.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long the event may take once the run is over.
const ARRIVES_WITHIN: Duration = Duration::from_mins(1);
/// Clocks may differ by this much.
const SKEW_MS: i64 = 5 * 60 * 1000;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The workspace, `ws-…`.
    workspace: WorkspaceId,
    /// Plan only.
    #[arg(long)]
    dry: bool,
    /// Destroy.
    #[arg(long)]
    destroy: bool,
    /// What to say about it.
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// Do not wait until it is over.
    #[arg(long)]
    no_wait: bool,
    /// Wait until the run's event is in this log group, and print it.
    #[arg(long, value_name = "NAME", conflicts_with = "no_wait")]
    log_group: Option<String>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    remote: Remote,
}

pub(super) async fn main(args: Args) -> anyhow::Result<()> {
    let client = args.remote.client()?;
    let input = RunInput {
        is_dry: Some(args.dry),
        is_destroy: Some(args.destroy),
        message: args.message,
    };
    let since_ms = clock::wall_ms();
    let run = client.create_run(args.workspace, input).await?;
    out::line(&format!("{} {}", run.id, run.attributes.status))?;
    if args.no_wait {
        return Ok(());
    }
    tokio::time::timeout(WAIT, over(&client, &run))
        .await
        .with_context(|| {
            let (id, seconds) = (&run.id, WAIT.as_secs());
            format!("the run `{id}` has not ended within {seconds} seconds; it continues (`--no-wait` does not wait for it)")
        })??;
    let Some(group) = args.log_group else {
        return Ok(());
    };
    tokio::time::timeout(ARRIVES_WITHIN, arrived(&args.place, &group, run.id.as_str(), since_ms))
        .await
        .with_context(|| {
            let (id, seconds) = (&run.id, ARRIVES_WITHIN.as_secs());
            format!(
                "the event of the run `{id}` is not in the log group `{group}` {seconds} seconds after the run ended; a \
                 `scalr_eventbridge_delivery_check` names the link that broke"
            )
        })?
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

/// Prints the run's event once it is there.
async fn arrived(place: &Place, group: &str, run: &str, since_ms: i64) -> anyhow::Result<()> {
    let client = place.client().await;
    loop {
        let mut pages = client
            .filter_log_events()
            .log_group_name(group)
            .start_time(since_ms.saturating_sub(SKEW_MS))
            .filter_pattern(format!("\"{run}\""))
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page
                .map_err(|error| partner::error(&error))
                .with_context(|| unreadable(&client, group))?;
            let mut messages = page.events().iter().filter_map(FilteredLogEvent::message);
            if let Some(message) = messages.find(|message| is_of(message, run)) {
                return Ok(out::line(message)?);
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
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
