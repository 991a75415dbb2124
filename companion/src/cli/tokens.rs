//! `tokens`: lists, creates and revokes the tokens that admit callers to a companion, with an operator's token.

use anyhow::ensure;
use clap::builder::PossibleValuesParser;
use scalr_api::{AccessToken, AccessTokenId, AccessTokenInput, AccountId, Object};
use serde::Serialize;

use super::accounts;
use super::exit::Failure;
use super::given;
use super::out;
use super::remote::{Remote, companion_only};
use super::show::{self, Cell, Form, Look};

/// What Scalr's own API lacks.
const LACKS: &str = "these tokens are a companion's only";
const INSTEAD: &str = "the access tokens in Scalr's web interface";

#[derive(clap::Subcommand)]
pub(super) enum What {
    /// List the tokens, without their texts.
    #[command(after_help = "Examples:\n  scalr-eventbridge tokens list\n  \
                            scalr-eventbridge tokens list --account acme")]
    List(List),
    /// Create a token. It is printed this once: only its SHA-256 is stored.
    ///
    /// A token opens one account; with `--operator` it opens none, and manages accounts and tokens.
    #[command(after_help = "Examples:\n  \
                            scalr-eventbridge tokens create terraform --account acme\n  \
                            scalr-eventbridge tokens create pipeline --account acme --scope intake\n  \
                            scalr-eventbridge tokens create dashboard --account acme --scope read\n  \
                            scalr-eventbridge tokens create release --account acme --expires-in 12h\n  \
                            scalr-eventbridge tokens create night-shift --operator")]
    Create(Create),
    /// Revoke a token: it is refused from then on.
    #[command(after_help = "Examples:\n  scalr-eventbridge tokens revoke at-v0o9h")]
    Revoke(Revoke),
}

#[derive(clap::Args)]
pub(super) struct List {
    /// Those of this account, by name or id.
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    remote: Remote,
}

#[derive(clap::Args)]
pub(super) struct Create {
    /// What it is for.
    name: String,
    /// The account that it opens, by name or id.
    #[arg(long, value_name = "ACCOUNT", required_unless_present = "operator")]
    account: Option<String>,
    /// Make an operator's token, which opens no account.
    #[arg(long, conflicts_with = "account")]
    operator: bool,
    /// What it permits: `read` objects; `intake`: send events and start runs; `admin`: change objects, and both others. May be
    /// repeated.
    #[arg(long = "scope", value_name = "SCOPE", default_value = "admin", value_parser = PossibleValuesParser::new(["admin", "intake", "read"]))]
    scopes: Vec<String>,
    /// Have it end by itself after this time, in whole minutes: `30m`, `12h`, `90d`.
    #[arg(long, value_name = "TIME", value_parser = minutes)]
    expires_in: Option<i64>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    remote: Remote,
}

#[derive(clap::Args)]
pub(super) struct Revoke {
    /// The token's id.
    id: String,
    #[command(flatten)]
    remote: Remote,
}

/// A span of time in minutes.
fn minutes(text: &str) -> Result<i64, String> {
    let seconds = given::span(text)?.as_secs();
    let minutes = i64::try_from(seconds / 60).unwrap_or(i64::MAX);
    if minutes == 0 || !seconds.is_multiple_of(60) {
        return Err("write whole minutes: `30m`, `12h`, `90d`".to_owned());
    }
    Ok(minutes)
}

/// A token, as JSON.
#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    /// None: an operator's.
    account_id: Option<String>,
    scopes: Vec<String>,
    ends_in: String,
    created_at: String,
    last_used_at: Option<String>,
    revoked_at: Option<String>,
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl From<Object<AccessToken>> for Shown {
    fn from(one: Object<AccessToken>) -> Self {
        let wire = one.attributes;
        Self {
            id: one.id.to_string(),
            name: wire.name,
            account_id: one.relationships.account.id().map(ToString::to_string),
            scopes: wire.scopes,
            ends_in: wire.ends_in,
            created_at: wire.created_at,
            last_used_at: wire.last_used_at,
            revoked_at: wire.revoked_at,
            expires_at: wire.expires_at,
            token: wire.token,
        }
    }
}

