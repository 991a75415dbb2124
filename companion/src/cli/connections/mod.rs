//! `connections`: lists, shows, creates, refreshes, pauses, resumes and deletes connections.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! shown                  a connection as commands name and show it
//! create delete refresh  these commands
//! ```

mod create;
mod delete;
mod refresh;
mod shown;

use anyhow::ensure;
use scalr_api::{Connection, ConnectionInput, Delivery, Object, Status};
use serde::Serialize;

use self::shown::{One, print, rows};
pub(super) use self::shown::{Shown, look};
use super::remote::{Remote, is_no_route};
use super::show::{self, Cell, Form, Look};
use super::{lookup, progress};

#[derive(clap::Subcommand)]
pub(super) enum What {
    /// List the connections.
    #[command(after_help = "Examples:\n  scalr-eventbridge connections list\n  \
                            scalr-eventbridge connections list --json | jq -r '.[].id'")]
    List(List),
    /// Show a connection, and what it holds and has dropped where the server tells.
    #[command(after_help = "Examples:\n  scalr-eventbridge connections show prod")]
    Show(One),
    /// Create a connection to an AWS account in a region. It is pending until a bus is associated with its event source.
    #[command(
        after_help = "Examples:\n  scalr-eventbridge connections create prod --aws-account-id 123456789012 --region us-east-1"
    )]
    Create(create::Args),
    /// Have Scalr look at the event source of a connection again, until the connection is active.
    ///
    /// Where AWS shows that no event bus is associated with the event source, it ends at once, and prints the command that makes one.
    #[command(after_help = "Examples:\n  scalr-eventbridge connections refresh prod\n  \
                            scalr-eventbridge connections refresh in-v0o9h --timeout 90s\n  \
                            scalr-eventbridge connections refresh in-v0o9h --once")]
    Refresh(refresh::Args),
    /// Pause a connection: its events are held until it is resumed.
    #[command(after_help = "Examples:\n  scalr-eventbridge connections pause prod")]
    Pause(One),
    /// Resume a paused connection: what is held is sent.
    #[command(after_help = "Examples:\n  scalr-eventbridge connections resume prod")]
    Resume(One),
    /// Delete a connection, and its event source at AWS; what it holds is lost.
    #[command(after_help = "Examples:\n  scalr-eventbridge connections delete prod --yes")]
    Delete(delete::Args),
}

#[derive(clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    remote: Remote,
}

pub(super) async fn main(what: What) -> anyhow::Result<()> {
    match what {
        What::List(args) => list(&args).await,
        What::Show(args) => show_one(&args).await,
        What::Create(args) => create::main(&args).await,
        What::Refresh(args) => refresh::main(&args).await,
        What::Pause(args) => pause(&args).await,
        What::Resume(args) => resume(&args).await,
        What::Delete(args) => delete::main(&args).await,
    }
}

async fn list(args: &List) -> anyhow::Result<()> {
    let client = args.remote.client()?;
    let mut all = progress::during("listing the connections", client.connections(None)).await?;
    let order = |one: &Object<Connection>| {
        (
            one.attributes.name.clone(),
            one.attributes.region.clone(),
            one.id.clone(),
        )
    };
    all.sort_by_key(order);
    let shown: Vec<Shown> = all.iter().map(Shown::from).collect();
    args.form.print(&shown, || {
        if all.is_empty() {
            return "There are no connections. `scalr-eventbridge connections create` makes one.".to_owned();
        }
        let row = |one: &Object<Connection>| -> [Cell; 5] {
            let wire = &one.attributes;
            [
                wire.name.as_str().into(),
                Cell::new(look(&wire.status), wire.status.in_words()),
                wire.aws_account_id.as_str().into(),
                wire.region.as_str().into(),
                one.id.as_str().into(),
            ]
        };
        let rows: Vec<_> = all.iter().map(row).collect();
        show::table(["NAME", "STATUS", "AWS ACCOUNT", "REGION", "ID"], &rows)
    })
}

/// A connection with the figures of its delivery.
#[derive(Serialize)]
struct WithDelivery {
    #[serde(flatten)]
    connection: Shown,
    /// None where the server does not tell.
    delivery: Option<Delivery>,
}

async fn show_one(args: &One) -> anyhow::Result<()> {
    let client = args.remote.client()?;
    let found = lookup::connection(&client, &args.connection).await?;
    let delivery = match client.delivery(&found.id).await {
        Ok(figures) => Some(figures),
        Err(error) if is_no_route(&error) => None,
        Err(error) => return Err(error.into()),
    };
    let mut rows = rows(&found);
    if let Some(figures) = &delivery {
        rows.push(("held", figures.held.to_string().into()));
        rows.push(("delivered", figures.delivered.to_string().into()));
        rows.push(("unconfirmed", figures.unconfirmed.to_string().into()));
        rows.push(("failed", figures.failed.to_string().into()));
        rows.push(("dropped", figures.dropped.total().to_string().into()));
        rows.extend(
            figures
                .last_error
                .as_deref()
                .map(|error| ("last error", Cell::new(Look::Bad, error))),
        );
    }
    let value = WithDelivery {
        connection: Shown::from(&found),
        delivery,
    };
    args.form.print(&value, || show::fields(&rows))
}

async fn pause(args: &One) -> anyhow::Result<()> {
    let client = args.remote.client()?;
    let found = lookup::connection(&client, &args.connection).await?;
    let paused = client
        .update_connection(&found.id, ConnectionInput::status(Status::Disabled))
        .await?;
    print(&args.form, &paused)
}

async fn resume(args: &One) -> anyhow::Result<()> {
    let client = args.remote.client()?;
    let found = lookup::connection(&client, &args.connection).await?;
    let (id, status) = (&found.id, &found.attributes.status);
    ensure!(
        *status == Status::Disabled,
        "the connection `{id}` is not paused, it is {}; `scalr-eventbridge connections refresh {id}` has Scalr look at its event \
         source again",
        status.in_words()
    );
    let resumed = client.refresh_connection(id).await?;
    print(&args.form, &resumed)
}
