//! Counts what a message unfolds to. Bytes do not bound it: one byte can be an object of a thousand attributes.

use super::{NODES_MAX, ValueError};

/// What a message may still unfold to.
#[derive(Debug)]
pub(crate) struct Budget {
    left: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: NODES_MAX }
    }
}

impl Budget {
    /// Takes so many values; call it before they take memory.
    pub(super) fn take(&mut self, count: usize) -> Result<(), ValueError> {
        match self.left.checked_sub(count) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(ValueError::new(format!(
                "a message holds more than {NODES_MAX} values"
            ))),
        }
    }
}
