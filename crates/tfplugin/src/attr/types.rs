//! Which Rust types an attribute or parameter can have, and how they become values.

use std::collections::{BTreeMap, BTreeSet};

use super::builder::ObjectBuilder;
use super::path::{Elements, Entries, Leaf};
use crate::cty::{Dynamic, Number, Type, Val, ValueError};
use crate::path::{Path, Step};
use crate::schema::{Nesting, Parameter, Shape};
use crate::value::Value;

/// A Rust type that an attribute, an element or a parameter can have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of an attribute",
    note = "use String, bool, i64, f64, Number, Dynamic, a struct that derives Attrs, a type that implements Newtype, or Option, Value, Vec, BTreeSet, BTreeMap<String, _> of one"
)]
pub trait AttrType: Sized + Send + Sync + 'static {
    /// The type without `Option` or `Value` around it.
    type Known: AttrType;
    /// What a path inside an object `R` can go on to from here.
    type Paths<R>: From<Path> + AsRef<Path>;
    /// What a parameter of this type accepts.
    const PARAMETER: Parameter = Parameter {
        nullable: false,
        unknown: false,
        variadic: false,
    };

    /// The wire type.
    fn shape() -> Shape;
    /// From a value; null and unknown become what the type has for them.
    fn from_val(value: &Val) -> Result<Self, ValueError>;
    /// To a value.
    fn to_val(&self) -> Val;

    /// What the type itself refuses of a value that it can hold.
    #[doc(hidden)]
    fn check(_value: &Val) -> Result<(), String> {
        Ok(())
    }

    /// Whether two values of the type mean the same. What it cannot tell apart is the same: an f64 gives a number of
    /// more digits back rounded.
    #[doc(hidden)]
    fn same(a: &Val, b: &Val) -> bool {
        let known = |value| Self::from_val(value).map(|known| known.to_val());
        matches!((known(a), known(b)), (Ok(a), Ok(b)) if a == b)
    }
}

/// Whether two elements are the same or mean the same.
fn alike<T: AttrType>(a: &Val, b: &Val) -> bool {
    a == b || !a.is_null() && !b.is_null() && T::same(a, b)
}

/// The check of the type for each element that is not null; `name` names one.
fn check_all<'v, T: AttrType>(elements: impl Iterator<Item = (String, &'v Val)>) -> Result<(), String> {
    let refused = |(name, one): (String, &Val)| {
        let why = T::check(one).err()?;
        Some(format!("has {name}, which {why}"))
    };
    elements
        .filter(|(_, one)| !one.is_null())
        .find_map(refused)
        .map_or(Ok(()), Err)
}

/// A type that can hold null: what `optional` needs.
#[diagnostic::on_unimplemented(
    message = "an optional attribute can be null, and `{Self}` cannot hold null",
    note = "use Option<..>, or give the attribute a `default`"
)]
pub trait Nullable {}

impl<T> Nullable for Option<T> {}
impl<T> Nullable for Value<T> {}
impl Nullable for Dynamic {}

/// What derive(Attrs) implements: a struct that is a schema, its documentation and its codec.
#[diagnostic::on_unimplemented(message = "`{Self}` does not derive Attrs")]
pub trait Attrs: AttrType {
    /// Says what the attributes are.
    fn describe(object: &mut ObjectBuilder);
    /// Reads the struct.
    fn from_attrs(attrs: &AttrReader<'_>) -> Result<Self, ValueError>;
    /// Writes the struct.
    fn to_attrs(&self, attrs: &mut AttrWriter);
}

/// Reads the attributes of an object.
pub struct AttrReader<'a> {
    pub(super) value: &'a Val,
}

impl AttrReader<'_> {
    /// Reads one attribute.
    pub fn attr<F: AttrType>(&self, name: &str) -> Result<F, ValueError> {
        F::from_val(self.value.get(name)).map_err(|error| error.under(Step::Attr(name.to_owned())))
    }
}

/// Writes the attributes of an object.
#[derive(Default)]
pub struct AttrWriter {
    pub(super) attrs: BTreeMap<String, Val>,
}

impl AttrWriter {
    /// Writes one attribute.
    pub fn attr<F: AttrType>(&mut self, name: &str, value: &F) {
        self.attrs.insert(name.to_owned(), value.to_val());
    }
}

