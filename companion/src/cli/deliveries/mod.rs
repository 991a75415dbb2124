//! `deliveries`: what is held, why and since when, what has failed, was dropped or delivered; and what is sent again or purged.

mod change;

use anyhow::bail;
use scalr_api::{
    Client, Connection, DeliveriesWanted, Delivery, DeliveryState, DroppedEvent, HeldEvent, Object,
    PastDelivery, Status,
};
use serde::Serialize;

use super::lookup;
use super::progress;
use super::remote::{Remote, companion_only};
use super::show::{self, Cell, Form, Look};

/// What Scalr's own API lacks.
const LACKS: &str = "deliveries are known from `scalr-eventbridge dev` and `serve` only";
const INSTEAD: &str = "`status`, `connections show`";

#[derive(clap::Subcommand)]
pub(super) enum What {
    /// List the events that are held, those that have failed, and those that were dropped last; on request those that were delivered.
    #[command(after_help = "Examples:\n  scalr-eventbridge deliveries list\n  \
                            scalr-eventbridge deliveries list --connection prod --state failed\n  \
                            scalr-eventbridge deliveries list --json | jq -r '.events[].event_id'\n\n\
                            Of each connection it lists the oldest 100 of each state, and the latest 100 that were dropped.")]
    List(List),
    /// Show one event: on which connections it is held, has failed, was dropped or delivered, and why.
    #[command(after_help = "Examples:\n  scalr-eventbridge deliveries show run-v0o9h")]
    Show(One),
    /// Send events again that have failed, or that were delivered.
    #[command(
        after_help = "Examples:\n  scalr-eventbridge deliveries redeliver run-v0o9h\n  \
                            scalr-eventbridge deliveries redeliver --failed\n  \
                            scalr-eventbridge deliveries redeliver --delivered --connection prod --from 2026-11-29T10:00:00Z \
                            --to 2026-11-29T11:00:00Z\n\n\
                            They are sent after what is held for their workspaces by now. Events that were delivered arrive once more, \
                            under the same ids."
    )]
    Redeliver(change::Redeliver),
    /// Delete failed events for good.
    #[command(after_help = "Examples:\n  scalr-eventbridge deliveries purge run-v0o9h\n  \
                            scalr-eventbridge deliveries purge --all --connection prod")]
    Purge(change::Purge),
}

#[derive(clap::Args)]
pub(super) struct List {
    /// Those of this connection, by name or id.
    #[arg(long, value_name = "CONNECTION")]
    connection: Option<String>,
    /// Those in this state; without it, those that are held, unconfirmed, have failed or were dropped.
    #[arg(long, value_name = "STATE")]
    state: Option<State>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    remote: Remote,
}

/// Where an event stands on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// It waits to be sent.
    Held,
    /// AWS does not take it; it is kept.
    Failed,
    /// It was given up.
    Dropped,
    /// AWS acknowledged it before its event source was found not to be ACTIVE: it is sent again.
    Unconfirmed,
    /// AWS has taken it.
    Delivered,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
            Self::Unconfirmed => "unconfirmed",
            Self::Delivered => "delivered",
        }
    }

    const fn look(self) -> Look {
        match self {
            Self::Held | Self::Unconfirmed => Look::Doubtful,
            Self::Failed | Self::Dropped => Look::Bad,
            Self::Delivered => Look::Good,
        }
    }
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

/// An event on a connection.
#[derive(Serialize)]
struct Row {
    event_id: String,
    detail_type: String,
    connection_id: String,
    connection_name: String,
    state: State,
    /// When it was accepted; when it failed, was dropped or delivered.
    since: String,
    reason: String,
    attempts: Option<u32>,
}

/// Events, by connection and state.
#[derive(Serialize)]
struct Listed {
    events: Vec<Row>,
    /// The connections that hold more events than the oldest ones that are listed.
    more_held_by: Vec<Holder>,
    /// Those with more failed or delivered events than the oldest ones that are listed.
    more_of: Vec<More>,
}

/// A connection with more events of a state than are listed.
#[derive(Serialize)]
struct More {
    connection_id: String,
    connection_name: String,
    state: State,
    listed: usize,
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
            let connections = connections(&client, args.connection.as_deref()).await?;
            let states = match &args.state {
                Some(state) => std::slice::from_ref(state),
                None => &[State::Held, State::Unconfirmed, State::Failed, State::Dropped],
            };
            let listed = listed(&client, &connections, states, None);
            let listed = progress::during("reading the deliveries", listed).await?;
            args.form.print(&listed, || human(&listed))
        }
        What::Show(args) => show_one(&args).await,
        What::Redeliver(args) => change::redeliver(&args).await,
        What::Purge(args) => change::purge(&args).await,
    }
}

/// All connections, or the one that is given by name or id.
async fn connections(client: &Client, given: Option<&str>) -> anyhow::Result<Vec<Object<Connection>>> {
    Ok(match given {
        Some(given) => vec![lookup::connection(client, given).await?],
        None => client.connections(None).await?,
    })
}

