//! What can be said of a rule's pattern before AWS is asked.

use event_pattern::{LENGTH_MAX, LENGTH_QUOTA, Pattern, Warning};
use scalr_events::{EventType, nearest};
use serde_json::{Value, json};
use tfplugin::{Diagnostic, Plan};

use super::{Rule, messages};

/// Refuses what EventBridge would refuse, in its words.
pub(super) fn check(text: &str) -> Result<(), String> {
    if text.trim() == "null" {
        return Err(messages::NULL_PATTERN.to_owned());
    }
    let chars = text.chars().count();
    if chars > LENGTH_MAX {
        return Err(messages::pattern_too_long(chars, LENGTH_MAX));
    }
    Pattern::compile_for_eventbridge(text)
        .map(drop)
        .map_err(|error| messages::not_a_pattern(&error))
}

/// Warns of what is legal but odd: at every plan, since nothing but the configuration changes it.
pub(super) fn warn(plan: &mut Plan<'_, Rule>, whose: &str) {
    let Some(pattern) = plan.config(Rule::event_pattern()).known() else {
        return;
    };
    let bus = plan.config(Rule::event_bus_name()).known();
    let mut warnings = warnings(whose, &pattern);
    warnings.extend(of_scalrs_events(whose, &pattern, bus.as_deref()));
    for warning in warnings {
        plan.warn(warning.at(Rule::event_pattern()));
    }
    if bus.as_deref() == Some(DEFAULT_BUS) && names_scalr(&pattern) {
        plan.warn(messages::not_on_the_default_bus(whose).at(Rule::event_bus_name()));
    }
}

/// The bus on which AWS's own events arrive.
const DEFAULT_BUS: &str = "default";

/// Whether the pattern asks for Scalr's source, or for a type of Scalr's events.
fn names_scalr(text: &str) -> bool {
    let Ok(pattern) = serde_json::from_str::<Value>(text) else {
        return false;
    };
    let source = pattern.get("source").map(Value::to_string);
    let types = pattern.get("detail-type").and_then(Value::as_array);
    let mut types = types.into_iter().flatten().filter_map(Value::as_str);
    source.map_or_else(
        || types.any(|name| name.parse::<EventType>().is_ok()),
        |source| source.contains("scalr"),
    )
}

/// What EventBridge takes, but not in every account or not as it looks.
fn warnings(whose: &str, text: &str) -> Vec<Diagnostic> {
    let (_, warnings) = Pattern::compile_for_eventbridge(text).ok().unzip();
    let (mut found, mut numbers) = (Vec::new(), Vec::new());
    for warning in warnings.unwrap_or_default() {
        match warning {
            Warning::LongerThanQuota { length } => {
                found.push(messages::longer_than_quota(whose, length, LENGTH_QUOTA));
            }
            ignored @ Warning::AlternativeIgnored { .. } => {
                found.push(messages::ignored_alternative(whose, &ignored));
            }
            number => numbers.push(number.to_string()),
        }
    }
    if !numbers.is_empty() {
        found.push(messages::numbers_out_of_range(whose, &numbers));
    }
    found
}

/// What a filter of a custom event bus, on which others' events may be, lets through of Scalr's: warnings, if it is meant for them.
pub(in crate::resources) fn unmatched(whose: &str, text: &str) -> Vec<Diagnostic> {
    if !names_scalr(text) && !is_nearly_a_type(text) {
        return Vec::new();
    }
    of_scalrs_events(whose, text, None)
}

/// Whether the pattern asks for what looks like a misspelt type of Scalr's events.
fn is_nearly_a_type(text: &str) -> bool {
    let pattern: Value = serde_json::from_str(text).unwrap_or_default();
    let types = pattern.get("detail-type").and_then(Value::as_array);
    let mut types = types.into_iter().flatten().filter_map(Value::as_str);
    types.any(|name| nearest(name, EventType::ALL.map(EventType::as_str)).is_some())
}

/// Whether a pattern is for Scalr's events. A bus whose name is not known yet is taken for one that is made in the same apply, unless
/// the pattern names a source that cannot be Scalr's.
pub(super) fn is_scalrs(bus: Option<&str>, pattern: &Value) -> bool {
    match bus {
        Some(bus) => bus.starts_with(scalr_events::SOURCE_PREFIX),
        None => is_for_scalr(pattern),
    }
}

/// What of the pattern matches none of Scalr's events, or is hardly meant: on a bus of Scalr's nothing else arrives.
pub(in crate::resources) fn of_scalrs_events(whose: &str, text: &str, bus: Option<&str>) -> Vec<Diagnostic> {
    let Ok(value) = serde_json::from_str(text) else {
        return Vec::new();
    };
    if !is_scalrs(bus, &value) {
        return Vec::new();
    }
    let mut found = scalr_events::unmatched(&value);
    if let Some(bus) = bus
        && found.whole.is_empty()
        && is_of_another_source(&value, bus)
    {
        found.whole.push(messages::source_of_the_bus(bus));
    }
    if !found.whole.is_empty() {
        return vec![messages::matches_nothing(whose, &found.whole)];
    }
    let of = |reasons: &[String], message: fn(&str, &[String]) -> Diagnostic| {
        (!reasons.is_empty()).then(|| message(whose, reasons))
    };
    let parts = of(&found.parts, messages::matches_in_part);
    parts
        .into_iter()
        .chain(of(&found.odd, messages::odd_values))
        .collect()
}

