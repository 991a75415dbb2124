//! `dev`: Scalr's API and the local AWS in one process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::aws_local::Limits;
use super::given;
use super::hosting::{self, Hosting, Own};
use super::loopback::{self, is_loopback};
use super::{exit, out};
use crate::clock::Clock;
use crate::companion::{Companion, Identity, OfService, WorkspaceName};
use crate::console::LocalAws;
use crate::partner::Partner;
use crate::store::{self, Durability, Installation, Place};
use crate::tls::Tls;
use crate::token::Token;

/// The AWS account that Scalr's partner sources are made from.
pub(super) const PARTNER_ACCOUNT: &str = "999900001111";
/// Longest time for one server to end after the other has.
const END: Duration = Duration::from_secs(5);

/// The region of requests that name none, where the caller names none either.
const REGION: &str = "us-east-1";

/// The shortest token: shorter texts could not be kept out of logs.
const TOKEN_CHARS_MIN: usize = 8;

/// Options that have no effect on any other AWS than the local one.
const OF_THE_LOCAL_AWS: [&str; 6] = [
    "aws_listen",
    "allow_hosts",
    "targets",
    "unknown_roles",
    "assume",
    "log_bytes_max",
];

#[derive(clap::Args)]
#[command(after_help = "Examples:
  scalr-eventbridge dev
  scalr-eventbridge dev --data-dir ./state --scalr-listen 127.0.0.1:8080 --aws-listen 127.0.0.1:4566
  scalr-eventbridge dev --workspace production/network --workspace staging/network --log info")]
pub(super) struct Args {
    #[command(flatten)]
    servers: Servers,
    /// Print one line of JSON on stdout when both answer.
    #[arg(long)]
    json: bool,
}

/// Which servers are started, where they listen, and what they keep.
#[derive(clap::Args)]
pub(super) struct Servers {
    /// Where Scalr's API listens; port 0 takes any free port.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = given::listen)]
    scalr_listen: SocketAddr,
    /// Where the local AWS listens; port 0 takes any free port.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = given::listen)]
    aws_listen: SocketAddr,
    /// Use the AWS at this URL in place of a local one: with AWS's own settings for credentials (variables, profiles
    /// and so on), or, where the URL is on loopback, as the partner account of a local AWS. A connection goes to the
    /// endpoint of its own region where the URL is one of AWS's own.
    #[arg(long, value_name = "URL", conflicts_with_all = OF_THE_LOCAL_AWS)]
    aws_endpoint: Option<String>,
    /// Keep state here, over restarts and crashes; without it, state ends with the process.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Listen on other addresses than loopback. The local AWS accepts any signature: anybody who reaches it can do anything in it.
    #[arg(long)]
    allow_remote: bool,
    /// The customer's AWS account; where it is repeated, the first is the one of the printed variables.
    #[arg(long = "account", value_name = "ID", default_value = "123456789012", value_parser = clap::builder::ValueParser::new(given::account))]
    accounts: Vec<String>,
    /// The token of Scalr's API; without it, one is made up, and kept with `--data-dir`.
    #[arg(long, value_name = "TOKEN")]
    token: Option<Token>,
    /// A workspace that there is to be, with its environment; may be repeated, and the first is the printed one.
    #[arg(long = "workspace", value_name = "ENVIRONMENT/NAME", value_parser = clap::builder::ValueParser::new(workspace))]
    workspaces: Vec<WorkspaceName>,
    /// The AWS region of requests that name none; without it, `us-east-1`.
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Take regions that this version does not know, such as one that AWS has added since: `--region`, and those of requests
    /// to the local AWS.
    #[arg(long)]
    any_region: bool,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    hosting: Hosting,
}

/// Whether the text can be a token.
fn is_token(text: &str) -> bool {
    text.len() >= TOKEN_CHARS_MIN && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The names of an environment and of a workspace in it.
fn workspace(text: &str) -> Result<WorkspaceName, String> {
    match text.split_once('/') {
        Some((environment, name)) if !environment.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok(WorkspaceName {
                environment: environment.to_owned(),
                name: name.to_owned(),
            })
        }
        _ => Err("write ENVIRONMENT/NAME, such as `production/network`".to_owned()),
    }
}

impl Servers {
    /// The account of the printed variables.
    fn account(&self) -> &str {
        self.accounts.first().map_or("", String::as_str)
    }

    fn region(&self) -> &str {
        self.region.as_deref().unwrap_or(REGION)
    }

