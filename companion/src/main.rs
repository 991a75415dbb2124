//! `scalr-eventbridge`: Scalr's side of the EventBridge integration, and a local AWS to run it against.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! clock error_chain ids letters region routes schedule secrets tls  leaves
//! traces/                                   what becomes of an event, as OpenTelemetry's traces
//! aws_calls aws_wire event_bus token        how calls to AWS end, and what each passes; event buses by ARN; the tokens of the API
//! aws_error                                 what AWS's answers are to the companion
//! caller intakes panics                     who calls, what they may, and the proof of it; calls at a time; panics without the token
//! store/                                    SQLite or PostgreSQL: what must survive a crash; a commit wakes the tasks with work from it
//! aws_clients                               the clients of AWS
//! bus_calls                                 event buses of one's own: whether one is there, puts
//! partner                                   AWS from the partner's side: event sources, puts
//! clock_watch readiness token_use           a clock that was set; the companion's own faults; when tokens were last used
//! metrics                                   figures of the process
//! audit delivery/ retention runs sources    tasks and rules on stored rows: audit logs, sending, bounds, runs, sources at AWS
//! app export/                               what every handler works with; what an account streams, as HCL
//! api/                                      Scalr's API: one file an endpoint family
//! console/                                  the pages that people click
//! server                                    HTTP and TLS, bounded
//! companion                                 all of these as one value to run
//! cli/                                      the command line: one file a command
//! ```

mod api;
mod app;
mod audit;
mod aws_calls;
mod aws_clients;
mod aws_error;
mod aws_wire;
mod bus_calls;
mod caller;
mod cli;
mod clock;
mod clock_watch;
mod companion;
mod console;
mod delivery;
mod error_chain;
mod event_bus;
mod export;
mod ids;
mod intakes;
mod letters;
mod metrics;
mod panics;
mod partner;
mod readiness;
mod region;
mod retention;
mod routes;
mod runs;
mod schedule;
mod secrets;
mod server;
mod sources;
mod store;
#[cfg(test)]
mod testing;
mod tls;
mod token;
mod token_use;
mod traces;

use std::process::ExitCode;

/// A batch of events is hundreds of small pieces of memory, on which the system's allocator spends a fifth of the time and more.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    Box::pin(cli::main()).await
}
