//! SNS topics, as far as a rule's target needs them. They have no subscriptions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Tags;

/// A topic.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Topic {
    /// Its attributes as set, policy included; what was not set is not in here.
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) tags: Tags,
}

impl Topic {
    pub(crate) fn is_fifo(&self) -> bool {
        self.attributes
            .get("FifoTopic")
            .is_some_and(|value| value == "true")
    }

    /// The policy that was set. Without one the topic has its first policy, which lets nobody but its owner in.
    pub(crate) fn policy(&self) -> Option<&str> {
        self.attributes.get("Policy").map(String::as_str)
    }
}
