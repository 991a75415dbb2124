//! `status`: the chain of each connection at a glance, from Scalr to the log groups, and which links are broken.

use std::process::ExitCode;

use serde::Serialize;

use super::aws;
use super::chain::{self, Aws, Chain, Report, Seen, Settings, Standing, State};
use super::connections;
use super::remote::Remote;
use super::show::{self, Cell, Form, Look};
use super::{exit, progress};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  scalr-eventbridge status
  scalr-eventbridge status --json | jq -r '.connections[] | select(.standing.state == \"broken\").name'

Exit codes:
  0  every connection streams, or there is none; with --scalr-only, as far as Scalr tells
  4  a link is broken, or a connection is paused
  5  no link that was seen is broken, and AWS's side of a connection could not be seen")]
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
    unconfirmed: Option<i64>,
    failed: Option<i64>,
    dropped: Option<i64>,
    standing: Standing,
}

pub(super) async fn main(args: &Args) -> anyhow::Result<ExitCode> {
    aws::not_scalrs(args.aws_endpoint.as_deref()).await?;
    let client = args.remote.client()?;
    let settings = Settings {
        endpoint: args.aws_endpoint.as_deref(),
        scalr_only: args.scalr_only,
    };
    let report = progress::during(
        "asking Scalr and AWS",
        Box::pin(chain::report(&client, &settings)),
    )
    .await?;
    let hostname = client.host().to_string();
    let shown = shown(&report, &hostname);
    args.form.print(&shown, || human(&report, &shown))?;
    let worst = shown.connections.iter().map(|one| one.standing.state).max();
    Ok(exit_code(worst, args.scalr_only))
}

/// What is left out on request is not missed.
fn exit_code(worst: Option<State>, scalr_only: bool) -> ExitCode {
    match worst {
        Some(State::Broken | State::Paused) => ExitCode::from(exit::FOUND_WRONG),
        Some(State::Unknown) if !scalr_only => ExitCode::from(exit::NOT_SEEN),
        Some(State::Unknown | State::Working) | None => ExitCode::SUCCESS,
    }
}

fn shown<'a>(report: &'a Report, hostname: &'a str) -> Shown<'a> {
    let region = |one: &'a chain::Region| RegionShown {
        region: &one.name,
        account_id: one.account.as_deref().ok(),
        error: one.account.as_deref().err().map(String::as_str),
    };
    let connection = |one: &'a chain::Connection| ConnectionShown {
        connection: connections::Shown::from(&one.object),
        aws: match &one.chain.aws {
            Seen::Visible(aws) => Some(aws),
            Seen::Hidden(_) | Seen::OwnBus => None,
        },
        held: one.figures.map(|figures| figures.held),
        unconfirmed: one.figures.map(|figures| figures.unconfirmed),
        failed: one.figures.map(|figures| figures.failed),
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
        "UNCONFIRMED",
        "FAILED",
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
    // Regions that cannot be asked for one reason are one line.
    for alike in report.regions.chunk_by(|a, b| a.account == b.account) {
        let account = match alike.first().map(|region| &region.account) {
            None => continue,
            Some(Ok(account)) => format!("account {account}"),
            Some(Err(why)) => Look::Doubtful.paint(why),
        };
        let names: Vec<_> = alike.iter().map(|region| show::escaped(&region.name)).collect();
        lines.push(format!("AWS     {}   {account}", names.join(", ")));
    }
    lines.join("\n")
}

fn row(one: &chain::Connection) -> [Cell; 10] {
    let chain = &one.chain;
    let number = |number: Option<i64>, look: Look| match number {
        None => Cell::new(Look::Dim, "-"),
        Some(0) => Cell::from("0"),
        Some(more) => Cell::new(look, more.to_string()),
    };
    let [source, bus, rules, targets] = aws_cells(&chain.aws);
    [
        chain.name.as_str().into(),
        Cell::new(connections::look(&chain.status), chain.status.in_words()),
        source,
        bus,
        rules,
        targets,
        number(one.figures.map(|figures| figures.held), Look::Doubtful),
        number(one.figures.map(|figures| figures.unconfirmed), Look::Doubtful),
        number(one.figures.map(|figures| figures.failed), Look::Bad),
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
    let custom = aws
        .custom_event_bus
        .as_ref()
        .filter(|custom| custom.not_seen.is_none());
    // What a rule has for a target, a custom event bus has for a subscriber.
    let targets = match custom {
        Some(custom) => custom.subscribers.iter().filter(|one| one.runs()).count(),
        None => enabled.iter().map(|rule| rule.targets.len()).sum(),
    };
    let bus = if aws.managed_by.is_some() {
        "managed"
    } else {
        "yes"
    };
    [
        source,
        Cell::new(Look::Good, bus),
        count(enabled.len()),
        count(targets),
    ]
}

/// A line for each finding, with its commands below.
fn verdict(chain: &Chain, standing: &Standing) -> String {
    let subject = format!("{} ({})", show::escaped(&chain.name), chain.id);
    if standing.findings.is_empty() {
        return format!("{subject} {}", Look::Good.paint("works"));
    }
    let mut lines = Vec::new();
    for finding in &standing.findings {
        let look = match finding.state {
            State::Broken => Look::Bad,
            State::Working | State::Paused | State::Unknown => Look::Doubtful,
        };
        lines.push(format!(
            "{subject} {}: {}",
            look.paint(&finding.state_in_words()),
            show::escaped(&finding.why)
        ));
        lines.extend(
            finding
                .next
                .iter()
                .map(|command| format!("    {}", show::escaped(command))),
        );
    }
    lines.join("\n")
}
