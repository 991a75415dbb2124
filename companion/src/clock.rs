//! The clock and the random numbers of the edge: the core takes both as arguments.

use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// `2024-04-19T13:44:02Z`.
pub(crate) fn rfc3339_seconds(ms: i64) -> String {
    stamp(ms).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2024-04-19T13:44:02.335490`: UTC, microseconds, no zone.
pub(crate) fn micros_without_zone(ms: i64) -> String {
    stamp(ms).strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

fn stamp(ms: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// A random number in 0..1.
pub(crate) fn random() -> f64 {
    let (_, low) = uuid::Uuid::new_v4().as_u64_pair();
    f64::from(u32::try_from(low & 0xffff_ffff).unwrap_or_default()) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_scalrs_forms() {
        assert_eq!(rfc3339_seconds(1_713_534_242_335), "2024-04-19T13:44:02Z");
        assert_eq!(
            micros_without_zone(1_713_534_242_335),
            "2024-04-19T13:44:02.335000"
        );
    }
}
