//! What functions may use of the evaluation that calls them.

use std::rc::Rc;

use super::error::Failure;
use super::meter::Meter;
use super::value::{Function, Value};
use crate::clock::{Dice, Millis};

/// The evaluation around a function.
pub(super) trait Host {
    fn meter(&self) -> &Rc<Meter>;

    /// Calls a function that came as an argument.
    fn apply(&self, function: &Function, arguments: Vec<Value>) -> Result<Value, Failure>;

    /// How many arguments a function looks at.
    fn arity(&self, function: &Function) -> usize;

    /// The time of the evaluation: it stands still.
    fn now(&self) -> Millis;

    /// Uses the evaluation's randomness.
    fn with_dice(&self, roll: &mut dyn FnMut(&mut Dice));
}

/// What an argument that was left out is.
pub(super) const UNDEFINED: &Value = &Value::Undefined;

/// The arguments of one call, checked against the signature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arguments<'a>(pub(super) &'a [Value]);

impl<'a> Arguments<'a> {
    pub(super) fn at(&self, index: usize) -> &'a Value {
        self.0.get(index).unwrap_or(UNDEFINED)
    }

    pub(super) fn text(&self, index: usize) -> Option<&'a str> {
        match self.at(index) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn number(&self, index: usize) -> Option<f64> {
        match self.at(index) {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn array(&self, index: usize) -> Option<&'a super::value::Array> {
        match self.at(index) {
            Value::Array(array) => Some(array),
            _ => None,
        }
    }

    pub(super) fn function(&self, index: usize) -> Option<&'a Function> {
        match self.at(index) {
            Value::Function(function) => Some(function),
            _ => None,
        }
    }
}

/// A random number, 0 to less than 1.
#[expect(
    clippy::cast_precision_loss,
    reason = "53 bits are kept, which an f64 holds exactly"
)]
pub(super) fn fraction(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// A random number of the evaluation's.
pub(super) fn random(host: &dyn Host) -> f64 {
    let mut number = 0.0;
    host.with_dice(&mut |dice| number = fraction(dice.roll()));
    number
}
