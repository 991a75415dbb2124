//! `connections`: lists, shows, creates, refreshes, pauses, resumes and deletes connections.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::builder::ValueParser;
use scalr_api::{Client, Connection, ConnectionId, ConnectionInput, Delivery, Object, Status};
use serde::Serialize;

use super::exit::Failure;
use super::lookup;
use super::out;
use super::progress;
use super::remote::{Remote, is_no_route};
use super::show::{self, Cell, Form, Look};
use crate::region::is_region;

/// How often Scalr is asked to look at the event source.
const REFRESH_EVERY: Duration = Duration::from_secs(3);
/// How long a connection may take to become active.
const WAIT: Duration = Duration::from_mins(10);

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
    Create(Create),
    /// Have Scalr look at the event source of a connection again, until the connection is active, for 10 minutes at most.
    #[command(after_help = "Examples:\n  scalr-eventbridge connections refresh prod\n  \
                            scalr-eventbridge connections refresh in-v0o9h --once")]
    Refresh(Refresh),
    /// Pause a connection: its events are held until it is resumed.
    #[command(after_help = "Examples:\n  scalr-eventbridge connections pause prod")]
    Pause(One),
    /// Resume a paused connection: what is held is sent.
    #[command(after_help = "Examples:\n  scalr-eventbridge connections resume prod")]
    Resume(One),
    /// Delete a connection, and its event source at AWS; what it holds is lost.
    #[command(after_help = "Examples:\n  scalr-eventbridge connections delete prod --yes")]
    Delete(Delete),
}

#[derive(clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    remote: Remote,
}

#[derive(clap::Args)]
pub(super) struct One {
    /// The connection, by name or id.
    #[arg(value_name = "CONNECTION")]
    connection: String,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    remote: Remote,
}

#[derive(clap::Args)]
pub(super) struct Create {
    /// Name of the connection; also the last part of the event source's name.
    name: String,
    /// The AWS account that receives the events: 12 digits.
    #[arg(long, value_name = "ID", value_parser = ValueParser::new(account))]
    aws_account_id: String,
    /// The AWS region that receives the events.
    #[arg(long, value_name = "REGION", value_parser = ValueParser::new(region))]
    region: String,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    remote: Remote,
}

#[derive(clap::Args)]
pub(super) struct Refresh {
    #[command(flatten)]
    one: One,
    /// Do it once, whatever the status is then.
    #[arg(long)]
    once: bool,
}

