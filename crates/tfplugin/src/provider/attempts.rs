//! Waiting: attempts one after the other, until the user's loop has what it wants, the deadline passes or the user
//! interrupts.

use std::time::Duration;

use tokio::time::Instant;

use super::operation::Call;

/// The attempts of a wait, made by [`crate::Operation::attempts`].
///
/// A loop pulls them, so that what it learns lives in plain variables:
///
/// ```
/// # use std::time::Duration;
/// # use tfplugin::{Operation, Resource, WaitEnd};
/// # async fn ask() -> Option<String> { None }
/// # async fn wait<R: Resource>(operation: &Operation<'_, R>) -> Result<String, String> {
/// let mut attempts = operation.attempts(Duration::from_secs(3));
/// while let Some(count) = attempts.next().await {
///     match ask().await {
///         Some(name) => return Ok(name),
///         None => attempts.awaiting(format!("no name after {} questions", count + 1)),
///     }
/// }
/// match attempts.end() {
///     WaitEnd::TimedOut { last } => Err(format!("too late: {last}")),
///     WaitEnd::Cancelled { last } => Err(format!("interrupted: {last}")),
/// }
/// # }
/// ```
///
/// A running attempt is never cut short: what it asked of the other side would be unknown. Interruption and deadline are
/// checked between attempts, so that at least one is made.
pub struct Attempts<'a> {
    call: &'a Call,
    every: Duration,
    count: u32,
    last: String,
    cancelled: bool,
}

/// Why there are no more attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitEnd {
    /// The deadline passed.
    TimedOut {
        /// What was still awaited.
        last: String,
    },
    /// The user interrupted.
    Cancelled {
        /// What was still awaited.
        last: String,
    },
}

impl<'a> Attempts<'a> {
    pub(crate) fn new(call: &'a Call, every: Duration) -> Self {
        Self {
            call,
            every,
            count: 0,
            last: String::new(),
            cancelled: false,
        }
    }

    /// Waits until the next attempt is due, and gives its number, from 0. The first is due at once, whatever the deadline
    /// is and whether or not the user has interrupted. After it: none when the deadline has passed or the user has
    /// interrupted; [`Attempts::end`] says which.
    pub async fn next(&mut self) -> Option<u32> {
        if self.count > 0 && !self.pause().await {
            return None;
        }
        let count = self.count;
        self.count = self.count.checked_add(1)?;
        Some(count)
    }

    /// Whether another attempt may be made.
    async fn pause(&mut self) -> bool {
        let next = Instant::now() + self.every;
        tokio::select! {
            biased;
            () = self.call.cancel.cancelled() => {
                self.cancelled = true;
                return false;
            }
            () = tokio::time::sleep_until(next.min(self.call.deadline)) => {}
        }
        Instant::now() < self.call.deadline
    }

    /// Says what is still awaited: progress of the operation where it differs from what was said before, and part of
    /// [`Attempts::end`].
    pub fn awaiting(&mut self, what: impl Into<String>) {
        let what = what.into();
        if what != self.last {
            self.call.progress(&what);
            self.last = what;
        }
    }

    /// What is still awaited.
    pub fn last(&self) -> &str {
        &self.last
    }

    /// Why there are no more attempts.
    pub fn end(self) -> WaitEnd {
        let last = self.last;
        if self.cancelled {
            WaitEnd::Cancelled { last }
        } else {
            WaitEnd::TimedOut { last }
        }
    }
}
