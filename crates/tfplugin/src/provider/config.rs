//! A configuration while it is validated: any value may be unknown.

use std::marker::PhantomData;

use crate::attr::Attr;
use crate::attr::AttrType;
use crate::cty::Val;
use crate::path::Path;
use crate::value::Value;

/// What the user wrote for an object `R`.
#[derive(Debug)]
pub struct Config<'a, R> {
    value: &'a Val,
    root: PhantomData<fn() -> R>,
}

impl<'a, R> Config<'a, R> {
    pub(crate) fn new(value: &'a Val) -> Self {
        Self {
            value,
            root: PhantomData,
        }
    }
}

impl<R> Config<'_, R> {
    /// The value of an attribute. One that is not of the attribute's type counts as null: the type check has said so
    /// already.
    pub fn value<T: AttrType>(&self, attr: Attr<R, T>) -> Value<T::Known> {
        read(self.value, &attr.into())
    }
}

pub(crate) fn read<T: AttrType>(root: &Val, path: &Path) -> Value<T> {
    Value::<T>::from_val(root.at(path)).unwrap_or(Value::Null)
}
