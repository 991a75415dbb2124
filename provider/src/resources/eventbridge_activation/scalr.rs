//! Refreshing a connection until it is active.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use scalr_api::{ClientError, Connection as Wire, ConnectionId, Object, Status};
use tfplugin::{Cx, Result, Waited};

use super::{Activation, messages};
use crate::failure::Cause as _;

/// How often Scalr is asked to look at the event source.
const REFRESH_EVERY: Duration = Duration::from_secs(3);
/// Refreshes that may fail before the apply does.
const FAILURES_MAX: u32 = 4;

/// How refreshing ended.
pub(super) enum Ended {
    Active(Object<Wire>),
    Paused(Object<Wire>),
    Gone,
    /// Before the connection was active: as a refresh last found it, and what was awaited then.
    Early {
        last: Option<Object<Wire>>,
        awaited: String,
        why: Why,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    TimedOut,
    Cancelled,
}

/// Refreshes that failed one after the other. Being throttled is no failure: it passes, and the timeout bounds it.
#[derive(Default)]
struct Failures(AtomicU32);

impl Failures {
    /// Whether one more may follow this one.
    fn next(&self, error: &ClientError) -> bool {
        let throttled = error.refusal().is_some_and(|refusal| refusal.status == 429);
        throttled || self.0.fetch_add(1, Ordering::Relaxed) + 1 < FAILURES_MAX
    }

    /// A refresh went well.
    fn forget(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// Refreshes until the connection is active, or is found not to become so.
pub(super) async fn refresh(cx: &Cx<'_, Activation>, id: &ConnectionId) -> Result<Ended> {
    let scalr = cx.client().scalr()?.stopping_with(cx.cancelled());
    let last = Mutex::new(None);
    let lock = || last.lock().unwrap_or_else(PoisonError::into_inner);
    let failures = Failures::default();
    let waited = cx
        .wait(REFRESH_EVERY, async |_| {
            // Asking for `active` would resume a paused connection, so it is looked at before each time.
            let Some(found) = scalr.connection(id).await? else {
                return Ok(ControlFlow::Break(Ended::Gone));
            };
            if found.attributes.status == Status::Disabled {
                return Ok(ControlFlow::Break(Ended::Paused(found)));
            }
            let object = match scalr.api.refresh_connection(id).await {
                Ok(object) => {
                    failures.forget();
                    object
                }
                // Before it is sent again, the connection is looked at again.
                Err(error) if error.is_passing() && failures.next(&error) => {
                    return Ok(ControlFlow::Continue(messages::not_refreshed(id, &error)));
                }
                Err(error) => {
                    return Err(scalr.failed(error).during(messages::doing_refresh(id)));
                }
            };
            Ok(match object.attributes.status {
                Status::Active => ControlFlow::Break(Ended::Active(object)),
                Status::Disabled => ControlFlow::Break(Ended::Paused(object)),
                _ => {
                    let awaited = messages::awaited(&object.attributes);
                    *lock() = Some(object);
                    ControlFlow::Continue(awaited)
                }
            })
        })
        .await;
    let early = |why, awaited| {
        Ok(Ended::Early {
            last: lock().take(),
            awaited,
            why,
        })
    };
    match waited {
        Ok(Waited::Done(ended)) => Ok(ended),
        Ok(Waited::TimedOut { last }) => early(Why::TimedOut, last),
        Ok(Waited::Cancelled { last }) => early(Why::Cancelled, last),
        Err(_) if cx.cancelled().is_cancelled() => early(Why::Cancelled, messages::NO_ANSWER.to_owned()),
        Err(failed) => Err(failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_in_a_row_end_the_refreshing() {
        let refused = ClientError::NotTheApi {
            request: "PATCH /x".to_owned(),
            host: "scalr.example.com".to_owned(),
            reason: "HTML".to_owned(),
        };
        let failures = Failures::default();
        for _ in 0..3 {
            assert!((1..FAILURES_MAX).all(|_| failures.next(&refused)));
            failures.forget();
        }
        assert!((1..FAILURES_MAX).all(|_| failures.next(&refused)));
        assert!(!failures.next(&refused), "the fourth in a row");
    }
}
