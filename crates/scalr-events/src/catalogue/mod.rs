//! Every field of every event: path, type, meaning, the values it can have, and the name that filters on it.

mod fields;
mod form;
#[cfg(test)]
mod guide;

pub(crate) use fields::SOURCE;
pub use form::Form;

use crate::EventType;
use fields::{AUDIT_LOG, AUDIT_LOG_TAGS, ENVELOPE, RUN_EXECUTED, RUN_EXECUTED_TAGS};

/// The path of the list of tags.
pub const TAGS: &str = "detail.tags";

/// What the tag with the id of an event's workspace begins with.
pub const WORKSPACE_TAG: &str = "scalr-workspace:";
/// The same by name.
pub const WORKSPACE_NAME_TAG: &str = "scalr-workspace-name:";
/// What the tag of an event's environment begins with.
pub const ENVIRONMENT_TAG: &str = "scalr-environment:";
/// The same by name.
pub const ENVIRONMENT_NAME_TAG: &str = "scalr-environment-name:";
/// What the tag of an audited call's action begins with.
pub(crate) const ACTION_TAG: &str = "scalr-action:";
/// What the tag of the caller's address begins with.
pub(crate) const USER_EMAIL_TAG: &str = "scalr-user-email:";

/// Every event source of Scalr starts with this.
pub const SOURCE_PREFIX: &str = "aws.partner/scalr.com";

/// The filter of the one field that says what the others are: it is set by naming a type.
pub(crate) const DETAIL_TYPE: &str = "detail_type";

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
    /// Which values it can have, as far as that is published.
    pub form: Form,
    /// Where the value is behind the name of a tag, an element of the list at `path`: that name, with its colon.
    pub tag: Option<&'static str>,
}

impl Field {
    /// The path as a JSON pointer.
    pub fn pointer(&self) -> String {
        format!("/{}", self.path.replace('.', "/"))
    }
}

/// Every field of an event of this type: the envelope's, then the detail's.
pub fn fields(event_type: EventType) -> impl Iterator<Item = &'static Field> + Clone {
    let detail: &'static [Field] = match event_type {
        EventType::RunExecuted => RUN_EXECUTED,
        EventType::AuditLog => AUDIT_LOG,
    };
    ENVELOPE.iter().chain(detail)
}

/// What is behind the names of tags in an event of this type.
pub fn tags(event_type: EventType) -> impl Iterator<Item = &'static Field> + Clone {
    let tags: &'static [Field] = match event_type {
        EventType::RunExecuted => RUN_EXECUTED_TAGS,
        EventType::AuditLog => AUDIT_LOG_TAGS,
    };
    tags.iter()
}

/// Everything that has a filter: the fields, and of the tags those whose value no field has.
pub fn filters(event_type: EventType) -> impl Iterator<Item = &'static Field> + Clone {
    fields(event_type).chain(tags(event_type).filter(|tag| !tag.filter.is_empty()))
}

/// The field behind a filter name, or behind a path with or without `detail.`.
///
/// The wire spells with `-` what filters spell with `_`; either is taken for the filter's name.
pub fn find(event_type: EventType, name: &str) -> Option<&'static Field> {
    let same = |filter: &str| filter == name || (name.contains('-') && filter == name.replace('-', "_"));
    filters(event_type).find(|f| same(f.filter)).or_else(|| {
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
    fn the_tags_are_the_samples_tags() {
        for event_type in EventType::ALL {
            let sample = crate::sample(event_type);
            let have = sample.pointer("/detail/tags").and_then(Value::as_array).unwrap();
            let have: BTreeSet<_> = have
                .iter()
                .filter_map(|tag| Some(tag.as_str()?.split_inclusive(':').next()?.to_owned()))
                .collect();
            let want: BTreeSet<_> = tags(event_type)
                .filter_map(|tag| Some(tag.tag?.to_owned()))
                .collect();
            assert_eq!(have, want, "{event_type}");
        }
    }

    /// A value of the sample that its own field cannot have would refuse what is right.
    #[test]
    fn the_samples_have_values_of_their_fields() {
        for event_type in EventType::ALL {
            let sample = crate::sample(event_type);
            for field in fields(event_type) {
                let value = sample.pointer(&field.pointer()).unwrap();
                let texts = value.as_str().map_or_else(Vec::new, |text| vec![text]);
                assert!(
                    texts.iter().all(|text| field.form.takes(text)),
                    "{}: {value}",
                    field.path
                );
            }
        }
    }

    #[test]
    fn the_catalogue_is_the_samples_fields() {
        for event_type in EventType::ALL {
            let mut want = BTreeSet::new();
            leaves("", &crate::sample(event_type), &mut want);
            let have: BTreeSet<_> = fields(event_type).map(|f| f.path.to_owned()).collect();
            assert_eq!(have, want, "{event_type}");
            let names: BTreeSet<_> = filters(event_type).map(|f| f.filter).collect();
            assert_eq!(
                names.len(),
                filters(event_type).count(),
                "a filter name is used twice in {event_type}"
            );
        }
    }

    #[test]
    fn fields_are_found_by_filter_and_path() {
        for (name, path) in [
            ("run_id", "detail.event.run-id"),
            ("run-id", "detail.event.run-id"),
            ("event.run-id", "detail.event.run-id"),
            ("detail.event.run-id", "detail.event.run-id"),
            ("source", "detail.event.source"),
            ("workspace_id", "detail.tags"),
            ("environment-id", "detail.tags"),
            ("detail.tags", "detail.tags"),
            ("event_source_name", "source"),
        ] {
            assert_eq!(
                find(EventType::RunExecuted, name).map(|f| f.path),
                Some(path),
                "{name}"
            );
        }
        assert!(find(EventType::RunExecuted, "action").is_none());
        assert!(find(EventType::RunExecuted, "tags").is_some_and(|field| field.tag.is_none()));
        assert!(find(EventType::RunExecuted, "").is_none());
    }
}
