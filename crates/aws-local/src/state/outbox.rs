//! Deliveries over HTTP that are under way or wait for a retry, calls of subscribers, and a record of what was sent.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::RealmId;
use super::rule::{HttpParameters, Target};
use super::story::DeliveryRef;
use crate::clock::Millis;

/// How many invocations are kept for `GET /_local/invocations`, and how many bytes of payloads: the oldest go first.
const INVOCATIONS_MAX: usize = 1_000;
const INVOCATION_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The most deliveries that may wait at once, and the most bytes of their payloads.
const PENDING_MAX: usize = 50_000;
const PENDING_BYTES_MAX: usize = 256 * 1024 * 1024;
/// AWS's default of a target's retry policy.
const AGE_SECONDS_MAX: i64 = 86_400;
/// A delivery over HTTP that has not ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) realm: RealmId,
    pub(crate) rule_arn: Arc<str>,
    pub(crate) target: Arc<Target>,
    pub(crate) event: Arc<str>,
    pub(crate) payload: Arc<str>,
    #[serde(rename = "page")]
    pub(crate) in_story: DeliveryRef,
    pub(crate) retries: u32,
    pub(crate) since: Millis,
    pub(crate) under_way: bool,
    /// Has a slot of its API destination's rate, and waits for its time.
    #[serde(default)]
    pub(crate) admitted: bool,
    /// When the latest request was sent. Those that an older version stored do not say so.
    #[serde(default)]
    pub(crate) began: Option<Millis>,
    /// It was answered that the target takes no more for now.
    #[serde(default)]
    pub(crate) throttled: bool,
}

impl Pending {
    /// After this it is not retried.
    pub(crate) fn deadline(&self) -> Millis {
        let policy = self.target.retry_policy.as_ref();
        let age = policy.and_then(|policy| policy.maximum_event_age_in_seconds);
        self.since + age.unwrap_or(AGE_SECONDS_MAX) * 1000
    }
}

/// A call for a subscriber of a custom event bus that has not ended: its result decides what becomes of the batch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) realm: RealmId,
    pub(crate) bus: String,
    pub(crate) subscriber: String,
    /// The number of the batch's first event.
    pub(crate) batch: u64,
    pub(crate) work: Work,
    /// It was sent; before that it waits for the rate of its API destination.
    pub(crate) under_way: bool,
}

/// What a call does.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Work {
    /// A request over HTTP to the target.
    Http {
        target: Arc<Target>,
        payload: Arc<str>,
        parameters: Option<HttpParameters>,
    },
    /// The expressions of the subscriber are evaluated.
    Evaluation,
}

impl Call {
    fn bytes(&self) -> usize {
        match &self.work {
            Work::Http { payload, .. } => payload.len(),
            Work::Evaluation => 0,
        }
    }
}

/// A request to a target, as `GET /_local/invocations` shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InvocationRecord {
    pub(crate) at: Millis,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) rule_arn: Arc<str>,
    pub(crate) target: Arc<Target>,
    pub(crate) event_id: Arc<str>,
    pub(crate) payload: Arc<str>,
}

/// The deliveries over HTTP.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Outbox {
    pub(crate) pending: BTreeMap<u64, Pending>,
    /// Those of custom event buses. No number is in both.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) calls: BTreeMap<u64, Call>,
    next: u64,
    pub(crate) invocations: VecDeque<InvocationRecord>,
    /// How many invocations were dropped: the number of the first that is kept.
    #[serde(default)]
    pub(crate) invocations_dropped: u64,
    #[serde(skip)]
    invocation_bytes: usize,
    #[serde(skip)]
    pending_bytes: usize,
}

impl Outbox {
    /// An empty outbox that continues the numbering: the result of an old request must not be taken for that of a later
    /// delivery.
    pub(crate) fn emptied(&self) -> Self {
        Self {
            next: self.next,
            ..Self::default()
        }
    }

    /// Counts what is kept, after it was read from disk.
    pub(crate) fn recount(&mut self) {
        self.invocation_bytes = self.invocations.iter().map(|seen| seen.payload.len()).sum();
        let calls = self.calls.values().map(Call::bytes).sum::<usize>();
        let pending = self.pending.values().map(|pending| pending.payload.len());
        self.pending_bytes = pending.sum::<usize>() + calls;
    }

    /// The numbers below `to` are taken.
    pub(crate) fn skip(&mut self, to: u64) {
        self.next = self.next.max(to);
    }

    /// Whether one more delivery of this payload may wait.
    pub(crate) fn has_room(&self, payload: &str) -> bool {
        let waiting = self.pending.len() + self.calls.len();
        waiting < PENDING_MAX && self.pending_bytes + payload.len() <= PENDING_BYTES_MAX
    }

    pub(crate) fn remove(&mut self, id: u64) -> Option<Pending> {
        let pending = self.pending.remove(&id)?;
        self.pending_bytes = self.pending_bytes.saturating_sub(pending.payload.len());
        Some(pending)
    }

    pub(crate) fn add(&mut self, pending: Pending) -> u64 {
        let id = self.next;
        self.next += 1;
        self.pending_bytes += pending.payload.len();
        self.pending.insert(id, pending);
        id
    }

    pub(crate) fn add_call(&mut self, call: Call) -> u64 {
        let id = self.next;
        self.next += 1;
        self.pending_bytes += call.bytes();
        self.calls.insert(id, call);
        id
    }

    pub(crate) fn remove_call(&mut self, id: u64) -> Option<Call> {
        let call = self.calls.remove(&id)?;
        self.pending_bytes = self.pending_bytes.saturating_sub(call.bytes());
        Some(call)
    }

    /// Deliveries whose request was sent and whose result is not recorded.
    pub(crate) fn under_way(&self) -> BTreeSet<u64> {
        let pending = self.pending.iter().filter(|(_, pending)| pending.under_way);
        let calls = self.calls.iter().filter(|(_, call)| call.under_way);
        let pending = pending.map(|(id, _)| *id);
        pending.chain(calls.map(|(id, _)| *id)).collect()
    }

    pub(crate) fn record(&mut self, invocation: InvocationRecord) {
        self.invocation_bytes += invocation.payload.len();
        self.invocations.push_back(invocation);
        while self.invocations.len() > INVOCATIONS_MAX
            || (self.invocation_bytes > INVOCATION_BYTES_MAX && self.invocations.len() > 1)
        {
            let Some(oldest) = self.invocations.pop_front() else {
                return;
            };
            self.invocation_bytes = self.invocation_bytes.saturating_sub(oldest.payload.len());
            self.invocations_dropped += 1;
        }
    }
}
