//! What one event may cost: steps, counted before they are made.

use std::cell::Cell;

use crate::error::EventError;

/// The most steps that matching one event takes; some ten nanoseconds each.
pub const STEPS_MAX: usize = 10_000_000;

/// The steps that are left.
#[derive(Debug)]
pub(crate) struct Steps(Cell<usize>);

impl Steps {
    pub(crate) fn new(left: usize) -> Self {
        Self(Cell::new(left))
    }

    pub(crate) fn left(&self) -> usize {
        self.0.get()
    }

    /// Takes so many; where fewer are left, none are left afterwards.
    pub(crate) fn take(&self, count: usize) -> Result<(), EventError> {
        let left = self.0.get().checked_sub(count);
        self.0.set(left.unwrap_or_default());
        left.map(|_| ()).ok_or(EventError::TooComplex)
    }

    /// At most so many of these, to be given back by [`Self::used_of`].
    pub(crate) fn part(&self, count: usize) -> Self {
        Self::new(self.left().min(count))
    }

    /// Takes what was used of a part that began with so many.
    pub(crate) fn used_of(&self, part: &Self, began: usize) -> usize {
        let used = began - part.left();
        self.0.set(self.0.get().saturating_sub(used));
        used
    }
}
