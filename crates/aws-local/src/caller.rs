//! Who makes a request, and where. Stored with each call, so that a replay has the same caller.

use serde::{Deserialize, Serialize};

/// The account and region that a request acts for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Caller {
    pub(crate) account: String,
    pub(crate) region: String,
    /// The access key, when the request was signed.
    pub(crate) key: Option<String>,
}
