//! What is wrong with an expression, and why an evaluation has no result.

use thiserror::Error;

/// The expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what}, at character {at}")]
pub(crate) struct Invalid {
    pub(crate) what: String,
    /// The first character of the text is 1.
    pub(crate) at: usize,
}

impl Invalid {
    pub(super) fn new(what: impl Into<String>, at: usize) -> Self {
        Self {
            what: what.into(),
            at,
        }
    }
}

/// The evaluation of a valid expression came to nothing that can be delivered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Failure {
    /// An error of the language, with the code that its reference gives it.
    #[error("{code}: {message}{}", place(*.at))]
    Error {
        code: &'static str,
        message: String,
        at: Option<usize>,
    },
    #[error("the expression does more work than fits into one second")]
    Work,
    #[error(
        "the expression nests more than 100 evaluations: what calls itself must do so last in its function"
    )]
    Depth,
    #[error("the expression holds more than 128 MiB of values at a time")]
    Memory,
    #[error("the expression makes a value of more than 500 levels")]
    Levels,
    #[error("the result is larger than 10 MiB")]
    Output,
    #[error("the result is {0}, and only text, objects, arrays, numbers and true or false can be sent")]
    Nothing(&'static str),
    #[error("in `{path}`: {failure}")]
    Within { path: String, failure: Box<Failure> },
    #[error("the local AWS could not evaluate the expression: {0}")]
    Broken(String),
}

fn place(at: Option<usize>) -> String {
    at.map(|at| format!(", at character {at}")).unwrap_or_default()
}

impl Failure {
    /// The same failure for a text with so many letters before.
    pub(super) fn moved(mut self, letters: usize) -> Self {
        if let Self::Error { at: Some(at), .. } = &mut self {
            *at += letters;
        }
        self
    }

    /// The same failure with the place in the text, unless it has one.
    pub(super) fn or_at(self, position: usize) -> Self {
        match self {
            Self::Error {
                code,
                message,
                at: None,
            } => Self::Error {
                code,
                message,
                at: Some(position),
            },
            other => other,
        }
    }
}

/// An error of the language whose place the caller knows.
pub(super) fn error(code: &'static str, message: impl Into<String>) -> Failure {
    Failure::Error {
        code,
        message: message.into(),
        at: None,
    }
}
