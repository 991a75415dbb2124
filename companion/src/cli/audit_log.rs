//! `audit-log`: which connection an account's audit log is streamed to.

use anyhow::{Context as _, bail};
use clap::builder::ValueParser;
use scalr_api::{AccountId, AuditLogSetting, Client, Connection, Object};
use serde::Serialize;

use super::exit::Failure;
use super::lookup;
use super::remote::Remote;
use super::show::{self, Cell, Form, Look};

/// What Scalr's own API lacks.
const LACKS: &str = "which connection receives the audit log is chosen in its web interface only (Account settings > Audit logs)";
const INSTEAD: &str = "`connections`, `runs`, `status`";

#[derive(clap::Subcommand)]
pub(super) enum What {
    /// Show the connection that receives the audit log.
    #[command(after_help = "Examples:\n  scalr-eventbridge audit-log get")]
    Get(Get),
    /// Choose the connection that receives the audit log, or none.
    #[command(
        after_help = "Examples:\n  scalr-eventbridge audit-log set prod\n  scalr-eventbridge audit-log set --off"
    )]
    Set(Set),
}

#[derive(clap::Args)]
pub(super) struct Of {
    /// The Scalr account, `acc-…`; needed where there is no connection, or where they are of several accounts.
    #[arg(long, value_name = "ID", value_parser = ValueParser::new(id))]
    account: Option<AccountId>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    remote: Remote,
}

fn id(text: &str) -> Result<AccountId, String> {
    AccountId::new(text).map_err(|error| error.to_string())
}

#[derive(clap::Args)]
pub(super) struct Get {
    #[command(flatten)]
    of: Of,
}

#[derive(clap::Args)]
pub(super) struct Set {
    /// The connection, by name or id.
    #[arg(required_unless_present = "off")]
    connection: Option<String>,
    /// Stream the audit log to no connection.
    #[arg(long, conflicts_with = "connection")]
    off: bool,
    #[command(flatten)]
    of: Of,
}

/// The setting as it is shown.
#[derive(Serialize)]
struct Shown {
    account_id: String,
    enabled: bool,
    connection_id: Option<String>,
    connection_name: Option<String>,
}

pub(super) async fn main(what: What) -> anyhow::Result<()> {
    match what {
        What::Get(Get { of }) => {
            let client = of.remote.client()?;
            let all = client.connections(None).await?;
            let owner = of.owner(&all)?;
            let setting = client.audit_log_setting(&owner).await?;
            let setting = setting.ok_or_else(|| lacks(&client))?;
            print(&of.form, &owner, &setting, &all)
        }
        What::Set(args) => {
            let of = &args.of;
            let client = of.remote.client()?;
            let all = client.connections(None).await?;
            let chosen = match &args.connection {
                Some(given) => Some(lookup::connection(&client, given).await?),
                None => None,
            };
            let owner = match chosen.as_ref().and_then(|one| one.relationships.account.id()) {
                Some(owner) => owner.clone(),
                None => of.owner(&all)?,
            };
            // Whether the server has the setting at all.
            client
                .audit_log_setting(&owner)
                .await?
                .ok_or_else(|| lacks(&client))?;
            let setting = client
                .set_audit_log_setting(&owner, chosen.as_ref().map(|one| &one.id))
                .await?;
            print(&of.form, &owner, &setting, &all)
        }
    }
}

fn lacks(client: &Client) -> Failure {
    Failure::Unsupported {
        host: format!("`{}`", client.host()),
        what: LACKS,
        instead: INSTEAD,
    }
}

impl Of {
    /// The account that is given, or the one that the connections are of.
    fn owner(&self, all: &[Object<Connection>]) -> anyhow::Result<AccountId> {
        if let Some(given) = &self.account {
            return Ok(given.clone());
        }
        let mut owners: Vec<&AccountId> = all
            .iter()
            .filter_map(|one| one.relationships.account.id())
            .collect();
        owners.sort_unstable();
        owners.dedup();
        match owners.as_slice() {
            [one] => Ok((*one).clone()),
            [] => bail!("there is no connection that tells the Scalr account: give `--account acc-…`"),
            [first, second, ..] => bail!(
                "the connections are of several Scalr accounts, such as `{first}` and `{second}`: give `--account`"
            ),
        }
    }
}

fn print(
    form: &Form,
    owner: &AccountId,
    setting: &Object<AuditLogSetting>,
    all: &[Object<Connection>],
) -> anyhow::Result<()> {
    let id = setting.relationships.integration.id();
    let id = id.filter(|_| setting.attributes.enabled);
    let found = id.and_then(|id| all.iter().find(|one| one.id == *id));
    let shown = Shown {
        account_id: owner.to_string(),
        enabled: setting.attributes.enabled,
        connection_id: id.map(ToString::to_string),
        connection_name: found.map(|one| one.attributes.name.clone()),
    };
    form.print(&shown, || {
        let to = match (&shown.connection_name, &shown.connection_id) {
            (Some(name), Some(id)) => Cell::from(format!("{name} ({id})")),
            (None, Some(id)) => Cell::from(id.as_str()),
            _ => Cell::new(Look::Doubtful, "no connection"),
        };
        show::fields(&[
            ("account", Cell::from(shown.account_id.as_str())),
            ("audit log", to),
        ])
    })
    .context("the setting cannot be printed")
}
