//! The trait of a data source.

use std::future::Future;

use super::config::Config;
use super::operation::Operation;
use super::rules::Rules;
use crate::attr::Attrs;
use crate::diag::{Diagnostics, Result};
use crate::timeouts::Timeouts;

/// A data source: the struct is its schema, the trait its behaviour.
pub trait DataSource: Attrs {
    /// The name in HCL, without the provider's prefix.
    const NAME: &'static str;
    /// The provider's client.
    type Client: Send + Sync + 'static;
    /// Whether a user may set the `read` timeout, and its default.
    const TIMEOUTS: Timeouts = Timeouts::none();
    /// Rules over several attributes of the configuration.
    const RULES: Rules<Self> = Vec::new;

    /// Looks up what the configuration asks for, and fills in the rest.
    fn read(config: Self, operation: &mut Operation<'_, Self>) -> impl Future<Output = Result<Self>> + Send;

    /// Refuses a configuration that neither an attribute's `check` nor [`DataSource::RULES`] can judge. Values may be
    /// unknown.
    fn validate_config(_config: &Config<'_, Self>, _diags: &mut Diagnostics) {}
}
