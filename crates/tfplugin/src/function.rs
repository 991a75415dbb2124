//! The trait of a provider function.

use crate::attr_type::{AttrType, Attrs};

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
    pub(crate) name: Option<&'static str>,
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
    pub fn argument(mut self, position: usize) -> Self {
        self.argument = i64::try_from(position).ok();
        self
    }

    /// The argument's name.
    pub fn at(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }
}

impl std::fmt::Display for FunctionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for FunctionError {}
