//! `tail`: prints the events of a log group, local or real, through the AWS SDK.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Context as _;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::config::Credentials;
use aws_sdk_cloudwatchlogs::error::DisplayErrorContext;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use tokio_util::sync::CancellationToken;

use super::out;
use crate::clock;

const POLL: Duration = Duration::from_millis(500);
/// Events that come late are looked for this far back.
const OVERLAP_MS: i64 = 60_000;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The log group.
    log_group: String,
    /// Go on printing what arrives, until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// Print events of the last while only, such as `90s`, `10m`, `2h` or `1d`.
    #[arg(long, value_name = "TIME", value_parser = span_ms)]
    since: Option<i64>,
    /// Print each event's JSON alone, one a line.
    #[arg(long)]
    json: bool,
    /// AWS's address; without it, AWS itself.
    #[arg(long, env = "AWS_ENDPOINT_URL", value_name = "URL")]
    aws_endpoint: Option<String>,
    /// The AWS region.
    #[arg(long, env = "AWS_REGION", value_name = "REGION", default_value = "us-east-1")]
    region: String,
}

fn span_ms(text: &str) -> Result<i64, String> {
    let wrong = || "write a number and a unit: `90s`, `10m`, `2h`, `1d`".to_owned();
    let unit_ms = match text.chars().last() {
        Some('s') => 1000,
        Some('m') => 60_000,
        Some('h') => 3_600_000,
        Some('d') => 86_400_000,
        _ => return Err(wrong()),
    };
    let count: u32 = text
        .get(..text.len() - 1)
        .and_then(|n| n.parse().ok())
        .ok_or_else(wrong)?;
    Ok(i64::from(count) * unit_ms)
}

pub(super) async fn main(args: Args, stop: CancellationToken) -> anyhow::Result<()> {
    let client = client(&args).await;
    let mut from_ms = args.since.map(|since| clock::now_ms() - since);
    let mut printed = HashSet::new();
    loop {
        let mut latest = None;
        for event in events(&client, &args.log_group, from_ms).await? {
            let at = event.timestamp().unwrap_or_default();
            latest = latest.max(Some(at));
            if printed.insert((at, event.event_id().unwrap_or_default().to_owned())) {
                print(&event, args.json)?;
            }
        }
        if !args.follow {
            return Ok(());
        }
        if let Some(latest) = latest {
            let overlap = latest - OVERLAP_MS;
            from_ms = from_ms.max(Some(overlap));
            printed.retain(|(at, _)| *at >= overlap);
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

async fn client(args: &Args) -> Client {
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).region(Region::new(args.region.clone()));
    if let Some(url) = &args.aws_endpoint {
        loader = loader.endpoint_url(url);
        // The local AWS asks for no secret; so need nobody who only looks at it.
        if is_loopback(url) && std::env::var_os("AWS_ACCESS_KEY_ID").is_none() {
            loader =
                loader.credentials_provider(Credentials::new("123456789012", "none", None, None, "loopback"));
        }
    }
    Client::new(&loader.load().await)
}

fn is_loopback(url: &str) -> bool {
    let host = url
        .split("://")
        .nth(1)
        .unwrap_or_default()
        .split('/')
        .next()
        .unwrap_or_default();
    host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]")
}

async fn events(client: &Client, group: &str, from_ms: Option<i64>) -> anyhow::Result<Vec<FilteredLogEvent>> {
    let mut pages = client
        .filter_log_events()
        .log_group_name(group)
        .set_start_time(from_ms.filter(|ms| *ms > 0))
        .into_paginator()
        .send();
    let mut events = vec![];
    while let Some(page) = pages.next().await {
        let page = page
            .map_err(|error| anyhow::anyhow!("{}", DisplayErrorContext(error)))
            .with_context(|| format!("the log group `{group}` cannot be read"))?;
        events.extend(page.events.unwrap_or_default());
    }
    events.sort_by_key(FilteredLogEvent::timestamp);
    Ok(events)
}

fn print(event: &FilteredLogEvent, json: bool) -> std::io::Result<()> {
    let message = event.message().unwrap_or_default();
    if json {
        return out::line(message);
    }
    let at = clock::rfc3339_seconds(event.timestamp().unwrap_or_default());
    out::line(&format!(
        "{at}  {}  {message}",
        event.log_stream_name().unwrap_or("-")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read() {
        for (text, want) in [
            ("90s", Some(90_000)),
            ("10m", Some(600_000)),
            ("2h", Some(7_200_000)),
            ("1d", Some(86_400_000)),
        ]
        .into_iter()
        .chain([("", None), ("m", None), ("5", None), ("-1m", None), ("é", None)])
        {
            assert_eq!(span_ms(text).ok(), want, "{text}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (url, is) in [
            ("http://127.0.0.1:4566", true),
            ("http://localhost:1/", true),
            ("http://[::1]:1", true),
            ("https://events.us-east-1.amazonaws.com", false),
            ("nonsense", false),
        ] {
            assert_eq!(is_loopback(url), is, "{url}");
        }
    }
}
