//! What a pattern makes of an event of Scalr's, leaf by leaf, and what to write where no event can match.

use event_pattern::{EventError, Explanation, Leaf, NearMiss, Pattern};
use serde_json::Value;

use crate::EventType;
use crate::catalogue::{self, SOURCE_PREFIX};
use crate::unmatched::{DETAIL_TYPE, unknown};
use crate::values::{never, odd};

/// More leaves than this are not listed in words.
const LISTED_MAX: usize = 20;

/// What a pattern makes of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// What the engine says.
    pub engine: Explanation,
    /// For each leaf that the event misses: what is to be written in its place, as far as that can be said. None where the leaf is right,
    /// and another event may match it.
    pub hints: Vec<Option<String>>,
}

/// Says for each leaf of a pattern what the event has there, and what is nearly right.
pub fn explain(pattern: &Pattern, event: &str) -> Result<Explained, EventError> {
    let engine = pattern.explain(event)?;
    let event_type = type_of(event);
    let hints = engine.leaves.iter().map(|leaf| hint(leaf, event_type)).collect();
    Ok(Explained { engine, hints })
}

/// The type of an event, if it is one of Scalr's.
fn type_of(event: &str) -> Option<EventType> {
    let event: Value = serde_json::from_str(event).ok()?;
    let source = event.get("source").and_then(Value::as_str);
    let is_scalrs = source.is_none_or(|source| source.starts_with(SOURCE_PREFIX));
    let name = event.get(DETAIL_TYPE).and_then(Value::as_str)?;
    name.parse().ok().filter(|_| is_scalrs)
}

fn hint(leaf: &Leaf, event_type: Option<EventType>) -> Option<String> {
    if leaf.matched {
        return None;
    }
    let of_catalogue = || {
        let event_type = event_type?;
        let matchers: Vec<Value> = serde_json::from_str(&leaf.expected).ok()?;
        let of = |event_type| catalogue::fields(event_type).find(|field| field.path == leaf.path);
        let Some(field) = of(event_type) else {
            let mut others = EventType::ALL.into_iter().filter(|other| of(*other).is_some());
            return Some(match others.next() {
                Some(other) => format!("only `{other}` has this field"),
                None => unknown(event_type, &leaf.path),
            });
        };
        never(field, &matchers.iter().collect::<Vec<_>>())
            .or_else(|| matchers.iter().find_map(|matcher| odd(field, matcher)))
    };
    leaf.near_miss().map(|miss| nearly(&miss)).or_else(of_catalogue)
}

fn nearly(miss: &NearMiss) -> String {
    match miss {
        NearMiss::Type { wanted, found } => format!(
            "`{wanted}` is {} and `{found}` is {}: write `{found}`",
            type_in_words(wanted),
            type_in_words(found)
        ),
        NearMiss::Case { wanted, found } => {
            format!("`{wanted}` and `{found}` differ only in case, which counts")
        }
    }
}

fn type_in_words(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'"') => "a text",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// What a leaf looks for, what the event has there, and what is to be written instead.
pub fn leaf_in_words(leaf: &Leaf, hint: Option<&str>) -> String {
    let wants = format!("`{}` wants {}", leaf.path, leaf.expected);
    match (leaf.found.as_slice(), hint, &leaf.nearest) {
        // That no event has such a field says it of this one.
        ([], Some(hint), _) => format!("{wants}: {hint}"),
        ([], None, Some(near)) if !leaf.matched => {
            format!("{wants}: the event has no such field; the nearest is `{near}`")
        }
        ([], None, _) => format!("{wants}: the event has no such field"),
        (found, Some(hint), _) => format!("{wants}: the event has {} ({hint})", found.join(", ")),
        (found, None, _) => format!("{wants}: the event has {}", found.join(", ")),
    }
}

impl Explained {
    /// Whether the event matches, and each leaf that it misses; with `$or`, alternative by alternative.
    pub fn message(&self) -> String {
        let engine = &self.engine;
        if engine.matched {
            return "The event matches the pattern.".to_owned();
        }
        if engine.split_over_elements {
            return "The event does not match the pattern: each field matches by itself, but by values in different elements of a \
                    list, and EventBridge wants them in one element."
                .to_owned();
        }
        let mut lines = vec!["The event does not match the pattern:".to_owned()];
        let mut listed = 0;
        for (alternative, missed) in self.missed() {
            let indent = match alternative {
                None => "  ",
                Some(number) => {
                    lines.push(format!("  - alternative {number} of `$or`:"));
                    "    "
                }
            };
            for at in missed {
                listed += 1;
                if listed <= LISTED_MAX {
                    lines.push(format!("{indent}- {}", self.leaf(at)));
                }
            }
        }
        let left = listed.saturating_sub(LISTED_MAX) + engine.leaves_left_out;
        if left > 0 {
            lines.push(format!("  - and {left} more"));
        }
        lines.join("\n")
    }

    /// What the leaf of this number looks for, what the event has there, and the hint.
    pub fn leaf(&self, at: usize) -> String {
        leaf_in_words(&self.engine.leaves[at], self.hints[at].as_deref())
    }

