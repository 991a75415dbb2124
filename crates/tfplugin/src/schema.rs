//! Schemas: what `derive(Attrs)` has built, and everything else reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::cty::{Type, Val};

/// How a nested object repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// One object.
    Single,
    /// A list of objects.
    List,
    /// A set of objects.
    Set,
    /// Objects by key.
    Map,
}

/// The wire type of an attribute.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A plain type.
    Plain(Type),
    /// Objects with a schema of their own.
    Nested(Nesting, Arc<Object>),
}

impl Shape {
    /// The type of the values.
    pub fn ty(&self) -> Type {
        match self {
            Self::Plain(ty) => ty.clone(),
            Self::Nested(nesting, object) => collection(*nesting, object.ty()),
        }
    }

    /// The shape of a collection of these.
    pub(crate) fn within(self, nesting: Nesting) -> Self {
        match self {
            Self::Nested(Nesting::Single, object) => Self::Nested(nesting, object),
            other => Self::Plain(collection(nesting, other.ty())),
        }
    }
}

fn collection(nesting: Nesting, inner: Type) -> Type {
    match nesting {
        Nesting::Single => inner,
        Nesting::List => Type::List(Box::new(inner)),
        Nesting::Set => Type::Set(Box::new(inner)),
        Nesting::Map => Type::Map(Box::new(inner)),
    }
}

type Check = Box<dyn Fn(&Val) -> Result<(), String> + Send + Sync>;
type Equal = Box<dyn Fn(&Val, &Val) -> bool + Send + Sync>;
type DefaultFn = Box<dyn Fn() -> Val + Send + Sync>;

/// What a function's parameter accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Whether null may be passed.
    pub nullable: bool,
    /// Whether unknown may be passed.
    pub unknown: bool,
    /// Whether it takes all arguments that are left.
    pub variadic: bool,
}

/// One attribute.
#[expect(
    clippy::struct_excessive_bools,
    reason = "the flags are independent on the wire too"
)]
pub struct Attribute {
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) shape: Shape,
    pub(crate) parameter: Parameter,
    pub(crate) required: bool,
    pub(crate) optional: bool,
    pub(crate) computed: bool,
    pub(crate) replace: bool,
    pub(crate) use_state_for_unknown: bool,
    pub(crate) sensitive: bool,
    pub(crate) write_only: bool,
    pub(crate) deprecated: Option<String>,
    pub(crate) default: Option<DefaultFn>,
    pub(crate) checks: Vec<Check>,
    /// Whether the struct names a check, besides those of the type.
    pub(crate) named_check: bool,
    pub(crate) equal: Option<Equal>,
}

impl std::fmt::Debug for Attribute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attribute")
            .field("name", &self.name)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

/// The attributes of a struct, in the order of its fields.
#[derive(Debug, Default)]
pub struct Object {
    pub(crate) doc: String,
    pub(crate) deprecated: Option<String>,
    pub(crate) attributes: Vec<Attribute>,
}

impl Object {
    /// The object type.
    pub fn ty(&self) -> Type {
        let types: BTreeMap<_, _> = self
            .attributes
            .iter()
            .map(|one| (one.name.clone(), one.shape.ty()))
            .collect();
        Type::Object(types, BTreeSet::new())
    }

    /// The attribute of this name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|one| one.name == name)
    }
}
