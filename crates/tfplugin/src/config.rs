//! A configuration while it is validated: any value may be unknown.

use crate::attr_type::AttrType;
use crate::cty::Val;
use crate::path::Path;
use crate::value::Value;

/// What the user wrote.
#[derive(Debug)]
pub struct Config<'a> {
    pub(crate) value: &'a Val,
}

impl Config<'_> {
    /// The value at a path. One that is not of type `T` counts as null: the type check has said so already.
    pub fn value<T: AttrType>(&self, path: impl Into<Path>) -> Value<T> {
        read(self.value, &path.into())
    }
}

pub(crate) fn read<T: AttrType>(root: &Val, path: &Path) -> Value<T> {
    Value::<T>::from_val(root.at(path)).unwrap_or(Value::Null)
}