fn mismatch<T>(expected: &str) -> Result<T, ValueError> {
    Err(ValueError::new(format!("must be {expected}")))
}

/// A scalar type: its null and unknown are the type's default.
macro_rules! scalar {
    ($rust:ty, $ty:expr, $expected:literal, $read:pat => $out:expr, $self:ident => $write:expr) => {
        impl AttrType for $rust {
            type Known = Self;
            type Paths<R> = Leaf;

            fn shape() -> Shape {
                Shape::Plain($ty)
            }

            fn from_val(value: &Val) -> Result<Self, ValueError> {
                match value {
                    Val::Null | Val::Unknown(_) => Ok(Self::default()),
                    $read => $out,
                    _ => mismatch($expected),
                }
            }

            fn to_val(&self) -> Val {
                let $self = self;
                $write
            }
        }
    };
}

scalar!(String, Type::String, "a string", Val::String(text) => Ok(text.clone()), this => Val::String(this.clone()));
scalar!(bool, Type::Bool, "true or false", Val::Bool(value) => Ok(*value), this => Val::Bool(*this));
scalar!(Number, Type::Number, "a number", Val::Number(value) => Ok(value.clone()), this => Val::Number(this.clone()));
scalar!(i64, Type::Number, "a whole number", Val::Number(value) => match value.to_i64() {
    Some(whole) => Ok(whole),
    None if value.is_whole() => mismatch("a whole number between -2^63 and 2^63-1"),
    None => mismatch("a whole number"),
}, this => Val::Number((*this).into()));
scalar!(f64, Type::Number, "a number", Val::Number(value) => match value.to_f64() {
    near if near.is_finite() || Number::from_f64(near).as_ref() == Ok(value) => Ok(near),
    _ => mismatch("a number between -1.7e308 and 1.7e308"),
}, this => Number::from_f64(*this).map_or(Val::Null, Val::Number));

impl AttrType for Dynamic {
    type Known = Self;
    type Paths<R> = Leaf;
    const PARAMETER: Parameter = Parameter {
        nullable: true,
        unknown: false,
        variadic: false,
    };

    fn shape() -> Shape {
        Shape::Plain(Type::Dynamic)
    }

    fn from_val(value: &Val) -> Result<Self, ValueError> {
        match value {
            Val::Typed(inner) => Ok((**inner).clone()),
            Val::Null => Ok(Self::null()),
            Val::Unknown(_) => Ok(Self {
                ty: Type::Dynamic,
                value: value.clone(),
            }),
            _ => mismatch("a value with its type"),
        }
    }

    fn to_val(&self) -> Val {
        if self.ty == Type::Dynamic {
            self.value.clone()
        } else {
            Val::Typed(Box::new(self.clone()))
        }
    }
}

impl<T: AttrType> AttrType for Option<T> {
    type Known = T::Known;
    type Paths<R> = T::Paths<R>;
    const PARAMETER: Parameter = Parameter {
        nullable: true,
        ..T::PARAMETER
    };

    fn shape() -> Shape {
        T::shape()
    }

    fn from_val(value: &Val) -> Result<Self, ValueError> {
        if value.is_null() || value.is_unknown() {
            Ok(None)
        } else {
            T::from_val(value).map(Some)
        }
    }

    fn to_val(&self) -> Val {
        self.as_ref().map_or(Val::Null, T::to_val)
    }

    fn check(value: &Val) -> Result<(), String> {
        T::check(value)
    }

    fn same(a: &Val, b: &Val) -> bool {
        alike::<T>(a, b)
    }
}

impl<T: AttrType> AttrType for Value<T> {
    type Known = T::Known;
    type Paths<R> = T::Paths<R>;
    const PARAMETER: Parameter = Parameter {
        nullable: true,
        unknown: true,
        ..T::PARAMETER
    };

    fn shape() -> Shape {
        T::shape()
    }

    fn from_val(value: &Val) -> Result<Self, ValueError> {
        if value.is_null() {
            Ok(Self::Null)
        } else if value.is_unknown() {
            Ok(Self::Unknown)
        } else {
            T::from_val(value).map(Self::Known)
        }
    }

    fn to_val(&self) -> Val {
        match self {
            Self::Null => Val::Null,
            Self::Unknown => Val::UNKNOWN,
            Self::Known(value) => value.to_val(),
        }
    }

    fn check(value: &Val) -> Result<(), String> {
        T::check(value)
    }

