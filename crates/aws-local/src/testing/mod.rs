//! Entries for tests and fuzzers: a local AWS without a port, and the properties that hold for whatever callers write.
#![allow(unreachable_pub, reason = "public to fuzzers alone")]

#[cfg(test)]
pub(crate) mod flaky;
mod local;
#[cfg(test)]
mod properties;

pub use local::Local;
