//! Refreshing a connection, until it is active or once: what the activation and the action that refreshes have in common.

mod messages;
mod receiver;

use std::time::Duration;

use scalr_api::{ClientError, Connection as Wire, ConnectionId, Object, Status};
use tfplugin::{ClientOf, Diagnostics, Operation, Result, WaitEnd};

use crate::client::Client;
use crate::failure::Cause as _;
use crate::scalr::Scalr;
pub use messages::{Wording, not_active};
use receiver::Watch;

/// How often Scalr is asked to look at the event source.
const REFRESH_EVERY: Duration = Duration::from_secs(3);
/// Refreshes that may fail before the apply does.
const FAILURES_MAX: u32 = 4;

/// How refreshing ended.
pub enum Ended {
    /// The connection is active.
    Active(Object<Wire>),
    /// The connection is paused, and was left so.
    Paused(Object<Wire>),
    /// There is no such connection.
    Gone,
    /// Before the connection was active: as a refresh last found it, and why.
    Early {
        /// The connection.
        last: Option<Object<Wire>>,
        /// Why.
        why: Why,
    },
}

/// Why refreshing ended before the connection was active.
pub enum Why {
    /// The wait ended.
    Wait(WaitEnd),
    /// AWS shows no bus for the event source, and nothing in this apply makes one.
    NoBus,
    /// There was to be one refresh.
    Once,
}

/// Refreshes that failed one after the other. Being throttled is no failure: it passes, and the timeout bounds it.
#[derive(Default)]
struct Failures(u32);

impl Failures {
    /// Whether one more may follow this one.
    fn next(&mut self, error: &ClientError) -> bool {
        if error.refusal().is_some_and(|refusal| refusal.status == 429) {
            return true;
        }
        self.0 += 1;
        self.0 < FAILURES_MAX
    }

    /// A refresh went well.
    fn forget(&mut self) {
        self.0 = 0;
    }
}

/// Refreshes until the connection is active, or is found not to become so. `targets_first`: what to do where a bus has nothing
/// that matches the events which a refresh releases.
pub async fn until_active<T, K>(
    operation: &Operation<'_, T>,
    id: &ConnectionId,
    targets_first: &'static str,
) -> Result<Ended>
where
    T: ClientOf<K, Client = Client>,
{
    let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
    let mut failures = Failures::default();
    let mut watch = Watch::new(operation, targets_first);
    let mut last = None;
    let mut attempts = operation.attempts(REFRESH_EVERY);
    while attempts.next().await.is_some() {
        match attempt(&scalr, id, &mut failures, &mut watch).await {
            Ok(Attempt::Ended(ended)) => return Ok(ended),
            Ok(Attempt::NotYet(object)) => {
                if object.attributes.status == Status::Pending && watch.is_in_vain(&object) {
                    return Ok(Ended::Early {
                        last: Some(*object),
                        why: Why::NoBus,
                    });
                }
                attempts.awaiting(messages::awaited(&object.attributes));
                last = Some(*object);
            }
            Ok(Attempt::Failed(error)) => attempts.awaiting(messages::not_refreshed(id, &error)),
            Err(_) if operation.cancelled().is_cancelled() => {
                return Ok(Ended::Early {
                    last,
                    why: Why::Wait(WaitEnd::Cancelled {
                        last: messages::NO_ANSWER.to_owned(),
                    }),
                });
            }
            Err(failed) => return Err(failed),
        }
    }
    let why = Why::Wait(attempts.end());
    Ok(Ended::Early { last, why })
}

/// Refreshes once; a connection that is not active then has ended early, without a reason of its own.
pub async fn once<T, K>(
    operation: &Operation<'_, T>,
    id: &ConnectionId,
    targets_first: &'static str,
) -> Result<Ended>
where
    T: ClientOf<K, Client = Client>,
{
    let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
    // No failure is followed by another try.
    let mut failures = Failures(FAILURES_MAX);
    let mut watch = Watch::new(operation, targets_first);
    match attempt(&scalr, id, &mut failures, &mut watch).await? {
        Attempt::Ended(ended) => Ok(ended),
        Attempt::NotYet(object) => Ok(Ended::Early {
            last: Some(*object),
            why: Why::Once,
        }),
        Attempt::Failed(error) => Err(not_refreshed(&scalr, id, error)),
    }
}

/// What one refresh came to.
enum Attempt {
    Ended(Ended),
    NotYet(Box<Object<Wire>>),
    /// It may be sent again.
    Failed(ClientError),
}

async fn attempt<T, K>(
    scalr: &Scalr,
    id: &ConnectionId,
    failures: &mut Failures,
    watch: &mut Watch<'_, '_, T>,
) -> Result<Attempt>
where
    T: ClientOf<K, Client = Client>,
{
    // Asking for `active` would resume a paused connection, so it is looked at before each time.
    let Some(found) = scalr.connection(id).await? else {
        return Ok(Attempt::Ended(Ended::Gone));
    };
    if found.attributes.status == Status::Disabled {
        return Ok(Attempt::Ended(Ended::Paused(found)));
    }
    watch.look(&found).await;
    match scalr.api.refresh_connection(id).await {
        Ok(object) => {
            failures.forget();
            Ok(match object.attributes.status {
                Status::Active => Attempt::Ended(Ended::Active(object)),
                Status::Disabled => Attempt::Ended(Ended::Paused(object)),
                _ => Attempt::NotYet(Box::new(object)),
            })
        }
        // Before it is sent again, the connection is looked at again.
        Err(error) if error.is_passing() && failures.next(&error) => Ok(Attempt::Failed(error)),
        Err(error) => Err(not_refreshed(scalr, id, error)),
    }
}

fn not_refreshed(scalr: &Scalr, id: &ConnectionId, error: ClientError) -> Diagnostics {
    scalr
        .failed(error)
        .during_with(messages::doing_refresh(id), &messages::looked_or_not())
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
        let mut failures = Failures::default();
        for _ in 0..3 {
            assert!((1..FAILURES_MAX).all(|_| failures.next(&refused)));
            failures.forget();
        }
        assert!((1..FAILURES_MAX).all(|_| failures.next(&refused)));
        assert!(!failures.next(&refused), "the fourth in a row");
    }
}
