//! A sample of each event: the detail that Scalr's documentation shows, in the envelope that EventBridge delivers; as it is, or with
//! fields of one's own.
//!
//! The documentation's samples have another envelope (`id` of the run, `account` `test`, `version` 1): nothing that arrives on an event
//! bus looks like that, so a pattern would be tested against what never comes.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

use crate::catalogue::{
    self, ACTION_TAG, ENVIRONMENT_NAME_TAG, ENVIRONMENT_TAG, Field, Kind, USER_EMAIL_TAG, WORKSPACE_NAME_TAG,
    WORKSPACE_TAG,
};
use crate::nearest::nearest;
use crate::run_executed::{run_event_type, run_title};
use crate::values::{kind_of, refused};
use crate::{EventType, UnknownType};

const RUN_EXECUTED: &str = include_str!("samples/run_executed.json");
const AUDIT_LOG: &str = include_str!("samples/audit_log.json");

/// The sample's JSON text, indented, keys in the order of an event that was delivered.
pub const fn sample_text(event_type: EventType) -> &'static str {
    match event_type {
        EventType::RunExecuted => RUN_EXECUTED,
        EventType::AuditLog => AUDIT_LOG,
    }
}

/// The sample as a JSON value.
pub fn sample(event_type: EventType) -> Value {
    // The tests parse both texts, so `Null` is never seen.
    serde_json::from_str(sample_text(event_type)).unwrap_or_default()
}

/// The sample of a type by name, with the fields of at most one object replaced: what the function `sample_event` of the provider takes.
pub fn sample_event(event_type: &str, fields: &[Value]) -> Result<String, SampleError> {
    let event_type: EventType = event_type.parse().map_err(SampleError::Type)?;
    let fields = match fields {
        [] | [Value::Null] => return Ok(sample_text(event_type).to_owned()),
        [Value::Object(fields)] => fields,
        [other] => {
            return Err(SampleError::NotAnObject {
                given: kind_of(other),
            });
        }
        several => return Err(SampleError::TooMany { given: several.len() }),
    };
    let mut names = BTreeMap::new();
    let set: Vec<(&str, &Value)> = fields
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    for (name, _) in &set {
        let field = settable(event_type, name)?;
        if let Some(other) = names.insert((field.path, field.tag), *name) {
            let names = [other.to_owned(), (*name).to_owned()];
            return Err(SampleError::Twice { names });
        }
    }
    Ok(sample_with(event_type, set)?.to_string())
}

/// The sample with fields replaced, by the names of their filters or by their paths; of two values of one field the later counts.
///
/// Title, tags and event type follow from the other fields unless they are among those that are set.
pub fn sample_with<'a>(
    event_type: EventType,
    fields: impl IntoIterator<Item = (&'a str, &'a Value)>,
) -> Result<Value, SampleError> {
    let mut event = sample(event_type);
    let mut set = Vec::new();
    for (name, value) in fields {
        let field = settable(event_type, name)?;
        fitting(name, field, value)?;
        set.push((field, value));
    }
    put(&mut event, set.iter().filter(|(field, _)| field.tag.is_none()));
    derive(event_type, &mut event["detail"]);
    // Again: a title or tags that are set win over derived ones, and an id over the list that holds it.
    put(&mut event, set.iter().filter(|(field, _)| field.tag.is_none()));
    for (field, value) in set {
        if let (Some(tag), Some(value)) = (field.tag, value.as_str()) {
            put_tag(&mut event["detail"]["tags"], tag, value);
        }
    }
    Ok(event)
}

/// The value of a field that is written as text, as on a command line: `true`, `12`, `a,b` for a list, `null`.
pub fn value_of_text(event_type: EventType, name: &str, text: &str) -> Result<Value, SampleError> {
    let field = settable(event_type, name)?;
    let value = match field.kind {
        _ if text == "null" => Value::Null,
        Kind::String => json!(text),
        Kind::Strings => {
            let parts = text.split(',').filter(|part| !part.is_empty());
            json!(parts.collect::<Vec<_>>())
        }
        Kind::Bool | Kind::Number => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
    };
    fitting(name, field, &value)?;
    Ok(value)
}

