//! Typed paths: where an attribute is, and what type it has. `derive(Attrs)` writes a function for each field, so that a
//! path that does not exist does not compile.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use super::types::AttrType;
use crate::cty::Val;
use crate::path::Path;
use crate::value::Value;

/// The path of an attribute of type `T` inside the object `R`.
///
/// `derive(Attrs)` gives a struct one associated function a field; what is inside a nested attribute follows as methods:
///
/// ```
/// use std::collections::BTreeMap;
///
/// use tfplugin::{Attr, Attrs, Path};
///
/// /// A target.
/// #[derive(Attrs)]
/// struct Target {
///     /// Where its events go.
///     #[tf(optional)]
///     log_group: Option<LogGroup>,
///     /// Labels.
///     #[tf(optional)]
///     tags: Option<BTreeMap<String, String>>,
///     /// Filters, in order.
///     #[tf(optional)]
///     filters: Option<Vec<Filter>>,
/// }
///
/// /// A log group.
/// #[derive(Attrs)]
/// struct LogGroup {
///     /// Its name.
///     #[tf(required)]
///     name: String,
/// }
///
/// /// A filter.
/// #[derive(Attrs)]
/// struct Filter {
///     /// What it lets through.
///     #[tf(required)]
///     pattern: String,
/// }
///
/// let name: Attr<Target, String> = Target::log_group().name();
/// assert_eq!(name.to_string(), "log_group.name");
/// assert_eq!(Target::tags().key("env").to_string(), r#"tags["env"]"#);
/// assert_eq!(Target::filters().index(0).pattern().to_string(), "filters[0].pattern");
/// ```
///
/// `Plan`, `Config` and the rules of a resource take paths of that resource only, and values of the attribute's type
/// only; a [`crate::Diagnostic`] takes any path.
///
/// A struct whose own associated function has the name of one of its fields is refused by the compiler ("duplicate
/// definitions with name"), at the field: rename the function.
pub struct Attr<R, T: AttrType> {
    inside: T::Paths<R>,
    types: PhantomData<fn() -> (R, T)>,
}

// No methods of its own: they would hide what is inside a nested attribute under the same name.
impl<R, T: AttrType> Attr<R, T> {
    pub(crate) fn new(path: Path) -> Self {
        Self {
            inside: path.into(),
            types: PhantomData,
        }
    }
}

impl<R, T: AttrType> Deref for Attr<R, T> {
    type Target = T::Paths<R>;

    fn deref(&self) -> &T::Paths<R> {
        &self.inside
    }
}

impl<R, T: AttrType> Clone for Attr<R, T> {
    fn clone(&self) -> Self {
        Self::new(self.inside.as_ref().clone())
    }
}

impl<R, T: AttrType> fmt::Debug for Attr<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attr({})", self.inside.as_ref())
    }
}

impl<R, T: AttrType> fmt::Display for Attr<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.inside.as_ref())
    }
}

impl<R, T: AttrType> From<Attr<R, T>> for Path {
    fn from(attr: Attr<R, T>) -> Self {
        attr.inside.as_ref().clone()
    }
}

impl<R, T: AttrType> From<&Attr<R, T>> for Path {
    fn from(attr: &Attr<R, T>) -> Self {
        attr.inside.as_ref().clone()
    }
}

/// Where a path ends: nothing is inside a text, a number, a set or a value of any type.
#[derive(Clone, Debug)]
pub struct Leaf(Path);

/// What is inside a list.
pub struct Elements<R, T> {
    path: Path,
    types: PhantomData<fn() -> (R, T)>,
}

impl<R, T: AttrType> Elements<R, T> {
    /// The element at this position, from 0.
    pub fn index(&self, index: usize) -> Attr<R, T> {
        Attr::new(self.path.clone().index(index))
    }

    /// The same list, read with elements that may be unknown.
    pub fn with_unknowns(&self) -> Attr<R, Vec<Value<T::Known>>> {
        Attr::new(self.path.clone())
    }
}

/// What is inside a map.
pub struct Entries<R, T> {
    path: Path,
    types: PhantomData<fn() -> (R, T)>,
}

impl<R, T: AttrType> Entries<R, T> {
    /// The element under this key.
    pub fn key(&self, key: impl Into<String>) -> Attr<R, T> {
        Attr::new(self.path.clone().key(key))
    }

    /// The same map, read with elements that may be unknown.
    pub fn with_unknowns(&self) -> Attr<R, std::collections::BTreeMap<String, Value<T::Known>>> {
        Attr::new(self.path.clone())
    }
}

impl From<Path> for Leaf {
    fn from(path: Path) -> Self {
        Self(path)
    }
}

impl AsRef<Path> for Leaf {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

/// What holds a path and the types that it leads from and to.
macro_rules! holds_a_path {
    ($($name:ident),*) => {$(
        impl<R, T> From<Path> for $name<R, T> {
            fn from(path: Path) -> Self {
                Self { path, types: PhantomData }
            }
        }

        impl<R, T> AsRef<Path> for $name<R, T> {
            fn as_ref(&self) -> &Path {
                &self.path
            }
        }
    )*};
}

holds_a_path!(Elements, Entries);

/// A value that an attribute of type `T` can hold: a `T`, what an `Option` or [`Value`] has inside, a `&str` for a text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a value of this attribute, whose type is `{T}`",
    label = "the attribute's type is `{T}`"
)]
pub trait ValueOf<T> {
    /// The value.
    #[doc(hidden)]
    fn val(self) -> Val;
}

impl<T: AttrType> ValueOf<T> for T {
    fn val(self) -> Val {
        self.to_val()
    }
}

impl<T: AttrType> ValueOf<Option<T>> for T {
    fn val(self) -> Val {
        self.to_val()
    }
}

impl<T: AttrType> ValueOf<Value<T>> for T {
    fn val(self) -> Val {
        self.to_val()
    }
}

impl<T: AttrType> ValueOf<Value<T>> for Option<T> {
    fn val(self) -> Val {
        self.to_val()
    }
}

/// A text written in the code.
macro_rules! text {
    ($($of:ty),*) => {$(
        impl ValueOf<$of> for &str {
            fn val(self) -> Val {
                Val::String(self.to_owned())
            }
        }
    )*};
}

text!(String, Option<String>, Value<String>);
