//! The JSON Schemas of the two events' details, and whether a detail is as they say.
//!
//! The schemas are files, which are published as they are. What they use of JSON Schema is what [`check`] knows; a test refuses
//! any other keyword, so that none is published and not checked.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::EventType;

/// Where a detail is not as its schema says, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// A JSON pointer to it.
    pub pointer: String,
    /// One sentence.
    pub detail: String,
}

/// The schema of a type's detail, as it is published.
pub fn schema_text(event_type: EventType) -> &'static str {
    match event_type {
        EventType::RunExecuted => include_str!("run_executed.json"),
        EventType::AuditLog => include_str!("audit_log.json"),
    }
}

/// The name that a type has in paths: `run-executed`, `audit-log`.
pub fn path_name(event_type: EventType) -> &'static str {
    match event_type {
        EventType::RunExecuted => "run-executed",
        EventType::AuditLog => "audit-log",
    }
}

/// The first place where a detail is not as its schema says.
pub fn check_detail(event_type: EventType, detail: &Value) -> Result<(), Mismatch> {
    static RUN_EXECUTED: LazyLock<Value> = LazyLock::new(|| parsed(EventType::RunExecuted));
    static AUDIT_LOG: LazyLock<Value> = LazyLock::new(|| parsed(EventType::AuditLog));
    let schema = match event_type {
        EventType::RunExecuted => &*RUN_EXECUTED,
        EventType::AuditLog => &*AUDIT_LOG,
    };
    check(schema, detail, &mut String::new())
}

/// A schema as JSON. One of ours always is; a test reads both.
fn parsed(event_type: EventType) -> Value {
    serde_json::from_str(schema_text(event_type)).unwrap_or_default()
}

fn check(schema: &Value, value: &Value, at: &mut String) -> Result<(), Mismatch> {
    let wrong = |at: &str, detail: String| {
        Err(Mismatch {
            pointer: at.to_owned(),
            detail,
        })
    };
    let types = types(schema);
    if !types.is_empty() && !types.iter().any(|name| is_of(name, value)) {
        return wrong(
            at,
            format!("This is {}, not {}.", a_kind_of(value), in_words(&types)),
        );
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        let allowed: Vec<String> = allowed.iter().map(|one| format!("`{}`", shown(one))).collect();
        return wrong(at, format!("This is none of {}.", allowed.join(", ")));
    }
    match value {
        Value::String(text) => check_text(schema, text).or_else(|detail| wrong(at, detail)),
        Value::Number(_) => check_number(schema, value).or_else(|detail| wrong(at, detail)),
        Value::Array(items) => check_items(schema, items, at),
        Value::Object(members) => check_members(schema, members, at),
        Value::Null | Value::Bool(_) => Ok(()),
    }
}

fn check_text(schema: &Value, text: &str) -> Result<(), String> {
    let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    if bound(schema, "minLength").is_some_and(|min| length < min) {
        return Err("This text is empty.".to_owned());
    }
    match bound(schema, "maxLength") {
        Some(max) if length > max => Err(format!("This text has more than {max} characters.")),
        _ => Ok(()),
    }
}

fn check_number(schema: &Value, value: &Value) -> Result<(), String> {
    let number = value.as_f64().filter(|number| number.is_finite());
    let number = number.ok_or("This number is too large.")?;
    let limit = |name: &str| schema.get(name).and_then(Value::as_f64);
    match (limit("minimum"), limit("maximum")) {
        (Some(min), _) if number < min => Err(format!("This number is less than {min}.")),
        (_, Some(max)) if number > max => Err(format!("This number is more than {max}.")),
        _ => Ok(()),
    }
}

fn check_items(schema: &Value, items: &[Value], at: &mut String) -> Result<(), Mismatch> {
    let max = bound(schema, "maxItems").and_then(|max| usize::try_from(max).ok());
    if let Some(max) = max.filter(|max| items.len() > *max) {
        return Err(Mismatch {
            pointer: at.clone(),
            detail: format!("This list has more than {max} entries."),
        });
    }
    let Some(each) = schema.get("items") else {
        return Ok(());
    };
    for (index, item) in items.iter().enumerate() {
        within(at, &index.to_string(), |at| check(each, item, at))?;
    }
    Ok(())
}

fn check_members(schema: &Value, members: &Map<String, Value>, at: &mut String) -> Result<(), Mismatch> {
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if !members.contains_key(name) {
            let detail = format!("`{name}` is required.");
            return within(at, name, |at| {
                Err(Mismatch {
                    pointer: at.clone(),
                    detail,
                })
            });
        }
    }
    let known = schema.get("properties").and_then(Value::as_object);
    for (name, schema) in known.into_iter().flatten() {
        if let Some(value) = members.get(name) {
            within(at, name, |at| check(schema, value, at))?;
        }
    }
    Ok(())
}

/// Looks at a part, whose pointer is that of the whole with its name.
fn within<T>(at: &mut String, name: &str, look: impl FnOnce(&mut String) -> T) -> T {
    let length = at.len();
    at.push('/');
    at.push_str(&name.replace('~', "~0").replace('/', "~1"));
    let seen = look(at);
    at.truncate(length);
    seen
}

