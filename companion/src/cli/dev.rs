//! `dev`: Scalr's API and the local AWS in one process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::loopback::is_loopback;
use super::out;
use crate::clock::Clock;
use crate::companion::{Companion, Config, ConsoleConfig};
use crate::console::{self, LocalAws};
use crate::partner::Partner;
use crate::store::{self, Bounds, Durability};
use crate::tls::{self, Tls};

/// The AWS account that Scalr's partner sources are made from.
const PARTNER_ACCOUNT: &str = "999900001111";
/// Longest time for one server to end after the other has.
const END: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub(super) struct Args {
    /// Where Scalr's API listens; port 0 takes any free port.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    scalr_listen: SocketAddr,
    /// Where the local AWS listens; port 0 takes any free port.
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:0",
        conflicts_with = "aws_endpoint"
    )]
    aws_listen: SocketAddr,
    /// Use the AWS at this URL in place of a local one: with AWS's own settings for credentials (variables, profiles
    /// and so on), or, where the URL is on loopback, as the partner account of a local AWS. A connection goes to the
    /// endpoint of its own region where the URL is one of AWS's own.
    #[arg(long, value_name = "URL")]
    aws_endpoint: Option<String>,
    /// Keep state here, over restarts and crashes; without it, state ends with the process.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Serve Scalr's API over https, with a certificate made here; its authority's file is printed.
    #[arg(long)]
    tls: bool,
    /// A name or address that the certificate is for, beside `localhost` and the address listened on; may be repeated.
    #[arg(long, value_name = "NAME", requires = "tls")]
    tls_name: Vec<String>,
    /// Print one line of JSON on stdout when both answer.
    #[arg(long)]
    json: bool,
    /// Listen beyond loopback. The local AWS takes any signature: whoever reaches it may do anything in it.
    #[arg(long)]
    allow_remote: bool,
    /// The customer's AWS account.
    #[arg(long, value_name = "ID", default_value = "123456789012")]
    account: String,
    /// The AWS region of requests that name none.
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    region: String,
    /// Drop events that were held for longer than this.
    #[arg(long, value_name = "HOURS", default_value_t = 336, value_parser = clap::value_parser!(u32).range(1..))]
    hold_hours_max: u32,
    /// Drop a connection's oldest events beyond this many bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 64 * 1024 * 1024)]
    hold_bytes_max: u32,
    /// What all log events of the local AWS may take in memory, estimated; beyond that the oldest are dropped.
    #[arg(long, value_name = "BYTES", default_value_t = 256 * 1024 * 1024, conflicts_with = "aws_endpoint")]
    log_bytes_max: u64,
    #[command(flatten)]
    console: ConsoleArgs,
}

