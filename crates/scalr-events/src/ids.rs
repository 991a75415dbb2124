//! Ids that a pattern looks for, and that Scalr can be asked for: of workspaces and environments.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::EventType;
use crate::catalogue::{self, Field};

/// What an id is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identified {
    /// A workspace.
    Workspace,
    /// An environment.
    Environment,
}

impl Identified {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Environment => "environment",
        }
    }
}

/// An id in a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedId {
    /// What it is of.
    pub of: Identified,
    /// The id.
    pub id: String,
    /// The path of the field whose value it is, or that has it in a tag.
    pub path: String,
}

/// The ids that a pattern compares with as they are written, or rules out, each once for a field. Those that no workspace or
/// environment can have are left out: `unmatched` finds them.
pub fn ids(pattern: &Value) -> BTreeSet<NamedId> {
    let mut found = BTreeSet::new();
    collect("", pattern, &mut found);
    found
}

fn collect(at: &str, value: &Value, found: &mut BTreeSet<NamedId>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::Array(choices) if key == "$or" => {
                        for choice in choices {
                            collect(at, choice, found);
                        }
                    }
                    value if at.is_empty() => collect(key, value, found),
                    value => collect(&format!("{at}.{key}"), value, found),
                }
            }
        }
        Value::Array(matchers) => {
            let texts = matchers.iter().flat_map(texts);
            found.extend(texts.filter_map(|text| named(at, text)));
        }
        _ => {}
    }
}

/// The texts that a comparison has whole.
fn texts(matcher: &Value) -> Vec<&str> {
    let compared = matcher.get("anything-but").unwrap_or(matcher);
    match compared {
        Value::String(text) => vec![text],
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// What a text at a path names, in an event of either type.
fn named(path: &str, text: &str) -> Option<NamedId> {
    let mut fields = EventType::ALL.into_iter().flat_map(catalogue::filters);
    fields.find_map(|field| {
        let id = id_in(field, path, text).filter(|id| field.form.takes(id))?;
        Some(NamedId {
            of: match field.filter {
                "workspace_id" => Identified::Workspace,
                "environment_id" => Identified::Environment,
                _ => return None,
            },
            id: id.to_owned(),
            path: path.to_owned(),
        })
    })
}

fn id_in<'t>(field: &Field, path: &str, text: &'t str) -> Option<&'t str> {
    if field.path != path {
        return None;
    }
    field.tag.map_or(Some(text), |tag| text.strip_prefix(tag))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(pattern: &Value, want: &[(Identified, &str)]) {
        let found = ids(pattern);
        let found: Vec<_> = found.iter().map(|one| (one.of, one.id.as_str())).collect();
        assert_eq!(found, want, "{pattern}");
    }

    #[test]
    fn ids_are_found_where_events_have_them() {
        use Identified::{Environment, Workspace};
        check(
            &json!({ "detail": { "tags": ["scalr-workspace:ws-1", "scalr-environment:env-1", "mine", "scalr-workspace-name:ws-2"] } }),
            &[(Workspace, "ws-1"), (Environment, "env-1")],
        );
        check(
            &json!({ "detail": { "$or": [
                { "tags": ["scalr-workspace:ws-1"] },
                { "target": { "context": { "workspace": { "id": ["ws-2"] }, "environment": { "id": ["org-3"] } } } },
            ] } }),
            &[(Workspace, "ws-1"), (Workspace, "ws-2"), (Environment, "org-3")],
        );
        check(
            &json!({ "detail": { "target": { "context": { "workspace": { "id": [{ "anything-but": ["ws-1", "ws-2"] }] } } } } }),
            &[(Workspace, "ws-1"), (Workspace, "ws-2")],
        );
        check(
            &json!({ "detail": { "tags": [{ "anything-but": "scalr-workspace:ws-1" }] } }),
            &[(Workspace, "ws-1")],
        );
    }

    #[test]
    fn what_is_no_whole_id_is_left_out() {
        for pattern in [
            json!({ "detail": { "tags": [{ "prefix": "scalr-workspace:ws-" }, { "wildcard": "scalr-workspace:ws-*" }] } }),
            json!({ "detail": { "tags": [{ "anything-but": { "prefix": "scalr-workspace:ws-1" } }, { "exists": true }] } }),
            json!({ "detail": { "tags": ["scalr-workspace:network", "scalr-workspace:ws-*", "ws-1"] } }),
            json!({ "detail": { "event": { "workspace": ["ws-1"] }, "other": { "id": ["ws-1"] } } }),
            json!({ "detail": { "tags": 1 }, "$or": "x" }),
            json!("scalr-workspace:ws-1"),
        ] {
            check(&pattern, &[]);
        }
    }
}
