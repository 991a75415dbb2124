//! Terraform's values: what they are, and their two wire forms.

mod budget;
mod json;
mod msgpack;
mod number;
#[cfg(test)]
mod tests;
mod types;
mod unpack;
mod val;

pub(crate) use budget::Budget;
pub(crate) use json::{from_json, from_json_bytes, parse_json, to_json};
pub(crate) use msgpack::to_msgpack;
pub use number::Number;
pub use types::Type;
pub(crate) use unpack::from_msgpack;
pub use val::{Dynamic, Refinement, Val};

use crate::path::Path;

/// How deep a value or a type may nest.
pub(crate) const DEPTH_MAX: usize = 64;

/// How many values one message may hold, absent attributes and the parts of types included.
pub(crate) const NODES_MAX: usize = 2_000_000;

/// Why a wire value could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    /// Where in the value.
    pub path: Path,
    /// What is wrong there.
    pub message: String,
}

impl ValueError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            path: Path::empty(),
            message: message.into(),
        }
    }

    pub(crate) fn under(mut self, step: crate::path::Step) -> Self {
        let mut steps = vec![step];
        steps.extend(self.path.steps().iter().cloned());
        self.path = Path::of(steps);
        self
    }
}

impl std::fmt::Display for ValueError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

impl std::error::Error for ValueError {}
