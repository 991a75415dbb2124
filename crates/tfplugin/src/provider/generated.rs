//! A configuration that is generated from a state, for a resource to leave out more of it.

use std::marker::PhantomData;

use super::config::read;
use crate::attr::{Attr, AttrType};
use crate::cty::Val;
use crate::path::Path;
use crate::value::Value;

/// The configuration that is generated for an object `R`.
#[derive(Debug)]
pub struct GeneratedConfig<'a, R> {
    value: &'a mut Val,
    root: PhantomData<fn() -> R>,
}

impl<'a, R> GeneratedConfig<'a, R> {
    pub(crate) fn new(value: &'a mut Val) -> Self {
        Self {
            value,
            root: PhantomData,
        }
    }

    /// The value of an attribute.
    pub fn value<T: AttrType>(&self, attr: Attr<R, T>) -> Value<T::Known> {
        read(self.value, &attr.into())
    }

    /// Leaves an attribute out.
    pub fn leave_out<T: AttrType>(&mut self, attr: Attr<R, T>) {
        let path: Path = attr.into();
        self.value.put(path.steps(), Val::Null);
    }
}
