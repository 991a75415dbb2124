//! Which failed calls are retried, and when. Pure: random numbers and the clock are arguments.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Bounds of the retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts at most when the server answers 429.
    pub throttled_calls_max: u32,
    /// Attempts at most when the server fails, or its answer is lost.
    pub failed_calls_max: u32,
    /// Delay before the first retry; it doubles with each further one.
    pub delay_ms_first: u32,
    /// Longest delay, where the server sends no `Retry-After`.
    pub delay_ms_max: u32,
    /// Longest `Retry-After` that is obeyed; a longer one ends the retries.
    pub retry_after_ms_max: u32,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            throttled_calls_max: 12,
            failed_calls_max: 4,
            delay_ms_first: 250,
            delay_ms_max: 8_000,
            retry_after_ms_max: 60_000,
        }
    }
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The server refused with this status, perhaps with a `Retry-After`.
    Status(u16, Option<Duration>),
    /// No connection: the server has not received the call.
    NotSent,
    /// The call may have been carried out, but no answer arrived.
    NoAnswer,
}

impl Retry {
    /// The delay before attempt number `calls` + 1; `None` to give up. `random` is in 0..1.
    pub(super) fn delay(
        &self,
        failure: Failure,
        is_idempotent: bool,
        calls: u32,
        random: f64,
    ) -> Option<Duration> {
        let (calls_max, retry_after) = match failure {
            Failure::Status(429, retry_after) => (self.throttled_calls_max, retry_after),
            Failure::Status(500 | 502 | 503 | 504, retry_after) if is_idempotent => {
                (self.failed_calls_max, retry_after)
            }
            Failure::NoAnswer if is_idempotent => (self.failed_calls_max, None),
            Failure::NotSent => (self.failed_calls_max, None),
            Failure::Status(..) | Failure::NoAnswer => return None,
        };
        if calls >= calls_max {
            return None;
        }
        if let Some(requested) = retry_after {
            return (requested <= Duration::from_millis(self.retry_after_ms_max.into())).then_some(requested);
        }
        let doubled = self
            .delay_ms_first
            .saturating_mul(1 << (calls.max(1) - 1).min(16))
            .min(self.delay_ms_max);
        // Half of it is jitter, so that clients that were refused at the same time do not retry at the same time.
        Some(Duration::from_millis(doubled.into()).mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0))
    }
}

/// The wait of a `Retry-After` header: seconds, or an HTTP date.
pub(super) fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let then = UNIX_EPOCH + Duration::from_secs(http_date(text)?);
    Some(then.duration_since(now).unwrap_or_default())
}

/// Seconds since 1970 of the one form of date that servers may send: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<u64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let rest = text.split_once(", ")?.1.strip_suffix(" GMT")?;
    let [day, month, year, time] = rest.split(' ').collect::<Vec<_>>().try_into().ok()?;
    let [hour, minute, second] = time.split(':').collect::<Vec<_>>().try_into().ok()?;
    let number = |text: &str| text.parse::<u64>().ok().filter(|n| *n < 10_000);
    let month = u64::try_from(MONTHS.find(month).filter(|at| at % 3 == 0 && month.len() == 3)?).ok()? / 3 + 1;
    let (day, year) = (number(day)?, number(year).filter(|year| *year >= 1970)?);
    // Days from 1970 to that date, with years that begin in March, so that the leap day is the last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = (year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day)
        .checked_sub(719_469)?;
    Some(days * 86_400 + number(hour)? * 3_600 + number(minute)? * 60 + number(second)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(failure: Failure, is_idempotent: bool, calls: u32, random: f64, expected_ms: Option<u64>) {
        let found = Retry::default().delay(failure, is_idempotent, calls, random);
        assert_eq!(
            found,
            expected_ms.map(Duration::from_millis),
            "{failure:?} {is_idempotent} {calls} {random}"
        );
    }

    #[test]
    fn delays_double_within_bounds_and_jitter() {
        check(Failure::Status(503, None), true, 1, 0.0, Some(125));
        check(Failure::Status(503, None), true, 1, 1.0, Some(250));
        check(Failure::Status(503, None), true, 3, 1.0, Some(1_000));
        check(Failure::Status(503, None), true, 4, 1.0, None);
        check(Failure::Status(429, None), true, 11, 1.0, Some(8_000));
        check(Failure::Status(429, None), true, 12, 1.0, None);
    }

    #[test]
    fn a_post_is_retried_only_when_it_cannot_have_been_carried_out() {
        check(Failure::Status(429, None), false, 1, 1.0, Some(250));
        check(Failure::NotSent, false, 1, 1.0, Some(250));
        check(Failure::NoAnswer, false, 1, 1.0, None);
        check(Failure::Status(503, None), false, 1, 1.0, None);
        check(Failure::Status(503, Some(Duration::ZERO)), false, 1, 1.0, None);
        check(Failure::NoAnswer, true, 1, 1.0, Some(250));
    }

    #[test]
    fn the_callers_own_errors_are_final() {
        for status in [400, 401, 403, 404, 409, 422, 501] {
            check(Failure::Status(status, None), true, 1, 1.0, None);
        }
    }

    #[test]
    fn retry_after_is_obeyed_up_to_a_minute() {
        let seconds = |s| Some(Duration::from_secs(s));
        check(Failure::Status(429, seconds(7)), false, 1, 0.3, Some(7_000));
        check(Failure::Status(503, seconds(60)), true, 2, 0.3, Some(60_000));
        check(Failure::Status(429, seconds(61)), true, 1, 0.3, None);
    }

    #[track_caller]
    fn check_header(text: &str, expected_s: Option<u64>) {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_770);
        assert_eq!(
            retry_after(text, now),
            expected_s.map(Duration::from_secs),
            "{text:?}"
        );
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        check_header("3", Some(3));
        check_header("Sun, 06 Nov 1994 08:49:37 GMT", Some(7));
        check_header("Sun, 06 Nov 1994 08:49:00 GMT", Some(0));
        check_header("Thu, 29 Feb 1996 00:00:00 GMT", Some(825_552_000 - 784_111_770));
        check_header("Thu, 01 Jan 1970 00:00:00 GMT", Some(0));
        for bad in [
            "",
            "-1",
            "soon",
            "Sun, 06 Nov",
            "Sun, 06 ovD 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 8:9 GMT",
        ] {
            check_header(bad, None);
        }
    }
}
