//! `connections delete`: asks first, and says what ends with the connection.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::time::Duration;

use anyhow::{bail, ensure};
use scalr_api::{Client, Connection, Object};
use serde::Serialize;

use super::super::exit::Failure;
use super::super::{lookup, out, show};
use super::shown::{One, Shown};

/// How long a read for the question may take.
const WITHIN: Duration = Duration::from_secs(10);

#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    one: One,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

pub(in crate::cli) async fn main(args: &Args) -> anyhow::Result<()> {
    let client = args.one.remote.client()?;
    let found = lookup::connection(&client, &args.one.connection).await?;
    let (id, name) = (&found.id, show::escaped(&found.attributes.name));
    let ends = Ends::read(&client, &found).await;
    if !args.yes
        && !confirmed(&format!(
            "Delete the connection `{name}` ({id})? {}",
            ends.before()
        ))?
    {
        bail!("the connection `{id}` was not deleted");
    }
    let was_there = client.delete_connection(id).await?;
    ensure!(was_there, "the connection `{id}` was gone already");
    let value = Deleted {
        connection: Shown::from(&found),
        held_lost: ends.held,
        audit_log_ended: ends.audit_log,
    };
    args.one.form.print(&value, || {
        format!("The connection `{name}` ({id}) is deleted.{}", ends.after())
    })
}

/// A connection that was deleted, and what ended with it, as of the moment before.
#[derive(Serialize)]
struct Deleted {
    #[serde(flatten)]
    connection: Shown,
    held_lost: Option<i64>,
    audit_log_ended: Option<bool>,
}

/// What ends with a connection, as of the moment it was read; none of what could not be read.
struct Ends {
    /// Events that it holds, that are unconfirmed, and that have failed.
    held: Option<i64>,
    audit_log: Option<bool>,
}

impl Ends {
    /// What cannot be read keeps nothing from being deleted.
    async fn read(client: &Client, found: &Object<Connection>) -> Self {
        let (held, audit_log) = tokio::join!(
            tokio::time::timeout(WITHIN, client.delivery(&found.id)),
            tokio::time::timeout(WITHIN, is_streamed_to(client, found)),
        );
        Self {
            held: held.ok().and_then(Result::ok).map(|figures| {
                let held = figures.held.saturating_add(figures.unconfirmed);
                held.saturating_add(figures.failed)
            }),
            audit_log: audit_log.ok().flatten(),
        }
    }

    /// What the question says.
    fn before(&self) -> String {
        let held = match self.held {
            None => "Events that it holds are lost.".to_owned(),
            Some(0) => "Events that it holds are lost; just now it held none.".to_owned(),
            Some(held) => format!("Events that it holds are lost; just now it held {held}."),
        };
        let audit_log = match self.audit_log {
            None => " If the audit log is streamed to it, that ends.",
            Some(true) => " Just now the audit log was streamed to it, which ends.",
            Some(false) => "",
        };
        format!("{held}{audit_log}")
    }

    /// What the answer says.
    fn after(&self) -> String {
        let held = match self.held {
            None | Some(0) => String::new(),
            Some(held) => format!(" Events that it held are lost: {held} before the deletion."),
        };
        let audit_log = match self.audit_log {
            Some(true) => {
                " The audit log was streamed to it before: `scalr-eventbridge audit-log set CONNECTION` chooses another connection."
            }
            _ => "",
        };
        format!("{held}{audit_log}")
    }
}

/// Whether the audit log of its account is streamed to a connection, where that can be read.
async fn is_streamed_to(client: &Client, found: &Object<Connection>) -> Option<bool> {
    let owner = found.relationships.account.id()?;
    let setting = client.audit_log_setting(owner).await.ok()??;
    Some(setting.attributes.enabled && setting.relationships.integration.id() == Some(&found.id))
}

/// Asks on the terminal.
fn confirmed(question: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::setting(format!(
            "nothing was deleted, as nobody can be asked here: give `--yes` to delete without a question. The question is: {question}"
        )));
    }
    out::complain(&format!("{question} Type `yes`:"));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

#[cfg(test)]
mod tests {
    use scalr_api::Status;

    use super::*;
    use crate::cli::testing;
    use crate::testing::Bench;

    #[tokio::test]
    async fn all_that_is_deleted_with_a_connection_is_counted() {
        let bench = Bench::new().await;
        let id = bench.connect("a", "us-east-1", &Status::Pending).await;
        bench.app.store.hold(&id, [2, 2], false).await;
        bench.app.store.hold(&id, [5, 2], true).await;
        let client = testing::client(&bench).await;
        let found = client.connection(&id).await.unwrap().unwrap();
        assert_eq!(Ends::read(&client, &found).await.held, Some(7));
    }

    #[test]
    fn what_ends_with_a_connection_is_said_before_and_after() {
        for (held, audit_log, before, after) in [
            (
                Some(0),
                Some(false),
                "Events that it holds are lost; just now it held none.",
                "",
            ),
            (
                Some(3),
                Some(true),
                "Events that it holds are lost; just now it held 3. Just now the audit log was streamed to it, which ends.",
                " Events that it held are lost: 3 before the deletion. The audit log was streamed to it before: `scalr-eventbridge \
                 audit-log set CONNECTION` chooses another connection.",
            ),
            (
                None,
                None,
                "Events that it holds are lost. If the audit log is streamed to it, that ends.",
                "",
            ),
        ] {
            let ends = Ends { held, audit_log };
            assert_eq!((ends.before().as_str(), ends.after().as_str()), (before, after));
        }
    }
}
