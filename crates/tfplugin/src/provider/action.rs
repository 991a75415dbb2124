//! The trait of an action.

use std::future::Future;

use super::config::Config;
use super::operation::Operation;
use super::rules::Rules;
use crate::attr::Attrs;
use crate::diag::{Diagnostics, Result};
use crate::timeouts::Timeouts;

/// An action (Terraform 1.14 and later): the struct is its configuration, the trait its behaviour. It has no state and no
/// computed attribute: what it has to say goes to the user while it runs ([`Operation::progress`]), and as diagnostics.
pub trait Action: Attrs {
    /// The name in HCL, without the provider's prefix.
    const NAME: &'static str;
    /// The provider's client.
    type Client: Send + Sync + 'static;
    /// Whether a user may set the `invoke` timeout, and its default.
    const TIMEOUTS: Timeouts = Timeouts::none();
    /// Rules over several attributes of the configuration.
    const RULES: Rules<Self> = Vec::new;

    /// Does it. The configuration is wholly known, and its checks and rules hold.
    fn invoke(config: Self, operation: &mut Operation<'_, Self>) -> impl Future<Output = Result<()>> + Send;

    /// Refuses a configuration that neither an attribute's `check` nor [`Action::RULES`] can judge. Values may be unknown.
    fn validate_config(_config: &Config<'_, Self>, _diags: &mut Diagnostics) {}
}
