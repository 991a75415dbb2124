//! The trait of a provider function.

use crate::attr::{AttrType, Attrs};
use crate::path::Path;

/// A provider function: the struct's fields are its parameters, in order.
///
/// `Option<T>` accepts null, `Value<T>` accepts unknown, a last field of type `Variadic<T>` takes the rest.
pub trait Function: Attrs {
    /// The name in HCL.
    const NAME: &'static str;
    /// What it returns; a struct that derives `Attrs` is an object.
    type Output: AttrType;

    /// Computes the result. It must depend on the arguments alone.
    fn call(self) -> Result<Self::Output, FunctionError>;
}

/// Why a function refuses its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    pub(crate) text: String,
    pub(crate) argument: Option<i64>,
    pub(crate) name: Option<Path>,
}

impl FunctionError {
    /// An error with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            argument: None,
            name: None,
        }
    }

    /// The argument's position, from 0.
    pub(crate) fn argument(mut self, position: usize) -> Self {
        self.argument = i64::try_from(position).ok();
        self
    }

    /// The argument it is about: `Self::text()`, or `Self::rest().index(2)` of the arguments that are left.
    pub fn at(mut self, argument: impl Into<Path>) -> Self {
        self.name = Some(argument.into());
        self
    }
}

impl std::fmt::Display for FunctionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for FunctionError {}
