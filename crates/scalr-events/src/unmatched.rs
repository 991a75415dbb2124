//! Why a pattern matches no event of Scalr's, as far as the catalogue knows the events.

use serde_json::{Map, Value};

use crate::catalogue::{self, Kind};
use crate::nearest::nearest;
use crate::{EventType, SOURCE_PREFIX};

/// What EventBridge itself adds to an event that it replays from an archive.
const REPLAY: &str = "replay-name";

/// Why the pattern matches no event of Scalr's, one reason a field; empty if it may match one. Where each type of event is
/// excluded by another field, the reasons are those of the type with the fewest.
///
/// Only what is certain counts: alternatives under `$or` and matchers that look for absent fields always may match.
pub fn unmatched(pattern: &Value) -> Vec<String> {
    let Value::Object(pattern) = pattern else {
        return Vec::new();
    };
    let mut leaves = Vec::new();
    collect("", pattern, &mut leaves);
    let of_type = |event_type| leaves.iter().filter_map(|leaf| leaf.fault(event_type)).collect();
    let all: [Vec<Fault>; 2] = EventType::ALL.map(of_type);
    // A type that the pattern excludes by name comes last.
    let weight = |faults: &Vec<Fault>| {
        let other_type = faults.iter().any(|fault| fault.is_type);
        (other_type && !faults.is_empty(), faults.len())
    };
    let nearest = all.into_iter().min_by_key(weight).unwrap_or_default();
    nearest.into_iter().map(|fault| fault.text).collect()
}

/// A list of matchers, with the path of the field that they apply to.
struct Leaf<'a> {
    path: String,
    matchers: &'a [Value],
}

struct Fault {
    text: String,
    is_type: bool,
}

fn collect<'a>(at: &str, object: &'a Map<String, Value>, leaves: &mut Vec<Leaf<'a>>) {
    for (key, value) in object.iter().filter(|(key, _)| *key != "$or") {
        let path = if at.is_empty() {
            key.clone()
        } else {
            format!("{at}.{key}")
        };
        match value {
            Value::Object(inner) => collect(&path, inner, leaves),
            Value::Array(matchers) => leaves.push(Leaf { path, matchers }),
            _ => {}
        }
    }
}

impl Leaf<'_> {
    /// Why no event of this type matches.
    fn fault(&self, event_type: EventType) -> Option<Fault> {
        let path = &self.path;
        let wants_absence = |matcher: &Value| matcher.get("exists") == Some(&Value::Bool(false));
        if path == REPLAY || self.matchers.iter().any(wants_absence) {
            return None;
        }
        let other = |text: String| Some(Fault { text, is_type: false });
        let Some(field) = catalogue::fields(event_type).find(|field| field.path == path) else {
            return other(unknown(event_type, path));
        };
        if !self.matchers.iter().any(|matcher| fits(field.kind, matcher)) {
            return other(format!(
                "`{path}` is a {}, and the pattern looks for another type of value",
                field.kind.as_str()
            ));
        }
        match path.as_str() {
            "source" if !self.may_be(|text| text.starts_with(&format!("{SOURCE_PREFIX}/"))) => {
                other(format!(
                    "the `source` of Scalr's events is `{SOURCE_PREFIX}/ACCOUNT/NAME`: look for the whole of it, or write \
                 `[{{ prefix = \"{SOURCE_PREFIX}\" }}]`"
                ))
            }
            "detail-type" if !self.may_be(|text| text == event_type.as_str()) => Some(Fault {
                text: self.wrong_type(),
                is_type: true,
            }),
            _ => None,
        }
    }

    /// Whether a matcher may match a text for which this holds: that very text, or a matcher that is no plain text.
    fn may_be(&self, holds: impl Fn(&str) -> bool) -> bool {
        self.matchers.iter().any(|matcher| match matcher {
            Value::String(text) => holds(text),
            _ => true,
        })
    }

    fn wrong_type(&self) -> String {
        let [first, second] = EventType::ALL;
        let known = EventType::ALL.map(EventType::as_str);
        let texts = self.matchers.iter().filter_map(Value::as_str);
        let near = texts.clone().find_map(|text| nearest(text, known));
        let hint = near.map_or_else(String::new, |near| format!(": perhaps `{near}` is meant"));
        format!("the `detail-type` of Scalr's events is `{first}` or `{second}`{hint}")
    }
}

fn unknown(event_type: EventType, path: &str) -> String {
    let paths = || catalogue::fields(event_type).map(|field| field.path);
    if paths().any(|known| known.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'))) {
        return format!("`{path}` of `{event_type}` is an object, and the pattern looks for a value");
    }
    let last = |path: &'static str| path.rsplit('.').next().unwrap_or(path);
    let name = path.rsplit('.').next().unwrap_or(path);
    let near = paths()
        .find(|known| last(known) == name)
        .or_else(|| nearest(path, paths()))
        .or_else(|| {
            let meant = nearest(name, paths().map(last))?;
            paths().find(|known| last(known) == meant)
        });
    let hint = near.map_or_else(String::new, |near| format!(": perhaps `{near}` is meant"));
    format!("`{event_type}` has no field `{path}`{hint}")
}