#[derive(clap::Args)]
struct ConsoleArgs {
    /// Serve no console.
    #[arg(long)]
    no_console: bool,
    /// A host name that the console answers for, beside loopback's; may be repeated.
    #[arg(long, value_name = "NAME", conflicts_with = "no_console")]
    console_host: Vec<String>,
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

pub(super) async fn main(args: Args, stop: CancellationToken) -> anyhow::Result<()> {
    ensure!(
        args.scalr_listen.ip().is_loopback() || args.allow_remote,
        "`{}` is reachable from other machines; say `--allow-remote` if you mean it",
        args.scalr_listen
    );
    let state = match &args.data_dir {
        Some(dir) => StateDir::Kept(dir.clone()),
        None => StateDir::Temporary(tempfile::Builder::new().prefix("scalr-eventbridge-").tempdir()?),
    };
    // Before anything else in the directory is used.
    let lock = store::lock(state.path())?;
    let aws = local_aws(&args).await?;
    let endpoint = match (&args.aws_endpoint, &aws) {
        (Some(url), _) => Endpoint {
            url: url.trim_end_matches('/').to_owned(),
            is_local: is_loopback(url),
        },
        (None, Some(server)) => Endpoint {
            url: format!("http://{}", server.local_addr()),
            is_local: true,
        },
        (None, None) => bail!("no AWS is configured"),
    };
    let listener = TcpListener::bind(args.scalr_listen)
        .await
        .with_context(|| format!("cannot listen on `{}`", args.scalr_listen))?;
    let durability = if args.data_dir.is_some() {
        Durability::Disk
    } else {
        Durability::None
    };
    let tls = certificate(&args, state.path())?;
    // One clock for both: what is moved with `POST /_local/clock` moves what the companion holds as well.
    let moved = aws.as_ref().map(aws_local::Server::clock_offset_ms);
    let clock = Clock::system(moved.as_ref().map_or(0, |moved| *moved.borrow()));
    let companion = Companion::open(Config {
        clock: clock.clone(),
        dir: state.path(),
        lock,
        durability,
        bounds: Bounds {
            bytes_max: i64::from(args.hold_bytes_max),
            age_ms_max: i64::from(args.hold_hours_max) * 3_600_000,
        },
        listener,
        tls: tls.as_ref().map(|tls| tls.acceptor.clone()),
        console: console(&args, aws.as_ref()),
        partner: if endpoint.is_local {
            Partner::local(&endpoint.url, PARTNER_ACCOUNT)
        } else {
            Partner::real(&endpoint.url, &args.region).await
        },
    })
    .await?;
    announce(&args, &companion, &endpoint, tls.as_ref())?;
    tokio::select! {
        ended = Box::pin(serve(companion, aws, stop)) => ended,
        never = follow(moved, &clock) => never,
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

/// The certificate for the names that clients know this machine by, if Scalr's API is served over TLS.
fn certificate(args: &Args, dir: &Path) -> anyhow::Result<Option<Tls>> {
    if !args.tls {
        return Ok(None);
    }
    let mut names = args.tls_name.clone();
    let ip = args.scalr_listen.ip();
    names.extend((!ip.is_unspecified()).then(|| ip.to_string()));
    Ok(Some(tls::open(dir, &names)?))
}

/// The console, which has the pages of AWS's side where AWS is in this process.
fn console(args: &Args, aws: Option<&aws_local::Server>) -> Option<ConsoleConfig> {
    let aws = aws.map(|server| {
        let endpoint = format!("http://{}", server.local_addr());
        LocalAws::new(&endpoint, &args.account, &args.region)
    });
    (!args.console.no_console).then(|| ConsoleConfig {
        aws,
        hosts: args.console.console_host.clone(),
    })
}

async fn local_aws(args: &Args) -> anyhow::Result<Option<aws_local::Server>> {
    if args.aws_endpoint.is_some() {
        return Ok(None);
    }
    let config = aws_local::Config {
        listen: args.aws_listen,
        data_dir: args.data_dir.as_ref().map(|dir| dir.join("aws")),
        account: args.account.clone(),
        region: args.region.clone(),
        allow_remote: args.allow_remote,
        log_bytes_max: args.log_bytes_max,
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
        () = &mut scalr => {
            aws_stop.cancel();
            let local = tokio::time::timeout(END, local).await;
            local.unwrap_or(Ok(()))
        }
        ended = &mut local => {
            stop.cancel();
            let _ = tokio::time::timeout(END, scalr).await;
            ended
        }
    }
}

fn announce(
    args: &Args,
    companion: &Companion,
    endpoint: &Endpoint,
    tls: Option<&Tls>,
) -> anyhow::Result<()> {
    let scheme = if tls.is_some() { "https" } else { "http" };
    let hostname = format!("{scheme}://{}", companion.addr);
    let seeded = &companion.installation;
    if !args.json {
        return Ok(out::line(&human(args, companion, &hostname, endpoint, tls))?);
    }
    if let Some(tls) = tls {
        out::complain(&format!("The certificate's authority: {}", tls.ca_file.display()));
    }
    // The members' order is documented, and serde_json would sort them, so each level is written by hand.
    let text = |value: &str| json!(value).to_string();
    Ok(out::line(&format!(
        "{{\"scalr\":{{\"hostname\":{},\"token\":{},\"account_id\":{},\"account_name\":{},\"environment_id\":{},\
         \"workspace_id\":{}}},\"aws\":{{\"endpoint\":{},\"account_id\":{},\"partner_account_id\":{},\"region\":{}}},\"console\":{{\"url\":{}}}}}",
        text(&hostname),
        text(seeded.token.reveal()),
        text(seeded.account_id.as_str()),
        text(&seeded.account_name),
        text(seeded.environment_id.as_str()),
        text(seeded.workspace_id.as_str()),
        text(&endpoint.url),
        text(&args.account),
        // With AWS's own settings the account is not known before the first call.
        json!(endpoint.is_local.then_some(PARTNER_ACCOUNT)),
        text(&args.region),
        json!(
            companion
                .console
                .as_ref()
                .map(|_| format!("{hostname}{}", console::BASE))
        ),
    ))?)
}

fn human(args: &Args, companion: &Companion, hostname: &str, aws: &Endpoint, tls: Option<&Tls>) -> String {
    let seeded = &companion.installation;
    let trust = tls
        .map(|tls| format!("export SSL_CERT_FILE={}\n", tls.ca_file.display()))
        .unwrap_or_default();
    let endpoint = &aws.url;
    let settings = if aws.is_local {
        format!(
            "export AWS_ENDPOINT_URL={endpoint}\n\
             export AWS_ACCESS_KEY_ID={account} AWS_SECRET_ACCESS_KEY=none AWS_REGION={region} AWS_DEFAULT_REGION={region}",
            account = args.account,
            region = args.region,
        )
    } else {
        // Credentials and endpoints come from AWS's own settings.
        format!(
            "export AWS_REGION={region} AWS_DEFAULT_REGION={region}",
            region = args.region
        )
    };
    let state = match &args.data_dir {
        Some(dir) => format!("kept in {}", dir.display()),
        None => "gone when this ends".to_owned(),
    };
    let console = companion.console.as_ref().map(|console| {
        let link = console.link(hostname);
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
         export SCALR_HOSTNAME={hostname}\n\
         export SCALR_TOKEN={token}\n\
         {trust}\
         {settings}\n\
         \n\
         Try: scalr-eventbridge run {workspace}\n\
         Ctrl-C ends it.",
        account = seeded.account_id,
        name = seeded.account_name,
        environment = seeded.environment_id,
        workspace = seeded.workspace_id,
        token = seeded.token.reveal(),
        aws_account = args.account,
        region = args.region,
    )
}
