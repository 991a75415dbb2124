//! What the events of a connection pass on their way to a log group: for `status`, and for `run` before it starts one.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! seen           a connection's chain as data
//! finding        what of it is broken, as data
//! custom         what is broken behind a bus that AWS manages, and what repairs that
//! standing       the same of the whole chain
//! follow         reading what is behind a bus that AWS manages
//! read           reading both sides
//! ```

mod custom;
mod finding;
mod follow;
mod read;
mod seen;
mod standing;

pub(super) use self::finding::{Finding, Standing, State};
pub(super) use self::read::{Connection, Region, Report, Settings, connection, region, report};
pub(super) use self::seen::{Aws, Chain, Link, Seen};
#[cfg(test)]
pub(super) use self::seen::{Hidden, Rule, Target};