    /// The variables by which AWS's tools find this AWS. For a real one, credentials and endpoints come from AWS's own settings,
    /// and so does the region that no option has named: a profile may have one.
    fn aws_variables(&self, endpoint: &Endpoint) -> Vec<(&'static str, String)> {
        let mut variables = Vec::new();
        if endpoint.is_local {
            variables.extend([
                ("AWS_ENDPOINT_URL", endpoint.url.clone()),
                ("AWS_ACCESS_KEY_ID", self.account().to_owned()),
                ("AWS_SECRET_ACCESS_KEY", "none".to_owned()),
            ]);
        }
        if endpoint.is_local || self.region.is_some() {
            variables.push(("AWS_REGION", self.region().to_owned()));
            // The `aws` command line, version 1, reads only this one.
            variables.push(("AWS_DEFAULT_REGION", self.region().to_owned()));
        }
        variables
    }

    /// Refuses what cannot be meant. The token is not repeated.
    fn check(&self) -> anyhow::Result<()> {
        loopback::or_allowed("--scalr-listen", self.scalr_listen, self.allow_remote)?;
        loopback::or_allowed("--aws-listen", self.aws_listen, self.allow_remote)?;
        given::known_region(self.region(), self.any_region)?;
        given::data_dir(self.data_dir.as_deref())?;
        self.hosting.check()?;
        if self.token.as_ref().is_some_and(|token| !is_token(token.reveal())) {
            return Err(exit::Failure::setting(format!(
                "`--token` cannot be used: a token has at least {TOKEN_CHARS_MIN} letters, digits and signs of ASCII, and no space"
            )));
        }
        Ok(())
    }
}

/// The directory of the state; a temporary one is deleted with this value.
enum StateDir {
    Kept(PathBuf),
    Temporary(TempDir),
}

impl StateDir {
    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(dir) => dir.path(),
        }
    }
}

/// The AWS in use.
struct Endpoint {
    url: String,
    /// A local AWS: it takes an access key id as the account, and checks no signature.
    is_local: bool,
}

/// Both servers: they listen, and answer once they are served.
pub(super) struct Opened {
    companion: Companion,
    installation: Installation,
    aws: Option<aws_local::Server>,
    endpoint: Endpoint,
    tls: Option<Tls>,
    clock: Clock,
    // The directory outlives what is in it.
    _state: StateDir,
}

pub(super) async fn main(args: Args, stop: CancellationToken) -> anyhow::Result<()> {
    let opened = open(&args.servers).await?;
    announce(&args, &opened)?;
    opened.serve(stop).await
}

/// Opens the state and both listeners. From here on clients may connect.
pub(super) async fn open(args: &Servers) -> anyhow::Result<Opened> {
    args.check()?;
    let state = match &args.data_dir {
        Some(dir) => StateDir::Kept(dir.clone()),
        None => StateDir::Temporary(tempfile::Builder::new().prefix("scalr-eventbridge-").tempdir()?),
    };
    let aws_endpoint = super::aws::not_scalrs(args.aws_endpoint.as_deref()).await?;
    // Before anything else in the directory is used.
    let lock = store::lock(state.path())?;
    let aws = local_aws(args).await?;
    let endpoint = match (aws_endpoint, &aws) {
        (Some(url), _) => Endpoint {
            is_local: is_loopback(&url),
            url,
        },
        (None, Some(server)) => Endpoint {
            url: format!("http://{}", server.local_addr()),
            is_local: true,
        },
        (None, None) => bail!("no AWS is configured"),
    };
    let durability = if args.data_dir.is_some() {
        Durability::Disk
    } else {
        Durability::None
    };
    // One clock for both: what is moved with `POST /_local/clock` moves what the companion holds as well.
    let clock = Clock::system(aws.as_ref().map_or(0, |aws| *aws.clock_offset_ms().borrow()));
    let own = Own {
        listen: args.scalr_listen,
        place: Place::Directory(lock),
        dir: Some(state.path()),
        durability,
        partner: if endpoint.is_local {
            Partner::local(&endpoint.url, PARTNER_ACCOUNT)
        } else {
            Partner::real(Some(&endpoint.url), args.region()).await
        },
        clock: clock.clone(),
        aws: aws.as_ref().map(|server| {
            let endpoint = format!("http://{}", server.local_addr());
            LocalAws::new(&endpoint, args.account(), args.region())
        }),
        metrics_listen: None,
        identity: Identity::Dev {
            token: args.token.clone(),
            workspaces: &args.workspaces,
        },
    };
    let opened = args.hosting.open(own).await;
    let (companion, tls) = opened.map_err(|error| of_service(error, state.path()))?;
    let installation = companion.installation().cloned();
    let installation = installation.context("the companion of `dev` has no account")?;
    Ok(Opened {
        companion,
        installation,
        aws,
        endpoint,
        tls,
        clock,
        _state: state,
    })
}

