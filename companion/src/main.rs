//! `scalr-eventbridge`: Scalr's side of the EventBridge integration, and a local AWS to run it against.

mod api;
mod app;
mod audit;
mod backoff;
mod cli;
mod clock;
mod companion;
mod delivery;
mod errors;
mod ids;
mod panics;
mod partner;
mod runs;
mod server;
mod sources;
mod store;
#[cfg(test)]
mod testing;
mod tls;
mod token;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    cli::main().await
}
