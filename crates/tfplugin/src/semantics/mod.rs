//! What Terraform's rules mean for values: pure functions over values and schemas, compiled once for all resources.

pub(crate) mod draft;
pub(crate) mod merge;
mod replace;
pub(crate) mod rules;
pub(crate) mod timeouts;
pub(crate) mod validate;
