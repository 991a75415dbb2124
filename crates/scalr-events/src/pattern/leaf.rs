//! Filters as leaves of a pattern: a field, and the comparisons of which one must pass.

use serde_json::{Map, Value, json};

use super::{ANY_OF, PatternError};
use crate::EventType;
use crate::catalogue::{self, DETAIL_TYPE, Field, Kind};
use crate::nearest::nearest;
use crate::values::{kind_of, never};

/// The comparisons that EventBridge has, besides exact values.
pub(super) const MATCHERS: &[&str] = &[
    "prefix",
    "suffix",
    "anything-but",
    "numeric",
    "exists",
    "equals-ignore-case",
    "wildcard",
    "cidr",
    // Of the engine alone, and refused by it where EventBridge has no use for it.
    "exactly",
];
/// Those that can be made of the text behind a tag's name, and look for one tag.
const OF_TAGS: [&str; 3] = ["prefix", "wildcard", "equals-ignore-case"];

/// A field and its comparisons.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) field: &'static Field,
    /// The filter, as the caller spelt it, with its place in `any_of`.
    pub(super) name: String,
    matchers: Vec<Value>,
}

impl Leaf {
    /// Events of Scalr's, whatever the source.
    pub(super) fn of_scalr(source: Value) -> Self {
        Self {
            field: &catalogue::SOURCE,
            name: catalogue::SOURCE.filter.to_owned(),
            matchers: vec![source],
        }
    }

    /// Puts it into a pattern, or into an alternative.
    pub(super) fn set_in(&self, pattern: &mut Value) {
        let mut at = pattern;
        for key in self.field.path.split('.') {
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            at = &mut at[key];
        }
        *at = Value::Array(self.matchers.clone());
    }
}

/// The leaves of all filters but `any_of`; `within`: what is before their names in messages.
pub(super) fn leaves(
    event_type: EventType,
    filters: &Map<String, Value>,
    within: &str,
) -> Result<Vec<Leaf>, PatternError> {
    let mut found: Vec<Leaf> = Vec::new();
    let set = filters
        .iter()
        .filter(|(name, value)| !value.is_null() && *name != ANY_OF);
    for (name, value) in set {
        let spelt = format!("{within}{name}");
        let field = catalogue::find(event_type, name).filter(|field| field.filter != DETAIL_TYPE);
        let Some(field) = field else {
            return Err(PatternError::UnknownFilter {
                event_type,
                name: spelt,
            });
        };
        let leaf = Leaf {
            field,
            matchers: matchers(event_type, &spelt, field, value)?,
            name: spelt,
        };
        clash(found.iter(), &leaf)?;
        found.push(leaf);
    }
    Ok(found)
}

/// A pattern has one list of comparisons for a field: of two the engine forgets one.
pub(super) fn clash<'l>(others: impl Iterator<Item = &'l Leaf>, leaf: &Leaf) -> Result<(), PatternError> {
    let mut others = others;
    let Some(other) = others.find(|other| other.field.path == leaf.field.path) else {
        return Ok(());
    };
    let names = [other.name.clone(), leaf.name.clone()];
    let is_within = |leaf: &Leaf| leaf.name.starts_with(ANY_OF);
    if other.field.tag == leaf.field.tag && is_within(other) == is_within(leaf) {
        return Err(PatternError::Twice { names });
    }
    Err(PatternError::OneList {
        names,
        path: leaf.field.path,
    })
}

fn matchers(
    event_type: EventType,
    name: &str,
    field: &'static Field,
    value: &Value,
) -> Result<Vec<Value>, PatternError> {
    let values = match value {
        Value::Array(values) if values.is_empty() => {
            return Err(PatternError::Empty {
                name: name.to_owned(),
            });
        }
        Value::Array(values) => values.as_slice(),
        single => std::slice::from_ref(single),
    };
    values
        .iter()
        .map(|value| matcher(event_type, name, field, value))
        .collect()
}

fn matcher(
    event_type: EventType,
    name: &str,
    field: &'static Field,
    value: &Value,
) -> Result<Value, PatternError> {
    fitting(name, field.kind, value)?;
    if let Some(why) = never(field, &[value]) {
        let what = field.filter.strip_suffix("_id");
        let by_name = what.and_then(|what| catalogue::find(event_type, what));
        return Err(PatternError::Never {
            name: name.to_owned(),
            why,
            by_name: by_name.map(|field| field.filter),
        });
    }
    field
        .tag
        .map_or_else(|| Ok(value.clone()), |tag| of_tag(name, tag, value))
}

/// A comparison of what is behind a tag's name, as one of the whole tag.
fn of_tag(name: &str, tag: &str, value: &Value) -> Result<Value, PatternError> {
    let not_of_tag = |matcher: String| PatternError::NotOfTag {
        name: name.to_owned(),
        matcher,
    };
    match value {
        Value::String(text) => Ok(json!(format!("{tag}{text}"))),
        Value::Object(object) => {
            let mut members = object.iter();
            match (members.next(), members.next()) {
                (Some((key, Value::String(text))), None) if OF_TAGS.contains(&key.as_str()) => {
                    Ok(json!({ key: format!("{tag}{text}") }))
                }
                _ => Err(not_of_tag(value.to_string())),
            }
        }
        other => Err(not_of_tag(other.to_string())),
    }
}

// What is in a matcher is left to EventBridge's grammar: the whole pattern is compiled against it.
fn fitting(name: &str, kind: Kind, value: &Value) -> Result<(), PatternError> {
    let fits = match (value, kind) {
        (Value::Object(matcher), _) => return known(name, matcher),
        (Value::Null, _) => true,
        (Value::String(_), kind) => matches!(kind, Kind::String | Kind::Strings),
        (Value::Bool(_), kind) => kind == Kind::Bool,
        (Value::Number(_), kind) => kind == Kind::Number,
        (Value::Array(_), _) => false,
    };
    let expected = match kind {
        Kind::Strings => Kind::String.as_str(),
        other => other.as_str(),
    };
    if fits {
        return Ok(());
    }
    Err(PatternError::WrongType {
        name: name.to_owned(),
        expected,
        given: kind_of(value),
    })
}

fn known(name: &str, matcher: &Map<String, Value>) -> Result<(), PatternError> {
    let unknown = matcher.keys().find(|key| !MATCHERS.contains(&key.as_str()));
    unknown.map_or(Ok(()), |key| {
        Err(PatternError::UnknownMatcher {
            name: name.to_owned(),
            matcher: key.clone(),
            nearest: nearest(key, MATCHERS.iter().copied()),
        })
    })
}
