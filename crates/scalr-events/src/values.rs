//! Whether a comparison of a pattern can match any value that a field of Scalr's events has.

use event_pattern::Pattern;
use serde_json::{Value, json};

use crate::catalogue::{Field, Kind, SOURCE_PREFIX};
use crate::nearest::nearest_spelling;

/// Why none of these comparisons matches any value of the field; none where one may.
///
/// Only what is certain counts: a comparison that looks for an absent field, or for null, always may match.
pub(crate) fn never(field: &Field, matchers: &[&Value]) -> Option<String> {
    if matchers.is_empty() || matchers.iter().any(|matcher| may_match(field, matcher)) {
        return None;
    }
    let path = field.path;
    if !matchers.iter().any(|matcher| fits(field.kind, matcher)) {
        let kind = field.kind.as_str();
        return Some(format!(
            "`{path}` is a {kind}, and the pattern looks for another type of value"
        ));
    }
    if path == "source" {
        return Some(format!(
            "the `source` of Scalr's events is `{SOURCE_PREFIX}/ACCOUNT/NAME`: look for the whole of it, or write \
             `[{{ prefix = \"{SOURCE_PREFIX}\" }}]`"
        ));
    }
    let wanted: Vec<String> = matchers.iter().map(|matcher| in_words(matcher)).collect();
    Some(format!(
        "{}, never {}{}",
        known(field),
        wanted.join(" or "),
        hint(field, matchers.iter().copied().flat_map(texts))
    ))
}

/// Values that `anything-but` is to exclude and that the field never has.
pub(crate) fn excludes_nothing(field: &Field, matcher: &Value) -> Option<String> {
    let excluded = matcher.get("anything-but").map(texts).unwrap_or_default();
    let strange: Vec<&str> = excluded
        .into_iter()
        .filter(|text| !field.values.is_empty() && !field.values.contains(text))
        .collect();
    let first = strange.first()?;
    let hint = hint(field, strange.iter().copied());
    Some(format!(
        "{}, so that `anything-but` has no `{first}` to exclude{hint}",
        known(field)
    ))
}

/// Whether the comparison matches this one value.
pub(crate) fn matches(matcher: &Value, value: &str) -> bool {
    let pattern = Pattern::compile(&json!({ "v": [matcher] }).to_string());
    let event = json!({ "v": value }).to_string();
    // One that is no comparison is refused elsewhere.
    pattern.map_or(true, |pattern| pattern.matches(&event).unwrap_or(true))
}

fn may_match(field: &Field, matcher: &Value) -> bool {
    if matcher.get("exists").is_some() || matcher.is_null() {
        return true;
    }
    if !fits(field.kind, matcher) {
        return false;
    }
    if field.path == "source" {
        return may_be_a_source(matcher);
    }
    field.values.is_empty() || field.values.iter().any(|value| matches(matcher, value))
}

fn may_be_a_source(matcher: &Value) -> bool {
    let begins = format!("{SOURCE_PREFIX}/");
    match (matcher, matcher.get("prefix")) {
        (Value::String(text), _) => text.starts_with(&begins),
        (_, Some(Value::String(prefix))) => {
            begins.starts_with(prefix.as_str()) || prefix.starts_with(&begins)
        }
        _ => true,
    }
}

/// Whether a value of this kind can match.
fn fits(kind: Kind, matcher: &Value) -> bool {
    let is_text = matches!(kind, Kind::String | Kind::Strings);
    match matcher {
        // Any field may be null.
        Value::Null | Value::Array(_) => true,
        Value::String(_) => is_text,
        Value::Number(_) => kind == Kind::Number,
        Value::Bool(_) => kind == Kind::Bool,
        Value::Object(object) => object.keys().all(|name| match name.as_str() {
            "prefix" | "suffix" | "wildcard" | "equals-ignore-case" | "cidr" => is_text,
            "numeric" => kind == Kind::Number,
            _ => true,
        }),
    }
}

