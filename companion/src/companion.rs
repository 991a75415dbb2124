//! The companion: store, API, sources, runs and delivery as one value to run.

use std::net::SocketAddr;
use std::sync::Arc;

use scalr_api::{AccountId, EnvironmentId, WorkspaceId};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::app::{App, Mode};
use crate::caller::{OF_OPERATOR, Scope, Scopes};
use crate::clock::Clock;
use crate::console::{self, Console, LocalAws, PublicUrl, Settings};
use crate::delivery::Delivery;
use crate::intakes::Intakes;
use crate::partner::Partner;
use crate::retention::Retention;
use crate::server::Limits;
use crate::sources::Sources;
use crate::store::{
    AccessToken, Bounds, Durability, FIRST_WORKSPACE, Installation, Place, Store, StoreError,
};
use crate::token::Token;
use crate::{api, clock_watch, ids, readiness, runs, server, token_use};

/// What the database of a new data directory is seeded with.
const ACCOUNT: (&str, &str) = ("acc-v0local", "local");
const ENVIRONMENT_ID: &str = "env-v0local";
const WORKSPACE_ID: &str = "ws-v0local";

/// The names of a workspace and its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WorkspaceName {
    pub(crate) environment: String,
    pub(crate) name: String,
}

/// What the companion is started with.
pub(crate) struct Config<'a> {
    /// Where its state is.
    pub(crate) place: Place,
    pub(crate) durability: Durability,
    pub(crate) bounds: Bounds,
    /// Calls of a region to AWS that are under way at a time.
    pub(crate) calls_max: usize,
    pub(crate) listener: TcpListener,
    pub(crate) tls: Option<TlsAcceptor>,
    /// Where figures and health are answered without a token.
    pub(crate) metrics: Option<TcpListener>,
    pub(crate) partner: Partner,
    pub(crate) clock: Clock,
    pub(crate) console: Option<ConsoleConfig>,
    pub(crate) identity: Identity<'a>,
}

/// Whose companion it is.
pub(crate) enum Identity<'a> {
    /// A developer's.
    Dev {
        /// The token of the API, in place of the one that is stored or made up.
        token: Option<Token>,
        /// Workspaces that there are to be.
        workspaces: &'a [WorkspaceName],
    },
    /// A service for several accounts.
    Service {
        /// Runs that are made up can be started.
        simulates_runs: bool,
        /// Make one more operator's token.
        new_operator_token: bool,
    },
}

/// `dev` was given the data directory of a service, whose accounts and operators it would mix with its own.
#[derive(Debug, thiserror::Error)]
#[error("the directory is a data directory of `scalr-eventbridge serve`, which `dev` does not change")]
pub(crate) struct OfService;

/// What a companion was opened with, or has made.
enum Opened {
    Dev(Installation),
    /// With the operator's token that was made at this start.
    Service(Option<Token>),
}

/// What the console is started with.
pub(crate) struct ConsoleConfig {
    /// The local AWS of this process, whose pages it has.
    pub(crate) aws: Option<LocalAws>,
    /// Host names that it answers for, beside loopback's.
    pub(crate) hosts: Vec<String>,
    /// Where browsers open it through a proxy with TLS.
    pub(crate) public: Option<PublicUrl>,
}

/// The companion, ready to run.
pub(crate) struct Companion {
    opened: Opened,
    pub(crate) addr: SocketAddr,
    /// The pages for people, where they are not switched off.
    pub(crate) console: Option<Console>,
    app: App,
    calls_max: usize,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    metrics: Option<TcpListener>,
    /// Where the figures are to be had without a token.
    pub(crate) metrics_addr: Option<SocketAddr>,
    // With the lock on a data directory, which is held until the store is closed.
    _place: Place,
}

impl Companion {
    /// Opens the store, and seeds it if it is new. From here on clients may connect.
    pub(crate) async fn open(config: Config<'_>) -> anyhow::Result<Self> {
        let store = Store::open(&config.place, config.durability, config.bounds).await?;
        let (opened, mode) = match config.identity {
            Identity::Dev { token, workspaces } => {
                let installation = install(&store, &config.clock, token, workspaces).await?;
                (Opened::Dev(installation), Mode::Dev)
            }
            Identity::Service {
                simulates_runs,
                new_operator_token,
            } => {
                let made = operate(&store, &config.clock, simulates_runs, new_operator_token).await?;
                (Opened::Service(made), Mode::Service { simulates_runs })
            }
        };
        let app = App {
            sources: Sources::new(store.clone(), config.partner.clone(), config.clock.clone()),
            partner: config.partner,
            clock: config.clock,
            faults: Arc::default(),
            store,
            mode,
            intakes: Intakes::default(),
            stop: CancellationToken::new(),
            uses: Arc::default(),
            scrapes: Arc::default(),
        };
        let addr = config.listener.local_addr()?;
        let (listener, tls) = (config.listener, config.tls);
        let metrics = config.metrics;
        let metrics_addr = metrics.as_ref().map(TcpListener::local_addr).transpose()?;
        let console = config.console.map(|console| {
            let settings = Settings {
                aws: console.aws,
                hosts: console.hosts,
                is_tls: tls.is_some(),
                public: console.public,
                port: addr.port(),
                link: match &opened {
                    Opened::Dev(of) => Some((of.token.clone(), of.account_id.clone())),
                    Opened::Service(_) => None,
                },
            };
            Console::new(app.clone(), settings)
        });
        Ok(Self {
            opened,
            addr,
            console,
            app,
            calls_max: config.calls_max,
            listener,
            tls,
            metrics,
            metrics_addr,
            _place: config.place,
        })
    }

