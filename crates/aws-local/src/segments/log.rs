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

/// Where records are that follow each other in one file, for the journal's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) log: LogId,
    /// The sequence of the first one.
    pub(crate) sequence: u64,
    /// The number of the file, and where the first one is in it.
    pub(crate) segment: u64,
    pub(crate) offset: u64,
    pub(crate) count: u64,
}