/// What is wrong with a field of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SampleError {
    /// No such detail type.
    Type(UnknownType),
    /// The fields are no object.
    NotAnObject {
        /// The type they have.
        given: &'static str,
    },
    /// More than one object of fields.
    TooMany {
        /// How many.
        given: usize,
    },
    /// No such field.
    Unknown {
        /// The event.
        event_type: EventType,
        /// The name that was given.
        name: String,
    },
    /// Two names of one field.
    Twice {
        /// The names.
        names: [String; 2],
    },
    /// The value has another type than the field.
    WrongType {
        /// The field, as it was named.
        name: String,
        /// The type it has.
        expected: &'static str,
        /// The type of the value.
        given: &'static str,
    },
    /// No event has the value.
    Never {
        /// The field, as it was named.
        name: String,
        /// Why, in words.
        why: String,
    },
}

impl fmt::Display for SampleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(unknown) => unknown.fmt(f),
            Self::NotAnObject { given } => write!(
                f,
                "The fields of a sample are an object such as `{{ workspace = \"network\" }}`; this is {given}."
            ),
            Self::TooMany { given } => write!(
                f,
                "A sample takes one object with all fields that are to differ; there are {given}. Merge them: `merge(a, b)`."
            ),
            Self::Unknown { event_type, name } => unknown(f, *event_type, name),
            Self::Twice { names: [one, other] } => {
                write!(f, "`{one}` and `{other}` are one field; write it once.")
            }
            Self::WrongType {
                name,
                expected,
                given,
            } => write!(
                f,
                "The field `{name}` of an event is {expected}; this is {given}."
            ),
            Self::Never { name, why } => write!(f, "No event has this `{name}`: {why}."),
        }
    }
}

impl std::error::Error for SampleError {}

fn unknown(f: &mut fmt::Formatter<'_>, event_type: EventType, name: &str) -> fmt::Result {
    let names = || settable_fields(event_type).map(|field| field.filter);
    write!(f, "`{event_type}` has no field `{name}`")?;
    if let Some(near) = nearest(name, names()) {
        return write!(f, "; the nearest is `{near}`.");
    }
    let known: Vec<String> = names().map(|name| format!("`{name}`")).collect();
    write!(f, ". Its fields are {}.", known.join(", "))
}

/// All but the type, which says what the other fields are.
fn settable_fields(event_type: EventType) -> impl Iterator<Item = &'static Field> {
    catalogue::filters(event_type).filter(|field| field.filter != catalogue::DETAIL_TYPE)
}

fn settable(event_type: EventType, name: &str) -> Result<&'static Field, SampleError> {
    let field = catalogue::find(event_type, name).filter(|field| field.filter != catalogue::DETAIL_TYPE);
    field.ok_or_else(|| SampleError::Unknown {
        event_type,
        name: name.to_owned(),
    })
}

fn fitting(name: &str, field: &Field, value: &Value) -> Result<(), SampleError> {
    let fits = match (value, field.kind) {
        // A session has no token id.
        (Value::Null, kind) => kind == Kind::String && field.tag.is_none(),
        (Value::String(_), Kind::String)
        | (Value::Number(_), Kind::Number)
        | (Value::Bool(_), Kind::Bool) => true,
        (Value::Array(values), Kind::Strings) => values.iter().all(Value::is_string),
        _ => false,
    };
    if !fits {
        return Err(SampleError::WrongType {
            name: name.to_owned(),
            expected: match field.kind {
                Kind::String => "a string",
                Kind::Number => "a number",
                Kind::Bool => "`true` or `false`",
                Kind::Strings => "a list of strings",
            },
            given: kind_of(value),
        });
    }
    let texts = match value {
        Value::Array(values) => values.iter().collect(),
        single => vec![single],
    };
    let mut reasons = texts
        .into_iter()
        .filter_map(Value::as_str)
        .filter_map(|text| refused(field, text));
    reasons.next().map_or(Ok(()), |why| {
        Err(SampleError::Never {
            name: name.to_owned(),
            why,
        })
    })
}

