//! Builds an event pattern from a detail type and a few filters.

use std::collections::BTreeMap;
use std::fmt;

use event_pattern::{LENGTH_MAX, Pattern};
use serde_json::{Map, Value, json};

use crate::catalogue::{self, Field, Kind, SOURCE_PREFIX};
use crate::nearest::nearest;
use crate::values::never;
use crate::{EventType, UnknownType};

/// The pattern that matches events of this type which pass every filter.
///
/// `filters` maps filter names (see [`catalogue`]) to a value, a list of values of which any may match, or a
/// matcher of EventBridge's such as `{"prefix": "prod-"}`. Null filters count as absent; so does a null map.
pub fn event_pattern(event_type: &str, filters: &Value) -> Result<Value, PatternError> {
    let event_type: EventType = event_type.parse().map_err(PatternError::Type)?;
    let mut pattern = json!({
        "source": [{ "prefix": SOURCE_PREFIX }],
        "detail-type": [event_type.as_str()],
    });
    let none = Map::new();
    let filters = match filters {
        Value::Null => &none,
        Value::Object(filters) => filters,
        other => {
            return Err(PatternError::NotAnObject {
                given: name_of(other),
            });
        }
    };
    let mut names = BTreeMap::new();
    for (name, value) in filters.iter().filter(|(_, value)| !value.is_null()) {
        let field = filterable(event_type, name)?;
        if let Some(other) = names.insert(field.path, name) {
            let names = [other.clone(), name.clone()];
            return Err(PatternError::Twice { names });
        }
        set(
            &mut pattern,
            field.path,
            Value::Array(matchers(name, field, value)?),
        );
    }
    let text = pattern.to_string();
    let chars = text.chars().count();
    if chars > LENGTH_MAX {
        return Err(PatternError::TooLong { chars });
    }
    match Pattern::compile_for_eventbridge(&text) {
        Ok(_) => Ok(pattern),
        Err(error) => Err(PatternError::Refused {
            name: named(event_type, filters, error.path()),
            reason: error.reason().to_owned(),
        }),
    }
}

/// The filter that put something under this path, as the caller spelt it.
fn named(event_type: EventType, filters: &Map<String, Value>, path: &str) -> Option<String> {
    let mut names = filters.keys();
    let name = names.find(|name| {
        let field = catalogue::find(event_type, name);
        field.is_some_and(|field| path.starts_with(field.path))
    });
    name.cloned()
}

/// What is wrong with the arguments of [`event_pattern()`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// No such detail type.
    Type(UnknownType),
    /// The filters are no object.
    NotAnObject {
        /// The type they have.
        given: &'static str,
    },
    /// No such filter for this detail type.
    UnknownFilter {
        /// The detail type.
        event_type: EventType,
        /// The name that was asked for.
        name: String,
    },
    /// Two names of one filter.
    Twice {
        /// The names.
        names: [String; 2],
    },
    /// A filter's value has the wrong type.
    WrongType {
        /// The filter.
        name: String,
        /// The type the field has.
        expected: &'static str,
        /// The type that was given.
        given: &'static str,
    },
    /// No event has a value that the filter lets through.
    Never {
        /// The filter.
        name: String,
        /// Why, in words.
        why: String,
    },
    /// The pattern is longer than EventBridge takes.
    TooLong {
        /// Its characters.
        chars: usize,
    },
    /// EventBridge would refuse the pattern.
    Refused {
        /// The wrong filter, where it is known.
        name: Option<String>,
        /// EventBridge's reason.
        reason: String,
    },
    /// A filter is an empty list, which matches nothing.
    Empty {
        /// The filter.
        name: String,
    },
}

impl PatternError {
    /// Which argument is wrong: 0 for the type, 1 for the filters.
    pub const fn argument(&self) -> usize {
        match self {
            Self::Type(_) => 0,
            _ => 1,
        }
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(unknown) => unknown.fmt(f),
            Self::NotAnObject { given } => {
                write!(
                    f,
                    "Filters are an object such as `{{ workspace = \"prod\" }}`; this is a {given}."
                )
            }
            Self::UnknownFilter { event_type, name } => unknown_filter(f, *event_type, name),
            Self::Twice { names: [one, other] } => {
                write!(f, "`{one}` and `{other}` are one filter; write it once.")
            }
            Self::WrongType {
                name,
                expected,
                given,
            } => write!(
                f,
                "The filter `{name}` takes a {expected}, a list of them, or a matcher such as \
                 `{{ exists = true }}`; this is a {given}."
            ),
            Self::Never { name, why } => write!(f, "The filter `{name}` lets no event through: {why}."),
            Self::TooLong { chars } => write!(
                f,
                "The pattern has {chars} characters with these filters; EventBridge takes {LENGTH_MAX}. Shorten the lists, or spread \
                 them over several rules."
            ),
            Self::Refused {
                name: Some(name),
                reason,
            } => {
                write!(f, "EventBridge would refuse the filter `{name}`: {reason}.")
            }
            Self::Refused { name: None, reason } => {
                write!(f, "EventBridge would refuse this pattern: {reason}.")
            }
            Self::Empty { name } => {
                write!(
                    f,
                    "The filter `{name}` is an empty list, which matches no event; leave it out to match all."
                )
            }
        }
    }
}

