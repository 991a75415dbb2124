//! The clocks and the random numbers of the edge: the core takes both as arguments.
//!
//! Ages and waits count on the machine's monotonic clock, anchored to the wall clock when the process starts: moving the
//! wall clock changes neither. Where the two have moved apart by more than a minute (someone has set the clock, or the
//! machine was suspended), the anchor follows the wall clock, and nothing is dropped for its age until an operator says that
//! the clock is right. Stored times outlive the process, so a start is in doubt for an hour as well.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;

/// How far wall clock and monotonic clock may move apart.
const TOLERANCE_MS: i64 = 60_000;
/// How long after a start nothing is dropped for its age.
const DOUBT_AFTER_START: Duration = Duration::from_hours(1);

/// The clock of a process. Clones share it.
#[derive(Clone)]
pub(crate) struct Clock(Arc<Inner>);

struct Inner {
    hands: Hands,
    anchor: Mutex<Anchor>,
    confirmed: Notify,
}

/// What is read.
enum Hands {
    Machine(Instant),
    #[cfg(test)]
    Test(Arc<Mutex<Reading>>),
}

/// Both clocks, read together.
#[derive(Clone, Copy)]
struct Reading {
    wall_ms: i64,
    /// Since the start of the process.
    monotonic_ms: i64,
}

struct Anchor {
    /// What is added to the monotonic clock.
    ms: i64,
    /// The same when the clock was last trusted.
    trusted_ms: i64,
    is_confirmed: bool,
    /// How far the clock was moved on purpose.
    advanced_ms: i64,
}

/// One look at the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// What the wall clock shows: for times that people and programs read.
    pub(crate) wall_ms: i64,
    /// For ages and waits.
    pub(crate) now_ms: i64,
}

/// Whether ages may be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// They may.
    Confirmed,
    /// Not yet: the process has started, and this is left of its first hour.
    Started { left_ms: i64 },
    /// The wall clock has moved by so much.
    Moved { by_ms: i64 },
}

impl Clock {
    /// The machine's, so far ahead.
    pub(crate) fn system(advanced_ms: i64) -> Self {
        Self::new(Hands::Machine(Instant::now()), advanced_ms)
    }

    fn new(hands: Hands, advanced_ms: i64) -> Self {
        let Reading {
            wall_ms,
            monotonic_ms,
        } = hands.read();
        let ms = wall_ms.saturating_add(advanced_ms).saturating_sub(monotonic_ms);
        Self(Arc::new(Inner {
            hands,
            anchor: Mutex::new(Anchor {
                ms,
                trusted_ms: ms,
                is_confirmed: false,
                advanced_ms,
            }),
            confirmed: Notify::new(),
        }))
    }

    fn anchor(&self) -> MutexGuard<'_, Anchor> {
        self.0.anchor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Now, in milliseconds since 1970, for ages and waits.
    pub(crate) fn now_ms(&self) -> i64 {
        self.look().now_ms
    }

    /// Now, in milliseconds since 1970, as the wall clock shows it.
    pub(crate) fn wall_ms(&self) -> i64 {
        self.look().wall_ms
    }

    /// Now, by both.
    pub(crate) fn look(&self) -> Moment {
        let anchor = self.anchor();
        let reading = self.0.hands.read();
        Moment {
            wall_ms: reading.wall_ms.saturating_add(anchor.advanced_ms),
            now_ms: reading.monotonic_ms.saturating_add(anchor.ms),
        }
    }

    /// Follows the wall clock where it has moved against the monotonic one; returns by how much.
    pub(crate) fn observe(&self) -> Option<i64> {
        let mut anchor = self.anchor();
        let to = anchor.of(self.0.hands.read());
        let by_ms = to.saturating_sub(anchor.ms);
        let has_moved = by_ms.saturating_abs() > TOLERANCE_MS;
        if has_moved {
            anchor.ms = to;
        }
        has_moved.then_some(by_ms)
    }

    /// Whether ages may be believed.
    pub(crate) fn trust(&self) -> Trust {
        let anchor = self.anchor();
        let by_ms = anchor.ms.saturating_sub(anchor.trusted_ms);
        let left_ms = millis(DOUBT_AFTER_START).saturating_sub(self.0.hands.read().monotonic_ms);
        if by_ms.saturating_abs() > TOLERANCE_MS {
            Trust::Moved { by_ms }
        } else if anchor.is_confirmed || left_ms <= 0 {
            Trust::Confirmed
        } else {
            Trust::Started { left_ms }
        }
    }

    /// An operator says that the wall clock is right.
    pub(crate) fn confirm(&self) {
        self.anchor().confirm(self.0.hands.read());
        self.0.confirmed.notify_one();
    }

    /// Moves the clock forward on purpose, which confirms it.
    pub(crate) fn advance(&self, by_ms: i64) {
        let mut anchor = self.anchor();
        anchor.advanced_ms = anchor.advanced_ms.saturating_add(by_ms);
        anchor.confirm(self.0.hands.read());
        self.0.confirmed.notify_one();
    }

    /// Waits until the clock is confirmed; one confirmation since the last wait counts.
    pub(crate) async fn confirmed(&self) {
        self.0.confirmed.notified().await;
    }
}

