//! The companion: store, API, sources, runs and delivery as one value to run.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use scalr_api::{AccountId, EnvironmentId, WorkspaceId};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::clock::Clock;
use crate::console::{self, Console, LocalAws, Settings};
use crate::delivery::Delivery;
use crate::partner::Partner;
use crate::retention::Retention;
use crate::server::Limits;
use crate::sources::Sources;
use crate::store::{Bounds, DirLock, Durability, Installation, Store};
use crate::token::Token;
use crate::{api, clock_watch, ids, runs, server, token_use};

/// What the database of a new data directory is seeded with.
const ACCOUNT: (&str, &str) = ("acc-v0local", "local");
const ENVIRONMENT: (&str, &str) = ("env-v0local", "development");
const WORKSPACE: (&str, &str) = ("ws-v0local", "network");

/// The names of a workspace and its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WorkspaceName {
    pub(crate) environment: String,
    pub(crate) name: String,
}

/// What the companion is started with.
pub(crate) struct Config<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) lock: DirLock,
    pub(crate) durability: Durability,
    pub(crate) bounds: Bounds,
    pub(crate) listener: TcpListener,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) partner: Partner,
    pub(crate) clock: Clock,
    pub(crate) console: Option<ConsoleConfig>,
    /// The token of the API, in place of the one that is stored or made up.
    pub(crate) token: Option<Token>,
    /// Workspaces that there are to be.
    pub(crate) workspaces: &'a [WorkspaceName],
}

/// What the console is started with.
pub(crate) struct ConsoleConfig {
    /// The local AWS of this process, whose pages it has.
    pub(crate) aws: Option<LocalAws>,
    /// Host names that it answers for, beside loopback's.
    pub(crate) hosts: Vec<String>,
}

/// The companion, ready to run.
pub(crate) struct Companion {
    pub(crate) installation: Installation,
    pub(crate) addr: SocketAddr,
    /// The pages for people, where they are not switched off.
    pub(crate) console: Option<Console>,
    app: App,
    partner: Partner,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    // Held until the store is closed.
    _lock: DirLock,
}

impl Companion {
    /// Opens the store, and seeds it if it is new. From here on clients may connect.
    pub(crate) async fn open(config: Config<'_>) -> anyhow::Result<Self> {
        let store = Store::open(config.dir, &config.lock, config.durability, config.bounds).await?;
        let installation = install(&store, &config.clock, config.token, config.workspaces).await?;
        let app = App {
            sources: Sources::new(store.clone(), config.partner.clone(), config.clock.clone()),
            clock: config.clock,
            faults: Arc::default(),
            store,
            uses: Arc::default(),
        };
        let addr = config.listener.local_addr()?;
        let (listener, tls, partner) = (config.listener, config.tls, config.partner);
        let console = config.console.map(|console| {
            let settings = Settings {
                aws: console.aws,
                hosts: console.hosts,
                is_tls: tls.is_some(),
                port: addr.port(),
                link: Some((installation.token.clone(), installation.account_id.clone())),
            };
            Console::new(app.clone(), settings)
        });
        Ok(Self {
            installation,
            addr,
            console,
            app,
            partner,
            listener,
            tls,
            _lock: config.lock,
        })
    }

    /// Serves until stopped. Then all parts end at the same time, each after what it has begun; the store is closed last.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let app = &self.app;
        let delivery = Delivery {
            store: app.store.clone(),
            partner: self.partner,
            clock: app.clock.clone(),
        };
        let retention = Retention::new(app.store.clone(), app.clock.clone());
        let mut router = api::router(app.clone());
        if let Some(console) = &self.console {
            router = router.merge(console::router(console));
        }
        tokio::join!(
            server::serve(self.listener, self.tls, router, Limits::default(), stop.clone()),
            app.sources.clone().reconcile(stop.clone()),
            runs::drive(app.store.clone(), app.clock.clone(), stop.clone()),
            retention.run(stop.clone()),
            clock_watch::watch(app.store.clone(), app.clock.clone(), stop.clone()),
            token_use::store(app.store.clone(), app.uses.clone(), stop.clone()),
            delivery.run(stop.clone()),
            end_streams(self.console.as_ref(), &stop),
        );
        app.store.close().await;
    }
}

/// Ends the console's event streams with the rest: they would stay open.
async fn end_streams(console: Option<&Console>, stop: &CancellationToken) {
    stop.cancelled().await;
    if let Some(console) = console {
        console.stop();
    }
}

/// Opens the installation, or makes it with the first of these workspaces; the token is replaced where one is given, and
/// workspaces that are missing are added.
async fn install(
    store: &Store,
    clock: &Clock,
    token: Option<Token>,
    workspaces: &[WorkspaceName],
) -> anyhow::Result<Installation> {
    let wanted = Installation {
        token: token.clone().unwrap_or_else(|| Token::new(ids::request())),
        account_id: AccountId::new(ACCOUNT.0)?,
        account_name: ACCOUNT.1.to_owned(),
        environment_id: EnvironmentId::new(ENVIRONMENT.0)?,
        workspace_id: WorkspaceId::new(WORKSPACE.0)?,
    };
    let first = workspaces.first();
    let names = first.map_or((ENVIRONMENT.1, WORKSPACE.1), |first| {
        (first.environment.as_str(), first.name.as_str())
    });
    let mut tx = store.begin().await?;
    let mut installation = tx.install(&wanted, names).await?;
    installation.token = token.unwrap_or(installation.token);
    tx.set_token(&installation.account_id, &installation.token, clock.wall_ms())
        .await?;
    // The last one that is looked at is the first.
    for one in workspaces.iter().rev() {
        let (environment_id, workspace_id) = tx
            .ensure_workspace(&installation.account_id, &one.environment, &one.name)
            .await?;
        (installation.environment_id, installation.workspace_id) = (environment_id, workspace_id);
    }
    tx.commit().await?;
    Ok(installation)
}
