//! Whether a comparison of a pattern can match any value that a field of Scalr's events has.

use event_pattern::Pattern;
use serde_json::{Value, json};

use crate::EventType;
use crate::catalogue::{self, Field, Form, Kind, SOURCE_PREFIX};
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
    let mut exact = matchers.iter().filter_map(|matcher| matcher.as_str());
    let hint = match exact.find(|text| text.contains('*')) {
        Some(text) => format!(": {}", literal(text)),
        None => hint(field, matchers.iter().copied().flat_map(texts)),
    };
    let known = known(tagged(field, matchers).unwrap_or(field));
    Some(format!("{known}, never {}{hint}", wanted.join(" or ")))
}

/// Why no event has this text as the field's value, or as one of its elements.
pub(crate) fn refused(field: &Field, text: &str) -> Option<String> {
    never(field, &[&json!(text)])
}

/// What a comparison probably does not mean, though an event may match it: a `*` that is compared as it is written, or the name of a tag
/// that no event is known to have.
pub(crate) fn odd(field: &Field, matcher: &Value) -> Option<String> {
    let text = matcher.as_str()?;
    if text.contains('*') {
        return Some(format!("`{}`: {}", field.path, literal(text)));
    }
    if field.path != catalogue::TAGS || field.tag.is_some() || !text.starts_with("scalr-") {
        return None;
    }
    let name = text
        .split_inclusive(':')
        .next()
        .filter(|name| name.ends_with(':'))?;
    let names = || {
        EventType::ALL
            .into_iter()
            .flat_map(catalogue::tags)
            .filter_map(|tag| tag.tag)
    };
    if names().any(|known| known == name) {
        return None;
    }
    let near = nearest_spelling(name, names());
    let hint = near.map_or_else(String::new, |near| format!(": perhaps `{near}` is meant"));
    Some(format!(
        "no tag of Scalr's events is known that begins with `{name}`{hint}"
    ))
}

/// The type of a value, with its article.
pub(crate) const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Values that `anything-but` is to exclude and that the field never has.
pub(crate) fn excludes_nothing(field: &Field, matcher: &Value) -> Option<String> {
    let excluded = matcher.get("anything-but").map(texts).unwrap_or_default();
    let strange: Vec<&str> = excluded
        .into_iter()
        .filter(|text| {
            let values = field.form.values();
            !values.is_empty() && !values.contains(text)
        })
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
    match (matcher, matcher.get("prefix")) {
        (Value::String(text), _) => of_text(field, text, Form::takes),
        (_, Some(Value::String(prefix))) => of_text(field, prefix, Form::may_begin),
        _ => {
            let values = field.form.values();
            values.is_empty() || values.iter().any(|value| matches(matcher, value))
        }
    }
}

/// What the field's form says of a text, or in the list of tags the form of what is behind the tag's name.
fn of_text(field: &Field, text: &str, ask: fn(Form, &str) -> bool) -> bool {
    match behind_tag(field, text) {
        Some((tag, value)) => ask(tag.form, value),
        None => ask(field.form, text),
    }
}

/// The tag whose name a text of the list of tags begins with, and what is behind that name.
fn behind_tag<'t>(field: &Field, text: &'t str) -> Option<(&'static Field, &'t str)> {
    if field.path != catalogue::TAGS || field.tag.is_some() {
        return None;
    }
    let mut tags = EventType::ALL.into_iter().flat_map(catalogue::tags);
    tags.find_map(|tag| Some((tag, text.strip_prefix(tag.tag?)?)))
}

/// The tag that is looked for with a value that it never has.
fn tagged(field: &Field, matchers: &[&Value]) -> Option<&'static Field> {
    let mut texts = matchers.iter().copied().flat_map(texts);
    texts.find_map(|text| behind_tag(field, text)).map(|(tag, _)| tag)
}

