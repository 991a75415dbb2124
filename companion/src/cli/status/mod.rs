//! `status`: the chain of each connection at a glance, from Scalr to the log groups, and which link is broken.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! chain     a connection's chain as data, and where it is broken
//! read      reading both sides
//! ```

mod chain;
mod read;

use std::process::ExitCode;

use serde::Serialize;

use self::chain::{Aws, Chain, Seen, Standing, State};
use self::read::{Report, Settings};
use super::aws;
use super::connections;
use super::remote::Remote;
use super::show::{self, Cell, Form, Look};
use super::{exit, progress};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  scalr-eventbridge status
  scalr-eventbridge status --json | jq -r '.connections[] | select(.standing.state == \"broken\").name'

It ends with 4 where a link is broken.")]
pub(super) struct Args {
    /// Leave AWS's side out.
    #[arg(long)]
    scalr_only: bool,
    /// AWS's address; without it, AWS itself. Credentials and profile come from AWS's own variables and files.
    #[arg(long, env = "AWS_ENDPOINT_URL", value_name = "URL")]
    aws_endpoint: Option<String>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    remote: Remote,
}

/// All that `status` shows.
#[derive(Serialize)]
struct Shown<'a> {
    scalr: ScalrShown<'a>,
    aws: Vec<RegionShown<'a>>,
    connections: Vec<ConnectionShown<'a>>,
}

#[derive(Serialize)]
struct ScalrShown<'a> {
    hostname: &'a str,
    /// None where the server has no such setting, or no account is known.
    audit_log_connection_id: Option<&'a str>,
}

#[derive(Serialize)]
struct RegionShown<'a> {
    region: &'a str,
    account_id: Option<&'a str>,
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct ConnectionShown<'a> {
    #[serde(flatten)]
    connection: connections::Shown,
    /// AWS's side; none where it is not visible.
    aws: Option<&'a Aws>,
    held: Option<i64>,
    dropped: Option<i64>,
    standing: Standing,
}

pub(super) async fn main(args: &Args) -> anyhow::Result<ExitCode> {
    aws::checked(args.aws_endpoint.as_deref())?;
    let client = args.remote.client()?;
    let settings = Settings {
        endpoint: args.aws_endpoint.as_deref(),
        scalr_only: args.scalr_only,
    };
    let report = progress::during("asking Scalr and AWS", Box::pin(read::report(&client, &settings))).await?;
    let hostname = client.host().to_string();
    let shown = shown(&report, &hostname);
    args.form.print(&shown, || human(&report, &shown))?;
    let is_broken = |one: &ConnectionShown<'_>| one.standing.state == State::Broken;
    Ok(exit::found(!shown.connections.iter().any(is_broken)))
}

fn shown<'a>(report: &'a Report, hostname: &'a str) -> Shown<'a> {
    let region = |one: &'a read::Region| RegionShown {
        region: &one.name,
        account_id: one.account.as_deref().ok(),
        error: one.account.as_deref().err().map(String::as_str),
    };
    let connection = |one: &'a read::Connection| ConnectionShown {
        connection: connections::Shown::from(&one.object),
        aws: match &one.chain.aws {
            Seen::Visible(aws) => Some(aws),
            Seen::Hidden(_) => None,
        },
        held: one.figures.map(|figures| figures.held),
        dropped: one.figures.map(|figures| figures.dropped),
        standing: one.chain.standing(),
    };
    Shown {
        scalr: ScalrShown {
            hostname,
            audit_log_connection_id: report.audit_log.as_deref(),
        },
        aws: report.regions.iter().map(region).collect(),
        connections: report.connections.iter().map(connection).collect(),
    }
}