impl Anchor {
    /// Where the wall clock is by this reading.
    fn of(&self, reading: Reading) -> i64 {
        let wall_ms = reading.wall_ms.saturating_add(self.advanced_ms);
        wall_ms.saturating_sub(reading.monotonic_ms)
    }

    fn confirm(&mut self, reading: Reading) {
        self.ms = self.of(reading);
        self.trusted_ms = self.ms;
        self.is_confirmed = true;
    }
}

impl Hands {
    fn read(&self) -> Reading {
        match self {
            Self::Machine(start) => Reading {
                wall_ms: wall_ms(),
                monotonic_ms: millis(start.elapsed()),
            },
            #[cfg(test)]
            Self::Test(reading) => *reading.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.look()).finish()
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// What the machine's wall clock shows, in milliseconds since 1970.
pub(crate) fn wall_ms() -> i64 {
    millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
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

/// The hands of a test's clock.
#[cfg(test)]
pub(crate) struct TestHands(Arc<Mutex<Reading>>);

#[cfg(test)]
impl TestHands {
    /// A clock that stands at this time until its hands are moved.
    pub(crate) fn clock(wall_ms: i64) -> (Clock, Self) {
        let hands = Arc::new(Mutex::new(Reading {
            wall_ms,
            monotonic_ms: 0,
        }));
        (Clock::new(Hands::Test(Arc::clone(&hands)), 0), Self(hands))
    }

    /// Time passes.
    pub(crate) fn pass(&self, ms: i64) {
        let mut reading = self.0.lock().unwrap();
        reading.wall_ms += ms;
        reading.monotonic_ms += ms;
    }

    /// Someone sets the wall clock.
    pub(crate) fn set(&self, by_ms: i64) {
        self.0.lock().unwrap().wall_ms += by_ms;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;
    const DAY: i64 = 24 * 60 * MINUTE;

    #[test]
    fn times_are_in_scalrs_forms() {
        assert_eq!(rfc3339_seconds(1_713_534_242_335), "2024-04-19T13:44:02Z");
        assert_eq!(
            micros_without_zone(1_713_534_242_335),
            "2024-04-19T13:44:02.335000"
        );
    }

    #[test]
    fn ages_count_on_the_monotonic_clock() {
        let (clock, hands) = TestHands::clock(DAY);
        for by_ms in [MINUTE, -2 * MINUTE, MINUTE] {
            hands.pass(1000);
            hands.set(by_ms);
            assert_eq!(clock.observe(), None, "within the tolerance");
        }
        let at = DAY + 3000;
        assert_eq!(
            clock.look(),
            Moment {
                wall_ms: at,
                now_ms: at
            }
        );
        hands.set(40 * DAY);
        assert_eq!(clock.now_ms(), at, "until the jump is observed");
        assert_eq!(clock.wall_ms(), at + 40 * DAY);
    }

    #[test]
    fn a_start_is_in_doubt_for_an_hour_or_until_it_is_confirmed() {
        let (clock, hands) = TestHands::clock(DAY);
        let hour = 60 * MINUTE;
        assert_eq!(clock.trust(), Trust::Started { left_ms: hour });
        hands.pass(hour - 1);
        assert_eq!(clock.trust(), Trust::Started { left_ms: 1 });
        hands.pass(1);
        assert_eq!(clock.trust(), Trust::Confirmed);
        let (clock, _hands) = TestHands::clock(DAY);
        clock.confirm();
        assert_eq!(clock.trust(), Trust::Confirmed);
    }

    #[test]
    fn a_moved_clock_is_in_doubt_until_it_is_confirmed_or_back() {
        for by_ms in [2 * MINUTE, -2 * MINUTE, 400 * DAY, -DAY] {
            let (clock, hands) = TestHands::clock(DAY);
            clock.confirm();
            hands.set(by_ms);
            assert_eq!(clock.observe(), Some(by_ms));
            assert_eq!(clock.observe(), None, "it is followed once");
            assert_eq!(clock.now_ms(), DAY + by_ms);
            assert_eq!(clock.trust(), Trust::Moved { by_ms });
            hands.pass(30 * DAY);
            assert_eq!(clock.trust(), Trust::Moved { by_ms }, "time alone proves nothing");
            hands.set(-by_ms);
            assert_eq!(clock.observe(), Some(-by_ms));
            assert_eq!(clock.trust(), Trust::Confirmed, "it is back");
            hands.set(by_ms);
            clock.observe();
            clock.confirm();
            assert_eq!(clock.trust(), Trust::Confirmed);
            assert_eq!(clock.now_ms(), clock.wall_ms());
        }
    }

    #[test]
    fn a_clock_that_is_advanced_on_purpose_is_confirmed() {
        let (clock, hands) = TestHands::clock(DAY);
        clock.advance(14 * DAY);
        assert_eq!(clock.trust(), Trust::Confirmed);
        let at = 15 * DAY;
        assert_eq!(
            clock.look(),
            Moment {
                wall_ms: at,
                now_ms: at
            }
        );
        assert_eq!(clock.observe(), None);
        hands.set(2 * MINUTE);
        assert_eq!(clock.observe(), Some(2 * MINUTE), "someone else has set it");
    }
}
