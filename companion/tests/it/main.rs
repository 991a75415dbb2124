//! The companion as its users meet it: the real program over HTTP, against the real local AWS.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on ends there"
)]

mod api;
mod aws;
mod bounds;
mod cli;
mod companion;
mod crash;
mod delivery;
mod flow;
mod proxy;
mod race;
mod removal;
mod tail;
mod wire;

use std::time::Duration;

/// Longest that any state is waited for.
const PATIENCE: Duration = Duration::from_secs(40);
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// Waits until `look` sees it.
async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let mut ticks = tokio::time::interval(LOOK_AGAIN);
    let seen = async {
        loop {
            ticks.tick().await;
            if let Some(seen) = look().await {
                return seen;
            }
        }
    };
    let Ok(seen) = tokio::time::timeout(PATIENCE, seen).await else {
        panic!("waited in vain for {what}")
    };
    seen
}
