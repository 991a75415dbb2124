//! `connections`: lists them, and has Scalr look at the event source of one ("Refresh status").

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use scalr_api::{Client, Connection, ConnectionId, Object, Status};

use super::out;
use super::remote::Remote;

/// How often Scalr is asked to look at the event source.
const REFRESH_EVERY: Duration = Duration::from_secs(3);
/// How long a connection may take to become active.
const WAIT: Duration = Duration::from_mins(10);

#[derive(clap::Subcommand)]
pub(super) enum What {
    /// List the connections: id, name, AWS account, region, status.
    List {
        #[command(flatten)]
        remote: Remote,
    },
    /// Have Scalr look at the event source of a connection again, until the connection is active, for 10 minutes at most.
    Refresh(Refresh),
}

#[derive(clap::Args)]
pub(super) struct Refresh {
    /// The connection, `in-…`.
    connection: ConnectionId,
    /// Do it once, whatever the status is then.
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    remote: Remote,
}

pub(super) async fn main(what: What) -> anyhow::Result<()> {
    match what {
        What::List { remote } => list(&remote.client()?).await,
        What::Refresh(args) => {
            let client = args.remote.client()?;
            if args.once {
                return refresh(&client, &args.connection).await.map(drop);
            }
            tokio::time::timeout(WAIT, until_active(&client, &args.connection))
                .await
                .with_context(|| {
                    let (id, minutes) = (&args.connection, WAIT.as_secs() / 60);
                    format!("the connection `{id}` is not active after {minutes} minutes: is its event source associated with a bus?")
                })?
        }
    }
}

async fn list(client: &Client) -> anyhow::Result<()> {
    let mut all = client.connections(None).await?;
    all.sort_by(|a, b| (&a.attributes.name, a.id.as_str()).cmp(&(&b.attributes.name, b.id.as_str())));
    for one in all {
        let wire = one.attributes;
        out::line(&format!(
            "{} {} {} {} {}",
            one.id, wire.name, wire.aws_account_id, wire.region, wire.status
        ))?;
    }
    Ok(())
}

async fn until_active(client: &Client, id: &ConnectionId) -> anyhow::Result<()> {
    loop {
        let found = refresh(client, id).await?;
        match found.attributes.status {
            Status::Active => return Ok(()),
            Status::Failed => bail!(
                "the connection `{id}` has failed: {}",
                found
                    .attributes
                    .err_message
                    .as_deref()
                    .unwrap_or("Scalr gives no reason")
            ),
            _ => tokio::time::sleep(REFRESH_EVERY).await,
        }
    }
}

/// One refresh. The call that refreshes is also the one that resumes, so a connection is looked at before.
async fn refresh(client: &Client, id: &ConnectionId) -> anyhow::Result<Object<Connection>> {
    let before = client
        .connection(id)
        .await?
        .with_context(|| format!("there is no connection `{id}`, or the token may not see it"))?;
    ensure!(
        before.attributes.status != Status::Disabled,
        "the connection `{id}` is paused, and a refresh would resume it; it was not refreshed"
    );
    let after = client.refresh_connection(id).await?;
    out::line(&format!("{id} {}", after.attributes.status))?;
    Ok(after)
}