/// A service's data directory is a setting to change; any other error stays.
fn of_service(error: anyhow::Error, dir: &Path) -> anyhow::Error {
    if error.is::<OfService>() {
        return exit::Failure::setting(format!(
            "`{}` (`--data-dir`) is a data directory of `scalr-eventbridge serve`, with its accounts: name another, or open it with \
             `serve`",
            dir.display()
        ));
    }
    error
}

impl Opened {
    /// Serves until stopped. The state is closed, and deleted where it is temporary, before this returns.
    pub(super) async fn serve(self, stop: CancellationToken) -> anyhow::Result<()> {
        let moved = self.aws.as_ref().map(aws_local::Server::clock_offset_ms);
        tokio::select! {
            ended = Box::pin(serve(self.companion, self.aws, stop)) => ended,
            never = follow(moved, &self.clock) => never,
        }
    }

    /// What the local AWS or Scalr's API was seeded with.
    pub(super) fn installation(&self) -> &Installation {
        &self.installation
    }

    /// Whether the AWS in use takes any credentials.
    pub(super) fn has_local_aws(&self) -> bool {
        self.endpoint.is_local
    }

    fn hostname(&self) -> String {
        hosting::hostname(&self.companion, self.tls.as_ref())
    }

    /// The variables by which terraform, tofu, the aws command line and this program find both.
    pub(super) fn variables(&self, args: &Servers) -> Vec<(&'static str, String)> {
        let token = self.installation.token.reveal().to_owned();
        let mut variables = vec![("SCALR_HOSTNAME", self.hostname()), ("SCALR_TOKEN", token)];
        if let Some(tls) = &self.tls {
            variables.push(("SSL_CERT_FILE", tls.trusted_file.display().to_string()));
        }
        variables.extend(args.aws_variables(&self.endpoint));
        variables
    }
}

/// Moves the companion's clock whenever the local AWS's is moved; never ends.
async fn follow<T>(moved: Option<watch::Receiver<i64>>, clock: &Clock) -> T {
    if let Some(mut moved) = moved {
        let mut at_ms = *moved.borrow_and_update();
        while moved.changed().await.is_ok() {
            let to_ms = *moved.borrow_and_update();
            clock.advance(to_ms - at_ms);
            at_ms = to_ms;
        }
    }
    std::future::pending().await
}

async fn local_aws(args: &Servers) -> anyhow::Result<Option<aws_local::Server>> {
    if args.aws_endpoint.is_some() {
        return Ok(None);
    }
    let config = aws_local::Config {
        listen: args.aws_listen,
        data_dir: args.data_dir.as_ref().map(|dir| dir.join("aws")),
        account: args.account().to_owned(),
        region: args.region().to_owned(),
        check_region: given::region_check(args.any_region),
        allow_remote: args.allow_remote,
        allow_hosts: args.limits.allow_hosts.clone(),
        unknown_roles: args.limits.unknown_roles.into(),
        assumptions: args.limits.assumptions.all(),
        targets: args.limits.targets.clone(),
        log_bytes_max: args.limits.log_bytes_max,
        ..aws_local::Config::default()
    };
    Ok(Some(aws_local::Server::bind(config).await?))
}

/// Runs both; when either ends, so does the other.
async fn serve(
    companion: Companion,
    aws: Option<aws_local::Server>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    // AWS ends last, so that the delivery receives its last answers.
    let aws_stop = CancellationToken::new();
    let local = async {
        let ended = aws_stop.clone().cancelled_owned();
        if let Some(server) = aws {
            return server.run(ended).await.map_err(anyhow::Error::from);
        }
        ended.await;
        Ok(())
    };
    let scalr = companion.run(stop.clone());
    tokio::pin!(local, scalr);
    tokio::select! {
        ended = &mut scalr => {
            aws_stop.cancel();
            let local = tokio::time::timeout(END, local).await;
            ended?;
            local.unwrap_or(Ok(()))
        }
        ended = &mut local => {
            stop.cancel();
            let _ = tokio::time::timeout(END, scalr).await;
            ended
        }
    }
}