    fn same(a: &Val, b: &Val) -> bool {
        alike::<T>(a, b)
    }
}

fn read_elements<T: AttrType, C: FromIterator<T>>(value: &Val) -> Result<C, ValueError> {
    match value {
        Val::Null | Val::Unknown(_) => Ok(std::iter::empty().collect()),
        Val::List(all) | Val::Set(all) => {
            let element = |(n, one)| T::from_val(one).map_err(|error| error.under(Step::Index(n)));
            all.iter().enumerate().map(element).collect()
        }
        _ => mismatch("a list"),
    }
}

impl<T: AttrType> AttrType for Vec<T> {
    type Known = Self;
    type Paths<R> = Elements<R, T>;

    fn shape() -> Shape {
        T::shape().within(Nesting::List)
    }

    fn from_val(value: &Val) -> Result<Self, ValueError> {
        read_elements(value)
    }

    fn to_val(&self) -> Val {
        Val::List(self.iter().map(T::to_val).collect())
    }

    fn check(value: &Val) -> Result<(), String> {
        let elements = value.elements().iter().enumerate();
        check_all::<T>(elements.map(|(n, one)| (format!("element {n}"), one)))
    }

    fn same(a: &Val, b: &Val) -> bool {
        let (a, b) = (a.elements(), b.elements());
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike::<T>(a, b))
    }
}

impl<T: AttrType + Ord> AttrType for BTreeSet<T> {
    type Known = Self;
    type Paths<R> = Leaf;

    fn shape() -> Shape {
        T::shape().within(Nesting::Set)
    }

    fn from_val(value: &Val) -> Result<Self, ValueError> {
        read_elements(value)
    }

    fn to_val(&self) -> Val {
        Val::set(self.iter().map(T::to_val))
    }

    fn check(value: &Val) -> Result<(), String> {
        check_all::<T>(value.elements().iter().map(|one| ("an element".to_owned(), one)))
    }

    fn same(a: &Val, b: &Val) -> bool {
        let (a, b) = (a.elements(), b.elements());
        let within = |one: &Val, all: &[Val]| all.iter().any(|other| alike::<T>(one, other));
        a.iter().all(|one| within(one, b)) && b.iter().all(|one| within(one, a))
    }
}

impl<T: AttrType> AttrType for BTreeMap<String, T> {
    type Known = Self;
    type Paths<R> = Entries<R, T>;

    fn shape() -> Shape {
        T::shape().within(Nesting::Map)
    }

    fn from_val(value: &Val) -> Result<Self, ValueError> {
        match value {
            Val::Null | Val::Unknown(_) => Ok(Self::new()),
            Val::Map(all) => {
                let entry = |(key, one): (&String, &Val)| {
                    let value = T::from_val(one).map_err(|error| error.under(Step::Key(key.clone())))?;
                    Ok((key.clone(), value))
                };
                all.iter().map(entry).collect()
            }
            _ => mismatch("a map"),
        }
    }

    fn to_val(&self) -> Val {
        Val::Map(
            self.iter()
                .map(|(key, one)| (key.clone(), one.to_val()))
                .collect(),
        )
    }

    fn check(value: &Val) -> Result<(), String> {
        let Val::Map(all) = value else { return Ok(()) };
        check_all::<T>(all.iter().map(|(key, one)| (format!("`{key}`"), one)))
    }

    fn same(a: &Val, b: &Val) -> bool {
        match (a, b) {
            (Val::Map(a), Val::Map(b)) => {
                a.keys().eq(b.keys()) && a.values().zip(b.values()).all(|(a, b)| alike::<T>(a, b))
            }
            _ => false,
        }
    }
}

/// A last parameter that takes all arguments that are left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variadic<T>(pub Vec<T>);

impl<T: AttrType> AttrType for Variadic<T> {
    type Known = T::Known;
    type Paths<R> = Elements<R, T>;
    const PARAMETER: Parameter = Parameter {
        variadic: true,
        ..T::PARAMETER
    };

    fn shape() -> Shape {
        T::shape()
    }

    fn from_val(value: &Val) -> Result<Self, ValueError> {
        read_elements(value).map(Self)
    }

    fn to_val(&self) -> Val {
        Val::List(self.0.iter().map(T::to_val).collect())
    }

    fn check(value: &Val) -> Result<(), String> {
        T::check(value)
    }
}
