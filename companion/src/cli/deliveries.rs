//! `deliveries`: what is held, why and since when, and what was dropped.

use anyhow::bail;
use scalr_api::{Client, Connection, Delivery, DroppedEvent, HeldEvent, Object, Status};
use serde::Serialize;

use super::lookup;
use super::progress;
use super::remote::{Remote, companion_only};
use super::show::{self, Cell, Form, Look};

/// What Scalr's own API lacks.
const LACKS: &str = "what is held and dropped is known from `scalr-eventbridge dev` only";
const INSTEAD: &str = "`status`, `connections show`";

#[derive(clap::Subcommand)]
pub(super) enum What {
    /// List the events that are held and those that were dropped last.
    #[command(after_help = "Examples:\n  scalr-eventbridge deliveries list\n  \
                            scalr-eventbridge deliveries list --connection prod\n  \
                            scalr-eventbridge deliveries list --json | jq -r '.events[].event_id'\n\n\
                            Of each connection it lists the oldest 100 held events, and the latest 100 dropped ones.")]
    List(List),
    /// Show one event: on which connections it is held or was dropped, and why.
    #[command(after_help = "Examples:\n  scalr-eventbridge deliveries show run-v0o9h")]
    Show(One),
}

#[derive(clap::Args)]
pub(super) struct List {
    /// Those of this connection, by name or id.
    #[arg(long, value_name = "CONNECTION")]
    connection: Option<String>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    remote: Remote,
}

#[derive(clap::Args)]
pub(super) struct One {
    /// The event: the id of its run or audited request.
    event: String,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    remote: Remote,
}

/// An event that is held or was dropped.
#[derive(Serialize)]
struct Row {
    event_id: String,
    detail_type: String,
    connection_id: String,
    connection_name: String,
    /// `held` or `dropped`.
    state: &'static str,
    /// When it was accepted, or dropped.
    since: String,
    reason: String,
    attempts: Option<u32>,
}

/// What is held and dropped.
#[derive(Serialize)]
struct Listed {
    events: Vec<Row>,
    /// The connections that hold more events than the oldest ones that are listed.
    more_held_by: Vec<Holder>,
}

/// A connection.
#[derive(Serialize)]
struct Holder {
    connection_id: String,
    connection_name: String,
    /// How many of its held events are listed.
    held_listed: usize,
}

pub(super) async fn main(what: What) -> anyhow::Result<()> {
    match what {
        What::List(args) => {
            let client = args.remote.client()?;
            let connections = match &args.connection {
                Some(given) => vec![lookup::connection(&client, given).await?],
                None => client.connections(None).await?,
            };
            let listed = listed(&client, &connections, None);
            let listed = progress::during("reading the deliveries", listed).await?;
            args.form.print(&listed, || human(&listed))
        }
        What::Show(args) => show_one(&args).await,
    }
}

/// What is held and what was dropped last, of each connection: held first, oldest first.
async fn listed(
    client: &Client,
    connections: &[Object<Connection>],
    event: Option<&str>,
) -> anyhow::Result<Listed> {
    let (mut rows, mut more_held_by) = (Vec::new(), Vec::new());
    for connection in connections {
        let held = client.held(Some(&connection.id), event).await;
        let held = companion_only(client, held, LACKS, INSTEAD)?;
        let figures = client.delivery(&connection.id).await?;
        if held.more {
            more_held_by.push(Holder {
                connection_id: connection.id.to_string(),
                connection_name: connection.attributes.name.clone(),
                held_listed: held.events.len(),
            });
        }
        rows.extend(
            held.events
                .into_iter()
                .map(|one| held_row(connection, &figures, one)),
        );
        let wanted = |one: &DroppedEvent| event.is_none_or(|event| one.event_id == event);
        let dropped = figures.last_dropped.into_iter().filter(wanted);
        rows.extend(dropped.map(|one| dropped_row(connection, one)));
    }
    Ok(Listed {
        events: rows,
        more_held_by,
    })
}

fn held_row(connection: &Object<Connection>, figures: &Delivery, event: HeldEvent) -> Row {
    let wire = &connection.attributes;
    let reason = match (
        &wire.status,
        event.last_error.or_else(|| figures.last_error.clone()),
    ) {
        (Status::Active, None) => "it is about to be sent".to_owned(),
        (Status::Active, Some(error)) => error,
        (Status::Failed, _) => wire
            .err_message
            .clone()
            .unwrap_or_else(|| "the connection has failed".to_owned()),
        (Status::Disabled, _) => "the connection is paused".to_owned(),
        (status, _) => format!("the connection is {status}"),
    };
    Row {
        event_id: event.event_id,
        detail_type: event.detail_type,
        connection_id: connection.id.to_string(),
        connection_name: wire.name.clone(),
        state: "held",
        since: event.accepted_at,
        reason,
        attempts: Some(event.attempts),
    }
}

fn dropped_row(connection: &Object<Connection>, event: DroppedEvent) -> Row {
    Row {
        event_id: event.event_id,
        detail_type: event.detail_type,
        connection_id: connection.id.to_string(),
        connection_name: connection.attributes.name.clone(),
        state: "dropped",
        since: event.at,
        reason: event.explanation.unwrap_or(event.reason),
        attempts: None,
    }
}

fn look(row: &Row) -> Look {
    if row.state == "held" {
        Look::Doubtful
    } else {
        Look::Bad
    }
}

fn human(listed: &Listed) -> String {
    if listed.events.is_empty() {
        return "Nothing is held, and nothing was dropped.".to_owned();
    }
    let mut text = table(&listed.events);
    for holder in &listed.more_held_by {
        let more = format!(
            "\n\n{} ({}) holds more than the {} events that are listed, which are its oldest; `scalr-eventbridge connections show {}` \
             counts them.",
            show::escaped(&holder.connection_name),
            show::escaped(&holder.connection_id),
            holder.held_listed,
            show::quoted(&holder.connection_id),
        );
        text.push_str(&more);
    }
    text
}

fn table(rows: &[Row]) -> String {
    let cells = |row: &Row| -> [Cell; 6] {
        [
            Cell::new(look(row), row.state),
            row.since.as_str().into(),
            row.detail_type.as_str().into(),
            row.event_id.as_str().into(),
            row.connection_name.as_str().into(),
            row.reason.as_str().into(),
        ]
    };
    let rows: Vec<_> = rows.iter().map(cells).collect();
    show::table(["STATE", "SINCE", "TYPE", "EVENT", "CONNECTION", "WHY"], &rows)
}

async fn show_one(args: &One) -> anyhow::Result<()> {
    let client = args.remote.client()?;
    let connections = client.connections(None).await?;
    let rows = listed(&client, &connections, Some(&args.event)).await?.events;
    if rows.is_empty() {
        bail!(
            "the event `{}` is not held, and is not among the last 100 that were dropped of each connection: it was delivered, or never \
             accepted; `scalr-eventbridge events show {}` asks the local AWS",
            args.event.escape_debug(),
            show::quoted(&args.event)
        );
    }
    args.form.print(&rows, || table(&rows))
}
