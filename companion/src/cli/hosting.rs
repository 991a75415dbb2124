//! What `dev` and `serve` have in common: the options of Scalr's side, and how it is opened.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use tokio::net::TcpListener;

use super::exit::Failure;
use crate::clock::Clock;
use crate::companion::{Companion, Config, ConsoleConfig, Identity};
use crate::console::{self, LocalAws, PublicUrl};
use crate::partner::Partner;
use crate::store::{Bounds, Durability, Place};
use crate::tls::{self, Tls};

/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// How Scalr's side is served, and what it keeps.
#[derive(clap::Args)]
pub(super) struct Hosting {
    /// Serve Scalr's API over https, with a certificate made here; its authority's file is printed.
    #[arg(long)]
    tls: bool,
    /// A name or address that the certificate is for, beside `localhost` and the address listened on; may be repeated.
    #[arg(long, value_name = "NAME")]
    tls_name: Vec<String>,
    /// Drop events that were held for longer than this.
    #[arg(long, value_name = "HOURS", default_value_t = 336, allow_hyphen_values = true, value_parser = clap::value_parser!(u32).range(1..))]
    hold_hours_max: u32,
    /// Drop a connection's oldest events beyond this many bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 64 * 1024 * 1024)]
    hold_bytes_max: u32,
    /// Stop asking AWS again to take an event that it does not take, though it takes the call, after this long: the event has failed
    /// then, and is kept until `deliveries redeliver` or `deliveries purge`.
    #[arg(long, value_name = "HOURS", default_value_t = 24, allow_hyphen_values = true, value_parser = clap::value_parser!(u32).range(1..))]
    retry_hours_max: u32,
    /// Keep delivered events for this long, to send them again with `deliveries redeliver`; 0 keeps none once it is confirmed.
    #[arg(long, value_name = "HOURS", default_value_t = 168)]
    history_hours: u32,
    /// Keep up to this many bytes of a connection's delivered events; the oldest go first. Failed ones are not counted, and stay.
    #[arg(long, value_name = "BYTES", default_value_t = 1024 * 1024 * 1024)]
    history_bytes_max: u32,
    /// Make up to this many calls to AWS at a time in each region. A call takes up to 20 events; to event buses of your own, 10 or 100.
    #[arg(long, value_name = "CALLS", default_value_t = 8, allow_hyphen_values = true, value_parser = clap::value_parser!(u8).range(1..=64))]
    region_calls_max: u8,
    /// Serve no console.
    #[arg(long)]
    no_console: bool,
    /// A host name that the console answers for, beside loopback's; may be repeated.
    #[arg(long, value_name = "NAME")]
    console_host: Vec<String>,
    /// The address at which browsers open the console through a proxy with TLS, such as `https://events.example.com`.
    #[arg(long, value_name = "URL", value_parser = public_url)]
    console_url: Option<PublicUrl>,
}

/// The address of the console behind a proxy.
fn public_url(text: &str) -> Result<PublicUrl, String> {
    PublicUrl::new(text).ok_or_else(|| {
        "write the address without a path, such as `https://events.example.com`; the console is below it at `/console`".to_owned()
    })
}

/// What the two commands decide by themselves.
pub(super) struct Own<'a> {
    pub(super) listen: SocketAddr,
    /// Where figures and health are answered without a token.
    pub(super) metrics_listen: Option<SocketAddr>,
    pub(super) place: Place,
    /// Where the certificate is, with `--tls`.
    pub(super) dir: Option<&'a Path>,
    pub(super) durability: Durability,
    pub(super) partner: Partner,
    pub(super) clock: Clock,
    /// The local AWS of this process.
    pub(super) aws: Option<LocalAws>,
    pub(super) identity: Identity<'a>,
}

impl Hosting {
    /// How many bytes a connection holds at most.
    pub(super) fn held_bytes_max(&self) -> u64 {
        u64::from(self.hold_bytes_max)
    }

    /// Refuses what cannot be meant together, wherever it is set.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if !self.tls && !self.tls_name.is_empty() {
            return Err(Failure::setting(
                "`tls-name` (`--tls-name`) is for a certificate, and there is none: give `--tls` too",
            ));
        }
        let of_console = [
            ("console-host", !self.console_host.is_empty()),
            ("console-url", self.console_url.is_some()),
        ];
        let given = of_console.into_iter().find(|(_, is_given)| *is_given);
        if let Some((name, _)) = given.filter(|_| self.no_console) {
            return Err(Failure::setting(format!(
                "`{name}` (`--{name}`) is for the console, which `--no-console` switches off: leave one of them out"
            )));
        }
        Ok(())
    }

    /// Opens the state and the listener. From here on clients may connect.
    pub(super) async fn open(&self, own: Own<'_>) -> anyhow::Result<(Companion, Option<Tls>)> {
        let listener = TcpListener::bind(own.listen)
            .await
            .with_context(|| format!("cannot listen on `{}`", own.listen))?;
        let metrics = match own.metrics_listen {
            Some(addr) => Some(
                TcpListener::bind(addr)
                    .await
                    .with_context(|| format!("cannot listen on `{addr}` (`--metrics-listen`)"))?,
            ),
            None => None,
        };
        let tls = self.certificate(own.listen, own.dir)?;
        let companion = Companion::open(Config {
            place: own.place,
            durability: own.durability,
            bounds: Bounds {
                bytes_max: i64::from(self.hold_bytes_max),
                age_ms_max: i64::from(self.hold_hours_max) * HOUR_MS,
                retry_ms_max: i64::from(self.retry_hours_max) * HOUR_MS,
                history_ms: i64::from(self.history_hours) * HOUR_MS,
                history_bytes_max: i64::from(self.history_bytes_max),
            },
            calls_max: usize::from(self.region_calls_max),
            listener,
            metrics,
            tls: tls.as_ref().map(|tls| tls.acceptor.clone()),
            partner: own.partner,
            clock: own.clock,
            console: (!self.no_console).then(|| ConsoleConfig {
                aws: own.aws,
                // The console is opened at a host of the certificate too.
                hosts: [&self.console_host[..], &self.tls_name].concat(),
                public: self.console_url.clone(),
            }),
            identity: own.identity,
        })
        .await?;
        Ok((companion, tls))
    }

    /// The certificate for the names that clients know this machine by, if Scalr's API is served over TLS.
    fn certificate(&self, listen: SocketAddr, dir: Option<&Path>) -> anyhow::Result<Option<Tls>> {
        if !self.tls {
            return Ok(None);
        }
        let dir = dir.ok_or_else(|| {
            Failure::setting(
                "`--tls` makes a certificate, and there is no directory to keep it in: give `--data-dir` too",
            )
        })?;
        let mut names = self.tls_name.clone();
        let ip = listen.ip();
        names.extend((!ip.is_unspecified()).then(|| ip.to_string()));
        Ok(Some(tls::open(dir, &names, &tls::of_system())?))
    }
}

impl Hosting {
    /// Where browsers open the console, if there is one, at a companion with this address.
    pub(super) fn console_url(&self, hostname: &str) -> Option<String> {
        let base = self.console_url.as_ref().map_or(hostname, PublicUrl::as_str);
        (!self.no_console).then(|| format!("{base}{}", console::BASE))
    }
}

/// The address that clients are given.
pub(super) fn hostname(companion: &Companion, tls: Option<&Tls>) -> String {
    let scheme = if tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{}", companion.addr)
}
