//! Tests of the framework from outside: through the harness, the macro's output, and the socket.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod actions;
mod apply;
mod door;
mod ephemeral;
mod functions;
mod generate;
mod hostile;
mod ignored;
mod import;
mod keeper;
mod lists;
mod macros;
mod mocks;
mod moves;
mod newtypes;
mod paths;
mod plan;
mod process;
mod proto;
mod readme;
mod registration;
mod rules;
mod schema;
mod under_way;
mod wait;
mod zoo;

#[path = "../../examples/bench/client.rs"]
mod client;

/// The cookbook's provider, for its own tests.
#[allow(dead_code, reason = "its `main` runs as an example only")]
#[path = "../../examples/tiny/main.rs"]
mod tiny;
