//! `doctor`: checks the settings, whether both sides answer, the clock, and the permissions as far as they can be tried by reading; with
//! `--data-dir` or `--config`, what a service needs.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! check            a check and what it found
//! clocks server    how far the clocks differ; the checks of a PostgreSQL database
//! service          the checks of a service
//! ```

mod check;
mod clocks;
mod server;
mod service;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use aws_config::SdkConfig;
use clap::Command;
use scalr_api::{Client, ClientError, Connection, ConnectionId, Held, Object};

use self::check::{Check, Verdict};
use self::clocks::skew;
use super::aws::Place;
use super::remote::{Remote, is_no_route};
use super::show::{self, Cell, Form, Look};
use super::{exit, given, log_groups, progress};
use crate::aws_error::{self, AwsError};
use crate::aws_wire::AwsWire;
use crate::export::{Aws, found};

/// The check of the calls that the server has.
const COMMANDS: &str = "commands";
/// The event source that is asked for where no connection has one in the region.
const NO_SOURCE: &str = "aws.partner/scalr.com/none/none";
/// The rule whose targets are asked for: that AWS does not find it shows that it may be asked.
const NO_RULE: &str = "scalr-eventbridge-doctor";

#[derive(clap::Args)]
#[command(after_help = "Examples:
  scalr-eventbridge doctor
  scalr-eventbridge doctor --json | jq '.[] | select(.result != \"ok\")'
  sudo -u scalr-eventbridge scalr-eventbridge doctor --data-dir /var/lib/scalr-eventbridge

With --data-dir, --database-url or --config it checks what a service needs, as the user that the service runs as: credentials and permissions of the partner,
AWS's clock, the database, its disk. It changes nothing, and ends with 4 where a check fails.")]
pub(super) struct Args {
    /// Check the service that keeps its state here.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Check the service that keeps its state in this PostgreSQL database.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Check the service that has the settings of this file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    remote: Remote,
}

pub(super) async fn main(args: &Args, program: Command) -> anyhow::Result<ExitCode> {
    let checks = progress::during("checking", Box::pin(checks(args, program))).await;
    args.form.print(&checks, || human(&checks))?;
    Ok(exit::found(
        checks.iter().all(|check| check.result != Verdict::Failed),
    ))
}

fn human(checks: &[Check]) -> String {
    let row = |check: &Check| -> [Cell; 3] {
        let (look, word) = match check.result {
            Verdict::Ok => (Look::Good, "ok"),
            Verdict::Warning => (Look::Doubtful, "warning"),
            Verdict::Failed => (Look::Bad, "failed"),
            Verdict::Skipped => (Look::Dim, "skipped"),
        };
        [
            check.name.into(),
            Cell::new(look, word),
            check.detail.as_str().into(),
        ]
    };
    let rows: Vec<_> = checks.iter().map(row).collect();
    let mut text = show::table(["CHECK", "RESULT", ""], &rows);
    for check in checks {
        if let Some(next) = &check.next {
            text.extend(["\n\n", check.name, ": ", &show::escaped(next)]);
        }
    }
    text
}

async fn checks(args: &Args, program: Command) -> Vec<Check> {
    let options = [
        ("--data-dir", args.data_dir.clone().map(OsString::from)),
        ("--database-url", args.database_url.clone().map(OsString::from)),
        ("--config", args.config.clone().map(OsString::from)),
    ];
    let given: Vec<_> = options
        .into_iter()
        .filter_map(|(option, value)| Some((option, value?)))
        .collect();
    if !given.is_empty() {
        return service::checks(program, &given).await;
    }
    let (mut checks, connections) = scalr(&args.remote).await;
    checks.extend(aws(&args.place, &connections).await);
    checks.extend(proxies(
        |name| std::env::var(name).ok(),
        args.place.endpoint.is_local(),
    ));
    checks
}

/// The checks of Scalr's side, and the connections that it listed.
async fn scalr(remote: &Remote) -> (Vec<Check>, Vec<Object<Connection>>) {
    let access = match remote.access() {
        Ok(access) => access,
        Err(error) => {
            let checks = vec![
                Check::new("Scalr settings", Verdict::Failed, format!("{error:#}")),
                Check::new("Scalr answers", Verdict::Skipped, "the settings come first"),
            ];
            return (checks, Vec::new());
        }
    };
    let client = access.client();
    let host = client.host().to_string();
    let from = format!("`{host}`, token from {}", access.token_origin);
    let listed = client.connections(None).await.map_err(anyhow::Error::from);
    let has_answered = listed.is_ok();
    let mut connections = Vec::new();
    let mut checks = vec![
        Check::new("Scalr settings", Verdict::Ok, from),
        Check::of("Scalr answers", listed, |all| {
            connections = all;
            match connections.len() {
                1 => "1 connection".to_owned(),
                more => format!("{more} connections"),
            }
        }),
    ];
    if has_answered {
        checks.push(
            skew(
                "clock against Scalr",
                &format!("{host}/.well-known/terraform.json"),
            )
            .await,
        );
        checks.push(calls_of_the_companion(&client).await);
    }
    (checks, connections)
}

