//! Why a pattern, or a part of one, matches no event of Scalr's, as far as the catalogue knows the events.

use serde_json::{Map, Value};

use crate::EventType;
use crate::catalogue::{self, Field};
use crate::nearest::nearest;
use crate::values::{excludes_nothing, matches, never, odd};

/// What EventBridge itself adds to an event that it replays from an archive.
const REPLAY: &str = "replay-name";
pub(crate) const DETAIL_TYPE: &str = "detail-type";
/// More combinations than this EventBridge refuses; nothing is said of them.
const COMBINATIONS_MAX: usize = event_pattern::COMBINATIONS_MAX;

/// What of a pattern matches no event of Scalr's. Only what is certain counts: comparisons that look for absent fields always
/// may match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unmatched {
    /// Why the pattern matches none, one reason a field; empty if it may match one. Where each type of event is excluded by
    /// another field, the reasons are those of the type with the fewest.
    pub whole: Vec<String>,
    /// What matches none in a pattern that may match one: alternatives of `$or`, values in lists.
    pub parts: Vec<String>,
    /// What may match one, and is probably not meant so.
    pub odd: Vec<String>,
}

/// What of the pattern matches no event of Scalr's.
pub fn unmatched(pattern: &Value) -> Unmatched {
    let mut found = Unmatched::default();
    let alternatives = pattern.as_object().and_then(|pattern| alternatives("", pattern));
    let (mut dead, mut is_alive) = (Vec::new(), false);
    for alternative in alternatives.unwrap_or_default() {
        match judge(&alternative) {
            Judged::Dead(reasons) => dead.extend(reasons),
            Judged::Alive(all) => {
                is_alive = true;
                let parts = alternative.iter().flat_map(|leaf| leaf.parts(&all));
                found.parts.extend(parts);
                found.odd.extend(alternative.iter().flat_map(Leaf::odd));
            }
        }
    }
    if is_alive {
        let in_words = |reason: String| format!("in an alternative of `$or`, {reason}");
        found.parts.extend(dead.into_iter().map(in_words));
    } else {
        found.whole = dead;
    }
    without_repeats(&mut found.whole);
    without_repeats(&mut found.parts);
    without_repeats(&mut found.odd);
    found
}

/// A list of comparisons, with the path of the field that they apply to.
#[derive(Clone)]
struct Leaf<'a> {
    path: String,
    matchers: &'a [Value],
}

struct Fault {
    text: String,
    is_type: bool,
}

/// What the types of events make of an alternative.
enum Judged {
    /// No event matches, for these reasons.
    Dead(Vec<String>),
    /// Events of the types without a fault may match.
    Alive([Vec<Fault>; 2]),
}

fn judge(leaves: &[Leaf<'_>]) -> Judged {
    let of_type = |event_type| leaves.iter().filter_map(|leaf| leaf.fault(event_type)).collect();
    let all: [Vec<Fault>; 2] = EventType::ALL.map(of_type);
    if all.iter().any(Vec::is_empty) {
        return Judged::Alive(all);
    }
    // A type that the pattern excludes by name comes last.
    let weight = |faults: &Vec<Fault>| (faults.iter().any(|fault| fault.is_type), faults.len());
    let nearest = all.into_iter().min_by_key(weight).unwrap_or_default();
    Judged::Dead(nearest.into_iter().map(|fault| fault.text).collect())
}

/// The combinations of alternatives that a pattern has; none where they are too many.
fn alternatives<'a>(at: &str, object: &'a Map<String, Value>) -> Option<Vec<Vec<Leaf<'a>>>> {
    let mut all = vec![Vec::new()];
    for (key, value) in object {
        let path = if at.is_empty() {
            key.clone()
        } else {
            format!("{at}.{key}")
        };
        let inner = match value {
            Value::Object(inner) => alternatives(&path, inner)?,
            Value::Array(choices) if key == "$or" => {
                let choices = choices.iter().filter_map(Value::as_object);
                let each: Option<Vec<_>> = choices.map(|choice| alternatives(at, choice)).collect();
                each?.into_iter().flatten().collect()
            }
            Value::Array(matchers) => vec![vec![Leaf { path, matchers }]],
            _ => continue,
        };
        if inner.is_empty() {
            continue;
        }
        if all.len() * inner.len() > COMBINATIONS_MAX {
            return None;
        }
        let with = |before: &Vec<Leaf<'a>>| {
            let one = |more: &Vec<Leaf<'a>>| [before.as_slice(), more.as_slice()].concat();
            inner.iter().map(one).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(with).collect();
    }
    Some(all)
}

