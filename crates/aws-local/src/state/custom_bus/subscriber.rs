//! A subscriber of a custom event bus: what it wants, and how far it has come.

use std::sync::{Arc, OnceLock};

use event_pattern::{FilterError, Filters, Scope};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::batching::Batching;
use super::deliveries::Deliveries;
use super::metrics::Delivering;
use super::program::Program;
use crate::clock::Millis;
use crate::state::names::Tags;
use crate::state::rule::Target;

/// A subscriber. What is only described is kept as it was given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Subscriber {
    pub(crate) name: String,
    /// The end of its ARN.
    pub(crate) id: String,
    pub(crate) arn: Arc<str>,
    /// `InvokeConfiguration`.
    pub(crate) invoke: Value,
    /// The target in the form that invocations are recorded with.
    pub(crate) target: Arc<Target>,
    pub(crate) description: Option<String>,
    pub(crate) filters: FilterSet,
    pub(crate) ordering: Ordering,
    /// `POINT_IN_TIME` as it was given.
    pub(crate) point_in_time: Option<Value>,
    /// What is asked for and has no default at creation is absent.
    pub(crate) batch: Option<Value>,
    pub(crate) transformer: Option<Value>,
    /// The expressions in both.
    #[serde(default)]
    pub(crate) program: Program,
    pub(crate) retry: Retry,
    pub(crate) dead_letter: Option<String>,
    pub(crate) log: Option<Value>,
    pub(crate) running: bool,
    pub(crate) revoked: bool,
    pub(crate) tags: Tags,
    pub(crate) created: Millis,
    pub(crate) modified: Millis,
    /// When its filters were changed in the last 24 hours.
    pub(crate) filter_changes: Vec<Millis>,
    /// The number of the next event that it has not looked at; none where it follows the bus and has looked at all.
    pub(crate) next: Option<u64>,
    /// What came before is not for it.
    #[serde(default)]
    pub(crate) from: Millis,
    /// Events up to this number are replayed.
    pub(crate) replayed_to: u64,
    /// It gets no event from this time on.
    pub(crate) end: Option<Millis>,
    /// The events that it has taken and not delivered yet.
    #[serde(default)]
    pub(crate) deliveries: Deliveries,
    #[serde(default)]
    pub(crate) metrics: Delivering,
}

/// `Type` of a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Ordering {
    Fifo,
    Unordered,
}

/// How often and how long a delivery is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Retry {
    pub(crate) attempts_max: u32,
    pub(crate) age_seconds_max: i64,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts_max: 5,
            age_seconds_max: 300,
        }
    }
}

/// The filters of a subscriber. Their texts are stored; texts that this version refuses match nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct FilterSet {
    pub(crate) texts: Vec<(String, String)>,
    #[serde(skip)]
    compiled: Arc<OnceLock<Option<Filters>>>,
}

impl FilterSet {
    /// Compiles filters, each a scope and a pattern.
    pub(crate) fn new(texts: Vec<(String, String)>) -> Result<Self, FilterError> {
        let compiled = compile(&texts)?;
        Ok(Self {
            texts,
            compiled: Arc::new(OnceLock::from(Some(compiled))),
        })
    }

    /// Filters that are compiled when they are first needed.
    pub(crate) fn stored(texts: Vec<(String, String)>) -> Self {
        Self {
            texts,
            compiled: Arc::default(),
        }
    }

    /// The text of the filter of a scope.
    pub(crate) fn text(&self, scope: Scope) -> Option<&str> {
        let mut texts = self.texts.iter();
        texts
            .find(|(name, _)| name == scope.name())
            .map(|(_, text)| text.as_str())
    }

    pub(crate) fn compiled(&self) -> Option<&Filters> {
        self.compiled.get_or_init(|| compile(&self.texts).ok()).as_ref()
    }
}

fn compile(texts: &[(String, String)]) -> Result<Filters, FilterError> {
    // The model has checked the scopes.
    let scoped = texts
        .iter()
        .filter_map(|(scope, text)| Some((Scope::named(scope)?, text.as_str())));
    Filters::compile(scoped)
}

impl Subscriber {
    /// Whether new events are given to it as they come.
    pub(crate) fn is_live(&self) -> bool {
        self.running && !self.revoked && self.next.is_none()
    }

    /// How many events one call to its target carries. Parameters with expressions belong to one event, and a request over HTTP
    /// has them once.
    pub(crate) fn batching(&self) -> Batching {
        let batching = Batching::of(&self.target.arn, self.batch.as_ref());
        if self.invoke.get("HttpParameters").is_some() && self.program.has_parameter_expressions() {
            return Batching { size: 1, ..batching };
        }
        batching
    }

    /// A copy without the events that wait in it, which may be many.
    pub(crate) fn outline(&mut self) -> Self {
        let deliveries = std::mem::take(&mut self.deliveries);
        let outline = self.clone();
        self.deliveries = deliveries;
        outline
    }

    /// Stops it: its backlog begins behind the latest event of the bus.
    pub(crate) fn stop(&mut self, latest: u64) {
        self.running = false;
        self.next.get_or_insert(latest + 1);
    }

    /// Forgets its backlog: it goes on with what comes after the latest event of the bus.
    pub(crate) fn skip_to(&mut self, latest: u64) {
        self.next = Some(latest + 1);
        self.replayed_to = 0;
        self.deliveries = Deliveries::default();
    }
}
