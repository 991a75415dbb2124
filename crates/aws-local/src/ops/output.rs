//! What an operation gives: JSON that is written once the engine's lock is released.

use serde::Serialize;
use serde_json::Value;

use super::live_tail::Tail;
use super::log_events::EventsPage;
use super::put_results::PutResults;

/// The output of an operation.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Output {
    Value(Value),
    /// Log events, whose texts are shared with the state until they are written.
    Events(EventsPage),
    Put(PutResults),
    /// A session of StartLiveTail, which goes on after its start.
    Tail(Box<Tail>),
}

impl Output {
    /// As the JSON protocols carry it.
    pub(crate) fn text(&self) -> String {
        // An output is plain data with text keys: it always serialises.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::Value(value) => value,
            Self::Events(page) => serde_json::to_value(page).unwrap_or_default(),
            Self::Put(results) => serde_json::to_value(results).unwrap_or_default(),
            Self::Tail(tail) => serde_json::to_value(tail).unwrap_or_default(),
        }
    }
}

impl From<Value> for Output {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl From<PutResults> for Output {
    fn from(results: PutResults) -> Self {
        Self::Put(results)
    }
}

impl From<Tail> for Output {
    fn from(tail: Tail) -> Self {
        Self::Tail(Box::new(tail))
    }
}

impl From<EventsPage> for Output {
    fn from(page: EventsPage) -> Self {
        Self::Events(page)
    }
}
