//! What every page works with.

use std::sync::Arc;

use scalr_api::AccountId;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::aws::{LocalAws, Place};
use super::guard::{Guard, PublicUrl, Way};
use super::links;
use super::session::{self, Refused, Sessions};
use crate::api::ApiError;
use crate::app::{App, Mode, Turned};
use crate::caller::{Admitted, May, Read};
use crate::token::Token;

/// What a console is started with.
pub(crate) struct Settings {
    /// The local AWS of this process.
    pub(crate) aws: Option<LocalAws>,
    /// Host names that are answered for, beside loopback's.
    pub(crate) hosts: Vec<String>,
    /// Whether it is served over TLS.
    pub(crate) is_tls: bool,
    /// Where browsers open it through a proxy with TLS.
    pub(crate) public: Option<PublicUrl>,
    /// The token that a link signs in with, and the account that it opens.
    pub(crate) link: Option<(Token, AccountId)>,
    /// The port that it is served on. Cookies know no ports, so the name of this one has it.
    pub(crate) port: u16,
}

/// The console. Clones share it.
#[derive(Clone)]
pub(crate) struct Console(Arc<Inner>);

struct Inner {
    app: App,
    aws: Option<LocalAws>,
    link: Option<(Token, AccountId)>,
    guard: Arc<Guard>,
    sessions: Sessions,
    cookie: String,
    stop: CancellationToken,
}

impl Console {
    /// A console without sessions.
    pub(crate) fn new(app: App, settings: Settings) -> Self {
        let scheme = if settings.is_tls { "https" } else { "http" };
        Self(Arc::new(Inner {
            app,
            aws: settings.aws,
            link: settings.link,
            guard: Arc::new(Guard {
                hosts: settings.hosts,
                scheme,
                public: settings.public,
            }),
            sessions: Sessions::default(),
            cookie: format!("scalr-console-{}", settings.port),
            stop: CancellationToken::new(),
        }))
    }

    /// A link that signs in once, within a minute.
    pub(crate) fn link(&self, hostname: &str) -> String {
        let code = self.0.sessions.new_code(Instant::now());
        format!("{hostname}{}", links::with(links::SIGN_IN, &[("code", &code)]))
    }

    /// Ends the event streams.
    pub(crate) fn stop(&self) {
        self.0.stop.cancel();
    }

    pub(super) fn app(&self) -> &App {
        &self.0.app
    }

    pub(super) fn guard(&self) -> Arc<Guard> {
        Arc::clone(&self.0.guard)
    }

    pub(super) fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// Whether one developer signs in, with the token or the link that was printed.
    pub(super) fn is_dev(&self) -> bool {
        self.0.app.mode == Mode::Dev
    }

    pub(super) fn has_aws(&self) -> bool {
        self.0.aws.is_some()
    }

    pub(super) fn local_aws(&self) -> Option<&LocalAws> {
        self.0.aws.as_ref()
    }

    /// AWS in this account and region, where it can be seen.
    pub(super) fn place(&self, account: &str, region: &str) -> Option<Place> {
        Some(self.0.aws.as_ref()?.place(account, region))
    }

    pub(super) async fn stopped(&self) {
        self.0.stop.cancelled().await;
    }

    /// The name of the session's cookie.
    pub(super) fn cookie(&self) -> &str {
        &self.0.cookie
    }

    /// The cookie of a session, or the one that ends it.
    pub(super) fn set_cookie(&self, id: &str, seconds: u64, way: Way) -> String {
        let secure = if way == Way::Loopback { "" } else { "; Secure" };
        format!(
            "{}={id}; Path={}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}",
            self.0.cookie,
            links::BASE
        )
    }

    /// Signs in by a token that opens an account.
    pub(super) async fn sign_in(&self, token: &str, from: session::Address) -> Result<String, SignIn> {
        let (sessions, now) = (self.sessions(), Instant::now());
        sessions.may_try(from, now)?;
        let admitted = self.0.app.admit(token, None, "").await;
        match admitted.map_err(ApiError::from)? {
            Ok(Admitted::Caller(caller)) => {
                let caller: May<Read> = caller.may().map_err(ApiError::from)?;
                Ok(sessions.open(token, &caller.account_id, (from, now)))
            }
            Ok(Admitted::Operator(_)) => Err(SignIn::Operator),
            Err(why) => Err(SignIn::Turned(why)),
        }
    }

    /// Signs in by the code of a link.
    pub(super) fn sign_in_by_code(&self, code: &str, from: session::Address) -> Result<String, SignIn> {
        let Some((token, account)) = &self.0.link else {
            return Err(SignIn::Refused(Refused::Wrong));
        };
        Ok(self
            .0
            .sessions
            .by_code(code, (token, account), (from, Instant::now()))?)
    }
}

/// Why nobody was signed in.
#[derive(Debug)]
pub(super) enum SignIn {
    Refused(Refused),
    /// The token opens no account.
    Operator,
    Turned(Turned),
    Failed(ApiError),
}

impl From<Refused> for SignIn {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<ApiError> for SignIn {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}