fn bound(schema: &Value, name: &str) -> Option<u64> {
    schema.get(name).and_then(Value::as_u64)
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(some)) => some.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    }
}

fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => false,
    }
}

fn a_kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn in_words(types: &[&str]) -> String {
    let word = |name: &&str| match *name {
        "string" => "a text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "array" => "a list",
        "object" => "an object",
        _ => "null",
    };
    types.iter().map(word).collect::<Vec<_>>().join(" or ")
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{AuditLog, RunExecuted, sample};

    const BOTH: [EventType; 2] = [EventType::RunExecuted, EventType::AuditLog];

    fn detail(event_type: EventType) -> Value {
        sample(event_type)["detail"].take()
    }

    /// Whether the type that is stored and sent reads it.
    fn is_read(event_type: EventType, detail: &Value) -> bool {
        match event_type {
            EventType::RunExecuted => serde_json::from_value::<RunExecuted>(detail.clone()).is_ok(),
            EventType::AuditLog => serde_json::from_value::<AuditLog>(detail.clone()).is_ok(),
        }
    }

    /// The pointers of all members in a value.
    fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
        for (name, value) in value.as_object().into_iter().flatten() {
            let at = format!("{at}/{name}");
            pointers(value, &at, all);
            all.push(at);
        }
    }

    fn keywords(schema: &Value, found: &mut Vec<String>) {
        for (name, value) in schema.as_object().into_iter().flatten() {
            found.push(name.clone());
            match name.as_str() {
                "properties" => value
                    .as_object()
                    .unwrap()
                    .values()
                    .for_each(|schema| keywords(schema, found)),
                "items" => keywords(value, found),
                _ => {}
            }
        }
    }

    #[test]
    fn a_schema_uses_only_what_is_checked() {
        const CHECKED: [&str; 10] = [
            "enum",
            "items",
            "maxItems",
            "maxLength",
            "maximum",
            "minLength",
            "minimum",
            "properties",
            "required",
            "type",
        ];
        const WORDS: [&str; 3] = ["$schema", "title", "description"];
        for event_type in BOTH {
            let mut found = vec![];
            keywords(
                &serde_json::from_str(schema_text(event_type)).unwrap(),
                &mut found,
            );
            found.retain(|name| !CHECKED.contains(&name.as_str()) && !WORDS.contains(&name.as_str()));
            assert_eq!(found, [""; 0], "{event_type}");
        }
    }

    /// Each member of the sample is left out, and is of another type: schema and wire type agree on what is wrong.
    #[test]
    fn a_schema_and_its_type_agree() {
        for event_type in BOTH {
            assert_eq!(check_detail(event_type, &detail(event_type)), Ok(()));
            let mut all = vec![];
            pointers(&detail(event_type), "", &mut all);
            for pointer in all {
                let (parent, name) = pointer.rsplit_once('/').unwrap();
                let mut without = detail(event_type);
                let members = without.pointer_mut(parent).unwrap().as_object_mut().unwrap();
                members.remove(name);
                let checked = check_detail(event_type, &without);
                assert_eq!(
                    checked.is_ok(),
                    is_read(event_type, &without),
                    "without {pointer}: {checked:?}"
                );
                if let Err(mismatch) = checked {
                    assert_eq!(mismatch.pointer, pointer);
                }
                let mut other = detail(event_type);
                *other.pointer_mut(&pointer).unwrap() = json!([[1]]);
                let checked = check_detail(event_type, &other);
                assert!(
                    checked.is_err() && !is_read(event_type, &other),
                    "{pointer}: {checked:?}"
                );
            }
        }
    }

    #[track_caller]
    fn check(pointer: &str, value: &Value, want: &str) {
        let mut detail = detail(EventType::RunExecuted);
        *detail.pointer_mut(pointer).unwrap() = value.clone();
        let have = check_detail(EventType::RunExecuted, &detail).map_err(|mismatch| {
            assert!(mismatch.pointer.starts_with(pointer), "{mismatch:?}");
            mismatch.detail
        });
        assert_eq!(have.err().unwrap_or_default(), want, "{pointer} {value}");
    }

    #[test]
    fn what_is_wrong_is_said_in_a_sentence() {
        check("/event/run-id", &json!(""), "This text is empty.");
        check(
            "/event/run-id",
            &json!("r".repeat(129)),
            "This text has more than 128 characters.",
        );
        check("/event/run-id", &json!(7), "This is a number, not a text.");
        check("/event/duration", &json!(-1), "This number is less than 0.");
        check("/event/duration", &json!(7), "");
        check("/event_type", &json!("ok"), "This is none of `success`, `error`.");
        check("/tags", &json!(["a", 1]), "This is a number, not a text.");
        check(
            "/tags",
            &json!(vec!["a"; 257]),
            "This list has more than 256 entries.",
        );
        check("/event", &json!(null), "This is null, not an object.");
        let known = check_detail(EventType::RunExecuted, &json!({ "further": 1 })).unwrap_err();
        assert_eq!(
            (known.pointer.as_str(), known.detail.as_str()),
            ("/title", "`title` is required.")
        );
    }
}
