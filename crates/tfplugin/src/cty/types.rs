//! Types of values, and their JSON form on the wire.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{Budget, DEPTH_MAX, ValueError, parse_json};

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// Text.
    String,
    /// A number of any precision.
    Number,
    /// True or false.
    Bool,
    /// Decided by each value.
    Dynamic,
    /// Elements of one type, in order.
    List(Box<Type>),
    /// Distinct elements of one type.
    Set(Box<Type>),
    /// Elements of one type by key.
    Map(Box<Type>),
    /// Elements of their own types, in order.
    Tuple(Vec<Type>),
    /// Attributes of their own types; some may be left out when converting.
    Object(BTreeMap<String, Type>, BTreeSet<String>),
}

impl Type {
    /// An object type with no optional attribute.
    pub fn object<N: Into<String>>(attributes: impl IntoIterator<Item = (N, Type)>) -> Self {
        Self::Object(
            attributes
                .into_iter()
                .map(|(name, ty)| (name.into(), ty))
                .collect(),
            BTreeSet::new(),
        )
    }

    /// The JSON form.
    pub fn to_json(&self) -> Json {
        let pair = |kind: &str, inner: Json| Json::Array(vec![kind.into(), inner]);
        match self {
            Self::String => "string".into(),
            Self::Number => "number".into(),
            Self::Bool => "bool".into(),
            Self::Dynamic => "dynamic".into(),
            Self::List(inner) => pair("list", inner.to_json()),
            Self::Set(inner) => pair("set", inner.to_json()),
            Self::Map(inner) => pair("map", inner.to_json()),
            Self::Tuple(inner) => pair("tuple", inner.iter().map(Self::to_json).collect()),
            Self::Object(inner, optional) => {
                let attributes = inner.iter().map(|(name, ty)| (name.clone(), ty.to_json()));
                let mut parts = vec!["object".into(), Json::Object(attributes.collect())];
                if !optional.is_empty() {
                    parts.push(optional.iter().map(|name| Json::from(name.as_str())).collect());
                }
                Json::Array(parts)
            }
        }
    }

    /// The JSON form as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_json().to_string().into_bytes()
    }

    /// Reads the JSON form.
    pub fn from_json(json: &Json) -> Result<Self, ValueError> {
        Self::parse(json, 0)
    }

    /// Reads the JSON form from bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ValueError> {
        Self::from_bytes_within(bytes, &mut Budget::default())
    }

    /// Reads the JSON form from bytes of a message, whose values its parts are counted with.
    pub(super) fn from_bytes_within(bytes: &[u8], budget: &mut Budget) -> Result<Self, ValueError> {
        Self::from_json(&parse_json(bytes, budget)?)
    }

    fn parse(json: &Json, depth: usize) -> Result<Self, ValueError> {
        if depth > DEPTH_MAX {
            return Err(ValueError::new(format!("a type nests deeper than {DEPTH_MAX}")));
        }
        let bad = || ValueError::new("not a type");
        match json {
            Json::String(name) => match name.as_str() {
                "string" => Ok(Self::String),
                "number" => Ok(Self::Number),
                "bool" => Ok(Self::Bool),
                "dynamic" => Ok(Self::Dynamic),
                _ => Err(bad()),
            },
            Json::Array(parts) => {
                let kind = parts.first().and_then(Json::as_str).ok_or_else(bad)?;
                Self::parse_compound(kind, parts.get(1).ok_or_else(bad)?, parts.get(2), depth + 1)
            }
            _ => Err(bad()),
        }
    }

    fn parse_compound(
        kind: &str,
        inner: &Json,
        optional: Option<&Json>,
        depth: usize,
    ) -> Result<Self, ValueError> {
        let bad = || ValueError::new("not a type");
        let boxed = || Self::parse(inner, depth).map(Box::new);
        match kind {
            "list" => Ok(Self::List(boxed()?)),
            "set" => Ok(Self::Set(boxed()?)),
            "map" => Ok(Self::Map(boxed()?)),
            "tuple" => {
                let parts = inner.as_array().ok_or_else(bad)?;
                Ok(Self::Tuple(
                    parts
                        .iter()
                        .map(|part| Self::parse(part, depth))
                        .collect::<Result<_, _>>()?,
                ))
            }
            "object" => {
                let parts = inner.as_object().ok_or_else(bad)?;
                let attributes = parts
                    .iter()
                    .map(|(name, ty)| Ok((name.clone(), Self::parse(ty, depth)?)))
                    .collect::<Result<_, ValueError>>()?;
                let names = optional
                    .and_then(Json::as_array)
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                Ok(Self::Object(
                    attributes,
                    names.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
                ))
            }
            _ => Err(bad()),
        }
    }
}
