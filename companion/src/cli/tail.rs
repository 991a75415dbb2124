//! `tail`: prints the events of a log group, local or real, through the AWS SDK.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context as _;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::config::Credentials;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use tokio_util::sync::CancellationToken;

use super::loopback::is_loopback;
use super::out;
use crate::partner::AwsError;
use crate::{clock, partner};

const POLL: Duration = Duration::from_millis(500);
/// Between looks while AWS does not answer.
const AGAIN: Duration = Duration::from_secs(2);
/// So far behind the latest event most that come late are found.
const OVERLAP_MS: i64 = 60_000;
/// The shortest time between two looks at the whole group.
const WHOLE_MS: i64 = 5_000;
/// The longest from an event's being taken in, by AWS's clock, to its being shown, and that by ours.
const SHOWN_WITHIN_MS: i64 = 5 * 60_000;

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
    tokio::select! {
        // Wherever it is: nothing is left half done by an end.
        () = stop.cancelled() => Ok(()),
        done = tail(&args) => done,
    }
}

async fn tail(args: &Args) -> anyhow::Result<()> {
    let group = Group {
        client: client(args).await,
        args,
        since_ms: args.since.map(|since| clock::now_ms() - since),
    };
    let (mut printed, mut first) = (Printed::default(), true);
    loop {
        // A whole look finds what came late with an old time, whenever that was.
        let start_ms = clock::now_ms();
        printed.begin(start_ms);
        let looked = group.look(group.since_ms, &mut printed).await;
        // What is wrong with the call shows at the first look.
        if first {
            looked?;
        } else {
            unless_passing(looked).await?;
        }
        if !args.follow {
            return Ok(());
        }
        first = false;
        printed.end();
        let end_ms = clock::now_ms();
        // In between it is looked where events mostly come: after the latest. Whole looks take a tenth of the time.
        let next_ms = end_ms + WHOLE_MS.max((end_ms - start_ms) * 10);
        while clock::now_ms() < next_ms {
            tokio::time::sleep(POLL).await;
            let recent = printed.latest_ms.map(|latest| latest - OVERLAP_MS);
            unless_passing(group.look(group.since_ms.max(recent), &mut printed).await).await?;
        }
    }
}

/// Whoever follows a log group goes on when AWS answers again.
async fn unless_passing(looked: anyhow::Result<()>) -> anyhow::Result<()> {
    match looked {
        Err(error) if matches!(error.downcast_ref(), Some(AwsError::Later(_))) => {
            tracing::warn!("{error:#}; trying again");
            tokio::time::sleep(AGAIN).await;
            Ok(())
        }
        looked => looked,
    }
}

/// The log group that is printed.
struct Group<'a> {
    client: Client,
    args: &'a Args,
    since_ms: Option<i64>,
}

impl Group<'_> {
    /// Prints, page by page, what happened from then on and is not printed yet.
    async fn look(&self, from_ms: Option<i64>, printed: &mut Printed) -> anyhow::Result<()> {
        let group = &self.args.log_group;
        let mut pages = self
            .client
            .filter_log_events()
            .log_group_name(group)
            .set_start_time(from_ms.filter(|ms| *ms > 0))
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| partner::error(&error)).with_context(|| {
                let region = self.client.config().region().map_or("no region", AsRef::as_ref);
                format!("the log group `{group}` cannot be read in {region} (`--region` names another)")
            })?;
            for event in page.events() {
                if printed.is_news(event) {
                    print(event, self.args.json)?;
                }
            }
        }
        Ok(())
    }
}

/// What is printed already. It remembers the events that were taken in lately; all others are known by that time.
#[derive(Debug, Default)]
struct Printed {
    /// Whatever was taken in before is printed.
    all_before_ms: i64,
    /// That, once the whole look is through that is under way.
    soon_all_before_ms: i64,
    /// Events taken in since, and when.
    lately: HashMap<String, i64>,
    /// Time of the latest event.
    latest_ms: Option<i64>,
}

impl Printed {
    /// A whole look begins.
    fn begin(&mut self, now_ms: i64) {
        self.soon_all_before_ms = now_ms - SHOWN_WITHIN_MS;
    }

    /// It has ended.
    fn end(&mut self) {
        self.all_before_ms = self.soon_all_before_ms;
        self.lately
            .retain(|_, taken_in_ms| *taken_in_ms >= self.all_before_ms);
    }

    /// Whether this event is to be printed now.
    fn is_news(&mut self, event: &FilteredLogEvent) -> bool {
        self.latest_ms = self.latest_ms.max(event.timestamp());
        let taken_in_ms = event.ingestion_time().unwrap_or(i64::MAX);
        let id = event.event_id().unwrap_or_default();
        if taken_in_ms < self.all_before_ms || self.lately.contains_key(id) {
            return false;
        }
        // One look shows an event once, and after this look the others are known by their time.
        if taken_in_ms >= self.soon_all_before_ms {
            self.lately.insert(id.to_owned(), taken_in_ms);
        }
        true
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

    fn event(id: &str, at_ms: i64, taken_in_ms: i64) -> FilteredLogEvent {
        FilteredLogEvent::builder()
            .event_id(id)
            .timestamp(at_ms)
            .ingestion_time(taken_in_ms)
            .build()
    }

    #[test]
    fn each_event_is_news_once_however_late_it_comes() {
        let minute = 60_000;
        let old = event("old", 0, 0);
        let recent = event("recent", 100 * minute, 98 * minute);
        let late = event("late", 50 * minute, 101 * minute);
        let mut printed = Printed::default();
        let news = |printed: &mut Printed| [&old, &recent, &late].map(|event| printed.is_news(event));
        printed.begin(100 * minute);
        assert!(printed.is_news(&old) && printed.is_news(&recent), "a first look");
        assert_eq!(printed.lately.len(), 1, "the old one is known by its time");
        printed.end();
        assert_eq!(news(&mut printed), [false, false, true]);
        assert_eq!(news(&mut printed), [false, false, false]);
        printed.begin(200 * minute);
        assert_eq!(news(&mut printed), [false, false, false]);
        printed.end();
        assert_eq!(printed.lately.len(), 0);
        assert_eq!(news(&mut printed), [false, false, false]);
        assert_eq!(printed.latest_ms, Some(100 * minute));
    }
}