    /// The account of `dev`, with its token and its first workspace.
    pub(crate) fn installation(&self) -> Option<&Installation> {
        match &self.opened {
            Opened::Dev(installation) => Some(installation),
            Opened::Service(_) => None,
        }
    }

    /// The operator's token that this start has made.
    pub(crate) fn operator_token(&self) -> Option<&Token> {
        match &self.opened {
            Opened::Dev(_) => None,
            Opened::Service(token) => token.as_ref(),
        }
    }

    /// Serves until stopped, or until another process has taken the database, which is an error. Then all parts end at the same time, each
    /// after what it has begun; the store is closed last.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<(), StoreError> {
        let app = &self.app;
        let stopping = async {
            let taken = tokio::select! {
                () = stop.cancelled() => None,
                taken = app.store.taken() => Some(taken),
            };
            stop.cancel();
            app.stop.cancel();
            taken
        };
        let limits = match app.mode {
            Mode::Dev => Limits::default(),
            Mode::Service { .. } => Limits::of_service(),
        };
        let delivery = Delivery {
            store: app.store.clone(),
            partner: app.partner.clone(),
            clock: app.clock.clone(),
            drain: limits.drain,
            calls_max: self.calls_max,
        };
        let retention = Retention::new(app.store.clone(), app.clock.clone());
        let mut router = api::router(app.clone());
        if let Some(console) = &self.console {
            router = router.merge(console::router(console));
        }
        let (.., taken) = tokio::join!(
            server::serve(self.listener, self.tls, router, limits, stop.clone()),
            app.sources.clone().reconcile(stop.clone()),
            runs::drive(app.store.clone(), app.clock.clone(), stop.clone()),
            retention.run(stop.clone()),
            clock_watch::watch(app.store.clone(), app.clock.clone(), stop.clone()),
            token_use::store(app.store.clone(), app.uses.clone(), stop.clone()),
            readiness::watch(app.store.clone(), app.partner.clone(), stop.clone()),
            serve_figures(self.metrics, app, stop.clone()),
            delivery.run(stop.clone()),
            end_streams(self.console.as_ref(), &stop),
            stopping,
        );
        app.store.close().await;
        taken.map_or(Ok(()), Err)
    }
}

/// Answers figures and health without a token, where an address for that was opened.
async fn serve_figures(listener: Option<TcpListener>, app: &App, stop: CancellationToken) {
    if let Some(listener) = listener {
        let router = api::open_router(app.clone());
        server::serve(listener, None, router, Limits::of_figures(), stop).await;
    }
}

/// Ends the console's event streams with the rest: they would stay open.
async fn end_streams(console: Option<&Console>, stop: &CancellationToken) {
    stop.cancelled().await;
    if let Some(console) = console {
        console.stop();
    }
}

/// Makes the data directory a service's: the first operator's token, or one more; the token of `dev` is revoked. Where runs are
/// simulated, each account has a workspace. Returns the token that was made.
async fn operate(
    store: &Store,
    clock: &Clock,
    simulates_runs: bool,
    new_operator_token: bool,
) -> anyhow::Result<Option<Token>> {
    let now_ms = clock.wall_ms();
    let mut tx = store.begin().await?;
    tx.take_over_from_dev(now_ms).await?;
    let is_first = tx.count_tokens(None).await? == 0;
    let made = if is_first || new_operator_token {
        let token = Token::random(OF_OPERATOR);
        let scopes = Scopes::of(&[Scope::Admin]);
        let new = AccessToken::new(&token, None, "operator".to_owned(), scopes, now_ms);
        tx.insert_token(&new, &token).await?;
        Some(token)
    } else {
        None
    };
    if simulates_runs {
        for account in tx.accounts_without_workspace().await? {
            tx.ensure_workspace(&account, FIRST_WORKSPACE.0, FIRST_WORKSPACE.1)
                .await?;
        }
    }
    tx.commit().await?;
    Ok(made)
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
        environment_id: EnvironmentId::new(ENVIRONMENT_ID)?,
        workspace_id: WorkspaceId::new(WORKSPACE_ID)?,
    };
    let first = workspaces.first();
    let names = first.map_or(FIRST_WORKSPACE, |first| {
        (first.environment.as_str(), first.name.as_str())
    });
    let mut tx = store.begin().await?;
    if tx.is_of_service().await? {
        return Err(OfService.into());
    }
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
