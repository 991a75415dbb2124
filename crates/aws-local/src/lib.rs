//! A local AWS: EventBridge with partner event sources, and the logs, queues, topics, roles and STS calls that belong to it.
//!
#![doc = include_str!("../README.md")]
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! admission arn assumptions clock fault host injection jsontext model page policy schedule secret   leaves: they use no module of ours but each other
//! config caller jsonata/   what a process is started with; who makes a request; JSONATA of a subscriber: no state, no clock
//! disk/              the disk operations; what may go wrong there; how far a writer is
//! segments/          retained events in files: appending, reading, expiry
//! state/             the world: buses, rules, targets, sources, log groups, queues, timers (data only)
//! turn               what any change may touch: world, time, randomness, deliveries to send
//! delivery/          from an accepted event to its targets: permission, envelope, transformer, attempt, miss
//! ops/               one operation of AWS's, one function
//! firing             what the clock sets off: schedules, replays, retries, expiry
//! change             a change of the state, as it is asked for and as it is stored
//! journal/           changes on disk: appending, reading back, snapshots
//! engine/            one lock, one turn at a time, answers after the disk
//! http/              bytes to calls: protocols, the carrier of deliveries, the local endpoints
//! server             the public face: bind, run
//! ```

mod admission;
mod arn;
mod assumptions;
mod caller;
mod change;
mod clock;
mod config;
mod delivery;
mod disk;
mod engine;
mod fault;
mod firing;
mod host;
mod http;
pub mod injection;
mod journal;
mod jsonata;
mod jsontext;
mod model;
mod ops;
mod page;
mod policy;
mod schedule;
mod secret;
mod segments;
mod server;
mod state;
#[cfg(fuzzing)]
pub mod testing;
#[cfg(all(test, not(fuzzing)))]
mod testing;
mod turn;

pub use admission::{Admission, Capacity, Guest};
pub use arn::partition;
pub use assumptions::{ASSUMPTIONS, Assumption, Assumptions};
pub use config::{Config, RegionCheck, UnknownRoles};
pub use host::{BadHost, host};
pub use journal::DataError;
pub use server::{Error, Server};
