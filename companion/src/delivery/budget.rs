//! So many calls a second, and as many at once: a bucket of tokens. Pure: time is an argument.

#[derive(Debug)]
pub(super) struct Budget {
    a_second: i64,
    /// Thousandths of a call that are left.
    left: i64,
    at_ms: i64,
}

impl Budget {
    pub(super) fn new(a_second: u32) -> Self {
        let a_second = i64::from(a_second);
        Self {
            a_second,
            left: a_second * 1000,
            at_ms: i64::MIN,
        }
    }

    /// What is left at this time. A clock that was set back adds nothing.
    fn refill(&mut self, now_ms: i64) {
        let passed = now_ms.saturating_sub(self.at_ms).max(0);
        self.left = passed
            .saturating_mul(self.a_second)
            .saturating_add(self.left)
            .min(self.a_second * 1000);
        self.at_ms = now_ms;
    }

    /// Takes a call; `false` where there is none left.
    pub(super) fn take(&mut self, now_ms: i64) -> bool {
        self.refill(now_ms);
        let is_left = self.left >= 1000;
        if is_left {
            self.left -= 1000;
        }
        is_left
    }

    /// When the next call may be made.
    pub(super) fn next_ms(&mut self, now_ms: i64) -> i64 {
        self.refill(now_ms);
        let missing = (1000 - self.left).max(0);
        now_ms.saturating_add((missing + self.a_second - 1) / self.a_second.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_come_at_their_rate_after_a_burst() {
        let mut budget = Budget::new(20);
        let mut at = |now_ms| std::iter::from_fn(|| budget.take(now_ms).then_some(())).count();
        assert_eq!(
            [at(1000), at(1000), at(1049), at(1050), at(1150)],
            [20, 0, 0, 1, 2]
        );
        // A clock that is set back, and one that jumps ahead.
        assert_eq!([at(0), at(50), at(1 << 60)], [0, 1, 20]);
        let mut budget = Budget::new(20);
        assert_eq!(budget.next_ms(7), 7);
        while budget.take(7) {}
        assert_eq!(budget.next_ms(7), 57);
    }
}
