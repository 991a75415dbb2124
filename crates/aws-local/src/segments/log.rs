//! Which log, and where in it.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;

/// Which log. The first is 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct LogId(pub(crate) u64);

/// Where reading begins: at the first record with this sequence or time, or a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    Sequence(u64),
    Time(Millis),
}

impl Start {
    /// Whether a record of this sequence and time comes before.
    pub(super) fn is_after(self, sequence: u64, time: Millis) -> bool {
        match self {
            Self::Sequence(first) => sequence < first,
            Self::Time(first) => time < first,
        }
    }
}