/// The events of each connection in these states, or one of them.
async fn listed(
    client: &Client,
    connections: &[Object<Connection>],
    states: &[State],
    event: Option<&str>,
) -> anyhow::Result<Listed> {
    let mut listed = Listed {
        events: Vec::new(),
        more_held_by: Vec::new(),
        more_of: Vec::new(),
    };
    for connection in connections {
        let figures = companion_only(client, client.delivery(&connection.id).await, LACKS, INSTEAD)?;
        for state in states {
            match state {
                State::Held => held(client, (connection, &figures), event, &mut listed).await?,
                State::Dropped => {
                    let dropped = figures.last_dropped.iter().cloned();
                    let dropped = dropped.filter(|one| event.is_none_or(|event| one.event_id == event));
                    listed
                        .events
                        .extend(dropped.map(|one| dropped_row(connection, one)));
                }
                State::Failed => over(client, connection, DeliveryState::Failed, event, &mut listed).await?,
                // An older companion does not know them, and has none.
                State::Unconfirmed if figures.unconfirmed == 0 => {}
                State::Unconfirmed => {
                    over(client, connection, DeliveryState::Unconfirmed, event, &mut listed).await?;
                }
                State::Delivered => {
                    over(client, connection, DeliveryState::Delivered, event, &mut listed).await?;
                }
            }
        }
    }
    Ok(listed)
}

/// Adds what a connection holds.
async fn held(
    client: &Client,
    (connection, figures): (&Object<Connection>, &Delivery),
    event: Option<&str>,
    listed: &mut Listed,
) -> anyhow::Result<()> {
    let held = client.held(Some(&connection.id), event).await?;
    if held.more {
        listed.more_held_by.push(Holder {
            connection_id: connection.id.to_string(),
            connection_name: connection.attributes.name.clone(),
            held_listed: held.events.len(),
        });
    }
    let rows = held
        .events
        .into_iter()
        .map(|one| held_row(connection, figures, one));
    listed.events.extend(rows);
    Ok(())
}

/// Adds the deliveries of a connection that are over.
async fn over(
    client: &Client,
    connection: &Object<Connection>,
    state: DeliveryState,
    event: Option<&str>,
    listed: &mut Listed,
) -> anyhow::Result<()> {
    let wanted = DeliveriesWanted {
        event: event.map(str::to_owned),
        ..DeliveriesWanted::all(state)
    };
    let found = client.deliveries(&connection.id, &wanted).await?;
    if found.after.is_some() {
        listed.more_of.push(More {
            connection_id: connection.id.to_string(),
            connection_name: connection.attributes.name.clone(),
            state: of(state),
            listed: found.deliveries.len(),
        });
    }
    let rows = found.deliveries.into_iter().map(|one| past_row(connection, one));
    listed.events.extend(rows);
    Ok(())
}

const fn of(state: DeliveryState) -> State {
    match state {
        DeliveryState::Failed => State::Failed,
        DeliveryState::Unconfirmed => State::Unconfirmed,
        DeliveryState::Delivered => State::Delivered,
    }
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
        state: State::Held,
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
        state: State::Dropped,
        since: event.at,
        reason: event.explanation.unwrap_or(event.reason),
        attempts: None,
    }
}

fn past_row(connection: &Object<Connection>, event: PastDelivery) -> Row {
    Row {
        event_id: event.event_id,
        detail_type: event.detail_type,
        connection_id: connection.id.to_string(),
        connection_name: connection.attributes.name.clone(),
        state: of(event.state),
        since: event.ended_at,
        reason: event.error.unwrap_or_default(),
        attempts: Some(event.attempts),
    }
}

fn human(listed: &Listed) -> String {
    if listed.events.is_empty() {
        return "Nothing is held, has failed or was dropped.".to_owned();
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
    for more in &listed.more_of {
        let more = format!(
            "\n\n{} ({}) has more {} events than the {} that are listed, which are its oldest.",
            show::escaped(&more.connection_name),
            show::escaped(&more.connection_id),
            more.state.as_str(),
            more.listed,
        );
        text.push_str(&more);
    }
    text
}

fn table(rows: &[Row]) -> String {
    let cells = |row: &Row| -> [Cell; 6] {
        [
            Cell::new(row.state.look(), row.state.as_str()),
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
    let states = [
        State::Held,
        State::Unconfirmed,
        State::Failed,
        State::Dropped,
        State::Delivered,
    ];
    let rows = listed(&client, &connections, &states, Some(&args.event))
        .await?
        .events;
    if rows.is_empty() {
        bail!(
            "the event `{}` is not held, has not failed, and is neither in the history of delivered events nor among the last 100 that were \
             dropped of each connection: it is older, or was never accepted; `scalr-eventbridge events show {}` asks the local AWS",
            args.event.escape_debug(),
            show::quoted(&args.event)
        );
    }
    args.form.print(&rows, || table(&rows))
}
