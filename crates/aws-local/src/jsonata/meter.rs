//! What one evaluation may cost: work and memory. Both are counted and nothing is timed, so that a replay of the
//! journal ends as the first evaluation did.

use std::cell::Cell;
use std::rc::Rc;

use super::error::Failure;

/// The bounds of one evaluation.
#[expect(clippy::struct_field_names, reason = "each is the most there may be")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Steps: an evaluation of a part of the expression, an item, 64 bytes of text. AWS stops after a second.
    pub(crate) work_max: u64,
    /// Evaluations within evaluations.
    pub(crate) depth_max: usize,
    /// What values hold at one time.
    pub(crate) held_bytes_max: usize,
    pub(crate) output_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            work_max: 4_000_000,
            depth_max: 100,
            held_bytes_max: 128 * 1024 * 1024,
            output_bytes_max: 10 * 1024 * 1024,
        }
    }
}

/// Counts what an evaluation has cost.
#[derive(Debug)]
pub(super) struct Meter {
    pub(super) limits: Limits,
    work: Cell<u64>,
    held: Cell<usize>,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Rc<Self> {
        Rc::new(Self {
            limits,
            work: Cell::new(0),
            held: Cell::new(0),
        })
    }

    pub(super) fn work(&self, steps: usize) -> Result<(), Failure> {
        let work = self.work.get().saturating_add(steps as u64);
        self.work.set(work);
        if work > self.limits.work_max {
            return Err(Failure::Work);
        }
        Ok(())
    }

    /// The work so far.
    pub(super) fn spent(&self) -> u64 {
        self.work.get()
    }

    /// The work of looking through this many bytes.
    pub(super) fn read(&self, bytes: usize) -> Result<(), Failure> {
        self.work(1 + bytes / 64)
    }

    /// Memory that is given back when the charge is dropped.
    pub(super) fn hold(self: &Rc<Self>, bytes: usize) -> Result<Charge, Failure> {
        let mut charge = Charge {
            meter: Rc::clone(self),
            bytes: 0,
        };
        charge.grow(bytes)?;
        Ok(charge)
    }
}

/// Memory that a value holds.
#[derive(Debug)]
pub(super) struct Charge {
    meter: Rc<Meter>,
    bytes: usize,
}

impl Charge {
    /// The work of making what is held.
    pub(super) fn work(&self, steps: usize) -> Result<(), Failure> {
        self.meter.work(steps)
    }

    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Failure> {
        let held = self.meter.held.get().saturating_add(bytes);
        if held > self.meter.limits.held_bytes_max {
            return Err(Failure::Memory);
        }
        self.meter.held.set(held);
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.meter
            .held
            .set(self.meter.held.get().saturating_sub(self.bytes));
    }
}
