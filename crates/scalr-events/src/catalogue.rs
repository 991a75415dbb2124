//! Every field of every event: path, type, meaning, and the name that filters on it.

use crate::EventType;

/// Every event source of Scalr starts with this.
pub const SOURCE_PREFIX: &str = "aws.partner/scalr.com";

/// The JSON type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// A list of texts; a filter matches if any element does.
    Strings,
}

impl Kind {
    /// The type in words, as error messages and documentation use it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Bool => "bool",
            Self::Strings => "list of strings",
        }
    }
}

/// One field of an event.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Path from the event's root, joined with `.`; no key of these events holds a dot.
    pub path: &'static str,
    /// JSON type.
    pub kind: Kind,
    /// Name of the filter on it; that of `detail-type` is the type itself.
    pub filter: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// The only values it has, where those are published; empty where any may come.
    pub values: &'static [&'static str],
}

/// Every field of an event of this type: the envelope's, then the detail's.
pub fn fields(event_type: EventType) -> impl Iterator<Item = &'static Field> + Clone {
    let detail: &'static [Field] = match event_type {
        EventType::RunExecuted => RUN_EXECUTED,
        EventType::AuditLog => AUDIT_LOG,
    };
    ENVELOPE.iter().chain(detail)
}

/// The field behind a filter name, or behind a path with or without `detail.`.
///
/// The wire spells with `-` what filters spell with `_`; either is taken for the filter's name.
pub fn find(event_type: EventType, name: &str) -> Option<&'static Field> {
    let same = |filter: &str| filter == name || (name.contains('-') && filter == name.replace('-', "_"));
    fields(event_type).find(|f| same(f.filter)).or_else(|| {
        fields(event_type).find(|f| f.path == name || f.path.strip_prefix("detail.") == Some(name))
    })
}

/// Whether the value at a path is an object or a list, in each type of event that has it.
pub fn is_container(path: &str) -> bool {
    let is_within = |f: &Field| {
        path.is_empty()
            || f.path
                .strip_prefix(path)
                .is_some_and(|rest| rest.starts_with('.'))
    };
    let all = EventType::ALL.into_iter().flat_map(fields);
    let mut found = all.filter_map(|f| {
        let is_here = f.path == path;
        (is_here || is_within(f)).then_some(!is_here || f.kind == Kind::Strings)
    });
    found.next().is_some_and(|first| first && found.all(|one| one))
}

const fn field(path: &'static str, kind: Kind, filter: &'static str, doc: &'static str) -> Field {
    Field {
        path,
        kind,
        filter,
        doc,
        values: &[],
    }
}

impl Field {
    const fn one_of(self, values: &'static [&'static str]) -> Self {
        Self { values, ..self }
    }
}

use Kind::{Bool, Number, String, Strings};

const ENVELOPE: &[Field] = &[
    field(
        "id",
        String,
        "envelope_id",
        "UUID that EventBridge gives the event. To recognise a repeated event, use the id inside `detail`.",
    ),
    field(
        "account",
        String,
        "aws_account_id",
        "AWS account that receives the event, 12 digits.",
    ),
    field(
        "version",
        String,
        "envelope_version",
        "Version of EventBridge's envelope, `0`.",
    )
    .one_of(&["0"]),
    field("time", String, "time", "When the event happened, UTC."),
    field(
        "source",
        String,
        "event_source_name",
        "Partner event source, `aws.partner/scalr.com/ACCOUNT/CONNECTION`.",
    ),
    field("resources", Strings, "resources", "Always empty."),
    field("region", String, "region", "AWS region that receives the event."),
    field(
        "detail-type",
        String,
        "detail_type",
        "`RunExecuted` or `AuditLog`.",
    )
    .one_of(&["RunExecuted", "AuditLog"]),
];

/// What Scalr's API lists as statuses of a run, without those of a run that goes on: `planned_and_finished`, `applied`, `errored`,
/// `discarded` and `canceled` in its reference (Runs, `attributes.status`), `policy_soft_failed` in its Go SDK (`RunStatus`), where
/// nothing says that a run goes on from there.
const RESULTS: &[&str] = &[
    "applied",
    "planned_and_finished",
    "errored",
    "canceled",
    "discarded",
    "policy_soft_failed",
];

