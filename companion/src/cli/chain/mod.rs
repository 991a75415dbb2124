//! What the events of a connection pass on their way to a log group: for `status`, and for `run` before it starts one.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! seen           a connection's chain as data
//! standing       what of it is broken, and what repairs that
//! read           reading both sides
//! ```

mod read;
mod seen;
mod standing;

pub(super) use self::read::{Connection, Region, Report, Settings, connection, region, report};
pub(super) use self::seen::{Aws, Chain, Link, Seen};
#[cfg(test)]
pub(super) use self::seen::{Hidden, Rule, Target};
pub(super) use self::standing::{Finding, Standing, State};
