//! How fast calls leave while a server says that they are too many: all calls of a process slow down, and recover.
//!
//! A throttled call waits before it is sent again; that is its own backoff (`retry.rs`). Here is what it means for the others: the
//! gap between two calls doubles with each throttled answer, and shrinks by three tenths with each other one. So a server
//! that throttles a third of the calls or more, whatever their number, finds them further and further apart, and one that
//! throttles now and then finds no gap at all.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The gap after the first throttled answer. One that is less counts as none.
const GAP_FIRST: Duration = Duration::from_millis(10);
/// The longest gap: five calls a second.
const GAP_MAX: Duration = Duration::from_millis(200);

/// The pace of the calls to one server, or of one operation. Pure: the time is an argument.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    gap: Duration,
    /// When the next call may leave at the earliest.
    next: Option<Instant>,
}

impl Pace {
    /// When a call that is ready now may leave; the next one leaves after it.
    fn departure(&mut self, now: Instant) -> Instant {
        let departure = self.next.map_or(now, |next| next.max(now));
        self.next = Some(departure + self.gap);
        departure
    }

    /// A call was throttled. The server may have said how long to wait.
    fn throttled(&mut self, now: Instant, wait: Option<Duration>) {
        self.gap = (self.gap * 2).clamp(GAP_FIRST, GAP_MAX);
        let next = now + wait.unwrap_or_default();
        self.next = Some(self.next.map_or(next, |known| known.max(next)));
    }

    /// A call was answered otherwise.
    fn answered(&mut self) {
        self.gap = Some(self.gap.mul_f64(0.7))
            .filter(|gap| *gap >= GAP_FIRST)
            .unwrap_or_default();
    }
}

/// What became of a call, as far as the others go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It was throttled, with the wait that the server asks for.
    Throttled(Option<Duration>),
    /// Anything else.
    Other,
}

/// A pace that calls share.
#[derive(Debug, Default)]
pub struct Paced(Mutex<Pace>);

impl Paced {
    /// Waits until the next call may leave.
    pub async fn leave(&self) {
        let now = Instant::now();
        let departure = self.pace().departure(now);
        if departure > now {
            sleep_until(departure).await;
        }
    }

    /// A call that left was answered.
    pub fn heard(&self, answered: Answered) {
        match answered {
            Answered::Throttled(wait) => self.pace().throttled(Instant::now(), wait),
            Answered::Other => self.pace().answered(),
        }
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `t` is a throttled answer, `o` another one, `3t` one that asks for three seconds; the milliseconds that each of the next
    /// three calls then has to wait.
    #[track_caller]
    fn check(answers: &str, waits_ms: [u64; 3]) {
        let (now, mut pace) = (Instant::now(), Pace::default());
        for answer in answers.split_whitespace() {
            match answer.strip_suffix('t') {
                Some(seconds) => pace.throttled(now, seconds.parse().ok().map(Duration::from_secs)),
                None => pace.answered(),
            }
        }
        let half = Duration::from_micros(500);
        let waits = [(); 3].map(|()| pace.departure(now) - now + half);
        let waits = waits.map(|wait| u64::try_from(wait.as_millis()).unwrap());
        assert_eq!(waits, waits_ms, "{answers}");
    }

    #[test]
    fn calls_slow_down_while_the_server_throttles_and_recover() {
        check("", [0, 0, 0]);
        check("o", [0, 0, 0]);
        check("t", [0, 10, 20]);
        check("t t t", [0, 40, 80]);
        check("t t t t t t t", [0, 200, 400]);
        check("t t t o", [0, 28, 56]);
        check("t o", [0, 0, 0]);
        // One in four is no reason to slow down, one in two is.
        check("t o o o t o o o", [0, 0, 0]);
        check("t t t o t o t o t o", [0, 77, 154]);
        check("t t t t o o o o o", [0, 13, 27]);
        check("3t", [3_000, 3_010, 3_020]);
    }

    /// Calls at a limited server: a bucket of so many calls a second. Without a pace each of 500 calls would be refused dozens of times.
    #[test]
    fn calls_find_the_rate_of_a_limited_server() {
        const PER_SECOND: f64 = 10.0;
        let (start, mut pace) = (Instant::now(), Pace::default());
        let (mut tokens, mut at, mut refused, mut done) = (PER_SECOND, start, 0, 0);
        while done < 500 {
            let departure = pace.departure(at);
            tokens = (tokens + (departure - at).as_secs_f64() * PER_SECOND).min(PER_SECOND);
            at = departure;
            if tokens < 1.0 {
                refused += 1;
                pace.throttled(at, None);
            } else {
                tokens -= 1.0;
                done += 1;
                pace.answered();
            }
        }
        let seconds = (at - start).as_secs_f64();
        assert!(seconds < 500.0 / PER_SECOND * 1.5, "{seconds} s");
        assert!(refused < 500, "{refused} calls refused for 500 carried out");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_waits_for_its_departure() {
        let paced = Paced::default();
        let start = Instant::now();
        paced.leave().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        paced.heard(Answered::Throttled(Some(Duration::from_secs(2))));
        paced.leave().await;
        paced.leave().await;
        let waited = start.elapsed();
        assert!(
            waited >= Duration::from_millis(2_010) && waited < Duration::from_millis(2_020),
            "{waited:?}"
        );
    }
}
