//! The trait of an ephemeral resource, and what opening one gives.

use std::future::Future;
use std::time::SystemTime;

use super::config::Config;
use super::operation::Operation;
use super::rules::Rules;
use crate::attr::Attrs;
use crate::diag::{Diagnostics, Result};
use crate::timeouts::Timeouts;

/// An ephemeral resource (Terraform 1.10 and OpenTofu 1.11, and later): the struct is its schema, the trait its behaviour. It is opened
/// in each plan and each apply that needs it, and closed at their end. Nothing of it is stored. Its sensitive values are hidden in log
/// lines and messages from when it is open.
pub trait Ephemeral: Attrs {
    /// The name in HCL, without the provider's prefix.
    const NAME: &'static str;
    /// The provider's client.
    type Client: Send + Sync + 'static;
    /// Whether a user may set the `open` timeout, and its default.
    const TIMEOUTS: Timeouts = Timeouts::none();
    /// Rules over several attributes of the configuration.
    const RULES: Rules<Self> = Vec::new;

    /// Makes or fetches what the configuration asks for, and fills in the rest. The configuration is wholly known, and its checks and
    /// rules hold.
    fn open(
        config: Self,
        operation: &mut Operation<'_, Self>,
    ) -> impl Future<Output = Result<Opened<Self>>> + Send;

    /// Keeps it usable beyond the time that [`Opened::renew_at`] gave; called at about that time, with what was kept when it was opened or
    /// renewed last.
    fn renew(
        kept: Vec<u8>,
        operation: &mut Operation<'_, Self>,
    ) -> impl Future<Output = Result<Renewed>> + Send {
        let _ = operation;
        std::future::ready(Ok(Renewed { kept, renew_at: None }))
    }

    /// Undoes what opening has made; with what was kept then. It is called after an apply that has failed or was interrupted as well. After
    /// a crash of the client it is not: what is opened should end by itself.
    fn close(kept: Vec<u8>, operation: &mut Operation<'_, Self>) -> impl Future<Output = Result<()>> + Send {
        let _ = (kept, operation);
        std::future::ready(Ok(()))
    }

    /// Refuses a configuration that neither an attribute's `check` nor [`Ephemeral::RULES`] can judge. Values may be unknown.
    fn validate_config(_config: &Config<'_, Self>, _diags: &mut Diagnostics) {}
}

/// What is open.
#[derive(Clone, Debug)]
pub struct Opened<T> {
    pub(crate) result: T,
    pub(crate) kept: Vec<u8>,
    pub(crate) renew_at: Option<SystemTime>,
}

impl<T> Opened<T> {
    /// What the configuration sees of it.
    pub fn new(result: T) -> Self {
        Self {
            result,
            kept: Vec::new(),
            renew_at: None,
        }
    }

    /// With what [`Ephemeral::renew`] and [`Ephemeral::close`] need. The client keeps it in its memory.
    pub fn keeping(mut self, kept: impl Into<Vec<u8>>) -> Self {
        self.kept = kept.into();
        self
    }

    /// To be renewed at this time, where the plan or the apply lasts that long.
    pub fn renew_at(mut self, time: SystemTime) -> Self {
        self.renew_at = Some(time);
        self
    }
}

/// What a renewal gives.
#[derive(Clone, Debug)]
pub struct Renewed {
    /// What the next renewal and the close need.
    pub kept: Vec<u8>,
    /// When to renew it next; `None` for not at all.
    pub renew_at: Option<SystemTime>,
}