/// Whether a value of this kind can match.
fn fits(kind: Kind, matcher: &Value) -> bool {
    let texts = matches!(kind, Kind::String | Kind::Strings);
    match matcher {
        // Any field may be null.
        Value::Null | Value::Array(_) => true,
        Value::String(_) => texts,
        Value::Number(_) => kind == Kind::Number,
        Value::Bool(_) => kind == Kind::Bool,
        Value::Object(object) => object.keys().all(|name| match name.as_str() {
            "prefix" | "suffix" | "wildcard" | "equals-ignore-case" | "cidr" => texts,
            "numeric" => kind == Kind::Number,
            _ => true,
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(pattern: &Value, want: &[&str]) {
        let found = unmatched(pattern);
        assert_eq!(found.len(), want.len(), "{pattern}: {found:?}");
        for (found, want) in found.iter().zip(want) {
            assert!(found.contains(want), "{pattern}: {found:?} lacks {want:?}");
        }
    }

    #[test]
    fn a_pattern_that_may_match_has_no_reasons() {
        for pattern in [
            json!({ "source": [{ "prefix": "aws.partner/scalr.com" }] }),
            json!({ "source": ["aws.partner/scalr.com/acme/prod"] }),
            json!({ "source": [{ "anything-but": "x" }], "detail-type": [{ "prefix": "Run" }] }),
            json!({ "detail-type": ["Other", "AuditLog"] }),
            json!({ "account": ["123456789012"], "region": ["us-east-1"], "time": [{ "prefix": "2026" }] }),
            json!({ "detail": { "event": { "is-dry": [false], "duration": [{ "numeric": [">", 1] }] } } }),
            json!({ "detail": { "event": { "is-dry": ["false", false] } } }),
            json!({ "detail": { "tags": ["a", { "prefix": "scalr-" }] } }),
            json!({ "detail": { "nothing": [{ "exists": false }] } }),
            json!({ "detail": { "actor": { "access-token": { "id": [null] } } } }),
            json!({ "$or": [{ "detail": { "nothing": ["x"] } }, { "detail-type": ["AuditLog"] }] }),
            json!({ "replay-name": ["x"] }),
            json!({}),
            json!([]),
        ] {
            check(&pattern, &[]);
        }
    }

    /// The ready pattern of each type, and a pattern on each field.
    #[test]
    fn ready_patterns_may_match() {
        for event_type in EventType::ALL {
            check(
                &crate::event_pattern(event_type.as_str(), &Value::Null).unwrap(),
                &[],
            );
            for field in catalogue::fields(event_type) {
                let leaf = json!([{ "exists": true }]);
                let pattern = field
                    .path
                    .rsplit('.')
                    .fold(leaf, |inner, key| json!({ key: inner }));
                check(&pattern, &[]);
            }
        }
    }

    #[test]
    fn a_pattern_that_cannot_match_has_a_reason() {
        check(
            &json!({ "source": ["aws.partner/scalr.com"] }),
            &["`aws.partner/scalr.com/ACCOUNT/NAME`"],
        );
        check(
            &json!({ "detail-type": ["RunExectued"] }),
            &["perhaps `RunExecuted` is meant"],
        );
        check(
            &json!({ "detail-type": ["RunExecuted"], "detail": { "result": ["errored"] } }),
            &["`RunExecuted` has no field `detail.result`: perhaps `detail.event.result` is meant"],
        );
        check(
            &json!({ "detail-type": ["RunExecuted"], "detail": { "event": { "is-dry": ["false"] } } }),
            &["`detail.event.is-dry` is a bool"],
        );
        check(
            &json!({ "detail": { "event": { "workspce": ["x"] } } }),
            &["perhaps `detail.event.workspace` is meant"],
        );
        check(
            &json!({ "detail": { "event": ["x"] } }),
            &["`detail.event` of `RunExecuted` is an object"],
        );
        check(
            &json!({ "account": [123_456_789_012_u64] }),
            &["`account` is a string"],
        );
        check(
            &json!({ "detail-type": ["AuditLog"], "detail": { "event": { "result": ["errored"] }, "request": { "action": [1] } } }),
            &[
                "no field `detail.event.result`",
                "`detail.request.action` is a string",
            ],
        );
        // A field of each type: no event has both.
        check(
            &json!({ "detail": { "event": { "result": ["errored"] }, "outcome": { "result": ["FAILURE"] } } }),
            &["has no field"],
        );
    }
}
