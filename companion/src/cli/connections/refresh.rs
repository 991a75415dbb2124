//! `connections refresh`: until the connection is active, or it is seen why it cannot be.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use scalr_api::{Client, Connection, ConnectionId, Object, Status};
use tokio::time::Instant;

use super::super::event_source::{self, BusSeen};
use super::super::exit::Failure;
use super::super::{aws, given, lookup, out, progress};
use super::shown::{One, print};

/// How often Scalr is asked to look at the event source.
const REFRESH_EVERY: Duration = Duration::from_secs(3);
/// How long a connection may take to become active.
const WAIT: Duration = Duration::from_mins(10);

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    one: One,
    /// Do it once, whatever the status is then.
    #[arg(long)]
    once: bool,
    /// Wait so long at most, such as `90s` or `10m`, also for a bus that is not there yet; without it, 10 minutes.
    #[arg(long, value_name = "TIME", value_parser = given::span, allow_hyphen_values = true, conflicts_with = "once")]
    timeout: Option<Duration>,
    /// AWS's address; without it, AWS itself. Credentials and profile come from AWS's own variables and files.
    #[arg(long, env = "AWS_ENDPOINT_URL", value_name = "URL", help_heading = "AWS")]
    aws_endpoint: Option<String>,
}

pub(in crate::cli) async fn main(args: &Args) -> anyhow::Result<()> {
    aws::not_scalrs(args.aws_endpoint.as_deref()).await?;
    let within = args.timeout.unwrap_or(WAIT);
    let deadline = Instant::now() + within;
    let client = args.one.remote.client()?;
    let id = lookup::connection(&client, &args.one.connection).await?.id;
    let once = refresh_once(&client, &id).await?;
    if args.once || is_active(&once)? {
        return print(&args.one.form, &once);
    }
    out::complain(&waits_for(&once, args).await?);
    let what = format!("waiting until `{id}` is active");
    let active = until(deadline, async || {
        let found = refresh_once(&client, &id).await?;
        Ok(is_active(&found)?.then_some(found))
    });
    match progress::during(&what, active).await? {
        Some(found) => print(&args.one.form, &found),
        None => bail!(
            "the connection `{id}` is not active, and the time for that ({}) is over; `scalr-eventbridge status` names the link that is \
             broken",
            given::in_words(within)
        ),
    }
}

/// Asks again and again, and a last time at the deadline, until there is an answer.
async fn until<T>(
    deadline: Instant,
    mut ask: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<Option<T>> {
    loop {
        let next = deadline.min(Instant::now() + REFRESH_EVERY);
        tokio::time::sleep_until(next).await;
        let found = ask().await?;
        if found.is_some() || next == deadline {
            return Ok(found);
        }
    }
}

/// Whether it is active; a failure where it has failed for good.
fn is_active(found: &Object<Connection>) -> anyhow::Result<bool> {
    let wire = &found.attributes;
    if wire.status == Status::Failed {
        let why = wire.err_message.as_deref().unwrap_or("Scalr gives no reason");
        bail!("the connection `{}` has failed: {why}", found.id);
    }
    Ok(wire.status == Status::Active)
}

/// What a connection waits for that is not active. Without a bus it would wait in vain, which ends the command, unless the caller has
/// said how long to wait.
async fn waits_for(found: &Object<Connection>, args: &Args) -> anyhow::Result<String> {
    let (id, wire) = (&found.id, &found.attributes);
    let source = wire.event_source.as_deref().unwrap_or_default();
    let bus = event_source::create_bus(&wire.region, source);
    let waits = format!(
        "the connection `{id}` is {}; it is refreshed until this command has run for {}",
        wire.status,
        given::in_words(args.timeout.unwrap_or(WAIT))
    );
    Ok(
        match event_source::look(args.aws_endpoint.as_deref(), wire).await {
            BusSeen::WithoutBus if args.timeout.is_none() => {
                let what = format!(
                    "the connection `{id}` stays {}: no event bus is associated with its event source",
                    wire.status
                );
                let next = format!(
                    "make the bus, then refresh again:\n  {bus}\n  scalr-eventbridge connections refresh {id}"
                );
                return Err(Failure::WithNext { what, next }.into());
            }
            BusSeen::WithoutBus => {
                format!("{waits}. No event bus is associated with its event source: {bus}")
            }
            BusSeen::Other => format!("{waits}. `scalr-eventbridge status` says what it waits for"),
            BusSeen::Hidden(why) => format!(
                "{waits}. AWS's side was not seen ({why}). If no event bus is associated with its event source: {bus}"
            ),
        },
    )
}

/// One refresh. The call that refreshes is also the one that resumes, so a connection is looked at before.
async fn refresh_once(client: &Client, id: &ConnectionId) -> anyhow::Result<Object<Connection>> {
    let before = client
        .connection(id)
        .await?
        .with_context(|| format!("there is no connection `{id}`, or the token may not see it"))?;
    ensure!(
        before.attributes.status != Status::Disabled,
        "the connection `{id}` is paused, and a refresh would resume it; it was not refreshed. `scalr-eventbridge connections resume \
         {id}` resumes it"
    );
    Ok(client.refresh_connection(id).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_last_refresh_is_at_the_deadline() {
        for (within, found_at, want) in [
            (0, None, &[0][..]),
            (1, None, &[1]),
            (3, None, &[3]),
            (7, None, &[3, 6, 7]),
            (7, Some(6), &[3, 6]),
            (7, Some(7), &[3, 6, 7]),
        ] {
            let start = Instant::now();
            let mut asked = Vec::new();
            let found = until(start + Duration::from_secs(within), async || {
                let at = start.elapsed().as_secs();
                asked.push(at);
                Ok((found_at == Some(at)).then_some(at))
            });
            assert_eq!(found.await.unwrap(), found_at, "{within}");
            assert_eq!(asked, want, "{within}");
        }
    }
}
