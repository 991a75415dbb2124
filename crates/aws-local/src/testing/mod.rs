//! Entries for tests and fuzzers: a local AWS without a port, and the properties that hold for whatever callers write.
#![allow(unreachable_pub, reason = "public to fuzzers alone")]

#[cfg(fuzzing)]
mod expression;
#[cfg(test)]
pub(crate) mod flaky;
mod local;
#[cfg(test)]
mod properties;

#[cfg(fuzzing)]
pub use expression::evaluate;
pub use local::Local;