impl std::error::Error for PatternError {}

fn unknown_filter(f: &mut fmt::Formatter<'_>, event_type: EventType, name: &str) -> fmt::Result {
    write!(f, "`{event_type}` has no filter `{name}`")?;
    if let Some(near) = nearest(name, filter_names(event_type)) {
        return write!(f, "; the nearest is `{near}`.");
    }
    let known: Vec<String> = filter_names(event_type).map(|name| format!("`{name}`")).collect();
    write!(f, ". Filters are {}.", known.join(", "))
}

fn filter_names(event_type: EventType) -> impl Iterator<Item = &'static str> {
    catalogue::fields(event_type)
        .map(|field| field.filter)
        .filter(|name| *name != DETAIL_TYPE)
}

/// The filter of the one field that the argument `type` sets.
pub(crate) const DETAIL_TYPE: &str = "detail_type";

fn filterable(event_type: EventType, name: &str) -> Result<&'static Field, PatternError> {
    catalogue::find(event_type, name)
        .filter(|field| field.filter != DETAIL_TYPE)
        .ok_or_else(|| PatternError::UnknownFilter {
            event_type,
            name: name.to_owned(),
        })
}

fn matchers(name: &str, field: &Field, value: &Value) -> Result<Vec<Value>, PatternError> {
    let values = match value {
        Value::Array(values) if values.is_empty() => {
            return Err(PatternError::Empty {
                name: name.to_owned(),
            });
        }
        Value::Array(values) => values.clone(),
        single => vec![single.clone()],
    };
    values
        .into_iter()
        .map(|value| {
            let value = fitting(name, field.kind, value)?;
            never(field, &[&value]).map_or(Ok(value), |why| {
                Err(PatternError::Never {
                    name: name.to_owned(),
                    why,
                })
            })
        })
        .collect()
}

// Matcher objects are accepted here: their grammar is EventBridge's, and the whole pattern is compiled against it.
fn fitting(name: &str, kind: Kind, value: Value) -> Result<Value, PatternError> {
    let fits = match (&value, kind) {
        (Value::Object(_) | Value::Null, _) => true,
        (Value::String(_), kind) => matches!(kind, Kind::String | Kind::Strings),
        (Value::Bool(_), kind) => kind == Kind::Bool,
        (Value::Number(_), kind) => kind == Kind::Number,
        (Value::Array(_), _) => false,
    };
    let expected = match kind {
        Kind::Strings => Kind::String.as_str(),
        other => other.as_str(),
    };
    let given = name_of(&value);
    if fits {
        Ok(value)
    } else {
        Err(PatternError::WrongType {
            name: name.to_owned(),
            expected,
            given,
        })
    }
}

const fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

