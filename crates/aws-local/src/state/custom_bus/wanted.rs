//! The subscribers that want events which are to be read.

use std::collections::BTreeSet;
use std::ops::Bound;

use serde::{Deserialize, Serialize};

use crate::state::RealmId;

/// A subscriber: the account and region, the bus, its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct SubscriberId {
    pub(crate) realm: RealmId,
    pub(crate) bus: String,
    pub(crate) name: String,
}

/// Subscribers that may want something; each gets its turn. It follows from the state, and is no part of a snapshot.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    ids: BTreeSet<SubscriberId>,
    /// The one that was looked at last.
    last: Option<SubscriberId>,
}

impl Wanted {
    pub(crate) fn insert(&mut self, id: SubscriberId) {
        self.ids.insert(id);
    }

    pub(crate) fn remove(&mut self, id: &SubscriberId) {
        self.ids.remove(id);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The one after that which was looked at last.
    pub(crate) fn turn(&mut self) -> Option<SubscriberId> {
        let after = self.last.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut later = self.ids.range::<SubscriberId, _>((after, Bound::Unbounded));
        let next = later.next().or_else(|| self.ids.first()).cloned();
        self.last.clone_from(&next);
        next
    }
}
