//! One turn: what any change of the state may touch, whether a call, a timer or a result causes it.
//!
//! Time and randomness are arguments, so that a stored change replays to the same state.

use crate::clock::{Dice, Millis};
use crate::state::World;

/// One change while it is made.
pub(crate) struct Turn<'w> {
    pub(crate) world: &'w mut World,
    pub(crate) now: Millis,
    pub(crate) dice: Dice,
    /// Deliveries over HTTP that are to be sent once the change is stored.
    pub(crate) effects: Vec<u64>,
}

impl<'w> Turn<'w> {
    pub(crate) fn new(world: &'w mut World, now: Millis, seed: u64) -> Self {
        Self {
            world,
            now,
            dice: Dice::new(seed),
            effects: Vec::new(),
        }
    }
}