/// Whether the pattern may be meant for Scalr's events: it asks for no source, or its source mentions Scalr.
fn is_for_scalr(pattern: &Value) -> bool {
    let source = pattern.get("source").map(Value::to_string);
    source.is_none_or(|source| source.contains("scalr"))
}

/// Whether the pattern asks for a source that is not the bus's own.
fn is_of_another_source(pattern: &Value, bus: &str) -> bool {
    let sources = pattern
        .get("source")
        .map(|sources| json!({ "source": sources }).to_string());
    let matches = sources.and_then(|alone| {
        let alone = Pattern::compile(&alone).ok()?;
        alone.matches(&json!({ "source": bus }).to_string()).ok()
    });
    matches == Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOSE: &str = "the rule `runs`";

    #[test]
    fn patterns_are_judged_by_the_engine() {
        for (text, legal) in [
            (r#"{"source": [{"prefix": "aws.partner/scalr.com"}]}"#, true),
            ("", false),
            (r#"{"a": "x"}"#, false),
            (r#"{"a": [{"suffix": ["x"]}]}"#, false),
            (r#"{"a": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}"#, false),
        ] {
            assert_eq!(check(text).is_ok(), legal, "{text}");
        }
    }

    #[test]
    fn a_null_pattern_is_said_to_be_null() {
        for text in ["null", " null\n"] {
            assert_eq!(check(text), Err(messages::NULL_PATTERN.to_owned()), "{text}");
        }
    }

    #[test]
    fn warnings_are_given_for_size_and_numbers() {
        let long = format!(r#"{{"source": ["{}"]}}"#, "x".repeat(2_048));
        for (text, count) in [
            (r#"{"detail": {"n": [{"numeric": ["<", 5000000000]}]}}"#, 0),
            (r#"{"detail": {"n": [{"numeric": [">", 137000000000]}]}}"#, 1),
            (&long, 1),
            (r#"{"$or": [{"a": [1, 2]}, {"a": [2, 3]}]}"#, 1),
        ] {
            assert_eq!(warnings(WHOSE, text).len(), count, "{text}");
        }
    }

    #[test]
    fn no_pattern_is_longer_than_the_api_takes() {
        let long = |count: usize| format!(r#"{{"source": ["{}"]}}"#, "é".repeat(count - 16));
        assert_eq!(
            (long(4_096).chars().count(), check(&long(4_096))),
            (4_096, Ok(()))
        );
        let said = check(&long(4_097)).expect_err("too long");
        assert!(said.len() < 200, "{said}");
    }

    #[test]
    fn patterns_that_match_nothing_of_scalrs_are_found_on_scalrs_buses() {
        let bus = "aws.partner/scalr.com/acme/prod";
        let wrong = r#"{"source": ["aws.partner/scalr.com"], "detail": {"result": ["errored"]}}"#;
        let of_bus = format!(r#"{{"source": ["{bus}"]}}"#);
        for (text, bus, nothing) in [
            (wrong, bus, true),
            (wrong, "default", false),
            (&of_bus, "aws.partner/scalr.com/acme/test", true),
            (&of_bus, bus, false),
            (r#"{"detail-type": ["AuditLog"]}"#, bus, false),
            (
                r#"{"detail": {"event": {"result": ["errored", "cancelled"]}}}"#,
                bus,
                true,
            ),
            (r#"{"detail": {"event": {"workspace": ["prod-*"]}}}"#, bus, true),
            (
                r#"{"detail": {"event": {"workspace": ["prod-*"]}}}"#,
                "default",
                false,
            ),
        ] {
            assert_eq!(
                !of_scalrs_events(WHOSE, text, Some(bus)).is_empty(),
                nothing,
                "{text} on {bus}"
            );
        }
    }

    #[test]
    fn patterns_for_scalr_are_told_from_others() {
        for (text, names) in [
            (r#"{"source": [{"prefix": "aws.partner/scalr.com"}]}"#, true),
            (r#"{"detail-type": ["RunExecuted"]}"#, true),
            (r#"{"source": ["aws.ec2"], "detail-type": ["AuditLog"]}"#, false),
            (
                r#"{"detail-type": ["EC2 Instance State-change Notification"]}"#,
                false,
            ),
            (r#"{"account": ["123456789012"]}"#, false),
        ] {
            assert_eq!(names_scalr(text), names, "{text}");
        }
    }

    #[test]
    fn a_bus_that_is_not_known_yet_may_be_scalrs() {
        for (text, nothing) in [
            (r#"{"detail-type": ["RunExectued"]}"#, true),
            (r#"{"source": ["aws.partner/scalr.com"]}"#, true),
            (r#"{"source": [{"prefix": "aws.partner/scalr.com"}]}"#, false),
            (r#"{"detail-type": ["AuditLog"]}"#, false),
            (
                r#"{"source": ["billing"], "detail": {"cents": [{"exists": true}]}}"#,
                false,
            ),
        ] {
            assert_eq!(!of_scalrs_events(WHOSE, text, None).is_empty(), nothing, "{text}");
        }
    }
}