fn put<'s, 'v: 's>(event: &mut Value, set: impl Iterator<Item = &'s (&'static Field, &'v Value)>) {
    for (field, value) in set {
        // The catalogue has the sample's fields: a test compares them.
        if let Some(place) = event.pointer_mut(&field.pointer()) {
            *place = (*value).clone();
        }
    }
}

fn put_tag(tags: &mut Value, name: &str, value: &str) {
    let Some(tags) = tags.as_array_mut() else {
        return;
    };
    let tag = json!(format!("{name}{value}"));
    let is_it = |tag: &&mut Value| tag.as_str().is_some_and(|tag| tag.starts_with(name));
    match tags.iter_mut().find(is_it) {
        Some(old) => *old = tag,
        None => tags.push(tag),
    }
}

/// Where in a detail the value behind the name of a tag is.
const TAGGED: [(&str, &[&str]); 6] = [
    (ACTION_TAG, &["/request/action"]),
    (USER_EMAIL_TAG, &["/actor/email"]),
    (ENVIRONMENT_TAG, &["/target/context/environment/id"]),
    (
        ENVIRONMENT_NAME_TAG,
        &["/event/environment", "/target/context/environment/display-name"],
    ),
    (WORKSPACE_TAG, &["/target/context/workspace/id"]),
    (
        WORKSPACE_NAME_TAG,
        &["/event/workspace", "/target/context/workspace/display-name"],
    ),
];

/// Derives the title, the tags and the event type from the other fields of a detail.
fn derive(event_type: EventType, detail: &mut Value) {
    let mut tags = detail["tags"].take();
    let text = |pointer: &str| detail.pointer(pointer).and_then(Value::as_str);
    for (name, pointers) in TAGGED {
        if let Some(value) = pointers.iter().find_map(|pointer| text(pointer)) {
            put_tag(&mut tags, name, value);
        }
    }
    if event_type == EventType::RunExecuted {
        let of = |pointer: &str| text(pointer).unwrap_or_default();
        let derived = Map::from_iter([
            (
                "title".to_owned(),
                json!(run_title(
                    of("/event/run-id"),
                    of("/event/workspace"),
                    of("/event/environment")
                )),
            ),
            (
                "event_type".to_owned(),
                json!(run_event_type(of("/event/result"))),
            ),
        ]);
        for (name, value) in derived {
            detail[name] = value;
        }
    }
    detail["tags"] = tags;
}

#[cfg(test)]
mod tests {
    use serde::{Serialize, de::DeserializeOwned};

    use super::*;
    use crate::{AuditLog, RunExecuted};

    fn check<T: Serialize + DeserializeOwned>(event_type: EventType) {
        let detail = sample(event_type)["detail"].clone();
        let typed: T = serde_json::from_value(detail.clone()).unwrap();
        assert_eq!(serde_json::to_value(typed).unwrap(), detail, "{event_type}");
    }

    #[test]
    fn types_hold_all_of_the_samples() {
        check::<RunExecuted>(EventType::RunExecuted);
        check::<AuditLog>(EventType::AuditLog);
    }