fn set(pattern: &mut Value, path: &str, leaf: Value) {
    let mut at = pattern;
    for key in path.split('.') {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        at = &mut at[key];
    }
    *at = leaf;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(event_type: &str, filters: &Value, want: Result<Value, &str>) {
        let have = event_pattern(event_type, filters).map_err(|error| error.to_string());
        match want {
            Ok(want) => assert_eq!(have, Ok(want), "{filters}"),
            Err(part) => {
                let message = have.expect_err(part);
                assert!(message.contains(part), "{message:?} lacks {part:?}");
            }
        }
    }

    #[test]
    fn the_ready_patterns_are_the_documented_ones() {
        for name in ["RunExecuted", "AuditLog"] {
            let want = json!({ "source": [{ "prefix": "aws.partner/scalr.com" }], "detail-type": [name] });
            check(name, &json!({}), Ok(want.clone()));
            check(name, &Value::Null, Ok(want.clone()));
            check(name, &json!({ "workspace": null }), Ok(want));
        }
    }

    #[test]
    fn filters_become_leaves() {
        check(
            "RunExecuted",
            &json!({ "result": ["errored", "canceled"], "is_dry": false, "workspace": { "prefix": "prod-" } }),
            Ok(json!({
                "source": [{ "prefix": "aws.partner/scalr.com" }],
                "detail-type": ["RunExecuted"],
                "detail": { "event": {
                    "result": ["errored", "canceled"], "is-dry": [false], "workspace": [{ "prefix": "prod-" }],
                } },
            })),
        );
        check(
            "AuditLog",
            &json!({ "event_source_name": "aws.partner/scalr.com/a/b", "status_code": 201, "tags": "scalr-action:x" }),
            Ok(json!({
                "source": ["aws.partner/scalr.com/a/b"],
                "detail-type": ["AuditLog"],
                "detail": { "outcome": { "status-code": [201] }, "tags": ["scalr-action:x"] },
            })),
        );
    }

    #[test]
    fn wrong_arguments_are_named() {
        check("RunExecute", &json!({}), Err("did you mean `RunExecuted`?"));
        check("runExecuted", &json!({}), Err("did you mean `RunExecuted`?"));
        check(
            "Other",
            &json!({}),
            Err("Event types are `RunExecuted` and `AuditLog`."),
        );
        check(
            "RunExecuted",
            &json!({ "workspce": "x" }),
            Err("no filter `workspce`; the nearest is `workspace`."),
        );
        check(
            "RunExecuted",
            &json!({ "action": "x" }),
            Err("Filters are `envelope_id`, "),
        );
        check(
            "RunExecuted",
            &json!({ "detail_type": "x" }),
            Err("no filter `detail_type`"),
        );
        check(
            "RunExecuted",
            &json!({ "is_dry": "false" }),
            Err("`is_dry` takes a bool, a list of them"),
        );
        check(
            "RunExecuted",
            &json!({ "workspace": [["x"]] }),
            Err("this is a list"),
        );
        check(
            "RunExecuted",
            &json!({ "workspace": [] }),
            Err("is an empty list"),
        );
        for two in [["is-dry", "is_dry"], ["event.is-dry", "is_dry"]] {
            let filters = json!({ two[0]: true, two[1]: false });
            let both = format!("`{}` and `{}` are one filter", two[0], two[1]);
            check("RunExecuted", &filters, Err(&both));
        }
        check(
            "RunExecuted",
            &json!({ "is-dry": null, "is_dry": false }),
            Ok(event_pattern("RunExecuted", &json!({ "is_dry": false })).unwrap()),
        );
        let typo = json!({ "workspace": { "prefx": "x" } });
        check(
            "RunExecuted",
            &typo,
            Err("EventBridge would refuse the filter `workspace`: Unrecognized match type prefx"),
        );
        check("RunExecuted", &json!(["workspace"]), Err("this is a list"));
        assert_eq!(event_pattern("X", &Value::Null).unwrap_err().argument(), 0);
        assert_eq!(event_pattern("AuditLog", &json!(1)).unwrap_err().argument(), 1);
    }

    #[test]
    fn values_that_no_event_has_are_refused() {
        for (filters, part) in [
            (
                json!({ "result": "cancelled" }),
                "never `cancelled`: perhaps `canceled` is meant.",
            ),
            (json!({ "result": ["errored", "failed"] }), "never `failed`."),
            (
                json!({ "result": { "prefix": "plan_" } }),
                "never what `{\"prefix\":\"plan_\"}` matches.",
            ),
            (json!({ "envelope_version": "1" }), "`version` is `0`, never `1`."),
            (
                json!({ "event_source_name": "aws.partner/scalr.com" }),
                "`aws.partner/scalr.com/ACCOUNT/NAME`",
            ),
            (
                json!({ "is_dry": { "prefix": "t" } }),
                "The filter `is_dry` lets no event through",
            ),
        ] {
            check("RunExecuted", &filters, Err(part));
        }
        for filters in [
            json!({ "result": { "equals-ignore-case": "ERRORED" } }),
            json!({ "result": { "anything-but": "applied" } }),
            json!({ "result": "policy_soft_failed" }),
        ] {
            assert!(event_pattern("RunExecuted", &filters).is_ok(), "{filters}");
        }
    }

    #[test]
    fn a_pattern_that_is_too_long_says_how_long_it_is() {
        let names = |length: usize| json!({ "workspace": "é".repeat(length) });
        let around = event_pattern("RunExecuted", &names(1))
            .unwrap()
            .to_string()
            .chars()
            .count()
            - 1;
        assert!(event_pattern("RunExecuted", &names(4_096 - around)).is_ok());
        check(
            "RunExecuted",
            &names(4_097 - around),
            Err("The pattern has 4097 characters with these filters; EventBridge takes 4096."),
        );
    }

    #[test]
    fn every_filter_builds() {
        for event_type in EventType::ALL {
            for name in filter_names(event_type) {
                let pattern =
                    event_pattern(event_type.as_str(), &json!({ name: { "exists": true } })).unwrap();
                let path = catalogue::find(event_type, name).unwrap().path.replace('.', "/");
                assert_eq!(
                    pattern.pointer(&format!("/{path}")),
                    Some(&json!([{ "exists": true }])),
                    "{name}"
                );
            }
        }
    }
}
