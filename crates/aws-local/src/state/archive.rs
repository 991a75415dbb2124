//! Archives of a bus's events, and replays from them.

use std::collections::VecDeque;
use std::sync::Arc;

use event_pattern::Pattern;
use serde::{Deserialize, Serialize};

use super::pattern::EventPattern;
use crate::clock::{DAY, Millis};

/// An archive keeps at most this many events here, and this many bytes of them; the oldest are dropped first.
const EVENTS_MAX: usize = 100_000;
const BYTES_MAX: usize = 128 * 1024 * 1024;

/// An archive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Archive {
    pub(crate) name: String,
    pub(crate) bus_arn: String,
    pub(crate) description: Option<String>,
    pub(crate) pattern: Option<EventPattern>,
    pub(crate) retention_days: i64,
    pub(crate) kms_key: Option<String>,
    pub(crate) created: Millis,
    pub(crate) events: VecDeque<Archived>,
    /// The size of their texts.
    #[serde(skip)]
    bytes: usize,
}

/// An event in an archive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Archived {
    pub(crate) at: Millis,
    pub(crate) id: Arc<str>,
    pub(crate) time: Millis,
    pub(crate) text: Arc<str>,
}

/// A replay of an archive's events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Replay {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) archive_arn: String,
    pub(crate) from: Millis,
    pub(crate) to: Millis,
    pub(crate) bus_arn: String,
    /// Only these rules get the events, if any are named.
    pub(crate) rules: Vec<String>,
    pub(crate) state: String,
    pub(crate) started: Millis,
    pub(crate) ended: Option<Millis>,
    pub(crate) last: Option<Millis>,
    /// While it runs: the events that are still to be published, in the order of their times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) left: Option<VecDeque<Archived>>,
}

impl Replay {
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "COMPLETED" | "CANCELLED" | "FAILED")
    }
}

impl Archive {
    pub(crate) fn new(name: &str, bus_arn: &str, created: Millis) -> Self {
        Self {
            name: name.to_owned(),
            bus_arn: bus_arn.to_owned(),
            description: None,
            pattern: None,
            retention_days: 0,
            kms_key: None,
            created,
            events: VecDeque::new(),
            bytes: 0,
        }
    }

    /// The archive without its events.
    pub(crate) fn outline(&self) -> Self {
        Self {
            pattern: self.pattern.clone(),
            ..Self::new(&self.name, &self.bus_arn, self.created)
        }
    }

    /// The name of the managed rule that AWS shows for it on its bus.
    pub(crate) fn rule_name(&self) -> String {
        format!("Events-Archive-{}", self.name)
    }

    /// Stores an event if the pattern matches, which is looked for in so many steps at most.
    pub(crate) fn take(&mut self, event: Archived, steps: &mut usize) {
        if let Some(pattern) = &self.pattern {
            let matches = |pattern: &Pattern| pattern.matches_within(&event.text, steps).unwrap_or(false);
            if !pattern.compiled().is_some_and(matches) {
                return;
            }
        }
        self.expire(event.at);
        self.bytes += event.text.len();
        self.events.push_back(event);
        while self.events.len() > EVENTS_MAX || self.bytes > BYTES_MAX {
            self.drop_oldest();
        }
    }

    /// Counts what is kept, after it was read from disk.
    pub(crate) fn recount(&mut self) {
        self.bytes = self.events.iter().map(|event| event.text.len()).sum();
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.events.pop_front() {
            self.bytes = self.bytes.saturating_sub(oldest.text.len());
        }
    }

    /// Drops what retention no longer keeps, so many at a time.
    fn expire(&mut self, now: Millis) {
        const DROPPED_MAX: usize = 1_000;
        let oldest = self.oldest(now);
        for _ in 0..DROPPED_MAX {
            if self.events.front().is_none_or(|event| event.at >= oldest) {
                return;
            }
            self.drop_oldest();
        }
    }

    /// The bytes of its events.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many events retention keeps, and their bytes. What it does not keep is not counted one by one where it is
    /// dropped already.
    pub(crate) fn size(&self, now: Millis) -> (usize, usize) {
        let oldest = self.oldest(now);
        let expired = self.events.partition_point(|event| event.at < oldest);
        let bytes: usize = self.events.range(..expired).map(|event| event.text.len()).sum();
        (self.events.len() - expired, self.bytes.saturating_sub(bytes))
    }

    /// The events that retention keeps.
    pub(crate) fn kept(&self, now: Millis) -> impl Iterator<Item = &Archived> {
        let oldest = self.oldest(now);
        self.events.iter().filter(move |event| event.at >= oldest)
    }

    /// 0 days keep everything.
    fn oldest(&self, now: Millis) -> Millis {
        if self.retention_days == 0 {
            return Millis::MIN;
        }
        now.saturating_sub(self.retention_days.saturating_mul(DAY))
    }
}
