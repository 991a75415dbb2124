//! The attributes of an object: their Rust types, their paths, and the builder that makes a schema of them.

mod builder;
#[doc(hidden)]
pub mod derived;
mod doc;
mod newtype;
mod path;
mod types;

pub use self::builder::{AttributeBuilder, ObjectBuilder};
pub use self::newtype::Newtype;
pub use self::path::{Attr, Elements, Entries, Leaf, ValueOf};
pub use self::types::{AttrReader, AttrType, AttrWriter, Attrs, Nullable, Variadic};
