//! How long each kind of wait may be, and exponential backoff with jitter. Pure: the random number is an argument.

/// The shortest and the longest wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    pub(crate) ms_min: i64,
    pub(crate) ms_max: i64,
}

/// Between retries of a delivery.
pub(crate) const DELIVERY: Backoff = Backoff {
    ms_min: 200,
    ms_max: 30_000,
};
/// Between retries of deleting a source, where a retry may complete that.
pub(crate) const REMOVAL: Backoff = Backoff {
    ms_min: 5_000,
    ms_max: 60_000,
};
/// The same where AWS refused: an operator has to correct something there.
pub(crate) const REFUSED_REMOVAL: Backoff = Backoff {
    ms_min: 60_000,
    ms_max: 3_600_000,
};
/// How long an event is leased to a call: longer than the call and the calls that it is halved into may take together.
pub(crate) const LEASE_MS: i64 = 120_000;
/// How long a run stays in each status before its last.
pub(crate) const RUN_STEP_MS: i64 = 120;

impl Backoff {
    /// The wait after this many failures in a row: it doubles up to the bound, and jitter takes up to half of it away.
    pub(crate) fn wait_ms(self, failures: u32, random: f64) -> i64 {
        let whole = self.ms_min.saturating_mul(1 << failures.min(30)).min(self.ms_max);
        let half = whole / 2;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "at most some hours"
        )]
        let jitter = (half as f64 * random.clamp(0.0, 1.0)) as i64;
        half + jitter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_are_bounded() {
        let whole = |failures| DELIVERY.wait_ms(failures, 1.0);
        assert_eq!(
            [whole(0), whole(1), whole(2), whole(7), whole(8), whole(4_000_000)],
            [200, 400, 800, 25_600, 30_000, 30_000]
        );
        assert_eq!(DELIVERY.wait_ms(0, 0.0), 100);
        assert_eq!(DELIVERY.wait_ms(0, f64::NAN), 100);
    }
}
