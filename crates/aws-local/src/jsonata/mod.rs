//! JSONATA, with which a subscriber of a custom event bus makes of an event what its target gets.
//!
//! An expression is text of a user, so that its evaluation is bounded in every way: work and memory are counted
//! (`meter`), values and nodes have so many levels, regular expressions never backtrack, and what recurses does so on a
//! stack of its own. Nothing asks for the time or for randomness: a replay of the journal gives the same result.
//!
//! # Floors
//! ```text
//! error number pattern signature   leaves: what goes wrong, numbers as JavaScript has them, regular expressions, signatures
//! ast meter                        an expression after parsing; what an evaluation may cost
//! value/                           the values of an evaluation, and the variables that hold them
//! parse/ json arguments host       text to an expression; JSON; what a function is given
//! functions/                       the functions of the language, and AWS's own
//! eval/                            an expression and its input to a value
//! expression                       the public face
//! template                         JSON whose texts may be expressions
//! ```

mod arguments;
mod ast;
mod error;
mod eval;
mod expression;
mod functions;
mod host;
mod json;
mod meter;
mod number;
mod parse;
mod pattern;
mod signature;
mod template;
#[cfg(test)]
mod tests;
mod value;

#[cfg(any(test, fuzzing))]
pub(crate) use error::Failure;
pub(crate) use expression::{Expression, Setting, start};
pub(crate) use meter::Limits;
pub(crate) use template::Template;
