//! `connections delete`: asks first, and says what ends with the connection.

use std::io::{self, BufRead as _, IsTerminal as _};

use anyhow::{bail, ensure};
use scalr_api::{Client, Connection, Object};
use serde::Serialize;

use super::super::exit::Failure;
use super::super::remote::is_no_route;
use super::super::{lookup, out, show};
use super::shown::{One, Shown};

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
    let ends = Ends::read(&client, &found).await?;
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

/// A connection that was deleted, and what ended with it.
#[derive(Serialize)]
struct Deleted {
    #[serde(flatten)]
    connection: Shown,
    held_lost: Option<i64>,
    audit_log_ended: Option<bool>,
}

/// What ends with a connection; none of what the server does not tell.
struct Ends {
    held: Option<i64>,
    audit_log: Option<bool>,
}

impl Ends {
    async fn read(client: &Client, found: &Object<Connection>) -> anyhow::Result<Self> {
        let held = match client.delivery(&found.id).await {
            Ok(figures) => Some(figures.held),
            Err(error) if is_no_route(&error) => None,
            Err(error) => return Err(error.into()),
        };
        let audit_log = match found.relationships.account.id() {
            None => None,
            Some(owner) => match client.audit_log_setting(owner).await {
                Ok(setting) => setting.map(|setting| {
                    setting.attributes.enabled && setting.relationships.integration.id() == Some(&found.id)
                }),
                Err(error) if is_no_route(&error) => None,
                Err(error) => return Err(error.into()),
            },
        };
        Ok(Self { held, audit_log })
    }

    /// What the question says.
    fn before(&self) -> String {
        let held = match self.held {
            None => "Events that it holds are lost.".to_owned(),
            Some(0) => "It holds no event.".to_owned(),
            Some(1) => "The event that it holds is lost.".to_owned(),
            Some(more) => format!("The {more} events that it holds are lost."),
        };
        let audit_log = match self.audit_log {
            None => " If the audit log is streamed to it, that ends.",
            Some(true) => " The audit log is streamed to it, and that ends.",
            Some(false) => "",
        };
        format!("{held}{audit_log}")
    }

    /// What the answer says.
    fn after(&self) -> String {
        let held = match self.held {
            None | Some(0) => String::new(),
            Some(1) => " The event that it held is lost.".to_owned(),
            Some(more) => format!(" The {more} events that it held are lost."),
        };
        let audit_log = match self.audit_log {
            Some(true) => {
                " The audit log is no longer streamed: `scalr-eventbridge audit-log set CONNECTION` chooses another connection."
            }
            _ => "",
        };
        format!("{held}{audit_log}")
    }
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
    use super::*;

    #[test]
    fn what_ends_with_a_connection_is_said_before_and_after() {
        for (held, audit_log, before, after) in [
            (Some(0), Some(false), "It holds no event.", ""),
            (
                Some(1),
                Some(false),
                "The event that it holds is lost.",
                " The event that it held is lost.",
            ),
            (
                Some(3),
                Some(true),
                "The 3 events that it holds are lost. The audit log is streamed to it, and that ends.",
                " The 3 events that it held are lost. The audit log is no longer streamed: `scalr-eventbridge audit-log set \
                 CONNECTION` chooses another connection.",
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