fn may_be_a_source(matcher: &Value) -> bool {
    let begins = format!("{SOURCE_PREFIX}/");
    match (matcher, matcher.get("prefix")) {
        (Value::String(text), _) => text.starts_with(&begins) && Form::Word.takes(text),
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
    let what = match field.tag {
        Some(tag) => format!("`{}`", tag.trim_end_matches(':')),
        None => format!("`{}`", field.path),
    };
    match field.form {
        Form::OneOf([only]) => format!("{what} is `{only}`"),
        Form::OneOf(values) => format!("{what} is {}", one_of(values)),
        Form::Id(begins) => format!("values of {what} are ids and begin with {}", one_of(begins)),
        Form::Word => format!("{what} has neither blanks nor `*`"),
        Form::Text => format!("{what} has other values"),
    }
}

fn one_of(values: &[&str]) -> String {
    match values.split_last() {
        None => String::new(),
        Some((last, [])) => format!("`{last}`"),
        Some((last, others)) => format!("`{}` or `{last}`", others.join("`, `")),
    }
}

fn hint<'v>(field: &Field, mut texts: impl Iterator<Item = &'v str>) -> String {
    let values = field.form.values();
    // The only value there is has been named.
    if values.len() == 1 {
        return String::new();
    }
    let near = texts.find_map(|text| nearest_spelling(text, values.iter().copied()));
    near.map_or_else(String::new, |near| format!(": perhaps `{near}` is meant"))
}

/// What a `*` in an exact value means, and what to write for any text in its place.
fn literal(text: &str) -> String {
    let meant = json!({ "wildcard": text });
    format!(
        "EventBridge compares the `*` of `{text}` as it is written; for any text in its place write `{meant}`"
    )
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
            "run_id",
            &json!(["run-*"]),
            Some("write `{\"wildcard\":\"run-*\"}`"),
        );
        check(
            "result",
            &json!(["err*"]),
            Some("write `{\"wildcard\":\"err*\"}`"),
        );
        check(
            "workspace_id",
            &json!(["network"]),
            Some("values of `scalr-workspace` are ids and begin with `ws-`, never `network`"),
        );
        check(
            "workspace_id",
            &json!([{ "prefix": "net" }]),
            Some("begin with `ws-`"),
        );
        check(
            "tags",
            &json!(["scalr-workspace:network"]),
            Some("values of `scalr-workspace` are ids"),
        );
        check(
            "tags",
            &json!([{ "prefix": "scalr-environment:prod" }]),
            Some("begin with `env-` or `org-`"),
        );
        check("region", &json!(["us-*"]), Some("has neither blanks nor `*`"));
        check(
            "event_source_name",
            &json!(["aws.partner/scalr.com/*"]),
            Some("ACCOUNT/NAME"),
        );
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
            ("workspace", json!(["anything", "prod-*"])),
            ("workspace_id", json!([{ "prefix": "w" }])),
            ("environment_id", json!(["org-1"])),
            ("run_id", json!([{ "wildcard": "run-*" }])),
            ("tags", json!(["scalr-workspace:ws-1", "mine"])),
            ("tags", json!(["scalr-workspace-name:*"])),
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
    fn what_is_probably_not_meant() {
        for (filter, matcher, want) in [
            (
                "workspace",
                json!("prod-*"),
                Some("write `{\"wildcard\":\"prod-*\"}`"),
            ),
            ("tags", json!("scalr-workspace-name:a*"), Some("as it is written")),
            (
                "tags",
                json!("scalr-worksapce:ws-1"),
                Some("perhaps `scalr-workspace:` is meant"),
            ),
            (
                "tags",
                json!("scalr-colour:red"),
                Some("begins with `scalr-colour:`"),
            ),
            ("workspace", json!({ "wildcard": "prod-*" }), None),
            ("workspace", json!("prod"), None),
            ("tags", json!("scalr-action:create-run"), None),
            ("tags", json!("mine:1"), None),
        ] {
            let found = odd(find(EventType::RunExecuted, filter).unwrap(), &matcher);
            match (&found, want) {
                (None, None) => {}
                (Some(found), Some(want)) if found.contains(want) => {}
                _ => panic!("{filter} {matcher}: {found:?}, not {want:?}"),
            }
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
