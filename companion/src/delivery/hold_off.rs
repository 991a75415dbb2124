//! Backoff of what failed where the store does not say it: a region that throttles or does not answer, a look at an event source, the
//! store itself. Tried again at once, a full disk would be a hot loop.
//!
//! Pure: time and random numbers are arguments.

use std::collections::HashMap;
use std::hash::Hash;

use crate::schedule::DELIVERY;

/// What has no further failure for this long after its wait is removed from the map.
const FORGET_MS: i64 = 10 * 60_000;

#[derive(Debug)]
pub(super) struct HoldOff<K> {
    of: HashMap<K, Held>,
}

impl<K> Default for HoldOff<K> {
    fn default() -> Self {
        Self { of: HashMap::new() }
    }
}

#[derive(Debug)]
struct Held {
    failures: u32,
    until_ms: i64,
}

impl<K: Clone + Eq + Hash> HoldOff<K> {
    /// Records a failure; returns the time before which it is not tried again.
    pub(super) fn failed(&mut self, id: &K, now_ms: i64, random: f64) -> i64 {
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

    /// Records a success.
    pub(super) fn succeeded(&mut self, id: &K) {
        self.of.remove(id);
    }

    /// Records how a try ended that may have begun before the wait did: while that lasts, it says nothing new. Whether it counts.
    pub(super) fn ended(&mut self, id: &K, has_failed: bool, now_ms: i64, random: f64) -> bool {
        if !self.permits(id, now_ms) {
            return false;
        }
        if has_failed {
            self.failed(id, now_ms, random);
        } else {
            self.succeeded(id);
        }
        true
    }

    /// Whether it may be tried now. A wait that lies further ahead than the longest one is void: the clock was set
    /// back after it began.
    pub(super) fn permits(&self, id: &K, now_ms: i64) -> bool {
        let waits = now_ms..now_ms.saturating_add(DELIVERY.ms_max);
        let held = self.of.get(id);
        // The end of a wait counts as waited for.
        held.is_none_or(|held| !waits.contains(&(held.until_ms - 1)))
    }

    /// Whether it failed the last time.
    pub(super) fn is_failing(&self, id: &K) -> bool {
        self.of.contains_key(id)
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
        let (a, b) = ("a", "b");
        let mut held = HoldOff::default();
        assert!(held.permits(&a, 0));
        assert_eq!(held.failed(&a, 1000, 1.0), 1200);
        assert_eq!((held.permits(&a, 1199), held.permits(&a, 1200)), (false, true));
        assert!(held.permits(&b, 1000), "no other one is held off");
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

    #[test]
    fn tries_at_one_time_that_fail_together_are_one_failure() {
        let mut held = HoldOff::default();
        let ended = |held: &mut HoldOff<&str>, failed, now| held.ended(&"a", failed, now, 1.0);
        assert!(ended(&mut held, true, 1000));
        for at in 1000..1008 {
            assert!(!ended(&mut held, true, at));
        }
        assert_eq!(held.next_ms(1008), Some(1200), "the shortest wait");
        // One of them succeeds after all: the wait goes on.
        assert!(!ended(&mut held, false, 1010));
        assert!(!held.permits(&"a", 1010));
        assert!(ended(&mut held, true, 1200));
        assert_eq!(held.next_ms(1200), Some(1600), "a second one");
        assert!(ended(&mut held, false, 1600));
        assert!(!held.is_failing(&"a"));
    }
}
