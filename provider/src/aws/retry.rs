//! Retries of writes that AWS refuses for a moment: until they are done, refused for good, or given up.

use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

use tfplugin::{Attempts, Diagnostic, Diagnostics, Operation, Result, WaitEnd};
use tokio::time::Instant;

use super::Error;
use crate::failure::{Cause as _, Effect, Standing};

/// One attempt: done, or what is awaited before the next.
pub type Attempted = std::result::Result<ControlFlow<(), String>, Error>;

/// A write that is retried, in a loop:
///
/// ```text
/// let mut retry = Retry::new(operation, EVERY, doing, standing);
/// while retry.next().await {
///     if let Some(done) = retry.judge(attempt().await) {
///         return done;
///     }
/// }
/// Err(retry.given_up())
/// ```
pub struct Retry<'a> {
    attempts: Attempts<'a>,
    doing: String,
    standing: Standing,
    /// Once an answer was lost, a later refusal does not say that the call was never carried out.
    answer_lost: bool,
}

impl<'a> Retry<'a> {
    /// No attempt yet. `doing` reads as in "delete the rule `r`".
    pub fn new<T>(operation: &Operation<'a, T>, every: Duration, doing: String, standing: Standing) -> Self {
        Self {
            attempts: operation.attempts(every),
            doing,
            standing,
            answer_lost: false,
        }
    }

    /// Waits until the next attempt is due; false where there is none.
    pub async fn next(&mut self) -> bool {
        self.attempts.next().await.is_some()
    }

    /// How the write ended, if it did.
    pub fn judge(&mut self, attempted: Attempted) -> Option<Result<()>> {
        match attempted {
            Ok(Break(())) => return Some(Ok(())),
            Ok(Continue(awaited)) => self.attempts.awaiting(awaited),
            Err(e) if e.is_passing() => {
                self.answer_lost |= e.effect() == Effect::Unknown;
                self.attempts.awaiting(format!("waiting to {}: {e}", self.doing));
            }
            Err(e) => return Some(Err(self.refused(&e))),
        }
        None
    }

    fn refused(&self, error: &Error) -> Diagnostics {
        if self.answer_lost {
            error.during_with(&self.doing, &Standing::same(self.standing.after(Effect::Unknown)))
        } else {
            error.during_with(&self.doing, &self.standing)
        }
    }

    /// There are no more attempts.
    pub fn given_up(self) -> Diagnostics {
        let effect = if self.answer_lost {
            Effect::Unknown
        } else {
            Effect::Refused
        };
        let (how, last) = match self.attempts.end() {
            WaitEnd::TimedOut { last } => ("Too late", last),
            WaitEnd::Cancelled { last } => ("Interrupted", last),
        };
        Diagnostic::error(format!("{how}: did not {}", self.doing))
            .because(last)
            .standing(format!(
                "{} Apply again to continue.",
                self.standing.after(effect)
            ))
            .into()
    }
}

/// Done; an object that is gone already counts as deleted.
pub fn gone<T>(answer: std::result::Result<T, Error>) -> Attempted {
    match answer {
        Ok(_) => Ok(Break(())),
        Err(e) if e.is_not_found() => Ok(Break(())),
        Err(e) => Err(e),
    }
}

/// Retries of "in use" after the list is already empty: AWS's lists may run ahead of its deletes.
pub const IN_USE_RETRIES_MAX: u32 = 5;

/// How long what is in the way of a delete may stay as it is.
const UNCHANGED_MAX: Duration = Duration::from_secs(15);

/// What is in the way of a delete: targets of a rule, rules of a bus. Waiting for it makes sense while it gets less.
#[derive(Default)]
pub struct InTheWay {
    left: Vec<String>,
    since: Option<Instant>,
}

impl InTheWay {
    /// Notes what is left, and says whether it has been just that for too long. While something here is being removed
    /// (`is_removing`), time does not count.
    pub fn stays(&mut self, left: &[String], is_removing: bool) -> bool {
        let now = Instant::now();
        let mut left = left.to_vec();
        left.sort();
        if is_removing || left != self.left {
            self.left = left;
            self.since = None;
        }
        now.duration_since(*self.since.get_or_insert(now)) >= UNCHANGED_MAX
    }
}

/// AWS refuses to delete what still holds things of this kind. The words are not documented, so what they say is to be
/// confirmed by the list of those things.
pub fn is_in_use(error: &Error, kind: &str) -> bool {
    matches!(
        error.code(),
        Some("ValidationException" | "InvalidStateException")
    ) && error.message().to_ascii_lowercase().contains(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds of a paused clock, what is left then, whether something is being removed, and whether it stays.
    async fn check(steps: &[(u64, &str, bool, bool)]) {
        let mut in_the_way = InTheWay::default();
        let start = Instant::now();
        for (seconds, left, is_removing, want) in steps {
            tokio::time::advance(start + Duration::from_secs(*seconds) - Instant::now()).await;
            let left: Vec<String> = left.split_whitespace().map(str::to_owned).collect();
            assert_eq!(in_the_way.stays(&left, *is_removing), *want, "at {seconds} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_change_for_15_seconds_stays() {
        check(&[
            (0, "a b", false, false),
            (14, "b a", false, false),
            (15, "a b", false, true),
        ])
        .await;
        check(&[
            (0, "a b", false, false),
            (14, "a", false, false),
            (28, "a", false, false),
            (29, "a", false, true),
        ])
        .await;
        check(&[
            (0, "a", true, false),
            (60, "a", true, false),
            (74, "a", false, false),
            (75, "a", false, true),
        ])
        .await;
    }
}