#[derive(clap::Args)]
pub(super) struct Delete {
    #[command(flatten)]
    one: One,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

/// The text, if it is an AWS account.
pub(super) fn account(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err("an AWS account id has 12 digits".to_owned())
}

fn region(text: &str) -> Result<String, String> {
    if is_region(text) {
        return Ok(text.to_owned());
    }
    Err("an AWS region looks like `us-east-1`".to_owned())
}

/// A connection as it is shown.
#[derive(Serialize)]
pub(super) struct Shown {
    pub(super) id: String,
    pub(super) name: String,
    aws_account_id: String,
    region: String,
    status: String,
    error_message: Option<String>,
    event_source_name: Option<String>,
    event_source_arn: Option<String>,
    account_id: Option<String>,
}

impl From<&Object<Connection>> for Shown {
    fn from(object: &Object<Connection>) -> Self {
        let wire = object.attributes.clone();
        Self {
            id: object.id.to_string(),
            name: wire.name,
            aws_account_id: wire.aws_account_id,
            region: wire.region,
            status: wire.status.to_string(),
            error_message: wire.err_message,
            event_source_name: wire.event_source,
            event_source_arn: wire.event_source_arn,
            account_id: object.relationships.account.id().map(ToString::to_string),
        }
    }
}

/// How a status looks.
pub(super) fn look(status: &Status) -> Look {
    match status {
        Status::Active => Look::Good,
        Status::Pending | Status::Disabled => Look::Doubtful,
        Status::Failed => Look::Bad,
        Status::Other(_) => Look::Plain,
    }
}

pub(super) async fn main(what: What) -> anyhow::Result<()> {
    match what {
        What::List(args) => list(&args).await,
        What::Show(args) => show_one(&args).await,
        What::Create(args) => create(args).await,
        What::Refresh(args) => refresh(&args).await,
        What::Pause(args) => pause(&args).await,
        What::Resume(args) => resume(&args).await,
        What::Delete(args) => delete(&args).await,
    }
}

async fn list(args: &List) -> anyhow::Result<()> {
    let client = args.remote.client()?;
    let mut all = progress::during("listing the connections", client.connections(None)).await?;
    all.sort_by(|a, b| (&a.attributes.name, a.id.as_str()).cmp(&(&b.attributes.name, b.id.as_str())));
    let shown: Vec<Shown> = all.iter().map(Shown::from).collect();
    args.form.print(&shown, || {
        if all.is_empty() {
            return "There are no connections. `scalr-eventbridge connections create` makes one.".to_owned();
        }
        let row = |one: &Object<Connection>| -> [Cell; 5] {
            let wire = &one.attributes;
            [
                wire.name.as_str().into(),
                Cell::new(look(&wire.status), wire.status.as_str()),
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
        rows.push(("dropped", dropped(figures).to_string().into()));
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

/// How many events were dropped, for whatever reason.
pub(super) fn dropped(figures: &Delivery) -> i64 {
    let counts = figures.dropped;
    counts.too_old + counts.too_many_bytes + counts.refused
}

fn rows(object: &Object<Connection>) -> Vec<(&'static str, Cell)> {
    let wire = &object.attributes;
    let mut rows: Vec<(&str, Cell)> = vec![
        ("id", object.id.as_str().into()),
        ("name", wire.name.as_str().into()),
        ("status", Cell::new(look(&wire.status), wire.status.as_str())),
        ("AWS account", wire.aws_account_id.as_str().into()),
        ("region", wire.region.as_str().into()),
    ];
    let source = wire.event_source.as_deref();
    rows.push((
        "event source",
        source.map_or_else(|| Cell::new(Look::Dim, "not made yet"), Cell::from),
    ));
    rows.extend(
        wire.err_message
            .as_deref()
            .map(|why| ("error", Cell::new(Look::Bad, why))),
    );
    rows
}

fn print(form: &Form, object: &Object<Connection>) -> anyhow::Result<()> {
    form.print(&Shown::from(object), || show::fields(&rows(object)))
}

async fn create(args: Create) -> anyhow::Result<()> {
    let client = args.remote.client()?;
    let input = ConnectionInput {
        name: Some(args.name.clone()),
        aws_account_id: Some(args.aws_account_id),
        region: Some(args.region.clone()),
        status: None,
    };
    let made = client.create_connection(input).await?;
    print(&args.form, &made)?;
    if let Some(source) = &made.attributes.event_source
        && made.attributes.status == Status::Pending
    {
        out::hint(&after_create(&args.region, source, &args.name));
    }
    Ok(())
}

fn after_create(region: &str, source: &str, name: &str) -> String {
    let (region, source, name) = (show::quoted(region), show::quoted(source), show::quoted(name));
    format!(
        "associate its event source with a bus, then refresh it:\n  aws events create-event-bus --region {region} --name {source} \
         --event-source-name {source}\n  scalr-eventbridge connections refresh {name}"
    )
}

async fn refresh(args: &Refresh) -> anyhow::Result<()> {
    let client = args.one.remote.client()?;
    let id = lookup::connection(&client, &args.one.connection).await?.id;
    let found = if args.once {
        refresh_once(&client, &id).await?
    } else {
        let what = format!("waiting until `{id}` is active");
        let active = tokio::time::timeout(WAIT, until_active(&client, &id));
        match progress::during(&what, active).await {
            Ok(found) => found?,
            Err(_) => bail!(
                "the connection `{id}` is not active after {} minutes of refreshing; `scalr-eventbridge status` names the link that is \
                 broken",
                WAIT.as_secs() / 60
            ),
        }
    };
    print(&args.one.form, &found)
}

async fn until_active(client: &Client, id: &ConnectionId) -> anyhow::Result<Object<Connection>> {
    let mut has_said = false;
    loop {
        let found = refresh_once(client, id).await?;
        match found.attributes.status {
            Status::Active => return Ok(found),
            Status::Failed => bail!(
                "the connection `{id}` has failed: {}",
                found
                    .attributes
                    .err_message
                    .as_deref()
                    .unwrap_or("Scalr gives no reason")
            ),
            status => {
                if !std::mem::replace(&mut has_said, true) {
                    out::complain(&format!(
                        "the connection `{id}` is {}; it is refreshed for {} minutes at most (`--once`: once). `scalr-eventbridge status` \
                         says what it waits for",
                        status.as_str(),
                        WAIT.as_secs() / 60
                    ));
                }
                tokio::time::sleep(REFRESH_EVERY).await;
            }
        }
    }
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
        "the connection `{id}` is not paused, it is {status}; `scalr-eventbridge connections refresh {id}` has Scalr look at its event \
         source again"
    );
    let resumed = client.refresh_connection(id).await?;
    print(&args.form, &resumed)
}

async fn delete(args: &Delete) -> anyhow::Result<()> {
    let client = args.one.remote.client()?;
    let found = lookup::connection(&client, &args.one.connection).await?;
    let (id, name) = (&found.id, show::escaped(&found.attributes.name));
    if !args.yes
        && !confirmed(&format!(
            "Delete the connection `{name}` ({id})? What it holds is lost."
        ))?
    {
        bail!("the connection `{id}` was not deleted");
    }
    let was_there = client.delete_connection(id).await?;
    ensure!(was_there, "the connection `{id}` was gone already");
    args.one.form.print(&Shown::from(&found), || {
        format!("The connection `{name}` ({id}) is deleted.")
    })
}

/// Asks on the terminal.
fn confirmed(question: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::setting(
            "this deletes for good: give `--yes` where nobody can be asked",
        ));
    }
    out::complain(&format!("{question} Type `yes`:"));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_type_after_a_connection_was_made_is_quoted() {
        let text = after_create("us-east-1", "aws.partner/scalr.com/a b/prod", "it's; prod");
        let commands: Vec<&str> = text.lines().skip(1).map(str::trim).collect();
        let want = [
            "aws events create-event-bus --region us-east-1 --name 'aws.partner/scalr.com/a b/prod' --event-source-name \
             'aws.partner/scalr.com/a b/prod'",
            r"scalr-eventbridge connections refresh 'it'\''s; prod'",
        ];
        assert_eq!(commands, want);
    }
}