    /// The numbers of the leaves that the event misses: those that each alternative has first, then those of each alternative, by its
    /// number.
    fn missed(&self) -> Vec<(Option<usize>, Vec<usize>)> {
        let leaves = &self.engine.leaves;
        let last = leaves
            .iter()
            .map(|leaf| leaf.alternative)
            .max()
            .unwrap_or_default();
        let of = |alternative: usize| {
            let missed = leaves.iter().enumerate();
            missed.filter(move |(_, leaf)| leaf.alternative == alternative && !leaf.matched)
        };
        let is_in = |leaf: &Leaf, alternative: usize| {
            of(alternative).any(|(_, other)| other.path == leaf.path && other.expected == leaf.expected)
        };
        let is_common = |leaf: &Leaf| (0..=last).all(|alternative| is_in(leaf, alternative));
        // With many leaves the comparison of all with all is not worth its time.
        let compares = leaves.len() <= COMPARED_MAX;
        let common: Vec<usize> = of(0)
            .filter(|(_, leaf)| compares && is_common(leaf))
            .map(|(at, _)| at)
            .collect();
        if last == 0 {
            return vec![(None, of(0).map(|(at, _)| at).collect())];
        }
        let is_own = |leaf: &Leaf| {
            !common
                .iter()
                .any(|at| leaves[*at].path == leaf.path && leaves[*at].expected == leaf.expected)
        };
        let own = (0..=last).map(|alternative| {
            let missed = of(alternative).filter(|(_, leaf)| is_own(leaf));
            (Some(alternative), missed.map(|(at, _)| at).collect::<Vec<_>>())
        });
        let own: Vec<_> = own.filter(|(_, missed)| !missed.is_empty()).collect();
        [(None, common)].into_iter().chain(own).collect()
    }
}

/// Leaves of more alternatives than this are listed by alternative alone.
const COMPARED_MAX: usize = 500;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn explained(pattern: &Value, fields: Value) -> Explained {
        let event = crate::sample_event("RunExecuted", &[fields]).unwrap();
        explain(&Pattern::compile(&pattern.to_string()).unwrap(), &event).unwrap()
    }

    /// The hint of each leaf that the sample misses.
    #[track_caller]
    fn check(pattern: &Value, want: &[Option<&str>]) {
        let explained = explained(pattern, json!({}));
        let leaves = explained.engine.leaves.iter().zip(&explained.hints);
        let found: Vec<_> = leaves
            .filter(|(leaf, _)| !leaf.matched)
            .map(|(_, hint)| hint)
            .collect();
        assert_eq!(found.len(), want.len(), "{pattern}: {found:?}");
        for (found, want) in found.iter().zip(want) {
            match (found, want) {
                (None, None) => {}
                (Some(found), Some(want)) if found.contains(want) => {}
                _ => panic!("{pattern}: {found:?}, not {want:?}"),
            }
        }
    }

    #[test]
    fn a_wrong_value_is_told_from_one_that_this_event_lacks() {
        let of_run = |event: Value| json!({ "detail": { "event": event } });
        check(&of_run(json!({ "result": ["errored"] })), &[None]);
        check(
            &of_run(json!({ "result": ["erorred"] })),
            &[Some("never `erorred`: perhaps `errored` is meant")],
        );
        check(
            &of_run(json!({ "workspce": ["web"] })),
            &[Some(
                "no field `detail.event.workspce`: perhaps `detail.event.workspace` is meant",
            )],
        );
        check(&of_run(json!({ "workspace": ["web"] })), &[None]);
        check(
            &of_run(json!({ "workspace": ["web-*"] })),
            &[Some("write `{\"wildcard\":\"web-*\"}`")],
        );
        check(
            &of_run(json!({ "is-dry": ["false"] })),
            &[Some(
                "`\"false\"` is a text and `false` is a boolean: write `false`",
            )],
        );
        check(
            &of_run(json!({ "result": ["Applied"] })),
            &[Some("`\"Applied\"` and `\"applied\"` differ only in case")],
        );
        check(
            &json!({ "detail-type": ["AuditLog"], "detail": { "request": { "action": ["create-run"] } } }),
            &[None, Some("only `AuditLog` has this field")],
        );
        check(
            &json!({ "detail-type": ["RunExectued"] }),
            &[Some("perhaps `RunExecuted` is meant")],
        );
        check(
            &json!({ "detail": { "tags": ["scalr-workspace:network"] } }),
            &[Some("are ids and begin with `ws-`")],
        );
    }

    /// Of other events nothing is known.
    #[test]
    fn events_of_others_have_no_hints() {
        let pattern = Pattern::compile(r#"{"detail": {"event": {"result": ["erorred"]}}}"#).unwrap();
        for event in [
            r#"{"source": "billing", "detail-type": "RunExecuted", "detail": {"event": {"result": "x"}}}"#,
            r#"{"detail-type": "Invoice", "detail": {"event": {"result": "x"}}}"#,
            r#"{"detail": {"event": {"result": "x"}}}"#,
        ] {
            assert_eq!(explain(&pattern, event).unwrap().hints, [None], "{event}");
        }
    }

    #[test]
    fn alternatives_are_listed_each_by_itself() {
        let pattern = json!({
            "detail": { "event": { "is-dry": [true] } },
            "$or": [
                { "detail": { "event": { "result": ["errored"] } } },
                { "detail": { "event": { "result": ["applied"] } } },
                { "detail": { "event": { "result": ["canceled"], "workspace": ["web"] } } },
            ],
        });
        let message = explained(&pattern, json!({})).message();
        let want = "The event does not match the pattern:\n  - `detail.event.is-dry` wants [true]: the event has false\n  \
                    - alternative 0 of `$or`:\n    - `detail.event.result` wants [\"errored\"]: the event has \"applied\"\n  \
                    - alternative 2 of `$or`:\n    - `detail.event.result` wants [\"canceled\"]: the event has \"applied\"\n    \
                    - `detail.event.workspace` wants [\"web\"]: the event has \"workspace-name\"";
        assert_eq!(message, want);
        let right = explained(&pattern, json!({ "is_dry": true })).message();
        assert_eq!(right, "The event matches the pattern.");
    }
}