const RUN_EXECUTED: &[Field] = &[
    field(
        "detail.title",
        String,
        "title",
        "One sentence about the run, for people.",
    ),
    field(
        "detail.event.run-id",
        String,
        "run_id",
        "Id of the run, `run-…`. Stable: recognise a repeated event by it.",
    ),
    field(
        "detail.event.source",
        String,
        "source",
        "What started the run, such as `vcs`, `cli`, `api` or `ui`.",
    ),
    field("detail.event.is-dry", Bool, "is_dry", "The run only plans."),
    field("detail.event.is-destroy", Bool, "is_destroy", "The run destroys."),
    field(
        "detail.event.is-agent",
        Bool,
        "is_agent",
        "The run was executed by an agent.",
    ),
    field(
        "detail.event.is-postponed",
        Bool,
        "is_postponed",
        "The run was held back before it started.",
    ),
    field(
        "detail.event.result",
        String,
        "result",
        "Last status of the run: `applied`, `planned_and_finished`, `errored`, `canceled`, `discarded` or `policy_soft_failed`.",
    )
    .one_of(RESULTS),
    field(
        "detail.event.duration",
        Number,
        "duration",
        "How long the run took, in nanoseconds.",
    ),
    field(
        "detail.event.account",
        String,
        "account",
        "Name of the Scalr account.",
    ),
    field(
        "detail.event.workspace",
        String,
        "workspace",
        "Name of the workspace.",
    ),
    field(
        "detail.event.environment",
        String,
        "environment",
        "Name of the environment.",
    ),
    field(
        "detail.event.user-email",
        String,
        "user_email",
        "Who started the run.",
    ),
    field(
        "detail.tags",
        Strings,
        "tags",
        "`scalr-environment:ID`, `scalr-workspace:ID`, `scalr-environment-name:NAME`, `scalr-workspace-name:NAME`.",
    ),
    field("detail.event_type", String, "event_type", "`success` or `error`."),
];

