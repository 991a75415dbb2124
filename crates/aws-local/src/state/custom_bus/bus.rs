//! A custom event bus and its states.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::live::{Candidates, Live};
use super::log::Log;
use super::metrics::BusMetrics;
use super::subscriber::Subscriber;
use crate::clock::{DAY, Millis};
use crate::policy::{Ask, Policy, Verdict};
use crate::segments::LogId;
use crate::state::names::Tags;

/// A custom event bus.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CustomBus {
    pub(crate) name: String,
    /// The end of its ARN.
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) kms_key: Option<String>,
    pub(crate) retention_days: i64,
    pub(crate) tags: Tags,
    pub(crate) created: Millis,
    pub(crate) modified: Millis,
    /// It is CREATING before that.
    pub(crate) active_from: Millis,
    /// It is UPDATING before that.
    pub(crate) updating_until: Millis,
    /// It is DELETING from then on.
    pub(crate) deleted: Option<Millis>,
    /// Until then no subscriber can be created or deleted: AWS takes one such change at a time.
    pub(crate) subscribers_busy_until: Millis,
    pub(crate) subscribers: BTreeMap<String, Subscriber>,
    pub(crate) log: Log,
    /// Its resource policies by name.
    pub(crate) policies: BTreeMap<String, BusPolicy>,
    #[serde(default)]
    pub(crate) metrics: BusMetrics,
    #[serde(skip)]
    live: Live,
    /// What names it in the stories of its events.
    #[serde(skip)]
    label: OnceLock<Arc<str>>,
}

/// A resource policy of a bus. Its text is what is stored; a text that this version refuses, though an earlier one took it, allows
/// nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BusPolicy {
    pub(crate) document: String,
    pub(crate) revision: String,
    #[serde(skip)]
    parsed: OnceLock<Option<Policy>>,
}

impl BusPolicy {
    pub(crate) fn new(document: String, revision: String) -> Self {
        Self {
            document,
            revision,
            parsed: OnceLock::new(),
        }
    }

    fn verdict(&self, ask: &Ask<'_>) -> Verdict {
        let parsed = self.parsed.get_or_init(|| Policy::parse(&self.document).ok());
        parsed
            .as_ref()
            .map_or(Verdict::Silent, |policy| policy.verdict(ask))
    }
}

/// The states that a bus here can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BusState {
    Creating,
    Active,
    Updating,
    Deleting,
}

impl BusState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
        }
    }
}

impl CustomBus {
    pub(crate) fn new(name: &str, id: String, log: LogId, (now, creating): (Millis, Millis)) -> Self {
        Self {
            name: name.to_owned(),
            id,
            description: None,
            kms_key: None,
            retention_days: 1,
            tags: Tags::new(),
            created: now,
            modified: now,
            active_from: now + creating,
            updating_until: now,
            deleted: None,
            subscribers_busy_until: now,
            subscribers: BTreeMap::new(),
            log: Log::new(log),
            policies: BTreeMap::new(),
            metrics: BusMetrics::default(),
            live: Live::default(),
            label: OnceLock::new(),
        }
    }

    /// `event-busv2/NAME/ID`.
    pub(crate) fn label(&self) -> Arc<str> {
        let label = || resource(&self.name, &self.id).into();
        Arc::clone(self.label.get_or_init(label))
    }

    pub(crate) fn state(&self, now: Millis) -> BusState {
        if self.deleted.is_some() {
            BusState::Deleting
        } else if now < self.active_from {
            BusState::Creating
        } else if now < self.updating_until {
            BusState::Updating
        } else {
            BusState::Active
        }
    }

    /// What its policies say together.
    pub(crate) fn verdict(&self, ask: &Ask<'_>) -> Verdict {
        let verdicts = self.policies.values().map(|policy| policy.verdict(ask));
        verdicts.fold(Verdict::Silent, Verdict::and)
    }

    /// Events from before that are no longer kept.
    pub(crate) fn window_start(&self, now: Millis) -> Millis {
        let kept = now.saturating_sub(self.retention_days.saturating_mul(DAY));
        kept.max(self.created)
    }

    /// The running subscribers that may want a new event, which takes so many steps at most.
    pub(crate) fn candidates(&mut self, event: &Event, steps: &mut usize) -> Candidates {
        self.live.candidates(&self.subscribers, &event.json(), steps)
    }

    /// A subscriber came, went, or has another filter, state or position than before.
    pub(crate) fn subscriber_changed(&mut self, name: &str) {
        self.live.changed(name);
    }

    /// Forgets what is no longer kept.
    pub(crate) fn expire(&mut self, now: Millis) {
        let start = self.window_start(now);
        self.log.expire(start);
    }
}

/// `event-busv2/NAME/ID`.
pub(crate) fn resource(name: &str, id: &str) -> String {
    ["event-busv2/", name, "/", id].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_passes_its_states_by_the_clock() {
        let mut bus = CustomBus::new("b", String::new(), LogId(1), (1_000, 500));
        for (now, state) in [(1_000, "CREATING"), (1_499, "CREATING"), (1_500, "ACTIVE")] {
            assert_eq!(bus.state(now).as_str(), state, "{now}");
        }
        bus.updating_until = 2_000;
        assert_eq!(
            [1_999, 2_000].map(|now| bus.state(now).as_str()),
            ["UPDATING", "ACTIVE"]
        );
        bus.deleted = Some(3_000);
        assert_eq!(bus.state(2_500), BusState::Deleting);
    }

    #[test]
    fn the_window_begins_no_earlier_than_the_bus() {
        let bus = CustomBus::new("b", String::new(), LogId(1), (1_000, 0));
        for (now, start) in [(2_000, 1_000), (DAY, 1_000), (DAY + 5_000, 5_000)] {
            assert_eq!(bus.window_start(now), start, "{now}");
        }
    }
}
