//! What commits did, counted since the start of the process, and whether the store takes writes.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::error::{StoreError, WriteFault};
use super::feed::{Happening, What};

/// Counted since the start of the process.
#[derive(Debug)]
pub(crate) struct Commits {
    accepted: Counter,
    delivered: Counter,
    failed: Counter,
    purged: Counter,
    retried: Counter,
    took: Histogram,
    dropped: Family<Reason, Counter>,
    ended: Family<Outcome, Counter>,
    last: Mutex<Option<Last>>,
}

/// The last write.
#[derive(Clone, Copy, Debug)]
struct Last {
    at: Instant,
    fault: Option<WriteFault>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

impl Default for Commits {
    fn default() -> Self {
        let (dropped, ended) = (Family::default(), Family::default());
        // Each series is there from the start: one that begins with its first drop never rises, so no alert sees that drop.
        for reason in ["too-old", "too-many-bytes"] {
            drop(dropped.get_or_create(&Reason { reason }));
        }
        for outcome in ["done", "failed"] {
            drop(ended.get_or_create(&Outcome { outcome }));
        }
        Self {
            accepted: Counter::default(),
            delivered: Counter::default(),
            failed: Counter::default(),
            purged: Counter::default(),
            retried: Counter::default(),
            // From 10 ms to some hours.
            took: Histogram::new(exponential_buckets(0.01, 4.0, 11)),
            dropped,
            ended,
            last: Mutex::default(),
        }
    }
}

impl Commits {
    fn last(&self) -> MutexGuard<'_, Option<Last>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, fault: Option<WriteFault>) {
        let outcome = if fault.is_some() { "failed" } else { "done" };
        self.ended.get_or_create(&Outcome { outcome }).inc();
        let at = Instant::now();
        *self.last() = Some(Last { at, fault });
    }

    /// Counts a commit, and what it did.
    pub(super) fn done(&self, noted: &[Happening]) {
        for happening in noted {
            match &happening.what {
                What::Accepted { .. } => drop(self.accepted.inc()),
                What::Delivered { after_ms, .. } => {
                    self.delivered.inc();
                    let millis = u64::try_from(*after_ms).unwrap_or_default();
                    self.took.observe(Duration::from_millis(millis).as_secs_f64());
                }
                What::Retried { .. } => drop(self.retried.inc()),
                What::Failed { .. } => drop(self.failed.inc()),
                What::Dropped { events, reason, .. } => {
                    let events = u64::try_from(*events).unwrap_or(u64::MAX);
                    self.dropped.get_or_create(&Reason { reason }).inc_by(events);
                }
                What::Purged { events } => drop(self.purged.inc_by(*events)),
                What::Status => {}
            }
        }
        self.note(None);
    }

    /// Counts a commit that failed, or a transaction that could not begin.
    pub(super) fn failed(&self, error: &StoreError) {
        self.note(Some(error.write_fault()));
    }

    /// Why the last write failed, if it did.
    pub(crate) fn fault(&self) -> Option<WriteFault> {
        self.last().and_then(|last| last.fault)
    }

    /// When the last write ended.
    pub(crate) fn last_at(&self) -> Option<Instant> {
        self.last().map(|last| last.at)
    }

    /// Adds the figures.
    pub(crate) fn register(&self, registry: &mut Registry) {
        for (name, help, counter) in [
            (
                "deliveries_accepted",
                "Deliveries that were made: one event for one connection",
                &self.accepted,
            ),
            (
                "deliveries_acknowledged",
                "Deliveries that AWS acknowledged",
                &self.delivered,
            ),
            (
                "deliveries_failed",
                "Deliveries that have failed: AWS does not take the event, which is kept until it is redelivered or purged",
                &self.failed,
            ),
            (
                "deliveries_purged",
                "Failed deliveries that a person deleted",
                &self.purged,
            ),
            (
                "delivery_retries",
                "Tries after which an event is to be sent again, with an error of its own or of its call",
                &self.retried,
            ),
        ] {
            registry.register(name, help, counter.clone());
        }
        registry.register(
            "deliveries_dropped",
            "Deliveries that were given up: `too-old` or `too-many-bytes`",
            self.dropped.clone(),
        );
        registry.register(
            "delivery_duration_seconds",
            "How long after an event was accepted AWS acknowledged it, with the time for which it was held",
            self.took.clone(),
        );
        registry.register(
            "store_commits",
            "Transactions that were `done` or have `failed`: none of a failed one is kept",
            self.ended.clone(),
        );
    }
}
