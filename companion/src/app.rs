//! What every handler of the API works with.

use std::sync::Arc;

use aws_local::injection::Faults;
use tokio_util::sync::CancellationToken;

use crate::caller::{Admitted, Peer};
use crate::clock::Clock;
use crate::intakes::Intakes;
use crate::partner::Partner;
use crate::sources::Sources;
use crate::store::{Result, Store};
use crate::token::Digest;
use crate::token_use::Uses;

/// Shared by all handlers; clones are cheap.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) sources: Sources,
    pub(crate) partner: Partner,
    pub(crate) clock: Clock,
    /// Calls that go wrong on request.
    pub(crate) faults: Arc<Faults>,
    pub(crate) mode: Mode,
    /// The calls that send events.
    pub(crate) intakes: Intakes,
    /// Cancelled when the process is to end.
    pub(crate) stop: CancellationToken,
    /// When tokens were last used.
    pub(crate) uses: Arc<Uses>,
    /// Held while the figures of the process are read: nobody makes that a load.
    pub(crate) scrapes: Arc<tokio::sync::Mutex<()>>,
}

/// What the process is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One developer's trials: calls go wrong on request, and the one token is also the operator's of this process.
    Dev,
    /// A service for several accounts.
    Service {
        /// Runs that are made up can be started.
        simulates_runs: bool,
    },
}

impl Mode {
    pub(crate) fn simulates_runs(self) -> bool {
        self == Self::Dev || self == Self::Service { simulates_runs: true }
    }
}

/// Why a token admits nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turned {
    /// There is no such token.
    Unknown,
    Revoked,
    /// Its time is over.
    Expired,
    /// The account that it opens is disabled.
    Disabled,
}

impl App {
    /// Whoever shows this token. It is looked up at each request, so that what is revoked ends with the request under way.
    pub(crate) async fn admit(
        &self,
        token: &str,
        peer: Option<Peer>,
        user_agent: &str,
    ) -> Result<std::result::Result<Admitted, Turned>> {
        let sent = Digest::of(token);
        for found in self.store.tokens_like(&sent).await? {
            let Some(admitted) = found.known.admit(&sent, peer, user_agent) else {
                continue;
            };
            if found.is_revoked {
                return Ok(Err(Turned::Revoked));
            }
            if found
                .known
                .expires_at_ms
                .is_some_and(|at_ms| self.clock.now_ms() >= at_ms)
            {
                return Ok(Err(Turned::Expired));
            }
            if found.is_account_disabled {
                return Ok(Err(Turned::Disabled));
            }
            self.uses.note(&found.known.id, self.clock.wall_ms());
            return Ok(Ok(admitted));
        }
        Ok(Err(Turned::Unknown))
    }
}
