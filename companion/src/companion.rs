//! The companion, put together: store, API, sources, runs and delivery as one value that runs.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use scalr_api::{AccountId, EnvironmentId, WorkspaceId};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::app::{App, Owner};
use crate::delivery::Delivery;
use crate::partner::Partner;
use crate::server::Limits;
use crate::sources::Sources;
use crate::store::{Bounds, DirLock, Durability, Installation, Store};
use crate::token::Token;
use crate::{api, ids, runs, server};

/// What a new installation is seeded with.
const ACCOUNT: (&str, &str) = ("acc-v0local", "local");
const ENVIRONMENT: (&str, &str) = ("env-v0local", "development");
const WORKSPACE: (&str, &str) = ("ws-v0local", "network");

/// What the companion is started with.
pub(crate) struct Config<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) alone: DirLock,
    pub(crate) durability: Durability,
    pub(crate) bounds: Bounds,
    pub(crate) listener: TcpListener,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) partner: Partner,
}

/// The companion, ready to run.
pub(crate) struct Companion {
    pub(crate) installation: Installation,
    pub(crate) addr: SocketAddr,
    app: App,
    partner: Partner,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    // Held until the store is closed.
    _alone: DirLock,
}

impl Companion {
    /// Opens the store and seeds it where it is new. Clients may connect from here on.
    pub(crate) async fn open(config: Config<'_>) -> anyhow::Result<Self> {
        let store = Store::open(config.dir, &config.alone, config.durability).await?;
        let installation = install(&store).await?;
        let owner = Owner {
            token: installation.token.clone(),
            account_id: installation.account_id.clone(),
            account_name: installation.account_name.clone(),
        };
        let app = App {
            sources: Sources::new(store.clone(), config.partner.clone()),
            store,
            bounds: config.bounds,
            deliver: Arc::new(Notify::new()),
            step: Arc::new(Notify::new()),
            owner: Arc::new(owner),
        };
        let addr = config.listener.local_addr()?;
        let (listener, tls, partner) = (config.listener, config.tls, config.partner);
        Ok(Self {
            installation,
            addr,
            app,
            partner,
            listener,
            tls,
            _alone: config.alone,
        })
    }

    /// Serves until stopped. All parts then end at once, each with what it has begun; the store is closed after the last.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let app = &self.app;
        let delivery = Delivery {
            store: app.store.clone(),
            partner: self.partner,
            bounds: app.bounds,
            wake: Arc::clone(&app.deliver),
        };
        tokio::join!(
            server::serve(
                self.listener,
                self.tls,
                api::router(app.clone()),
                Limits::default(),
                stop.clone()
            ),
            app.sources.clone().reconcile(stop.clone()),
            runs::drive(app.clone(), stop.clone()),
            delivery.run(stop.clone()),
        );
        app.store.close().await;
    }
}

async fn install(store: &Store) -> anyhow::Result<Installation> {
    let wanted = Installation {
        token: Token::new(ids::request()),
        account_id: AccountId::new(ACCOUNT.0)?,
        account_name: ACCOUNT.1.to_owned(),
        environment_id: EnvironmentId::new(ENVIRONMENT.0)?,
        workspace_id: WorkspaceId::new(WORKSPACE.0)?,
    };
    let mut tx = store.begin().await?;
    let installation = tx.install(&wanted, (ENVIRONMENT.1, WORKSPACE.1)).await?;
    tx.commit().await?;
    Ok(installation)
}
