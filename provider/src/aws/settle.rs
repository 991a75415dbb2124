//! Writes that AWS refuses for a moment: tried until they are done, refused for good, or given up.

use std::future::Future;
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tfplugin::{Cx, Diagnostic, Result, Waited};

use super::{Error, Standing};

/// Sends a call until it is carried out. An attempt that continues says what is awaited; one that fails for a passing
/// reason is made again. `doing` reads as in "delete the rule `r`".
pub async fn until_settled<T, F, Fut>(
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
    let may_be_done = &AtomicBool::new(false);
    let waited = cx
        .wait(every, |count| {
            let tried = Box::pin(attempt(count));
            async move {
                match tried.await {
                    Ok(next) => Ok(next),
                    Err(e) if e.is_passing() => {
                        may_be_done.fetch_or(e.may_be_done(), Ordering::Relaxed);
                        Ok(Continue(format!("waiting to {doing}: {e}")))
                    }
                    Err(e) => {
                        let lost = may_be_done.load(Ordering::Relaxed);
                        let standing = if lost {
                            Standing::same(standing.after(true))
                        } else {
                            standing.clone()
                        };
                        Err(e.during_with(format!("cannot {doing}"), &standing))
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
    let stands = standing.after(may_be_done.load(Ordering::Relaxed));
    Err(Diagnostic::error(format!("{how}: did not {doing}"))
        .detail(format!("{}\n\n{stands} Apply again to go on.", sentence(&last)))
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

/// How many refusals are believed that no list bears out: AWS's lists may run ahead of its deletes.
pub const DOUBTS_MAX: u32 = 5;

/// AWS refuses to delete what still holds things of this kind. The words are not documented, so what they say is to be
/// confirmed by the list of those things.
pub fn is_in_use(error: &Error, kind: &str) -> bool {
    matches!(
        error.code(),
        Some("ValidationException" | "InvalidStateException")
    ) && error.message().to_ascii_lowercase().contains(kind)
}

/// A text as a sentence: capital first, full stop last.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    let mut whole: String = first.into_iter().flatten().chain(letters).collect();
    if !whole.ends_with(['.', '?', '!']) {
        whole.push('.');
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn sentences() {
        for (text, want) in [
            ("waiting", "Waiting."),
            ("It is. (r-1)", "It is. (r-1)."),
            ("No.", "No."),
        ] {
            assert_eq!(sentence(text), want);
        }
    }
}
