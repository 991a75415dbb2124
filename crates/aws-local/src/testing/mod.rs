//! Entries for tests and fuzzers: a local AWS without a port, and the properties that hold for whatever callers write.
#![allow(unreachable_pub, reason = "public to fuzzers alone")]

mod cbor;
#[cfg(test)]
mod cbor_properties;
mod expression;
#[cfg(test)]
pub(crate) mod flaky;
mod local;
#[cfg(test)]
mod properties;
mod wire;

pub use cbor::read_cbor;
#[cfg(fuzzing)]
pub use expression::evaluate;
pub use local::Local;