fn announce(args: &Args, opened: &Opened) -> anyhow::Result<()> {
    let seeded = opened.installation();
    if !args.json {
        return Ok(out::line(&human(&args.servers, opened))?);
    }
    if let Some(tls) = &opened.tls {
        out::complain(&format!("The certificate's authority: {}", tls.ca_file.display()));
    }
    // The members' order is documented, and serde_json would sort them, so each level is written by hand.
    let text = |value: &str| json!(value).to_string();
    Ok(out::line(&format!(
        "{{\"scalr\":{{\"hostname\":{},\"token\":{},\"account_id\":{},\"account_name\":{},\"environment_id\":{},\
         \"workspace_id\":{}}},\"aws\":{{\"endpoint\":{},\"account_id\":{},\"partner_account_id\":{},\"region\":{}}},\"console\":{{\"url\":{}}}}}",
        text(&opened.hostname()),
        text(seeded.token.reveal()),
        text(seeded.account_id.as_str()),
        text(&seeded.account_name),
        text(seeded.environment_id.as_str()),
        text(seeded.workspace_id.as_str()),
        text(&opened.endpoint.url),
        text(args.servers.account()),
        // With AWS's own settings the account is not known before the first call.
        json!(opened.endpoint.is_local.then_some(PARTNER_ACCOUNT)),
        text(args.servers.region()),
        json!(args.servers.hosting.console_url(&opened.hostname())),
    ))?)
}

fn human(args: &Servers, opened: &Opened) -> String {
    let seeded = opened.installation();
    let state = match &args.data_dir {
        Some(dir) => format!("kept in {}", dir.display()),
        None => "gone when this ends".to_owned(),
    };
    let exports: Vec<_> = opened
        .variables(args)
        .iter()
        .map(|(name, value)| format!("export {name}={value}"))
        .collect();
    let console = opened.companion.console.as_ref().map(|console| {
        let link = console.link(&opened.hostname());
        format!("Console {link}\n        (signs in once, within 60 seconds; after that with the token)\n")
    });
    let console = console.unwrap_or_default();
    format!(
        "Scalr   {hostname}   account {account} ({name}), environment {environment}, workspace {workspace}\n\
         AWS     {endpoint}   account {aws_account}, region {region}\n\
         State   {state}\n\
         {console}\
         \n\
         For terraform, tofu, the aws CLI and this program in another terminal:\n\
         \n\
         {exports}\n\
         \n\
         Try: scalr-eventbridge run {workspace}\n\
         Ctrl-C ends it.",
        hostname = opened.hostname(),
        account = seeded.account_id,
        name = seeded.account_name,
        environment = seeded.environment_id,
        workspace = seeded.workspace_id,
        endpoint = opened.endpoint.url,
        aws_account = args.accounts.join(", "),
        region = args.region(),
        exports = exports.join("\n"),
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        servers: Servers,
    }

    #[test]
    fn variables_lead_to_a_local_aws_and_leave_a_real_one_to_its_own_settings() {
        const LOCAL: &str = "http://127.0.0.1:4566";
        const REAL: &str = "https://events.eu-west-1.amazonaws.com";
        let to_local = |region| {
            vec![
                ("AWS_ENDPOINT_URL", LOCAL),
                ("AWS_ACCESS_KEY_ID", "123456789012"),
                ("AWS_SECRET_ACCESS_KEY", "none"),
                ("AWS_REGION", region),
                ("AWS_DEFAULT_REGION", region),
            ]
        };
        let region = [("AWS_REGION", "eu-west-1"), ("AWS_DEFAULT_REGION", "eu-west-1")];
        for (url, words, wanted) in [
            (LOCAL, &[][..], to_local("us-east-1")),
            (LOCAL, &["--region", "eu-west-1"], to_local("eu-west-1")),
            (REAL, &[], vec![]),
            (REAL, &["--region", "eu-west-1"], region.to_vec()),
        ] {
            let line = Line::parse_from([&["dev"], words].concat());
            let endpoint = Endpoint {
                url: url.to_owned(),
                is_local: is_loopback(url),
            };
            let found = line.servers.aws_variables(&endpoint);
            let found: Vec<_> = found
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            assert_eq!(found, wanted, "{url} {words:?}");
        }
    }
}
