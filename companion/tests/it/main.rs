//! The companion as its users run it: the real program over HTTP, against the real local AWS.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot continue ends there"
)]

mod api;
mod aws;
mod bounds;
mod cli;
mod clock;
mod commands;
mod companion;
mod console;
mod crash;
mod custom_bus_crash;
mod delivery;
mod dev_cli;
mod exec;
mod faults;
mod flow;
mod help;
mod manifests;
mod mistakes;
mod on_postgres;
mod operations;
mod pattern;
mod postgres;
mod postgres_link;
mod process;
mod proxy;
mod put_events;
mod race;
mod removal;
mod serve;
mod stage;
mod streams;
mod tail;
mod traces;
mod transcript;
mod wire;

use std::time::Duration;

/// Longest wait for any state.
const PATIENCE: Duration = Duration::from_secs(40);
const POLL: Duration = Duration::from_millis(25);

/// Polls until `poll` returns something, and returns that.
async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut poll: impl FnMut() -> F) -> T {
    let mut ticks = tokio::time::interval(POLL);
    let found = async {
        loop {
            ticks.tick().await;
            if let Some(found) = poll().await {
                return found;
            }
        }
    };
    let Ok(found) = tokio::time::timeout(PATIENCE, found).await else {
        panic!("timed out waiting for {what}")
    };
    found
}
