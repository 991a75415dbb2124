//! `serve`: Scalr's side as a service: any number of accounts, AWS itself, and no run that is made up.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::exit::Failure;
use super::hosting::{Hosting, Own, hostname};
use super::loopback::is_loopback;
use super::{aws, dev, given, out};
use crate::clock::Clock;
use crate::companion::{Companion, Identity};
use crate::event_bus::{EventBus, EventBuses, NoBusArn};
use crate::partner::Partner;
use crate::store::{self, Durability, Place, Server};
use crate::tls::Tls;
use crate::token::Token;
use crate::{error_chain, traces};

/// The region that credentials are looked for in where nothing names one; each connection has a region of its own.
pub(super) const REGION: &str = "us-east-1";

#[derive(clap::Args)]
#[command(after_help = "Examples:
  scalr-eventbridge serve --config /etc/scalr-eventbridge.toml
  scalr-eventbridge serve --data-dir /var/lib/scalr-eventbridge
  scalr-eventbridge serve --data-dir /var/lib/scalr-eventbridge --listen 0.0.0.0:8443 --allow-remote --tls --tls-name events.example.com
  scalr-eventbridge serve --data-dir ./state --new-operator-token
  scalr-eventbridge serve --database-url 'postgres://events@db.example.com/events?sslmode=verify-full'

Each option below is also a variable and a key of the file: an option wins over its variable, the variable over the file. --print-config
shows each setting and where it comes from.

The first start prints an operator's token, once. `accounts create` and `tokens create` need it.

SIGTERM and Ctrl-C end it: no connection is taken any more, and requests and deliveries under way are finished.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Args {
    /// Read settings from this file (TOML): `data-dir = "…"` for `--data-dir`, and so on; a relative path in it is relative to the file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print each setting with its value and where that comes from, and end.
    #[arg(long)]
    print_config: bool,
    /// Keep state here. The directory is used by one process at a time.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Keep state in this PostgreSQL database instead (`postgres://USER@HOST:5432/DATABASE`), which is used by one process at a time. Its
    /// password is better in `PGPASSWORD` or in the file that `PGPASSFILE` names than here.
    #[arg(long, value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
    /// Where the API and the console listen; port 0 takes any free port.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = given::listen)]
    listen: SocketAddr,
    /// Listen on other addresses than loopback.
    #[arg(long)]
    allow_remote: bool,
    /// Use the AWS at this URL, such as a local one; without it, AWS itself. Credentials are AWS's own settings (variables,
    /// profiles and so on), those of the partner's account; on loopback they are a local AWS's partner account.
    #[arg(long, value_name = "URL")]
    aws_endpoint: Option<String>,
    /// Put events to the event bus with this ARN, Classic or custom, in place of partner event sources: for those who are no partner of
    /// AWS's. May be repeated, once a region; a connection then names the region and the AWS account of one of them.
    #[arg(long, value_name = "BUS_ARN", value_parser = event_bus)]
    put_events_to: Vec<EventBus>,
    /// Answer `/metrics`, `/healthz` and `/readyz` here too, over http and without a token; port 0 takes any free port.
    #[arg(long, value_name = "ADDR", value_parser = given::listen)]
    metrics_listen: Option<SocketAddr>,
    /// Send traces of events to the OpenTelemetry collector at this URL, by OTLP over HTTP (`/v1/traces` is added). Headers for it, such as
    /// a token, are in `OTEL_EXPORTER_OTLP_HEADERS`.
    #[arg(long, value_name = "URL")]
    otlp_endpoint: Option<String>,
    /// Take this share of all traces, from 0 to 1: of an event all spans, or none.
    #[arg(long, value_name = "SHARE", default_value = "1", value_parser = given::share)]
    traces_share: f64,
    /// Start runs that are made up (`POST /runs`), for trials: each account then has a workspace.
    #[arg(long)]
    simulate_runs: bool,
    /// Make one more operator's token and print it, such as when the first is lost.
    #[arg(long)]
    new_operator_token: bool,
    /// Print one line of JSON on stdout when it answers; with `--print-config`, the settings.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    hosting: Hosting,
}

impl Args {
    /// Where its state is, if not on a server.
    pub(super) fn data_dir(&self) -> anyhow::Result<&Path> {
        self.data_dir.as_deref().ok_or_else(|| {
            Failure::setting(
                "nothing says where the state is kept: give a directory (`--data-dir`), or a PostgreSQL database (`--database-url`)",
            )
        })
    }

    /// The PostgreSQL database that its state is in.
    pub(super) fn server(&self) -> anyhow::Result<Option<Server>> {
        let read = self.database_url.as_deref().map(Server::read).transpose();
        read.map_err(|why| Failure::setting(format!("`database-url` (`--database-url`): {why}")))
    }

    /// The AWS that it uses in place of AWS itself.
    pub(super) fn aws_endpoint(&self) -> Option<&str> {
        self.aws_endpoint.as_deref()
    }

    /// How many bytes a connection holds at most.
    pub(super) fn held_bytes_max(&self) -> u64 {
        self.hosting.held_bytes_max()
    }

    /// The partner's side of the AWS at this endpoint, or of AWS itself; or that of who puts events to event buses there.
    pub(super) async fn partner(&self, endpoint: Option<&str>) -> anyhow::Result<Partner> {
        let of_bus = self.put_events_to.first();
        let partner = match endpoint {
            Some(url) if is_loopback(url) => {
                Partner::local(url, of_bus.map_or(dev::PARTNER_ACCOUNT, |bus| &bus.account))
            }
            endpoint => Partner::real(endpoint, of_bus.map_or(REGION, |bus| &bus.region)).await,
        };
        Ok(partner.putting_to(self.buses()?))
    }

