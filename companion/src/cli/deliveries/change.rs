//! `deliveries redeliver` and `purge`: step by step, since a history is long, with what was done so far in every error.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::ArgGroup;
use scalr_api::{
    Client, ClientError, Connection, DeliveriesChanged, DeliveriesWanted, DeliveryState, Object, Status,
};
use serde::Serialize;
use tokio::time::Instant;

use super::super::progress;
use super::super::remote::{Remote, companion_only};
use super::super::show::{self, Form};
use super::{INSTEAD, LACKS};

/// How often a connection without room is asked again.
const POLL: Duration = Duration::from_millis(500);
/// How long it may take to make room.
const WITHIN: Duration = Duration::from_mins(5);

#[derive(clap::Args)]
#[command(group = ArgGroup::new("which").required(true).args(["events", "failed", "delivered"]))]
pub(in crate::cli) struct Redeliver {
    /// The events: ids of their runs or audited requests. Of each, the failed deliveries are sent again; if none has failed, the
    /// delivered ones.
    #[arg(value_name = "EVENT")]
    events: Vec<String>,
    /// Send all failed deliveries again.
    #[arg(long)]
    failed: bool,
    /// Send delivered events again, as new deliveries: consumers receive them once more.
    #[arg(long, requires_all = ["from", "connection"])]
    delivered: bool,
    #[command(flatten)]
    among: Among,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    remote: Remote,
}

#[derive(clap::Args)]
#[command(group = ArgGroup::new("which").required(true).args(["events", "all"]))]
pub(in crate::cli) struct Purge {
    /// The events: ids of their runs or audited requests.
    #[arg(value_name = "EVENT")]
    events: Vec<String>,
    /// Purge all failed deliveries of a connection.
    #[arg(long, requires = "connection")]
    all: bool,
    #[command(flatten)]
    among: Among,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    remote: Remote,
}

/// Which connections, and which time.
#[derive(clap::Args)]
struct Among {
    /// Those of this connection, by name or id.
    #[arg(long, value_name = "CONNECTION")]
    connection: Option<String>,
    /// Those of events accepted at or after this time, such as `2026-11-29T10:00:00Z`; SINCE of a list is when the delivery ended.
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<String>,
    /// Those of events accepted before this time.
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<String>,
}

fn time(text: &str) -> Result<String, String> {
    match text.parse::<jiff::Timestamp>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(
            "this is no time with a zone, such as `2026-11-29T10:00:00Z` or `2026-11-29T12:00:00+02:00`"
                .to_owned(),
        ),
    }
}

/// What was done with the deliveries of a connection.
#[derive(Serialize)]
struct Done {
    connection_id: String,
    connection_name: String,
    /// With how many that had failed.
    failed: u64,
    /// With how many that were delivered.
    delivered: u64,
}

impl Done {
    const fn all(&self) -> u64 {
        self.failed + self.delivered
    }

    fn add(&mut self, state: DeliveryState, deliveries: u64) {
        match state {
            DeliveryState::Failed => self.failed += deliveries,
            DeliveryState::Delivered => self.delivered += deliveries,
            // No change is made of these.
            DeliveryState::Unconfirmed => {}
        }
    }
}

/// What is done.
#[derive(Clone, Copy)]
enum Change {
    Redeliver,
    Purge,
}

impl Change {
    /// The word for what was done.
    const fn done(self) -> &'static str {
        match self {
            Self::Redeliver => "to be sent again",
            Self::Purge => "purged",
        }
    }

    async fn step(
        self,
        client: &Client,
        connection: &Object<Connection>,
        wanted: &DeliveriesWanted,
    ) -> Result<DeliveriesChanged, ClientError> {
        match self {
            Self::Redeliver => client.redeliver(&connection.id, wanted).await,
            Self::Purge => client.purge_deliveries(&connection.id, wanted).await,
        }
    }
}

pub(super) async fn redeliver(args: &Redeliver) -> anyhow::Result<()> {
    let wanted = if !args.events.is_empty() {
        vec![DeliveryState::Failed, DeliveryState::Delivered]
    } else if args.delivered {
        vec![DeliveryState::Delivered]
    } else {
        vec![DeliveryState::Failed]
    };
    let which = (wanted.as_slice(), args.events.as_slice(), &args.among);
    let done = all(&args.remote, Change::Redeliver, which).await?;
    args.form.print(&done, || human(&done, Change::Redeliver))
}

pub(super) async fn purge(args: &Purge) -> anyhow::Result<()> {
    let which = (&[DeliveryState::Failed][..], args.events.as_slice(), &args.among);
    let done = all(&args.remote, Change::Purge, which).await?;
    args.form.print(&done, || human(&done, Change::Purge))
}

/// The states, of which the first with any counts; the events, or none for all; and where.
type Meant<'a> = (&'a [DeliveryState], &'a [String], &'a Among);

