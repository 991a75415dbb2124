//! The public face: configure, bind, run.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::config::Config;
use crate::engine::{Engine, Jobs};
use crate::http::carrier::Carrier;
use crate::http::serve::serve;
use crate::journal::DataError;

/// How often timers are checked.
const TICK: Duration = Duration::from_millis(100);

/// Why the local AWS did not start or had to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address asked for is reachable from other machines.
    #[error(
        "`{0}` is not a loopback address, and the local AWS accepts any signature; allow remote access explicitly"
    )]
    NotLoopback(SocketAddr),
    /// The default account is not an AWS account id.
    #[error("`{0}` is not an account id: 12 digits are needed")]
    Account(String),
    /// The address could not be listened on.
    #[error("cannot listen on `{addr}`")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The data directory cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
}

/// A bound local AWS, ready to run.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    config: Config,
    engine: Arc<Engine>,
    carrier: Carrier,
    jobs: Jobs,
}

impl Server {
    /// Checks the configuration and takes the port. Clients may connect from here on; they are answered once it runs.
    pub async fn bind(config: Config) -> Result<Self, Error> {
        if !config.listen.ip().is_loopback() && !config.allow_remote {
            return Err(Error::NotLoopback(config.listen));
        }
        if config.account.len() != 12 || !config.account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::Account(config.account));
        }
        let (engine, jobs) = Engine::open(&config)?;
        let named = config.targets.iter().map(|(_, url)| url.clone()).collect();
        let carrier = Carrier::new(config.allow_hosts.clone(), named);
        let addr = config.listen;
        let listener = TcpListener::bind(addr)
            .await
            .map_err(|source| Error::Bind { addr, source })?;
        let addr = listener
            .local_addr()
            .map_err(|source| Error::Bind { addr, source })?;
        Ok(Self {
            listener,
            addr,
            config,
            engine: Arc::new(engine),
            carrier,
            jobs,
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// How far its clock was moved forward with `POST /_local/clock`, in milliseconds, and from then on.
    pub fn clock_offset_ms(&self) -> watch::Receiver<i64> {
        self.engine.clock_offset()
    }

    /// Serves until `shutdown` completes, then lets open requests finish for a short while.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
        let app = crate::http::app(&self.config, Arc::clone(&self.engine));
        let serving = serve(self.listener, app, shutdown);
        let ticking = async {
            let mut beat = tokio::time::interval(TICK);
            loop {
                beat.tick().await;
                self.engine.tick().await;
            }
        };
        let carrying = self.carrier.run(Arc::clone(&self.engine), self.jobs);
        tokio::select! {
            () = serving => {}
            () = ticking => {}
            () = carrying => {}
        }
        Ok(())
    }
}
