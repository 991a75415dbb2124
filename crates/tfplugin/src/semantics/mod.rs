//! What plans, checks and results mean: pure functions over values and schemas, compiled once for all resources.

pub(crate) mod contract;
pub(crate) mod draft;
pub(crate) mod generate;
pub(crate) mod ignored;
pub(crate) mod merge;
pub(crate) mod mock;
mod replace;
pub(crate) mod timeouts;
pub(crate) mod validate;
