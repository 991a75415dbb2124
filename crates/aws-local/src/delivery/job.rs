//! What leaves the core to be done: a request over HTTP, or the evaluation of expressions. What it comes to is a change of its own.

use super::http;
use super::recipe::Recipe;

/// Done outside of the core, once its change is stored.
#[derive(Debug)]
pub(crate) enum Job {
    Http(http::Job),
    Evaluation(Evaluation),
}

/// Expressions to evaluate.
#[derive(Debug)]
pub(crate) struct Evaluation {
    pub(crate) id: u64,
    pub(crate) recipe: Recipe,
}
