//! Backoff of workers that failed on the store: restarted at once, they would make a full disk a hot loop.
//!
//! Kept in memory, since the store is what failed. Pure: time and random numbers are arguments.

use std::collections::HashMap;

use scalr_api::ConnectionId;

use crate::schedule::DELIVERY;

/// A connection without a further failure for this long after its wait is removed from the map.
const FORGET_MS: i64 = 10 * 60_000;

#[derive(Debug, Default)]
pub(super) struct HoldOff {
    of: HashMap<ConnectionId, Held>,
}

#[derive(Debug)]
struct Held {
    failures: u32,
    until_ms: i64,
}

impl HoldOff {
    /// Records a failure; returns the time before which no worker is started.
    pub(super) fn failed(&mut self, id: &ConnectionId, now_ms: i64, random: f64) -> i64 {
        self.of
            .retain(|_, held| held.until_ms.saturating_add(FORGET_MS) > now_ms);
        let held = self.of.entry(id.clone()).or_insert(Held {
            failures: 0,
            until_ms: now_ms,
        });
        held.until_ms = now_ms.saturating_add(DELIVERY.wait_ms(held.failures, random));
        held.failures = held.failures.saturating_add(1);
        held.until_ms
    }

    /// Records that a worker ended without a failure.
    pub(super) fn succeeded(&mut self, id: &ConnectionId) {
        self.of.remove(id);
    }

    /// Whether a worker may be started. A wait that lies further ahead than the longest one is void: the clock was set
    /// back after it began.
    pub(super) fn permits(&self, id: &ConnectionId, now_ms: i64) -> bool {
        let waits = now_ms..now_ms.saturating_add(DELIVERY.ms_max);
        let held = self.of.get(id);
        // The end of a wait counts as waited for.
        held.is_none_or(|held| !waits.contains(&(held.until_ms - 1)))
    }

    /// When the next wait ends.
    pub(super) fn next_ms(&self, now_ms: i64) -> Option<i64> {
        let ends = self.of.values().map(|held| held.until_ms);
        ends.filter(|until| *until > now_ms).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backoff_doubles_with_each_failure_until_a_success() {
        let (a, b) = (
            ConnectionId::new("in-a").unwrap(),
            ConnectionId::new("in-b").unwrap(),
        );
        let mut held = HoldOff::default();
        assert!(held.permits(&a, 0));
        assert_eq!(held.failed(&a, 1000, 1.0), 1200);
        assert_eq!((held.permits(&a, 1199), held.permits(&a, 1200)), (false, true));
        assert!(held.permits(&b, 1000), "no other connection is held off");
        assert_eq!(held.failed(&b, 1000, 0.0), 1100);
        assert_eq!(held.failed(&a, 1200, 1.0), 1600);
        assert_eq!(
            [1000, 1100, 1600].map(|now| held.next_ms(now)),
            [Some(1100), Some(1600), None]
        );
        let mut now = 1600;
        for _ in 0..100 {
            now = held.failed(&a, now, 1.0);
        }
        assert_eq!(held.failed(&a, now, 1.0), now + DELIVERY.ms_max, "bounded");
        assert!(!held.permits(&a, now), "the longest wait");
        assert!(held.permits(&a, now - 1), "a wait that is longer than that");
        held.succeeded(&a);
        assert_eq!(held.failed(&a, now, 1.0), now + 200);
        held.failed(&a, now + FORGET_MS * 2, 1.0);
        assert_eq!(held.of.len(), 1, "old failures leave the map");
    }
}
