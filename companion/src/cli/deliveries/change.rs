//! `deliveries redeliver` and `purge`: step by step, since a history is long, with what was done so far in every error.

use anyhow::{Context as _, bail};
use clap::ArgGroup;
use scalr_api::{
    Client, ClientError, Connection, DeliveriesChanged, DeliveriesWanted, DeliveryState, Object,
};
use serde::Serialize;

use super::super::progress;
use super::super::remote::{Remote, companion_only};
use super::super::show::{self, Form};
use super::{INSTEAD, LACKS};

#[derive(clap::Args)]
#[command(group = ArgGroup::new("which").required(true).args(["events", "failed", "delivered"]))]
pub(in crate::cli) struct Redeliver {
    /// The events: ids of their runs or audited requests. Of each, failed deliveries are sent again, else delivered ones.
    #[arg(value_name = "EVENT")]
    events: Vec<String>,
    /// Send all failed deliveries again.
    #[arg(long)]
    failed: bool,
    /// Send delivered events again, as new deliveries: consumers receive them once more.
    #[arg(long, requires = "from")]
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
    /// Purge all failed deliveries.
    #[arg(long)]
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
    /// Those of events accepted at or after this time, such as `2026-11-29T10:00:00Z`.
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
    /// With how many.
    deliveries: u64,
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

/// Changes what is meant on each of the connections.
async fn all(
    remote: &Remote,
    change: Change,
    (states, events, among): (&[DeliveryState], &[String], &Among),
) -> anyhow::Result<Vec<Done>> {
    let client = remote.client()?;
    let connections = super::connections(&client, among.connection.as_deref()).await?;
    let mut done: Vec<Done> = connections
        .iter()
        .map(|one| Done {
            connection_id: one.id.to_string(),
            connection_name: one.attributes.name.clone(),
            deliveries: 0,
        })
        .collect();
    let wanted = |state, event: Option<&String>| DeliveriesWanted {
        event: event.cloned(),
        from: among.from.clone(),
        to: among.to.clone(),
        ..DeliveriesWanted::all(state)
    };
    let each: Vec<Option<&String>> = if events.is_empty() {
        vec![None]
    } else {
        events.iter().map(Some).collect()
    };
    for event in each {
        let mut found = 0;
        for (connection, done) in connections.iter().zip(&mut done) {
            // The first state of which there are any.
            for state in states {
                let changed = steps(&client, change, connection, wanted(*state, event)).await?;
                done.deliveries += changed;
                found += changed;
                if changed > 0 {
                    break;
                }
            }
        }
        if let Some(event) = event.filter(|_| found == 0) {
            bail!(missing(event, change));
        }
    }
    Ok(done)
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

/// All steps on one connection; returns with how many deliveries it was done.
async fn steps(
    client: &Client,
    change: Change,
    connection: &Object<Connection>,
    mut wanted: DeliveriesWanted,
) -> anyhow::Result<u64> {
    let mut done = 0;
    loop {
        let what = format!(
            "{done} deliveries of `{}` are {}",
            connection.attributes.name,
            change.done()
        );
        let answer = progress::during(&what, change.step(client, connection, &wanted)).await;
        let step = companion_only(client, answer, LACKS, INSTEAD);
        let step = if done == 0 {
            step
        } else {
            step.with_context(|| interrupted(connection, change, done))
        }?;
        done += step.deliveries;
        if step.after.is_none() {
            return Ok(done);
        }
        wanted.after = step.after;
        wanted.until = Some(step.until);
    }
}

/// What was done before an error.
fn interrupted(connection: &Object<Connection>, change: Change, done: u64) -> String {
    format!(
        "{done} deliveries of the connection `{}` are {}, and the same command continues with the others",
        connection.attributes.name.escape_debug(),
        change.done()
    )
}

fn human(done: &[Done], change: Change) -> String {
    let some: Vec<String> = done
        .iter()
        .filter(|one| one.deliveries > 0)
        .map(|one| {
            format!(
                "{} ({}): {} {} {}",
                show::escaped(&one.connection_name),
                show::escaped(&one.connection_id),
                one.deliveries,
                if one.deliveries == 1 {
                    "delivery is"
                } else {
                    "deliveries are"
                },
                change.done()
            )
        })
        .collect();
    if some.is_empty() {
        return format!("Nothing is {}: there is no such delivery.", change.done());
    }
    some.join("\n")
}