pub(super) async fn main(what: What) -> anyhow::Result<()> {
    match what {
        What::List(args) => list(&args).await,
        What::Create(args) => create(args).await,
        What::Revoke(args) => revoke(&args).await,
    }
}

async fn list(args: &List) -> anyhow::Result<()> {
    let client = args.remote.client()?;
    let account = match &args.account {
        Some(given) => Some(accounts::find(&client, given).await?.id),
        None => None,
    };
    let all = client
        .access_tokens(account.as_ref().map(scalr_api::Id::as_str))
        .await;
    let all = companion_only(&client, all, LACKS, INSTEAD)?;
    let shown: Vec<Shown> = all.into_iter().map(Shown::from).collect();
    args.form.print(&shown, || {
        if shown.is_empty() {
            return "There are no tokens. `scalr-eventbridge tokens create` makes one.".to_owned();
        }
        let rows: Vec<_> = shown.iter().map(row).collect();
        show::table(
            ["NAME", "ACCOUNT", "SCOPES", "ENDS IN", "LAST USED", "STATE", "ID"],
            &rows,
        )
    })
}

fn row(one: &Shown) -> [Cell; 7] {
    let state = match (&one.revoked_at, &one.expires_at) {
        (None, None) => Cell::new(Look::Good, "active"),
        (None, Some(until)) => Cell::new(Look::Good, format!("until {until}")),
        (Some(revoked), Some(until)) if revoked == until => Cell::new(Look::Bad, "expired"),
        (Some(_), _) => Cell::new(Look::Bad, "revoked"),
    };
    [
        one.name.as_str().into(),
        one.account_id.as_deref().unwrap_or("(operator)").into(),
        one.scopes.join(", ").into(),
        one.ends_in.as_str().into(),
        one.last_used_at.as_deref().unwrap_or("never").into(),
        state,
        one.id.as_str().into(),
    ]
}

async fn create(args: Create) -> anyhow::Result<()> {
    let client = args.remote.client()?;
    let account = match &args.account {
        Some(given) => Some(AccountId::new(accounts::find(&client, given).await?.id.as_str())?),
        None => None,
    };
    let input = AccessTokenInput {
        name: Some(args.name),
        scopes: Some(args.scopes),
        expires_in: args.expires_in,
    };
    let made = client.create_access_token(account, input).await;
    let shown = Shown::from(companion_only(&client, made, LACKS, INSTEAD)?);
    args.form.print(&shown, || {
        show::fields(&[
            ("token", shown.token.as_deref().unwrap_or_default().into()),
            ("id", shown.id.as_str().into()),
            (
                "account",
                shown
                    .account_id
                    .as_deref()
                    .unwrap_or("none: an operator's")
                    .into(),
            ),
            ("scopes", shown.scopes.join(", ").into()),
            ("expires", shown.expires_at.as_deref().unwrap_or("never").into()),
        ])
    })?;
    out::complain("The token is not shown again: put it where it is used, such as `SCALR_TOKEN`.");
    Ok(())
}

async fn revoke(args: &Revoke) -> anyhow::Result<()> {
    let given = args.id.escape_debug();
    let id = AccessTokenId::new(args.id.as_str()).map_err(|_| {
        Failure::setting(format!(
            "`{given}` is no id of a token, which looks like `at-v0o9h`; `scalr-eventbridge tokens list` shows them"
        ))
    })?;
    let client = args.remote.client()?;
    let revoked = client.revoke_access_token(&id).await;
    let was_there = companion_only(&client, revoked, LACKS, INSTEAD)?;
    ensure!(
        was_there,
        "there is no token `{given}`; `scalr-eventbridge tokens list` shows those there are, by id"
    );
    Ok(out::line(&format!("The token `{given}` is revoked."))?)
}
