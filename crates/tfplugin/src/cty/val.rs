//! A value as Terraform has it: perhaps null, perhaps not known yet.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{Number, Type, ValueError, from_json, to_json};
use crate::path::{Path, Step};

/// What is known of an unknown value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Refinement {
    /// Whether it is null (`Some(true)`) or surely not (`Some(false)`).
    pub null: Option<bool>,
    /// How a string begins.
    pub prefix: Option<String>,
    /// The lower bound of a number, and whether it is included.
    pub number_min: Option<(Number, bool)>,
    /// The upper bound of a number, and whether it is included.
    pub number_max: Option<(Number, bool)>,
    /// The least length of a collection.
    pub length_min: Option<i64>,
    /// The greatest length of a collection.
    pub length_max: Option<i64>,
}

/// A value whose type is known from elsewhere (a schema, or [`Dynamic`]).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Val {
    /// No value.
    #[default]
    Null,
    /// A value that will be known only after apply.
    Unknown(Option<Box<Refinement>>),
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    String(String),
    /// The elements of a list or tuple.
    List(Vec<Val>),
    /// The elements of a set, sorted.
    Set(Vec<Val>),
    /// The elements of a map, or the attributes of an object.
    Map(BTreeMap<String, Val>),
    /// A value where the type is dynamic.
    Typed(Box<Dynamic>),
}

impl Val {
    /// An unknown value of which nothing is known.
    pub const UNKNOWN: Self = Self::Unknown(None);

    /// A set of these elements.
    pub fn set(elements: impl IntoIterator<Item = Val>) -> Self {
        let mut elements: Vec<Val> = elements.into_iter().collect();
        elements.sort();
        elements.dedup_by(|a, b| a == b && a.is_wholly_known());
        Self::Set(elements)
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Typed(inner) => inner.value.is_null(),
            _ => false,
        }
    }

    /// Whether it is unknown itself.
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Unknown(_) => true,
            Self::Typed(inner) => inner.value.is_unknown(),
            _ => false,
        }
    }

    /// Whether neither it nor anything inside it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Unknown(_) => false,
            Self::List(all) | Self::Set(all) => all.iter().all(Self::is_wholly_known),
            Self::Map(all) => all.values().all(Self::is_wholly_known),
            Self::Typed(inner) => inner.value.is_wholly_known(),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => true,
        }
    }

    /// The attribute or map element of this name; null if there is none.
    pub fn get(&self, name: &str) -> &Val {
        match self {
            Self::Map(all) => all.get(name).unwrap_or(&Self::Null),
            Self::Typed(inner) => inner.value.get(name),
            _ => &Self::Null,
        }
    }

    /// The value at a path. Inside a null all is null, inside an unknown all is unknown.
    pub fn at(&self, path: &Path) -> &Val {
        let mut here = self;
        for step in path.steps() {
            if here.is_unknown() {
                return &Self::UNKNOWN;
            }
            here = match (here, step) {
                (Self::List(all) | Self::Set(all), Step::Index(index)) => {
                    all.get(*index).unwrap_or(&Self::Null)
                }
                (_, Step::Attr(name) | Step::Key(name)) => here.get(name),
                (Self::Map(_), Step::Index(index)) => here.get(&index.to_string()),
                _ => &Self::Null,
            };
        }
        here
    }

    /// Puts a value at a path; false where the path leads nowhere.
    pub(crate) fn put(&mut self, steps: &[Step], value: Val) -> bool {
        let Some((first, rest)) = steps.split_first() else {
            *self = value;
            return true;
        };
        let inner = match (self, first) {
            (Self::Map(all), Step::Attr(name) | Step::Key(name)) => all.get_mut(name),
            (Self::List(all), Step::Index(index)) => all.get_mut(*index),
            _ => None,
        };
        inner.is_some_and(|inner| inner.put(rest, value))
    }

    /// The elements of a list or set.
    pub fn elements(&self) -> &[Val] {
        match self {
            Self::List(all) | Self::Set(all) => all,
            _ => &[],
        }
    }

    /// The same value with each unknown in it turned to null.
    pub fn unknown_to_null(self) -> Self {
        match self {
            Self::Unknown(_) => Self::Null,
            Self::List(all) => Self::List(all.into_iter().map(Self::unknown_to_null).collect()),
            Self::Set(all) => Self::set(all.into_iter().map(Self::unknown_to_null)),
            Self::Map(all) => Self::Map(
                all.into_iter()
                    .map(|(key, one)| (key, one.unknown_to_null()))
                    .collect(),
            ),
            Self::Typed(inner) => Self::Typed(Box::new(Dynamic {
                ty: inner.ty,
                value: inner.value.unknown_to_null(),
            })),
            known => known,
        }
    }
}

/// A value together with its type: what an attribute or parameter of dynamic type holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dynamic {
    pub(crate) ty: Type,
    pub(crate) value: Val,
}

impl Default for Dynamic {
    fn default() -> Self {
        Self::null()
    }
}

impl Dynamic {
    /// A value of this type.
    pub fn new(ty: Type, value: Val) -> Self {
        Self { ty, value }
    }

    /// Null, of no particular type.
    pub fn null() -> Self {
        Self {
            ty: Type::Dynamic,
            value: Val::Null,
        }
    }

    /// The type.
    pub fn ty(&self) -> &Type {
        &self.ty
    }

    /// The value.
    pub fn value(&self) -> &Val {
        &self.value
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        self.value.is_null()
    }

    /// As JSON, as `jsonencode` would give it; an unknown inside is an error.
    pub fn to_json(&self) -> Result<Json, ValueError> {
        plain(&self.value)
    }

    /// From JSON, as `jsondecode` would give it: arrays are tuples, objects are objects.
    pub fn from_json(json: &Json) -> Result<Self, ValueError> {
        let ty = implied_type(json);
        let value = from_json(json, &ty)?;
        Ok(Self { ty, value })
    }
}

fn plain(value: &Val) -> Result<Json, ValueError> {
    Ok(match value {
        Val::Typed(inner) => plain(&inner.value)?,
        Val::List(all) | Val::Set(all) => Json::Array(all.iter().map(plain).collect::<Result<_, _>>()?),
        Val::Map(all) => {
            let entry = |(key, one): (&String, &Val)| Ok((key.clone(), plain(one)?));
            Json::Object(all.iter().map(entry).collect::<Result<_, ValueError>>()?)
        }
        scalar => to_json(scalar, &Type::String)?,
    })
}

fn implied_type(json: &Json) -> Type {
    match json {
        Json::Null => Type::Dynamic,
        Json::Bool(_) => Type::Bool,
        Json::Number(_) => Type::Number,
        Json::String(_) => Type::String,
        Json::Array(all) => Type::Tuple(all.iter().map(implied_type).collect()),
        Json::Object(all) => Type::object(all.iter().map(|(key, one)| (key.clone(), implied_type(one)))),
    }
}
