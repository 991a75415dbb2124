//! Retries of writes that AWS refuses for a moment: until they are done, refused for good, or given up.

use std::future::Future;
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tfplugin::{Cx, Diagnostic, Result, Waited};

use super::Error;
use crate::failure::{Cause as _, Effect, Standing, capitalised};

/// Sends a call until it is carried out. An attempt that continues says what is awaited; one that fails for a passing
/// reason is made again. `doing` reads as in "delete the rule `r`".
pub async fn until_done<T, F, Fut>(
    cx: &Cx<'_, T>,
    every: Duration,
    doing: &str,
    standing: &Standing,
    mut attempt: F,
) -> Result<()>
where
    F: FnMut(u32) -> Fut,
    Fut: Future<Output = Result<ControlFlow<(), String>, Error>>,
{
    // Once an answer was lost, a later refusal does not tell that the call was never carried out.
    let answer_lost = &AtomicBool::new(false);
    let waited = cx
        .wait(every, |count| {
            let tried = Box::pin(attempt(count));
            async move {
                match tried.await {
                    Ok(next) => Ok(next),
                    Err(e) if e.is_passing() => {
                        answer_lost.fetch_or(e.effect() == Effect::Unknown, Ordering::Relaxed);
                        Ok(Continue(format!("waiting to {doing}: {e}")))
                    }
                    Err(e) => {
                        let standing = if answer_lost.load(Ordering::Relaxed) {
                            Standing::same(standing.after(Effect::Unknown))
                        } else {
                            standing.clone()
                        };
                        Err(e.during_with(doing, &standing))
                    }
                }
            }
        })
        .await?;
    let (how, last) = match waited {
        Waited::Done(()) => return Ok(()),
        Waited::TimedOut { last } => ("Too late", last),
        Waited::Cancelled { last } => ("Interrupted", last),
    };
    let effect = if answer_lost.load(Ordering::Relaxed) {
        Effect::Unknown
    } else {
        Effect::Refused
    };
    let stands = standing.after(effect);
    Err(Diagnostic::error(format!("{how}: did not {doing}"))
        .detail(format!(
            "{}\n\n{stands} Apply again to go on.",
            capitalised(&last)
        ))
        .into())
}

/// Done; an object that is gone already counts as deleted.
pub fn gone<T>(answer: std::result::Result<T, Error>) -> std::result::Result<ControlFlow<(), String>, Error> {
    match answer {
        Ok(_) => Ok(Break(())),
        Err(e) if e.is_not_found() => Ok(Break(())),
        Err(e) => Err(e),
    }
}

/// Retries of "in use" after the list is already empty: AWS's lists may run ahead of its deletes.
pub const IN_USE_RETRIES_MAX: u32 = 5;

/// AWS refuses to delete what still holds things of this kind. The words are not documented, so what they say is to be
/// confirmed by the list of those things.
pub fn is_in_use(error: &Error, kind: &str) -> bool {
    matches!(
        error.code(),
        Some("ValidationException" | "InvalidStateException")
    ) && error.message().to_ascii_lowercase().contains(kind)
}
