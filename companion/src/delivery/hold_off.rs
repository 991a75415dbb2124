//! Connections whose worker failed on the store: none is started again at once, or a full disk would be a hot loop.
//!
//! Kept in memory, since the store is what failed. Pure: time and chance come in as arguments.

use std::collections::HashMap;

use scalr_api::ConnectionId;

use super::decide::BACKOFF;

/// A failure is forgotten when nothing came of the connection for so long after its wait.
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
    /// Notes a failure; answers until when no worker is started.
    pub(super) fn failed(&mut self, id: &ConnectionId, now_ms: i64, chance: f64) -> i64 {
        self.of
            .retain(|_, held| held.until_ms.saturating_add(FORGET_MS) > now_ms);
        let held = self.of.entry(id.clone()).or_insert(Held {
            failures: 0,
            until_ms: now_ms,
        });
        held.until_ms = now_ms.saturating_add(BACKOFF.wait_ms(held.failures, chance));
        held.failures = held.failures.saturating_add(1);
        held.until_ms
    }

    /// Notes that a worker came to its end.
    pub(super) fn went_well(&mut self, id: &ConnectionId) {
        self.of.remove(id);
    }

    /// Whether a worker may be started.
    pub(super) fn lets(&self, id: &ConnectionId, now_ms: i64) -> bool {
        self.of.get(id).is_none_or(|held| held.until_ms <= now_ms)
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
    fn a_failure_holds_off_longer_each_time_until_one_goes_well() {
        let (a, b) = (
            ConnectionId::new("in-a").unwrap(),
            ConnectionId::new("in-b").unwrap(),
        );
        let mut held = HoldOff::default();
        assert!(held.lets(&a, 0));
        assert_eq!(held.failed(&a, 1000, 1.0), 1200);
        assert_eq!((held.lets(&a, 1199), held.lets(&a, 1200)), (false, true));
        assert!(held.lets(&b, 1000), "nobody else is held");
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
        assert_eq!(held.failed(&a, now, 1.0), now + BACKOFF.ms_max, "bounded");
        held.went_well(&a);
        assert_eq!(held.failed(&a, now, 1.0), now + 200);
        held.failed(&a, now + FORGET_MS * 2, 1.0);
        assert_eq!(held.of.len(), 1, "what is long over is forgotten");
    }
}
