//! A partner event source: the state machine between the partner and the one customer it was made for.

use serde::{Deserialize, Serialize};

use super::timers::Timer;
use crate::clock::{DAY, Millis};

/// How long a source stays PENDING before it is deleted.
const PENDING_MAX: Millis = 14 * DAY;

/// A source, as partner and customer share it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) name: String,
    /// The account that made it.
    pub(crate) partner: String,
    /// The one account that may associate it with a bus.
    pub(crate) customer: String,
    pub(crate) created: Millis,
    /// When a PENDING source is deleted.
    pub(crate) expires: Option<Millis>,
    pub(crate) state: State,
    /// Whether the customer ever made a bus for it: only then does a deletion leave a DELETED source behind.
    pub(crate) had_bus: bool,
    /// Created again under the name of a deleted one whose bus still exists: CreateEventBus then adopts that bus.
    pub(crate) bus_from_before: bool,
}

/// What `State` says in AWS's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum State {
    Pending,
    Active,
    Deleted,
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Active => "ACTIVE",
            Self::Deleted => "DELETED",
        }
    }
}

/// What remains of a source after a deletion.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Remains {
    /// Still listed, as DELETED.
    Tombstone,
    /// Gone.
    Nothing,
}

impl Source {
    pub(crate) fn new(name: &str, partner: &str, customer: &str, now: Millis) -> Self {
        Self {
            name: name.to_owned(),
            partner: partner.to_owned(),
            customer: customer.to_owned(),
            created: now,
            expires: Some(now + PENDING_MAX),
            state: State::Pending,
            had_bus: false,
            bus_from_before: false,
        }
    }

    /// `aws.partner/scalr.com`: who AWS says created it.
    pub(crate) fn created_by(&self) -> &str {
        self.name
            .match_indices('/')
            .nth(1)
            .map_or(self.name.as_str(), |(at, _)| &self.name[..at])
    }

    /// The ARN as the customer sees it, without an account.
    pub(crate) fn arn(&self, region: &str) -> String {
        crate::arn::arn("events", region, "", &format!("event-source/{}", self.name))
    }

    /// It was associated with a bus, or activated again.
    pub(crate) fn activate(&mut self) {
        self.state = State::Active;
        self.expires = None;
        self.had_bus = true;
        self.bus_from_before = false;
    }

    /// Deactivated, or its bus was deleted: PENDING again for two weeks.
    pub(crate) fn suspend(&mut self, now: Millis) {
        self.state = State::Pending;
        self.expires = Some(now + PENDING_MAX);
    }

    /// The partner deleted it.
    pub(crate) fn delete(&mut self) -> Remains {
        if !self.had_bus {
            return Remains::Nothing;
        }
        self.state = State::Deleted;
        Remains::Tombstone
    }

    /// The timer that deletes it while it is PENDING.
    pub(crate) fn timer(&self, region: &str) -> Option<(Millis, Timer)> {
        Some((
            self.expires?,
            Timer::Source {
                region: region.to_owned(),
                name: self.name.clone(),
            },
        ))
    }

    /// Whether its time as PENDING, or as a tombstone without a bus, is over.
    pub(crate) fn is_due(&self, now: Millis) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_names_its_partner() {
        let source = Source::new("aws.partner/scalr.com/acme/prod", "1", "2", 0);
        assert_eq!(source.created_by(), "aws.partner/scalr.com");
        assert_eq!(
            source.arn("eu-west-1"),
            "arn:aws:events:eu-west-1::event-source/aws.partner/scalr.com/acme/prod"
        );
    }

    #[test]
    fn pending_lasts_two_weeks() {
        let mut source = Source::new("aws.partner/a/b", "1", "2", 0);
        assert!(!source.is_due(14 * DAY - 1));
        assert!(source.is_due(14 * DAY));
        source.activate();
        assert!(!source.is_due(100 * DAY));
        source.suspend(DAY);
        assert!(source.is_due(15 * DAY));
    }

    #[test]
    fn only_a_source_with_a_bus_leaves_a_tombstone() {
        let mut source = Source::new("aws.partner/a/b", "1", "2", 0);
        assert_eq!(source.delete(), Remains::Nothing);
        source.activate();
        assert_eq!(source.delete(), Remains::Tombstone);
    }
}
