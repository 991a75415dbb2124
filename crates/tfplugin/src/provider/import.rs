//! What an import id says: values of attributes.

use std::marker::PhantomData;

use crate::attr::AttrType;
use crate::attr::{Attr, ValueOf};
use crate::cty::Val;
use crate::path::Path;

/// The attributes that an import id sets. The rest is null until `read` fills it in.
///
/// They go through the same checks as the configuration's.
#[derive(Debug)]
pub struct ImportedAttrs<R> {
    pub(crate) values: Vec<(Path, Imported)>,
    root: PhantomData<fn() -> R>,
}

/// A value, or a text to read as whatever type the attribute has.
#[derive(Clone, Debug)]
pub(crate) enum Imported {
    Value(Val),
    Text(String),
}

impl<R> Default for ImportedAttrs<R> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            root: PhantomData,
        }
    }
}

impl<R> ImportedAttrs<R> {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an attribute.
    pub fn set<T: AttrType>(mut self, attr: Attr<R, T>, value: impl ValueOf<T>) -> Self {
        self.values.push((attr.into(), Imported::Value(value.val())));
        self
    }

    /// Sets an attribute to a text that is read as its type.
    pub(crate) fn text(mut self, name: &str, text: String) -> Self {
        self.values.push((Path::root(name), Imported::Text(text)));
        self
    }
}
