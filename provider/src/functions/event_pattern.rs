//! `event_pattern(type, filters)`: a pattern for Scalr's events, from the fields' names.

use scalr_events::PatternError;
use serde_json::Value;
use tfplugin::{Attrs, Dynamic, Function, FunctionError, Path};

/// Builds the event pattern of a rule: events of Scalr of one type that pass every filter.
///
/// The result is JSON text, for `event_pattern` of a `scalr_eventbridge_rule`. The guide *Fields of the events* lists the
/// filters. A filter that Scalr's events do not have is an error, and so is a value that none of them has, such as `result = "cancelled"`.
/// The error names the nearest valid one. To test the pattern, use `sample_event` with the same fields.
#[derive(Attrs, Debug)]
pub struct EventPattern {
    /// Detail type of the events: `RunExecuted` or `AuditLog`.
    #[tf(required)]
    r#type: String,
    /// Filters by field, such as `{ result = ["errored", "canceled"], environment = "prod" }`: a value, a list of which
    /// any may match, or a matcher of EventBridge's: `prefix`, `suffix`, `wildcard`, `anything-but`, `equals-ignore-case`, `numeric`, `cidr`,
    /// `exists`. All filters must pass. `any_of` is a list of objects with filters, of which one must pass: at least one object, each with a
    /// filter, and none with a field that is also filtered outside `any_of`. A null filter counts as absent; `{}` matches every event of the
    /// type. So does null in place of the object, which OpenTofu 1.12 does not pass to functions: use `{}` there.
    #[tf(required)]
    filters: Dynamic,
}

impl Function for EventPattern {
    const NAME: &'static str = "event_pattern";
    type Output = String;

    fn call(self) -> Result<String, FunctionError> {
        let filters = self
            .filters
            .to_json()
            .map_err(|e| FunctionError::new(format!("{e}.")).at(Self::filters()))?;
        build(&self.r#type, &filters).map_err(|e| FunctionError::new(e.to_string()).at(argument(&e)))
    }
}

/// The argument that an error is about.
fn argument(error: &PatternError) -> Path {
    match error.argument() {
        0 => EventPattern::r#type().into(),
        _ => EventPattern::filters().into(),
    }
}

fn build(event_type: &str, filters: &Value) -> Result<String, PatternError> {
    scalr_events::event_pattern(event_type, filters).map(|pattern| pattern.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pattern_compiles_and_matches_its_sample() {
        for event_type in scalr_events::EventType::ALL {
            let pattern = build(event_type.as_str(), &Value::Null).expect("a pattern");
            let compiled = event_pattern::Pattern::compile(&pattern).expect("a legal one");
            assert_eq!(
                compiled.matches(scalr_events::sample_text(event_type)),
                Ok(true),
                "{event_type:?}"
            );
        }
    }

    #[test]
    fn errors_stand_on_the_argument_at_fault() {
        for (event_type, filters, argument) in [
            ("Runs", json!({}), 0),
            ("AuditLog", json!({ "nope": 1 }), 1),
            ("AuditLog", json!("x"), 1),
        ] {
            let error = build(event_type, &filters).expect_err(event_type);
            assert_eq!(error.argument(), argument, "{error}");
        }
    }
}