    fn buses(&self) -> anyhow::Result<EventBuses> {
        EventBuses::new(&self.put_events_to)
            .map_err(|why| Failure::setting(format!("`put-events-to` (`--put-events-to`): {why}")))
    }

    /// Where traces are sent, if they are.
    fn traces(&self) -> anyhow::Result<Option<traces::Settings>> {
        let Some(endpoint) = &self.otlp_endpoint else {
            return Ok(None);
        };
        let is_url = reqwest::Url::parse(endpoint).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
        });
        if !is_url {
            return Err(Failure::setting(format!(
                "`{}` (`--otlp-endpoint`) is no address of a collector: write a URL without a user, such as `http://127.0.0.1:4318`",
                aws::without_user(endpoint).escape_debug()
            )));
        }
        Ok(Some(traces::Settings {
            endpoint: endpoint.clone(),
            is_near: is_loopback(endpoint),
            ratio: self.traces_share,
        }))
    }

    fn may_listen(&self, addr: SocketAddr) -> bool {
        addr.ip().is_loopback() || self.allow_remote
    }

    /// Refuses what cannot be meant.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.server()?.is_none() {
            self.data_dir()?;
        }
        given::data_dir(self.data_dir.as_deref())?;
        self.hosting.check()?;
        self.buses()?;
        self.traces()?;
        if let Some(addr) = self.metrics_listen.filter(|addr| !self.may_listen(*addr)) {
            return Err(Failure::setting(format!(
                "`{addr}` (`--metrics-listen`) is reachable from other machines, and takes no token: listen on `127.0.0.1:{}`, or give \
                 `--allow-remote`",
                addr.port()
            )));
        }
        if self.may_listen(self.listen) {
            return Ok(());
        }
        Err(Failure::setting(format!(
            "`{}` (`--listen`) is reachable from other machines: listen on `127.0.0.1:{}` behind a proxy with TLS, or give `--allow-remote`, \
             and `--tls` unless such a proxy is in front",
            self.listen,
            self.listen.port()
        )))
    }
}

/// An event bus by its ARN.
fn event_bus(arn: &str) -> Result<EventBus, NoBusArn> {
    arn.parse()
}

pub(super) async fn main(args: Args, stop: CancellationToken) -> anyhow::Result<()> {
    args.check()?;
    let endpoint = aws::not_scalrs(args.aws_endpoint.as_deref()).await?;
    // Before anything else in the directory is used.
    let (place, kept) = if let Some(server) = args.server()? {
        let kept = server.to_string();
        (Place::Server(Box::new(server)), kept)
    } else {
        let dir = args.data_dir()?;
        (Place::Directory(store::lock(dir)?), dir.display().to_string())
    };
    let partner = args.partner(endpoint.as_deref()).await?;
    if let Some(settings) = args.traces()? {
        traces::start(&settings).map_err(|error| {
            let why = error_chain::with_causes(&error);
            Failure::setting(format!(
                "traces cannot be sent to `{}` (`--otlp-endpoint`): {why}",
                settings.endpoint
            ))
        })?;
    }
    let own = Own {
        listen: args.listen,
        metrics_listen: args.metrics_listen,
        place,
        dir: args.data_dir.as_deref(),
        durability: Durability::Disk,
        partner,
        clock: Clock::system(0),
        aws: None,
        identity: Identity::Service {
            simulates_runs: args.simulate_runs,
            new_operator_token: args.new_operator_token,
        },
    };
    let (companion, tls) = args.hosting.open(own).await?;
    announce(&args, &companion, (tls.as_ref(), &kept))?;
    let ended = Box::pin(companion.run(stop)).await;
    tokio::task::spawn_blocking(traces::end).await?;
    Ok(ended?)
}

fn announce(args: &Args, companion: &Companion, (tls, kept): (Option<&Tls>, &str)) -> anyhow::Result<()> {
    let hostname = hostname(companion, tls);
    let token = companion.operator_token().map(Token::reveal);
    let console = args.hosting.console_url(&hostname);
    let ca_file = tls.map(|tls| tls.ca_file.display().to_string());
    let figures = companion
        .metrics_addr
        .map(|addr| format!("http://{addr}/metrics"));
    if args.json {
        return Ok(out::line(
            &json!({
                "hostname": hostname, "operator_token": token, "console": { "url": console }, "ca_file": ca_file,
                "metrics": { "url": figures },
            })
            .to_string(),
        )?);
    }
    let mut lines = vec![format!("Scalr   {hostname}"), format!("State   kept in {kept}")];
    lines.extend(console.map(|url| format!("Console {url}   (sign in with a token of an account)")));
    lines.extend(figures.map(|url| format!("Metrics {url}   (no token)")));
    lines.extend(ca_file.map(|file| format!("TLS     the certificate's authority is {file}")));
    if let Some(token) = token {
        lines.push(format!(
            "\nThe operator's token, which is not shown again:\n\n\
             export SCALR_HOSTNAME={hostname}\nexport SCALR_TOKEN={token}\n\n\
             Next: scalr-eventbridge accounts create NAME\n      \
             scalr-eventbridge tokens create terraform --account NAME"
        ));
    }
    Ok(out::line(&lines.join("\n"))?)
}
