//! What all parts of the state are named and labelled by: accounts in regions, and tags.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The tags of a resource.
pub(crate) type Tags = BTreeMap<String, String>;

/// One account in one region: `123456789012/us-east-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct RealmId(Arc<str>);

impl std::fmt::Display for RealmId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "account {}, region {}", self.account(), self.region())
    }
}

impl RealmId {
    pub(crate) fn new(account: &str, region: &str) -> Self {
        Self([account, "/", region].concat().into())
    }

    pub(crate) fn account(&self) -> &str {
        self.0.split_once('/').map_or(&*self.0, |(account, _)| account)
    }

    pub(crate) fn region(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, region)| region)
    }
}