/// Which calls the server has beside Scalr's own.
async fn calls_of_the_companion(client: &Client) -> Check {
    let Ok(none) = ConnectionId::new("in-none") else {
        return Check::new(COMMANDS, Verdict::Skipped, "no id can be asked for");
    };
    commands(client.held(Some(&none), None).await)
}

/// What an answer to a call that only the companion has tells. Scalr has no such path; any other failure tells nothing of that.
fn commands(answer: Result<Held, ClientError>) -> Check {
    match answer {
        Err(error) if is_no_route(&error) => Check::new(
            COMMANDS,
            Verdict::Ok,
            "all but `audit-log`, `emit`, `deliveries`, `events` and `--fail`, which only `scalr-eventbridge dev` has",
        ),
        answer => Check::of(COMMANDS, answer.map_err(anyhow::Error::from), |_| {
            "all: this is `scalr-eventbridge dev`".to_owned()
        }),
    }
}

async fn aws(place: &Place, connections: &[Object<Connection>]) -> Vec<Check> {
    const NAMES: [&str; 2] = ["AWS settings", "AWS answers"];
    let endpoint = place.endpoint.url().ok().flatten();
    let at = endpoint
        .clone()
        .map_or_else(|| "AWS itself".to_owned(), |url| format!("`{url}`"));
    let config = match place.config("doctor").await {
        Ok(config) => config,
        Err(error) if exit::is_setting(&error) => {
            return vec![
                Check::new(NAMES[0], Verdict::Failed, format!("{error:#}")),
                Check::new(NAMES[1], Verdict::Skipped, "the settings come first"),
            ];
        }
        Err(error) => {
            return vec![
                Check::new(NAMES[0], Verdict::Ok, at),
                Check::of(NAMES[1], Err::<(), _>(error), |()| String::new()),
            ];
        }
    };
    let region = config.region().map_or_else(String::new, ToString::to_string);
    let account = Aws::new(&config, &region).account().await;
    let has_answered = account.is_ok();
    let (verdict, place_and_region) = of_region(&at, &region);
    let mut checks = vec![
        Check::new(NAMES[0], verdict, place_and_region),
        Check::of(NAMES[1], account, |account| format!("account {account}")),
    ];
    if has_answered {
        let url = endpoint.unwrap_or_else(|| format!("https://events.{region}.amazonaws.com"));
        checks.push(skew("clock against AWS", &url).await);
        let mut here = connections.iter().filter(|one| one.attributes.region == region);
        let source = here.find_map(|one| one.attributes.event_source.as_deref());
        checks.extend(permissions(&config, source).await);
    }
    checks
}

/// The calls by which `status` reads AWS's side, on the objects of this event source. What changes something cannot be tried.
/// `events:DescribeEventBus` has told the account.
async fn permissions(config: &SdkConfig, source: Option<&str>) -> [Check; 4] {
    let events = aws_sdk_eventbridge::config::Builder::from(config).interceptor(AwsWire);
    let events = aws_sdk_eventbridge::Client::from_conf(events.build());
    let logs = log_groups::client_of(config);
    let is_real = source.is_some();
    let name = source.unwrap_or(NO_SOURCE);
    let source = events.describe_event_source().name(name).send().await;
    let rules = events.list_rules().event_bus_name(name).limit(1).send().await;
    let targets = events.list_targets_by_rule().event_bus_name(name).rule(NO_RULE);
    let targets = targets.limit(1).send().await;
    let groups = logs.describe_log_groups().limit(1).send().await;
    let source = source.map(drop).map_err(|error| aws_error::error(&error));
    let rules = rules.map(drop).map_err(|error| aws_error::error(&error));
    let targets = targets.map(drop).map_err(|error| aws_error::error(&error));
    let groups = groups.map(drop).map_err(|error| aws_error::error(&error));
    [
        permission("events:DescribeEventSource", source, is_real),
        permission("events:ListRules", rules, is_real),
        permission("events:ListTargetsByRule", targets, is_real),
        permission("logs:DescribeLogGroups", groups, true),
    ]
}