impl Leaf<'_> {
    /// Why no event of this type matches.
    fn fault(&self, event_type: EventType) -> Option<Fault> {
        let wants_absence = |matcher: &Value| matcher.get("exists") == Some(&Value::Bool(false));
        if self.path == REPLAY || self.matchers.iter().any(wants_absence) {
            return None;
        }
        let other = |text: String| Fault { text, is_type: false };
        let Some(field) = self.field(event_type) else {
            return Some(other(unknown(event_type, &self.path)));
        };
        if self.path == DETAIL_TYPE && !self.names(event_type) {
            let text = self.wrong_type(field);
            return Some(Fault { text, is_type: true });
        }
        never(field, &self.matchers.iter().collect::<Vec<_>>()).map(other)
    }

    fn field(&self, event_type: EventType) -> Option<&'static Field> {
        catalogue::fields(event_type).find(|field| field.path == self.path)
    }

    /// Whether the `detail-type` that is looked for may be this type.
    fn names(&self, event_type: EventType) -> bool {
        let mut matchers = self.matchers.iter();
        matchers.any(|matcher| matcher.get("exists").is_some() || matches(matcher, event_type.as_str()))
    }

    fn wrong_type(&self, field: &Field) -> String {
        let every: Vec<&Value> = self.matchers.iter().collect();
        // One that names the other type is right by itself.
        never(field, &every).unwrap_or_else(|| {
            let [first, second] = EventType::ALL;
            format!("the `{DETAIL_TYPE}` of Scalr's events is `{first}` or `{second}`")
        })
    }

    /// Comparisons that match no event of the types that may match; `all`: the faults of each type.
    fn parts(&self, all: &[Vec<Fault>; 2]) -> Vec<String> {
        let types = || EventType::ALL.into_iter().zip(all);
        let fields: Vec<&Field> = types()
            .filter(|(_, faults)| faults.is_empty())
            .filter_map(|(event_type, _)| self.field(event_type))
            .collect();
        let Some(first) = fields.first() else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for matcher in self.matchers {
            let mut reasons = fields.iter().map(|field| never(field, &[matcher]));
            let dead = reasons
                .next()
                .flatten()
                .filter(|_| reasons.all(|reason| reason.is_some()));
            let by_type =
                || types().find_map(|(event_type, faults)| self.excluded(event_type, faults, matcher));
            found.extend(dead.or_else(by_type).or_else(|| excludes_nothing(first, matcher)));
        }
        found
    }

    /// Comparisons that may match, and probably not what is meant.
    fn odd(&self) -> Vec<String> {
        let mut fields = EventType::ALL
            .into_iter()
            .filter_map(|event_type| self.field(event_type));
        let field = fields.next();
        let found = self.matchers.iter().filter_map(|matcher| {
            let field = field?;
            // What is never right is among the parts.
            never(field, &[matcher]).map_or_else(|| odd(field, matcher), |_| None)
        });
        found.collect()
    }

    /// Why a type that is named here matches none all the same.
    fn excluded(&self, event_type: EventType, faults: &[Fault], matcher: &Value) -> Option<String> {
        let named = self.path == DETAIL_TYPE && matcher.as_str() == Some(event_type.as_str());
        let fault = faults.first().filter(|_| named)?;
        Some(format!("no `{event_type}` matches: {}", fault.text))
    }
}