/// Changes what is meant on each of the connections.
async fn all(remote: &Remote, change: Change, which: Meant<'_>) -> anyhow::Result<Vec<Done>> {
    let client = remote.client()?;
    let connections = super::connections(&client, which.2.connection.as_deref()).await?;
    let mut done: Vec<Done> = connections
        .iter()
        .map(|one| Done {
            connection_id: one.id.to_string(),
            connection_name: one.attributes.name.clone(),
            failed: 0,
            delivered: 0,
        })
        .collect();
    let ended = each(&client, change, which, (&connections, &mut done)).await;
    ended.with_context(|| so_far(&done, change))?;
    Ok(done)
}

/// The same, with what was done so far noted as it goes.
async fn each(
    client: &Client,
    change: Change,
    (states, events, among): Meant<'_>,
    (connections, done): (&[Object<Connection>], &mut [Done]),
) -> anyhow::Result<()> {
    let wanted = |state, event: Option<&String>| DeliveriesWanted {
        event: event.cloned(),
        from: among.from.clone(),
        to: among.to.clone(),
        ..DeliveriesWanted::all(state)
    };
    let events: Vec<Option<&String>> = if events.is_empty() {
        vec![None]
    } else {
        events.iter().map(Some).collect()
    };
    for event in events {
        let mut found = 0;
        // The first state of which there are any, on whichever connections.
        for state in states {
            for (connection, of) in connections.iter().zip(&mut *done) {
                let mut steps = Steps {
                    client,
                    change,
                    connection,
                    wanted: wanted(*state, event),
                };
                let did = |deliveries| {
                    found += deliveries;
                    of.add(*state, deliveries);
                };
                steps.all(did).await?;
            }
            if found > 0 {
                break;
            }
        }
        if let Some(event) = event.filter(|_| found == 0) {
            bail!(missing(event, change));
        }
    }
    Ok(())
}

fn missing(event: &str, change: Change) -> String {
    let among = match change {
        Change::Redeliver => "no delivery of it has failed, and none is in the history",
        Change::Purge => "no delivery of it has failed",
    };
    format!(
        "there is nothing of the event `{}`: {among}; `scalr-eventbridge deliveries show {}` tells whether it is held or was dropped",
        event.escape_debug(),
        show::quoted(event),
    )
}

/// What was done before an error.
fn so_far(done: &[Done], change: Change) -> String {
    if done.iter().all(|one| one.all() == 0) {
        return format!("nothing is {}", change.done());
    }
    let again = if done.iter().any(|one| one.delivered > 0) {
        "; the same command would send the delivered ones once more"
    } else {
        ""
    };
    format!("before that, {}{again}", human(done, change))
}

/// The steps of a change on one connection.
struct Steps<'a> {
    client: &'a Client,
    change: Change,
    connection: &'a Object<Connection>,
    wanted: DeliveriesWanted,
}

impl Steps<'_> {
    /// All of them; each says with how many deliveries it was done. Where the connection has no room for more, they wait for it to
    /// deliver what it holds.
    async fn all(&mut self, mut did: impl FnMut(u64)) -> anyhow::Result<()> {
        let what = format!(
            "deliveries of `{}` are {}",
            self.connection.attributes.name,
            self.change.done()
        );
        let mut until = Instant::now() + WITHIN;
        loop {
            let answer = self.change.step(self.client, self.connection, &self.wanted);
            let answer = progress::during(&what, answer).await;
            if is_full(&answer) && Instant::now() < until && self.is_active().await? {
                tokio::time::sleep(POLL).await;
                continue;
            }
            let step = companion_only(self.client, answer, LACKS, INSTEAD)?;
            did(step.deliveries);
            if step.after.is_none() {
                return Ok(());
            }
            self.wanted.after = step.after;
            self.wanted.until = Some(step.until);
            until = Instant::now() + WITHIN;
        }
    }

    async fn is_active(&self) -> anyhow::Result<bool> {
        let now = self.client.connection(&self.connection.id).await?;
        Ok(now.is_some_and(|now| now.attributes.status == Status::Active))
    }
}

/// Whether the connection has no room for what is sent again.
fn is_full(answer: &Result<DeliveriesChanged, ClientError>) -> bool {
    matches!(answer, Err(ClientError::Refused(refusal)) if refusal.status == 409)
}

fn human(done: &[Done], change: Change) -> String {
    let line = |one: &Done| {
        let counts = [(one.failed, "failed"), (one.delivered, "delivered")];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, state)| format!("{count} {state}")).collect();
        let name = show::escaped(&one.connection_name);
        let id = show::escaped(&one.connection_id);
        (!counts.is_empty()).then(|| format!("{name} ({id}): {}: {}", change.done(), counts.join(", ")))
    };
    let lines: Vec<String> = done.iter().filter_map(line).collect();
    if lines.is_empty() {
        return format!("Nothing is {}: there is no such delivery.", change.done());
    }
    lines.join("\n")
}