/// What an answer tells about a permission. That nothing was found was allowed to be said. A policy may allow the call on the objects
/// of connections alone, so a refusal about another object is only a warning.
fn permission(action: &'static str, answer: Result<(), AwsError>, is_real: bool) -> Check {
    let called = found(answer).context("not allowed, or no answer");
    let check = Check::of(action, called, |_| "allowed".to_owned());
    if is_real || check.result == Verdict::Ok {
        return check;
    }
    Check {
        result: Verdict::Warning,
        detail: format!(
            "{}; it was tried on `{NO_SOURCE}`, as no connection has an event source in this region",
            check.detail
        ),
        ..check
    }
}

/// The settings as they were found; a region that may not exist is doubted, since a local AWS takes any.
fn of_region(at: &str, region: &str) -> (Verdict, String) {
    let found = format!("{at}, region {region}");
    match given::region_doubt(region) {
        None => (Verdict::Ok, found),
        Some(doubt) => (Verdict::Warning, format!("{found}: it {doubt}")),
    }
}

/// A proxy that would get the calls to this machine.
fn proxies(variable: impl Fn(&str) -> Option<String>, is_local: bool) -> Option<Check> {
    let set = |names: [&str; 2]| {
        names
            .iter()
            .find_map(|name| variable(name).filter(|text| !text.is_empty()))
    };
    set(["HTTP_PROXY", "http_proxy"])?;
    let exempt = set(["NO_PROXY", "no_proxy"]).unwrap_or_default();
    if !is_local || exempt.contains("127.0.0.1") || exempt.contains("localhost") || exempt == "*" {
        return None;
    }
    Some(Check {
        next: Some("set `NO_PROXY=127.0.0.1,localhost`".to_owned()),
        ..Check::new(
            "proxy",
            Verdict::Warning,
            "`HTTP_PROXY` is set, and AWS's tools would send calls to the local AWS through it",
        )
    })
}

#[cfg(test)]
mod tests {
    use scalr_api::Refusal;

    use super::*;

    #[test]
    fn a_proxy_before_the_local_aws_is_warned_of() {
        for (variables, is_local, warns) in [
            (&[("HTTP_PROXY", "http://p")][..], true, true),
            (&[("HTTP_PROXY", "http://p")], false, false),
            (
                &[("http_proxy", "http://p"), ("NO_PROXY", "x,127.0.0.1")],
                true,
                false,
            ),
            (&[("HTTP_PROXY", "http://p"), ("no_proxy", "*")], true, false),
            (&[], true, false),
        ] {
            let variable = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            let check = proxies(variable, is_local);
            assert_eq!(check.is_some(), warns, "{variables:?}");
        }
    }

    fn refused(status: u16) -> ClientError {
        ClientError::Refused(Refusal {
            request: "GET /_companion/events".to_owned(),
            host: "acme.scalr.io".to_owned(),
            status,
            errors: Vec::new(),
            retry_after: None,
        })
    }

    #[test]
    fn only_a_server_without_the_path_is_called_scalr() {
        let held = Held {
            events: Vec::new(),
            more: false,
        };
        for (answer, result, part) in [
            (Ok(held), Verdict::Ok, "all: this is"),
            (Err(refused(404)), Verdict::Ok, "all but"),
            (Err(refused(405)), Verdict::Ok, "all but"),
            (Err(refused(401)), Verdict::Failed, "answered 401"),
            (Err(refused(429)), Verdict::Failed, "answered 429"),
            (Err(refused(500)), Verdict::Failed, "answered 500"),
        ] {
            let check = commands(answer);
            assert_eq!(check.result, result, "{check:?}");
            assert!(check.detail.contains(part), "{check:?}");
        }
    }

    #[test]
    fn a_permission_is_judged_by_what_it_was_tried_on() {
        let aws = |code: &str| AwsError::Refused {
            code: code.to_owned(),
            message: "no".to_owned(),
        };
        for (answer, is_real, result) in [
            (Ok(()), true, Verdict::Ok),
            (Ok(()), false, Verdict::Ok),
            (Err(aws("ResourceNotFoundException")), true, Verdict::Ok),
            (Err(aws("ResourceNotFoundException")), false, Verdict::Ok),
            (Err(aws("AccessDeniedException")), true, Verdict::Failed),
            (Err(aws("AccessDeniedException")), false, Verdict::Warning),
            (Err(AwsError::Retryable("late".to_owned())), true, Verdict::Failed),
        ] {
            let case = format!("{answer:?} {is_real}");
            let check = permission("events:ListRules", answer, is_real);
            assert_eq!(check.result, result, "{case}");
        }
    }
}
