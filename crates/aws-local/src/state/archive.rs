//! Archives of a bus's events, and replays from them.

use std::collections::VecDeque;
use std::sync::Arc;

use event_pattern::Pattern;
use serde::{Deserialize, Serialize};

use crate::clock::{DAY, Millis};

/// An archive keeps at most this many events here; the oldest are dropped first.
const EVENTS_MAX: usize = 100_000;

/// An archive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Archive {
    pub(crate) name: String,
    pub(crate) bus_arn: String,
    pub(crate) description: Option<String>,
    pub(crate) pattern: Option<String>,
    pub(crate) retention_days: i64,
    pub(crate) kms_key: Option<String>,
    pub(crate) created: Millis,
    pub(crate) events: VecDeque<Archived>,
    #[serde(skip)]
    compiled: Option<Arc<Pattern>>,
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
            compiled: None,
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

    /// Sets a pattern, which has to compile.
    pub(crate) fn set_pattern(&mut self, pattern: Option<String>) {
        self.pattern = pattern;
        self.compiled = None;
    }

    /// Stores an event if the pattern matches.
    pub(crate) fn take(&mut self, event: Archived) {
        if let Some(text) = &self.pattern {
            if self.compiled.is_none() {
                self.compiled = Pattern::compile(text).ok().map(Arc::new);
            }
            let matches = self
                .compiled
                .as_ref()
                .is_some_and(|pattern| pattern.matches(&event.text).unwrap_or(false));
            if !matches {
                return;
            }
        }
        self.expire(event.at);
        self.events.push_back(event);
        if self.events.len() > EVENTS_MAX {
            self.events.pop_front();
        }
    }

    /// Drops what retention no longer keeps.
    fn expire(&mut self, now: Millis) {
        let oldest = self.oldest(now);
        while self.events.front().is_some_and(|event| event.at < oldest) {
            self.events.pop_front();
        }
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
