//! `event_pattern_matches(pattern, event)`: "Test pattern" in the AWS console, without AWS.

use event_pattern::{EventError, Pattern};
use serde_json::Value;
use tfplugin::{Attrs, Dynamic, Function, FunctionError};

/// Says whether an event pattern matches an event, as EventBridge's own engine would.
///
/// For tests and preconditions: a pattern that does not match the right events is found before anything is created.
#[derive(Attrs, Debug)]
pub struct EventPatternMatches {
    /// Event pattern: an object, or JSON text. A null attribute counts as absent.
    #[tf(required)]
    pattern: Dynamic,
    /// Event: an object, or JSON text such as `provider::scalr::sample_event("RunExecuted")`. A null attribute of an
    /// object counts as absent; in JSON text null is null.
    #[tf(required)]
    event: Dynamic,
}

impl Function for EventPatternMatches {
    const NAME: &'static str = "event_pattern_matches";
    type Output = bool;

    fn call(self) -> Result<bool, FunctionError> {
        let matches = both(&self.pattern, &self.event, Pattern::matches);
        matches.map_err(|(argument, text)| match argument {
            Argument::Pattern => FunctionError::new(text).at(Self::pattern()),
            Argument::Event => FunctionError::new(text).at(Self::event()),
        })
    }
}

/// Which argument of a function over a pattern and an event is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    Pattern,
    Event,
}

/// What a pattern makes of an event, each an object or JSON text.
pub(super) fn both<T>(
    pattern: &Dynamic,
    event: &Dynamic,
    ask: impl FnOnce(&Pattern, &str) -> Result<T, EventError>,
) -> Result<T, (Argument, String)> {
    let json = |value: &Dynamic, argument| value.to_json().map_err(|e| (argument, format!("{e}.")));
    let pattern = json(pattern, Argument::Pattern)?;
    let event = json(event, Argument::Event)?;
    of_values(pattern, event, ask)
}

fn of_values<T>(
    pattern: Value,
    event: Value,
    ask: impl FnOnce(&Pattern, &str) -> Result<T, EventError>,
) -> Result<T, (Argument, String)> {
    let pattern = text(pattern, "pattern").map_err(|e| (Argument::Pattern, e))?;
    let event = text(event, "event").map_err(|e| (Argument::Event, e))?;
    let compiled = Pattern::compile_for_eventbridge(&pattern);
    let (pattern, _) = compiled.map_err(|e| (Argument::Pattern, e.message()))?;
    ask(&pattern, &event).map_err(|e| (Argument::Event, format!("The event is not valid: {e}.")))
}

/// JSON text stays as it is; an object becomes JSON text, its null attributes left out.
fn text(value: Value, what: &str) -> Result<String, String> {
    match value {
        Value::String(text) if text.trim() != "null" => Ok(text),
        Value::Null | Value::String(_) => Err(format!("The {what} is null; it is an object, or JSON text.")),
        other => Ok(without_nulls(other).to_string()),
    }
}

/// A null in a list is a value to match; a null attribute is what HCL writes for one that is left out.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(pattern: Value, event: Value) -> Result<bool, (Argument, String)> {
        of_values(pattern, event, Pattern::matches)
    }

    fn check(pattern: Value, event: Value, want: Result<bool, Argument>) {
        let shown = format!("{pattern} {event}");
        match (matches(pattern, event), want) {
            (Ok(got), Ok(want)) => assert_eq!(got, want, "{shown}"),
            (Err((argument, text)), Err(want)) => assert_eq!(argument, want, "{shown}: {text}"),
            (got, want) => panic!("{shown}: {got:?}, not {want:?}"),
        }
    }

    #[test]
    fn objects_and_texts() {
        check(json!({ "a": ["x"] }), json!({ "a": "x" }), Ok(true));
        check(json!(r#"{"a":["x"]}"#), json!(r#"{"a":"y"}"#), Ok(false));
        check(json!({ "a": ["x"], "b": null }), json!({ "a": "x" }), Ok(true));
        check(
            json!({ "a": [{ "exists": false }] }),
            json!({ "a": null }),
            Ok(true),
        );
        check(json!({ "a": [null] }), json!(r#"{"a":null}"#), Ok(true));
    }

    #[test]
    fn faults() {
        check(json!({ "a": 1 }), json!({}), Err(Argument::Pattern));
        check(Value::Null, json!({}), Err(Argument::Pattern));
        check(json!({ "a": ["x"] }), Value::Null, Err(Argument::Event));
        // As `jsonencode` writes it.
        for null in [json!(null), json!("null")] {
            let said = |result: Result<bool, (_, String)>| result.unwrap_err().1;
            assert!(said(matches(null.clone(), json!({}))).starts_with("The pattern is null"));
            assert!(said(matches(json!({ "a": ["x"] }), null)).starts_with("The event is null"));
        }
        check(json!({ "a": ["x"] }), json!("nonsense"), Err(Argument::Event));
        check(json!({ "a": ["x"] }), json!([1]), Err(Argument::Event));
    }
}
