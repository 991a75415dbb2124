//! What a look at the chain found, from the run to the log group.

use std::fmt::Display;

use super::event::Match;
use crate::aws::policy::Verdict;

/// What could not be read. The search continues as if that link was whole.
#[derive(Default)]
pub(super) struct Unseen(pub(super) Vec<String>);

impl Unseen {
    pub(super) fn note<T, E: Display>(&mut self, what: impl Display, looked: Result<T, E>) -> Option<T> {
        looked.map_err(|e| self.0.push(format!("{what}: {e}"))).ok()
    }
}

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
    /// What has the events in place of such rules: AWS manages this bus, or would, for an event source of a custom event bus.
    pub(super) custom: Option<CustomFacts>,
}

/// From the Classic bus that AWS manages to the subscribers of a custom event bus.
#[derive(Clone, Debug)]
pub(super) struct CustomFacts {
    /// The event source; gone means that nothing shows which it is.
    pub(super) source: Lookup<EventSourceFacts>,
    /// Whether a rule that AWS manages leads from the Classic bus to a custom one.
    pub(super) forwards: bool,
    pub(super) bus: Lookup<CustomBusFacts>,
}

/// The event source of a custom event bus.
#[derive(Clone, Debug)]
pub(super) struct EventSourceFacts {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) state: String,
    /// The owner of the bus has taken the bus from it, for good.
    pub(super) revoked: bool,
    /// Its own pattern.
    pub(super) pattern: Match,
}

/// A custom event bus.
#[derive(Clone, Debug)]
pub(super) struct CustomBusFacts {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) state: String,
    /// Those that do not lead to the log group, as far as is known.
    pub(super) others: Vec<String>,
    /// Those that do.
    pub(super) subscribers: Lookup<Vec<SubscriberFacts>>,
}

/// A subscriber that leads to the log group.
#[derive(Clone, Debug)]
pub(super) struct SubscriberFacts {
    pub(super) name: String,
    /// AWS's word.
    pub(super) state: String,
    /// The owner of the bus has taken the bus from it.
    pub(super) revoked: bool,
    /// All its filters.
    pub(super) filters: Match,
    pub(super) role_arn: String,
    /// The log stream that it writes to, and that is not there.
    pub(super) stream_gone: Option<String>,
    /// It may write something else than the whole event, or elsewhere.
    pub(super) transforms: bool,
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
