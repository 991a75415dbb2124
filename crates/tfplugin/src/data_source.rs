//! The trait of a data source.

use std::future::Future;

use crate::attr_type::Attrs;
use crate::config::Config;
use crate::cx::Cx;
use crate::diag::{Diagnostics, Result};
use crate::resource::Timeouts;

/// A data source: the struct is its schema, the trait its behaviour.
pub trait DataSource: Attrs {
    /// The name in HCL, without the provider's prefix.
    const NAME: &'static str;
    /// The provider's client.
    type Client: Send + Sync + 'static;
    /// Whether a user may set the `read` timeout, and its default.
    const TIMEOUTS: Timeouts = Timeouts::none();

    /// Looks up what the configuration asks for, and fills in the rest.
    fn read(config: Self, cx: &mut Cx<'_, Self>) -> impl Future<Output = Result<Self>> + Send;

    /// Refuses a configuration that no single attribute's `check` can judge. Values may be unknown.
    fn validate(_config: &Config<'_>, _diags: &mut Diagnostics) {}
}