    #[test]
    fn what_is_derived_is_what_the_samples_have() {
        for event_type in EventType::ALL {
            assert_eq!(sample_with(event_type, []), Ok(sample(event_type)));
            let text = sample_event(event_type.as_str(), &[json!({})]).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), sample(event_type));
        }
    }

    #[track_caller]
    fn made(event_type: EventType, fields: Value, parts: &[(&str, Value)]) {
        let shown = fields.to_string();
        let text = sample_event(event_type.as_str(), &[fields]).unwrap();
        let event: Value = serde_json::from_str(&text).unwrap();
        for (pointer, want) in parts {
            assert_eq!(event.pointer(pointer), Some(want), "{shown}: {pointer}");
        }
    }

    #[test]
    fn what_is_set_is_in_the_event_and_what_follows_from_it() {
        made(
            EventType::RunExecuted,
            json!({ "run_id": "run-7", "workspace": "web", "environment": "prod", "result": "errored", "is-dry": true, "source": null }),
            &[
                ("/detail/event/run-id", json!("run-7")),
                ("/detail/event/is-dry", json!(true)),
                ("/detail/event/source", json!("vcs")),
                (
                    "/detail/title",
                    json!("Scalr run execution completed on workspace 'web' (prod). Run ID: run-7."),
                ),
                ("/detail/event_type", json!("error")),
                (
                    "/detail/tags",
                    json!([
                        "scalr-environment:env-1234567890",
                        "scalr-workspace:ws-1234567890",
                        "scalr-environment-name:prod",
                        "scalr-workspace-name:web"
                    ]),
                ),
            ],
        );
        made(
            EventType::RunExecuted,
            json!({ "workspace_id": "ws-7", "environment_id": "env-7", "title": "mine", "aws_account_id": "999999999999" }),
            &[
                ("/detail/tags/0", json!("scalr-environment:env-7")),
                ("/detail/tags/1", json!("scalr-workspace:ws-7")),
                ("/detail/title", json!("mine")),
                ("/account", json!("999999999999")),
            ],
        );
        made(
            EventType::RunExecuted,
            json!({ "tags": ["a"], "workspace_id": "ws-7" }),
            &[("/detail/tags", json!(["a", "scalr-workspace:ws-7"]))],
        );
        made(
            EventType::AuditLog,
            json!({ "action": "delete-run", "workspace_id": "ws-7", "token_id": "at-1", "status_code": 422 }),
            &[
                ("/detail/tags/0", json!("scalr-action:delete-run")),
                ("/detail/tags/4", json!("scalr-workspace:ws-7")),
                ("/detail/target/context/workspace/id", json!("ws-7")),
                ("/detail/actor/access-token/id", json!("at-1")),
                ("/detail/outcome/status-code", json!(422)),
            ],
        );
    }

    #[track_caller]
    fn wrong(fields: &[Value], part: &str) {
        let error = sample_event("RunExecuted", fields).unwrap_err().to_string();
        assert!(error.contains(part), "{fields:?}: {error:?} lacks {part:?}");
    }

    #[test]
    fn wrong_fields_are_named_with_what_is_right() {
        for (field, part) in [
            (json!({ "workspce": "x" }), "the nearest is `workspace`."),
            (json!({ "detail_type": "x" }), "has no field `detail_type`"),
            (json!({ "any_of": [] }), "has no field `any_of`"),
            (json!({ "result": "erorred" }), "perhaps `errored` is meant"),
            (
                json!({ "result": ["errored"] }),
                "`result` of an event is a string; this is a list",
            ),
            (json!({ "result": { "prefix": "e" } }), "this is an object"),
            (
                json!({ "is_dry": "true" }),
                "is `true` or `false`; this is a string",
            ),
            (json!({ "tags": [1] }), "is a list of strings"),
            (json!({ "workspace_id": "network" }), "begin with `ws-`"),
            (json!({ "tags": ["scalr-workspace:network"] }), "begin with `ws-`"),
            (json!({ "event_source_name": "prod" }), "ACCOUNT/NAME"),
            (json!({ "is-dry": true, "is_dry": true }), "are one field"),
            (json!("x"), "this is a string"),
        ] {
            wrong(&[field], part);
        }
        wrong(&[json!({}), json!({})], "there are 2");
        let unknown = sample_event("RunExecutd", &[]).unwrap_err().to_string();
        assert!(unknown.contains("did you mean `RunExecuted`?"), "{unknown}");
    }

    #[test]
    fn texts_are_read_as_their_field_has_them() {
        use EventType::{AuditLog, RunExecuted};
        for (event_type, name, text, want) in [
            (RunExecuted, "result", "errored", Some(json!("errored"))),
            (RunExecuted, "is-dry", "true", Some(json!(true))),
            (RunExecuted, "detail.event.workspace", "a=b", Some(json!("a=b"))),
            (RunExecuted, "tags", "a,b", Some(json!(["a", "b"]))),
            (AuditLog, "status_code", "422", Some(json!(422))),
            (AuditLog, "token_id", "null", Some(Value::Null)),
            (RunExecuted, "is_dry", "maybe", None),
            (RunExecuted, "is_dry", "null", None),
            (RunExecuted, "duration", "long", None),
            (RunExecuted, "result", "erorred", None),
            (RunExecuted, "workspce", "x", None),
        ] {
            assert_eq!(value_of_text(event_type, name, text).ok(), want, "{name}={text}");
        }
    }
}
