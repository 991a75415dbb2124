//! What a look at the chain found, from the run to the log group.

use super::event::Match;
use crate::aws::policy::Verdict;

/// What was found.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) run: RunFacts,
    pub(super) group: String,
    pub(super) group_exists: bool,
    /// The connection for this AWS account and region.
    pub(super) connection: Lookup<ConnectionFacts>,
    /// The bus that the events should arrive on; gone means that no bus of Scalr's is there.
    pub(super) bus: Lookup<BusFacts>,
    /// Account and region in words.
    pub(super) whereabouts: String,
    /// What could not be looked at, and why. Elsewhere in the facts it counts as whole, so that it is not blamed.
    pub(super) unseen: Vec<String>,
}

/// A link as it was found.
#[derive(Clone, Debug)]
pub(super) enum Lookup<T> {
    /// There.
    Found(T),
    /// Not there.
    Gone,
    /// It could not be looked at.
    Unseen,
}

impl<T> Lookup<T> {
    pub(super) fn found(&self) -> Option<&T> {
        if let Self::Found(found) = self {
            Some(found)
        } else {
            None
        }
    }
}

impl<T> From<Option<T>> for Lookup<T> {
    fn from(looked: Option<T>) -> Self {
        looked.map_or(Self::Gone, Self::Found)
    }
}

/// The run.
#[derive(Clone, Debug)]
pub(super) struct RunFacts {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) is_over: bool,
}

/// The connection.
#[derive(Clone, Debug)]
pub(super) struct ConnectionFacts {
    pub(super) name: String,
    pub(super) status: String,
    pub(super) message: Option<String>,
}

/// The bus and its source.
#[derive(Clone, Debug)]
pub(super) struct BusFacts {
    pub(super) name: String,
    pub(super) exists: bool,
    /// `None`: AWS shows no such source.
    pub(super) source_state: Option<String>,
    /// All rules of the bus.
    pub(super) rules_count: usize,
    /// Those that have the log group as target.
    pub(super) rules: Lookup<Vec<RuleFacts>>,
}

/// A rule that has the log group as target.
#[derive(Clone, Debug)]
pub(super) struct RuleFacts {
    pub(super) name: String,
    pub(super) enabled: bool,
    pub(super) pattern: Match,
    pub(super) verdict: Verdict,
    /// The target sends something else than the whole event.
    pub(super) transforms: bool,
}
