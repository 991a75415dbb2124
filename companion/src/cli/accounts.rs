//! `accounts`: lists, creates, disables and enables the accounts of a companion, with an operator's token.

use anyhow::bail;
use clap::builder::ValueParser;
use scalr_api::{Client, ManagedAccount, Object};
use scalr_events::nearest;
use serde::Serialize;

use super::given;
use super::remote::{Remote, companion_only};
use super::show::{self, Cell, Form, Look};

/// What Scalr's own API lacks.
const LACKS: &str = "accounts are made and disabled in a companion only";
const INSTEAD: &str = "Scalr's web interface";

#[derive(clap::Subcommand)]
pub(super) enum What {
    /// List the accounts.
    #[command(after_help = "Examples:\n  scalr-eventbridge accounts list\n  \
                            scalr-eventbridge accounts list --json | jq -r '.[].id'")]
    List(List),
    /// Create an account. A token that opens it is made with `tokens create`.
    #[command(after_help = "Examples:\n  scalr-eventbridge accounts create acme")]
    Create(Create),
    /// Disable an account: its tokens are refused. What was accepted before is still delivered.
    #[command(after_help = "Examples:\n  scalr-eventbridge accounts disable acme")]
    Disable(One),
    /// Enable an account that is disabled.
    #[command(after_help = "Examples:\n  scalr-eventbridge accounts enable acme")]
    Enable(One),
}

#[derive(clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    remote: Remote,
}

#[derive(clap::Args)]
pub(super) struct Create {
    /// Name of the account; also a part of its event sources' names.
    #[arg(value_parser = ValueParser::new(given::account_name))]
    name: String,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    remote: Remote,
}

#[derive(clap::Args)]
pub(super) struct One {
    /// The account, by name or id.
    account: String,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    remote: Remote,
}

/// An account, as JSON.
#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    status: String,
    created_at: Option<String>,
}

impl From<&Object<ManagedAccount>> for Shown {
    fn from(one: &Object<ManagedAccount>) -> Self {
        let wire = &one.attributes;
        Self {
            id: one.id.to_string(),
            name: wire.name.clone(),
            status: wire.status.clone(),
            created_at: wire.created_at.clone(),
        }
    }
}

pub(super) async fn main(what: What) -> anyhow::Result<()> {
    match what {
        What::List(args) => list(&args).await,
        What::Create(args) => {
            let client = args.remote.client()?;
            let made = client.create_account(&args.name).await;
            print(&args.form, &companion_only(&client, made, LACKS, INSTEAD)?)
        }
        What::Disable(args) => set_status(&args, "disabled").await,
        What::Enable(args) => set_status(&args, "active").await,
    }
}

async fn list(args: &List) -> anyhow::Result<()> {
    let client = args.remote.client()?;
    let all = client.managed_accounts(None).await;
    let all = companion_only(&client, all, LACKS, INSTEAD)?;
    let shown: Vec<Shown> = all.iter().map(Shown::from).collect();
    args.form.print(&shown, || {
        if shown.is_empty() {
            return "There are no accounts. `scalr-eventbridge accounts create` makes one.".to_owned();
        }
        let rows: Vec<_> = shown.iter().map(row).collect();
        show::table(["NAME", "STATUS", "CREATED", "ID"], &rows)
    })
}

fn row(one: &Shown) -> [Cell; 4] {
    let look = if one.status == "active" {
        Look::Good
    } else {
        Look::Bad
    };
    [
        one.name.as_str().into(),
        Cell::new(look, one.status.as_str()),
        one.created_at.as_deref().unwrap_or("-").into(),
        one.id.as_str().into(),
    ]
}

async fn set_status(args: &One, status: &str) -> anyhow::Result<()> {
    let client = args.remote.client()?;
    let found = find(&client, &args.account).await?;
    print(&args.form, &client.set_account_status(&found.id, status).await?)
}

fn print(form: &Form, one: &Object<ManagedAccount>) -> anyhow::Result<()> {
    let shown = Shown::from(one);
    form.print(&shown, || {
        let [name, status, created, id] = row(&shown);
        show::fields(&[
            ("name", name),
            ("status", status),
            ("created", created),
            ("id", id),
        ])
    })
}

/// The account of this id or name.
pub(super) async fn find(client: &Client, given: &str) -> anyhow::Result<Object<ManagedAccount>> {
    let all = client.managed_accounts(None).await;
    let all = companion_only(client, all, LACKS, INSTEAD)?;
    let names: Vec<String> = all
        .iter()
        .flat_map(|one| [one.attributes.name.clone(), one.id.to_string()])
        .collect();
    // An account may be named like the id of another.
    let by_id = all.iter().find(|one| one.id.as_str() == given);
    let found = by_id.or_else(|| all.iter().find(|one| one.attributes.name == given));
    let Some(found) = found.cloned() else {
        let near = nearest(given, names.iter().map(String::as_str));
        let near = near.map_or_else(
            || "; `scalr-eventbridge accounts list` shows those there are".to_owned(),
            |near| format!("; did you mean `{near}`?"),
        );
        bail!("there is no account `{}`{near}", given.escape_debug());
    };
    Ok(found)
}