fn human(report: &Report, shown: &Shown<'_>) -> String {
    let mut lines = vec![head(report, shown), String::new()];
    if report.connections.is_empty() {
        lines.push("There are no connections. `scalr-eventbridge connections create` makes one.".to_owned());
        return lines.join("\n");
    }
    let rows: Vec<_> = report.connections.iter().map(row).collect();
    let headings = [
        "CONNECTION",
        "STATUS",
        "SOURCE",
        "BUS",
        "RULES",
        "TARGETS",
        "HELD",
        "DROPPED",
    ];
    lines.push(show::table(headings, &rows));
    lines.push(String::new());
    let standings = report.connections.iter().zip(&shown.connections);
    lines.extend(standings.map(|(one, shown)| verdict(&one.chain, &shown.standing)));
    lines.join("\n")
}

fn head(report: &Report, shown: &Shown<'_>) -> String {
    let audit_log = match &report.audit_log {
        None => String::new(),
        Some(id) => {
            let named = report.connections.iter().find(|one| one.chain.id == *id);
            let name = named.map_or(id.as_str(), |one| &one.chain.name);
            format!("   audit log to {}", show::escaped(name))
        }
    };
    let mut lines = vec![format!(
        "Scalr   {}{audit_log}",
        show::escaped(shown.scalr.hostname)
    )];
    for region in &report.regions {
        let account = match &region.account {
            Ok(account) => format!("account {account}"),
            Err(why) => Look::Doubtful.paint(why),
        };
        lines.push(format!("AWS     {}   {account}", show::escaped(&region.name)));
    }
    lines.join("\n")
}

fn row(one: &read::Connection) -> [Cell; 8] {
    let chain = &one.chain;
    let number = |number: Option<i64>, look: Look| match number {
        None => Cell::new(Look::Dim, "-"),
        Some(0) => Cell::from("0"),
        Some(more) => Cell::new(look, more.to_string()),
    };
    let [source, bus, rules, targets] = aws_cells(&chain.aws);
    [
        chain.name.as_str().into(),
        Cell::new(connections::look(&chain.status), chain.status.as_str()),
        source,
        bus,
        rules,
        targets,
        number(one.figures.map(|figures| figures.held), Look::Doubtful),
        number(one.figures.map(|figures| figures.dropped), Look::Bad),
    ]
}

fn aws_cells(aws: &Seen) -> [Cell; 4] {
    let unknown = || Cell::new(Look::Dim, "-");
    let Seen::Visible(aws) = aws else {
        return [unknown(), unknown(), unknown(), unknown()];
    };
    let source = match aws.source.as_deref() {
        Some("ACTIVE") => Cell::new(Look::Good, "ACTIVE"),
        Some(state) => Cell::new(Look::Doubtful, state),
        None => Cell::new(Look::Bad, "none"),
    };
    let Some(rules) = &aws.rules else {
        return [source, Cell::new(Look::Bad, "none"), unknown(), unknown()];
    };
    let count = |count: usize| {
        let look = if count == 0 { Look::Bad } else { Look::Plain };
        Cell::new(look, count.to_string())
    };
    let enabled: Vec<_> = rules.iter().filter(|rule| rule.enabled).collect();
    let targets = enabled.iter().map(|rule| rule.targets.len()).sum();
    [
        source,
        Cell::new(Look::Good, "yes"),
        count(enabled.len()),
        count(targets),
    ]
}

fn verdict(chain: &Chain, standing: &Standing) -> String {
    let (look, state) = match standing.state {
        State::Working => (Look::Good, "works".to_owned()),
        State::Paused => (Look::Doubtful, "paused".to_owned()),
        State::Unknown => (Look::Doubtful, "not known".to_owned()),
        State::Broken => {
            let link = standing.link.map_or("", chain::Link::text);
            (Look::Bad, format!("broken at the {link}"))
        }
    };
    let why = standing
        .why
        .as_deref()
        .map(|why| format!(": {}", show::escaped(why)));
    let mut text = format!(
        "{} ({}) {}{}",
        show::escaped(&chain.name),
        chain.id,
        look.paint(&state),
        why.unwrap_or_default()
    );
    for command in &standing.next {
        text.extend(["\n    ", &show::escaped(command)]);
    }
    text
}