/// `x` is `a`, `b` or `c`.
fn known(field: &Field) -> String {
    let path = field.path;
    match field.values.split_last() {
        None => format!("`{path}` has other values"),
        Some((last, [])) => format!("`{path}` is `{last}`"),
        Some((last, others)) => format!("`{path}` is `{}` or `{last}`", others.join("`, `")),
    }
}

fn hint<'v>(field: &Field, mut texts: impl Iterator<Item = &'v str>) -> String {
    // The only value there is has been named.
    if field.values.len() < 2 {
        return String::new();
    }
    let near = texts.find_map(|text| nearest_spelling(text, field.values.iter().copied()));
    near.map_or_else(String::new, |near| format!(": perhaps `{near}` is meant"))
}

/// The texts that a comparison is made with.
fn texts(matcher: &Value) -> Vec<&str> {
    match matcher {
        Value::String(text) => vec![text],
        Value::Array(several) => several.iter().flat_map(texts).collect(),
        Value::Object(object) => object.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

fn in_words(matcher: &Value) -> String {
    match matcher {
        Value::String(text) => format!("`{text}`"),
        other => format!("what `{other}` matches"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EventType;
    use crate::catalogue::find;

    #[track_caller]
    fn check(filter: &str, matchers: &Value, want: Option<&str>) {
        let field = find(EventType::RunExecuted, filter).unwrap();
        let matchers: Vec<&Value> = matchers.as_array().unwrap().iter().collect();
        let why = never(field, &matchers);
        match (&why, want) {
            (None, None) => {}
            (Some(why), Some(want)) if why.contains(want) => {}
            _ => panic!("{filter} {matchers:?}: {why:?}, not {want:?}"),
        }
    }

    #[test]
    fn comparisons_that_match_no_value() {
        check(
            "result",
            &json!(["cancelled"]),
            Some("never `cancelled`: perhaps `canceled` is meant"),
        );
        check(
            "result",
            &json!(["failed", "cancelled"]),
            Some("never `failed` or `cancelled`: perhaps"),
        );
        check(
            "result",
            &json!([{ "equals-ignore-case": "Cancelled" }]),
            Some("perhaps `canceled` is meant"),
        );
        check("result", &json!([{ "wildcard": "*_finish" }]), Some("never what"));
        check("result", &json!([1]), Some("is a string"));
        check("is_dry", &json!(["true"]), Some("is a bool"));
        check(
            "event_source_name",
            &json!([{ "prefix": "aws.partner/skalr" }]),
            Some("ACCOUNT/NAME"),
        );
        check(
            "event_source_name",
            &json!(["aws.partner/scalr.com"]),
            Some("ACCOUNT/NAME"),
        );
    }

    #[test]
    fn comparisons_that_may_match() {
        for (filter, matchers) in [
            ("result", json!(["cancelled", "errored"])),
            ("result", json!([{ "suffix": "ed" }])),
            ("result", json!([{ "anything-but": ["applied", "errored"] }])),
            ("result", json!([{ "exists": false }])),
            ("result", json!([null])),
            ("result", json!([])),
            ("workspace", json!(["anything"])),
            ("event_source_name", json!([{ "prefix": "aws.partner" }])),
            (
                "event_source_name",
                json!([{ "prefix": "aws.partner/scalr.com/acme" }]),
            ),
            ("event_source_name", json!([{ "suffix": "/prod" }])),
        ] {
            check(filter, &matchers, None);
        }
    }

    #[test]
    fn exclusions_without_effect() {
        let field = find(EventType::RunExecuted, "result").unwrap();
        for (matcher, want) in [
            (json!({ "anything-but": "cancelled" }), true),
            (json!({ "anything-but": ["applied", "cancelled"] }), true),
            (json!({ "anything-but": ["applied"] }), false),
            (json!("cancelled"), false),
        ] {
            assert_eq!(excludes_nothing(field, &matcher).is_some(), want, "{matcher}");
        }
        let open = find(EventType::RunExecuted, "workspace").unwrap();
        assert_eq!(excludes_nothing(open, &json!({ "anything-but": "x" })), None);
    }
}