/// That the type has no such field, and which is the nearest.
pub(crate) fn unknown(event_type: EventType, path: &str) -> String {
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

/// Alternatives have most of their fields in common.
fn without_repeats(reasons: &mut Vec<String>) {
    let mut seen = std::collections::BTreeSet::new();
    reasons.retain(|reason| seen.insert(reason.clone()));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(pattern: &Value, want: &[&str]) {
        let found = unmatched(pattern);
        compare(pattern, &found.whole, want);
    }

    /// The pattern may match, but for these parts.
    #[track_caller]
    fn check_parts(pattern: &Value, want: &[&str]) {
        let found = unmatched(pattern);
        compare(pattern, &found.whole, &[]);
        compare(pattern, &found.parts, want);
    }

    #[track_caller]
    fn compare(pattern: &Value, found: &[String], want: &[&str]) {
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
            json!({ "detail": { "event": { "result": ["cancelled", "errored"] } } }),
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

    #[test]
    fn values_outside_a_known_set_match_nothing() {
        let of_run = |result: Value| json!({ "detail-type": ["RunExecuted"], "detail": { "event": { "result": result } } });
        check(
            &of_run(json!(["cancelled", "failed"])),
            &["never `cancelled` or `failed`: perhaps `canceled` is meant"],
        );
        check(
            &of_run(json!([{ "prefix": "fail" }])),
            &["never what `{\"prefix\":\"fail\"}` matches"],
        );
        check(
            &json!({ "detail-type": [{ "prefix": "Runs" }] }),
            &["`detail-type` is `RunExecuted` or `AuditLog`"],
        );
        check(
            &json!({ "detail-type": [{ "prefix": "Run" }], "detail": { "request": { "action": ["x"] } } }),
            &["`RunExecuted` has no field `detail.request.action`"],
        );
        // No alternative is left.
        check(
            &json!({ "$or": [{ "detail-type": ["Other"] }, { "detail": { "nothing": ["x"] } }] }),
            &["`detail-type` is", "no field `detail.nothing`"],
        );
    }

    #[test]
    fn parts_that_match_nothing_are_named() {
        let of_run = |event: Value| json!({ "detail": { "event": event } });
        check_parts(
            &of_run(json!({ "result": ["errored", "cancelled"], "is-dry": ["false", false] })),
            &[
                "`detail.event.is-dry` is a bool",
                "never `cancelled`: perhaps `canceled` is meant",
            ],
        );
        check_parts(
            &of_run(json!({ "result": [{ "anything-but": ["cancelled"] }] })),
            &["`anything-but` has no `cancelled` to exclude: perhaps `canceled` is meant"],
        );
        check_parts(
            &json!({ "detail-type": ["AuditLogs", "AuditLog"] }),
            &["never `AuditLogs`"],
        );
        // A type that another field excludes.
        check_parts(
            &json!({ "detail-type": ["RunExecuted", "AuditLog"], "detail": { "event": { "result": ["errored"] } } }),
            &["no `AuditLog` matches: `AuditLog` has no field `detail.event.result`"],
        );
        check_parts(
            &json!({ "account": ["1"], "$or": [{ "detail": { "nothing": ["x"] } }, { "detail-type": ["AuditLog"] }] }),
            &["in an alternative of `$or`, `RunExecuted` has no field `detail.nothing`"],
        );
        check_parts(
            &of_run(json!({ "result": ["errored"], "workspace": ["a", { "prefix": "b" }] })),
            &[],
        );
        check_parts(
            &json!({ "detail": { "nothing": ["x", { "exists": false }] } }),
            &[],
        );
    }

    #[test]
    fn what_is_probably_not_meant_is_said() {
        for (event, want) in [
            (
                json!({ "workspace": ["prod-*", "web"] }),
                &["`detail.event.workspace`: EventBridge compares the `*`"][..],
            ),
            (json!({ "workspace": [{ "wildcard": "prod-*" }] }), &[]),
            // Never right, and said to be so.
            (json!({ "run-id": ["run-*", "run-1"] }), &[]),
        ] {
            let pattern = json!({ "detail": { "event": event } });
            compare(&pattern, &unmatched(&pattern).odd, want);
        }
    }

    /// No more combinations than EventBridge takes are looked at.
    #[test]
    fn many_combinations_are_not_judged() {
        let choices = |name: String| json!([{ name.clone(): ["x"] }, { name: ["y"] }]);
        let nested = (0..10).fold(
            json!({ "z": ["x"] }),
            |inner, at| json!({ "$or": choices(format!("a{at}")), format!("n{at}"): inner }),
        );
        assert_eq!(unmatched(&nested), Unmatched::default());
    }
}