const AUDIT_LOG: &[Field] = &[
    field(
        "detail.target.id",
        String,
        "target_id",
        "Id of the object that was changed.",
    ),
    field(
        "detail.target.type",
        String,
        "target_type",
        "Type of the object that was changed, such as `workspaces`.",
    ),
    field(
        "detail.target.display-name",
        String,
        "target_name",
        "Name of the object that was changed.",
    ),
    field(
        "detail.target.context.environment.id",
        String,
        "environment_id",
        "Id of the environment around the object.",
    ),
    field(
        "detail.target.context.environment.display-name",
        String,
        "environment",
        "Name of the environment around the object.",
    ),
    field(
        "detail.target.context.workspace.id",
        String,
        "workspace_id",
        "Id of the workspace around the object.",
    ),
    field(
        "detail.target.context.workspace.display-name",
        String,
        "workspace",
        "Name of the workspace around the object.",
    ),
    field(
        "detail.target.context.account.id",
        String,
        "account_id",
        "Id of the Scalr account, `acc-…`.",
    ),
    field(
        "detail.target.context.account.display-name",
        String,
        "account",
        "Name of the Scalr account.",
    ),
    field(
        "detail.timestamp",
        String,
        "timestamp",
        "When the call was made, UTC, in microseconds.",
    ),
    field(
        "detail.request.id",
        String,
        "request_id",
        "Id of the call. Stable: recognise a repeated event by it.",
    ),
    field(
        "detail.request.action",
        String,
        "action",
        "What was done, such as `create-workspace`.",
    ),
    field(
        "detail.request.ip-address",
        String,
        "ip_address",
        "Address the call came from.",
    ),
    field(
        "detail.request.source",
        String,
        "source",
        "Where the call came from, such as `ui` or `api`.",
    ),
    field(
        "detail.request.user-agent",
        String,
        "user_agent",
        "The caller's `User-Agent`.",
    ),
    field("detail.actor.id", String, "user_id", "Id of the caller."),
    field(
        "detail.actor.email",
        String,
        "user_email",
        "Address of the caller.",
    ),
    field(
        "detail.actor.type",
        String,
        "user_type",
        "`user` or `service-account`.",
    ),
    field(
        "detail.actor.access-token.id",
        String,
        "token_id",
        "Id of the token that was used; null for a session.",
    ),
    field(
        "detail.actor.access-token.type",
        String,
        "token_type",
        "Kind of token that was used, such as `session`.",
    ),
    field(
        "detail.actor.access-token.token",
        String,
        "token_end",
        "Last characters of the token that was used.",
    ),
    field(
        "detail.outcome.result",
        String,
        "result",
        "`SUCCESS` or `FAILURE`.",
    ),
    field(
        "detail.outcome.status-code",
        Number,
        "status_code",
        "HTTP status of the answer.",
    ),
    field(
        "detail.tags",
        Strings,
        "tags",
        "`scalr-action:ACTION`, `scalr-user-email:ADDRESS` and the ids and names of the environment and workspace.",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// Paths of the leaves of a JSON value; a list is a leaf.
    fn leaves(at: &str, value: &Value, out: &mut BTreeSet<std::string::String>) {
        let Value::Object(members) = value else {
            out.insert(at.to_owned());
            return;
        };
        for (key, inner) in members {
            let path = if at.is_empty() {
                key.clone()
            } else {
                format!("{at}.{key}")
            };
            leaves(&path, inner, out);
        }
    }

    #[test]
    fn containers_are_objects_and_lists() {
        for (path, expected) in [
            ("", true),
            ("detail", true),
            ("detail.event", true),
            ("resources", true),
            ("detail.event.run-id", false),
            ("detail.ev", false),
            ("detail.nope", false),
            ("id", false),
        ] {
            assert_eq!(is_container(path), expected, "{path}");
        }
    }

    #[test]
    fn the_catalogue_is_the_samples_fields() {
        for event_type in EventType::ALL {
            let mut want = BTreeSet::new();
            leaves("", &crate::sample(event_type), &mut want);
            let have: BTreeSet<_> = fields(event_type).map(|f| f.path.to_owned()).collect();
            assert_eq!(have, want, "{event_type}");
            let filters: BTreeSet<_> = fields(event_type).map(|f| f.filter).collect();
            assert_eq!(
                filters.len(),
                have.len(),
                "a filter name is used twice in {event_type}"
            );
        }
    }

    const GUIDE: &str = "---
page_title: \"Fields of the events\"
subcategory: \"\"
description: |-
  Every field of RunExecuted and AuditLog events, and the filter of each.
---

# Fields of the events

The filters are what `provider::scalr::event_pattern(type, filters)` takes. A pattern of your own names the path.
`provider::scalr::sample_event(type)` gives a whole event.

EventBridge delivers at least once: recognise a repeated event by `detail.event.run-id` or `detail.request.id`.
";

    fn table(title: &str, fields: impl Iterator<Item = &'static Field>) -> std::string::String {
        let head = format!("\n## {title}\n\n| filter | path | type | meaning |\n|---|---|---|---|\n");
        let row = |f: &Field| {
            let filter = if f.filter == crate::pattern::DETAIL_TYPE {
                "the argument `type`".to_owned()
            } else {
                format!("`{}`", f.filter)
            };
            format!("| {filter} | `{}` | {} | {} |\n", f.path, f.kind.as_str(), f.doc)
        };
        fields.fold(head, |text, field| text + &row(field))
    }

    /// The registry's page about the fields; `UPDATE_EXPECT=1` regenerates it.
    #[test]
    fn the_guide_has_every_field() {
        let text = GUIDE.to_owned()
            + &table("In both", ENVELOPE.iter())
            + &table("RunExecuted", RUN_EXECUTED.iter())
            + &table("AuditLog", AUDIT_LOG.iter());
        expect_test::expect_file!["../../../docs/guides/events.md"].assert_eq(&text);
    }

    #[test]
    fn fields_are_found_by_filter_and_path() {
        for (name, path) in [
            ("run_id", "detail.event.run-id"),
            ("run-id", "detail.event.run-id"),
            ("event.run-id", "detail.event.run-id"),
            ("detail.event.run-id", "detail.event.run-id"),
            ("source", "detail.event.source"),
            ("event_source_name", "source"),
        ] {
            assert_eq!(
                find(EventType::RunExecuted, name).map(|f| f.path),
                Some(path),
                "{name}"
            );
        }
        assert!(find(EventType::RunExecuted, "action").is_none());
    }
}
