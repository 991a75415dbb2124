//! What `derive(Attrs)` calls besides the builder.

use std::sync::Arc;

use super::builder::ObjectBuilder;
use super::path::Attr;
use super::types::{AttrReader, AttrType, AttrWriter, Attrs};
use crate::cty::{Val, ValueError};
use crate::path::Path;
use crate::schema::{Nesting, Shape};

/// The shape of the struct.
pub fn shape<T: Attrs>() -> Shape {
    let mut builder = ObjectBuilder::default();
    T::describe(&mut builder);
    Shape::Nested(Nesting::Single, Arc::new(builder.finish()))
}

/// Reads the struct.
pub fn from_val<T: Attrs>(value: &Val) -> Result<T, ValueError> {
    T::from_attrs(&AttrReader { value })
}

/// Writes the struct.
pub fn to_val<T: Attrs>(this: &T) -> Val {
    let mut writer = AttrWriter::default();
    this.to_attrs(&mut writer);
    Val::Map(writer.attrs)
}

/// The path of an attribute of the whole object.
pub fn root<R, T: AttrType>(name: &str) -> Attr<R, T> {
    Attr::new(Path::root(name))
}

/// The path of an attribute of the object at `at`.
pub fn attr<R, T: AttrType>(at: &Path, name: &str) -> Attr<R, T> {
    Attr::new(at.clone().attr(name))
}
