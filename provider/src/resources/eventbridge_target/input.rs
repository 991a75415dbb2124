//! What a target gets in place of the event: refused before AWS refuses it, or drops it.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use tfplugin::{Config, Diagnostics, Value};

use super::{Target, messages};

/// Names that EventBridge itself fills in.
const PREDEFINED: [&str; 5] = [
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event.ingestion-time",
    "aws.events.event",
    "aws.events.event.json",
];

/// Refuses what neither an attribute's own check nor a rule can judge. What is not known yet is waited for.
pub(super) fn refuse(config: &Config<'_, Target>, diags: &mut Diagnostics) {
    if let Value::Known(input) = config.value(Target::input())
        && serde_json::from_str::<Json>(&input).is_err()
    {
        diags.push(messages::input_not_json());
    }
    refuse_names(config, diags);
}

/// AWS refuses a template with a name that nothing fills in.
fn refuse_names(config: &Config<'_, Target>, diags: &mut Diagnostics) {
    let paths = config.value(Target::input_transformer().input_paths().with_unknowns());
    let template = config.value(Target::input_transformer().input_template());
    let (Value::Known(template), false) = (template, paths.is_unknown()) else {
        return;
    };
    let paths = paths.known().unwrap_or_default();
    let is_name = |name: &str| paths.contains_key(name) || PREDEFINED.contains(&name);
    if escaped_names(&template).into_iter().any(is_name) {
        diags.push(messages::escaped_names());
    }
    let mut missing: Vec<&str> = names(&template);
    missing.retain(|name| !paths.contains_key(*name) && !PREDEFINED.contains(name));
    missing.sort_unstable();
    missing.dedup();
    if missing.is_empty() {
        return;
    }
    let known: Vec<&str> = paths.keys().map(String::as_str).chain(PREDEFINED).collect();
    diags.push(messages::names_without_values(&missing, &known));
}

/// The texts between an escaped `<` and `>`.
fn escaped_names(template: &str) -> Vec<&str> {
    let rest = template.split("\\u003c").skip(1);
    rest.filter_map(|rest| Some(rest.split_once("\\u003e")?.0))
        .collect()
}

/// The names between `<` and `>`. Anything else there is text.
fn names(template: &str) -> Vec<&str> {
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut names = Vec::new();
    for (at, _) in template.match_indices('<') {
        let name = template[at + 1..].split_once('>').map(|(name, _)| name);
        let name = name.filter(|name| !name.is_empty() && name.chars().all(letter));
        names.extend(name);
    }
    names
}

/// The names that stand within quotes and have an object or a list as their value, in a template that has to lead to JSON.
/// What they give is not escaped there. Of what only Scalr's events have, nothing is known for other events.
pub(super) fn quoted_containers<'t>(
    template: &'t str,
    paths: &BTreeMap<String, String>,
    from_scalr: bool,
) -> Vec<&'t str> {
    if !template.trim_start().starts_with(['{', '[']) {
        return Vec::new();
    }
    let mut found = quoted_names(template);
    found.retain(|name| is_container(name, paths, from_scalr));
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether the value of a name is known to be an object or a list.
fn is_container(name: &str, paths: &BTreeMap<String, String>, from_scalr: bool) -> bool {
    match paths.get(name) {
        Some(path) => gives_container(path, from_scalr),
        None => matches!(name, "aws.events.event" | "aws.events.event.json"),
    }
}

/// Whether the value at an input path is known to be an object or a list.
fn gives_container(path: &str, from_scalr: bool) -> bool {
    let Some(path) = path.strip_prefix('$') else {
        return false;
    };
    let path = path.trim_start_matches('.');
    if path.contains(['*', '[']) {
        return path.contains('*');
    }
    matches!(path, "" | "detail" | "resources") || (from_scalr && scalr_events::catalogue::is_container(path))
}

/// The names in `<` and `>` that are within quotes.
fn quoted_names(template: &str) -> Vec<&str> {
    let (mut quoted, mut escaped, mut found) = (false, false, Vec::new());
    for (at, letter) in template.char_indices() {
        match letter {
            '<' if quoted => found.extend(template[at + 1..].split_once('>').map(|(name, _)| name)),
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
    }
    found
}

/// The template, with some value in each `<name>`, is an object of just `timestamp` and `message`.
pub(super) fn gives_log_event(template: &str) -> bool {
    let (value, _) = filled(template);
    let keys = value
        .as_ref()
        .and_then(Json::as_object)
        .map(|object| object.keys().map(String::as_str).collect::<Vec<_>>());
    keys.is_some_and(|mut keys| {
        keys.sort_unstable();
        keys == ["message", "timestamp"]
    })
}

/// The name that is all of a log event's message, where its value is an object or a list: CloudWatch Logs takes texts.
pub(super) fn message_container<'t>(
    template: &'t str,
    paths: &BTreeMap<String, String>,
    from_scalr: bool,
) -> Option<&'t str> {
    let (value, names) = filled(template);
    let at = value?.get("message")?.get(PLACE)?.as_u64()?;
    let name = names.get(usize::try_from(at).ok()?).copied()?;
    is_container(name, paths, from_scalr).then_some(name)
}

/// The key of the object that stands for a name which is not within quotes.
const PLACE: &str = "<";

/// The template's JSON, with `{"<": N}` in place of the N-th name that is not within quotes; and these names.
fn filled(template: &str) -> (Option<Json>, Vec<&str>) {
    let (mut filled, mut names) = (String::with_capacity(template.len()), Vec::new());
    let (mut quoted, mut escaped) = (false, false);
    let mut rest = template;
    while let Some(letter) = rest.chars().next() {
        let after = &rest[letter.len_utf8()..];
        if letter == '<' && !quoted {
            let (name, end) = after.split_once('>').unwrap_or((after, ""));
            filled.extend(["{\"", PLACE, "\":", &names.len().to_string(), "}"]);
            names.push(name);
            rest = end;
            continue;
        }
        quoted ^= letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        filled.push(letter);
        rest = after;
    }
    (serde_json::from_str(&filled).ok(), names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_templates() {
        for (template, want) in [
            ("run <id> of <a-b_c>", &["id", "a-b_c"][..]),
            (
                r#"{"m": <aws.events.event.json>, "t": "<x>"}"#,
                &["aws.events.event.json", "x"],
            ),
            (r"a \<b> <", &["b"]),
            ("1 < 2 and 3 > 2, <b c>, <>", &[]),
            ("<é>", &[]),
        ] {
            assert_eq!(names(template), want, "{template}");
        }
    }

    #[test]
    fn objects_and_lists_within_quotes() {
        for (path, template, anywhere, from_scalr) in [
            ("$.detail", r#"{"payload": "<x>"}"#, true, true),
            ("$.detail", r#"{"x": "users/<x>", "b": <x>}"#, true, true),
            ("$", r#"["<x>"]"#, true, true),
            ("$.resources", r#"{"a": "<x>"}"#, true, true),
            ("$.detail.a[*]", r#"{"a": "<x>"}"#, true, true),
            ("$.detail.event", r#"{"a": "<x>"}"#, false, true),
            ("$.detail.event.run-id", r#"{"a": "<x>"}"#, false, false),
            ("$.detail.environment.tags[0]", r#"{"a": "<x>"}"#, false, false),
            ("$.detail", r#"{"a": <x>}"#, false, false),
            ("$.detail", r#"{"a": "\"", "b": <x>}"#, false, false),
            ("$.detail", r#""it is <x>""#, false, false),
            ("$.time", r#"{"a": "<aws.events.event>"}"#, true, true),
            ("$.time", r#"{"a": "<aws.events.rule-arn> <x>"}"#, false, false),
        ] {
            let paths = BTreeMap::from([("x".to_owned(), path.to_owned())]);
            for (scalr, expected) in [(false, anywhere), (true, from_scalr)] {
                let found = quoted_containers(template, &paths, scalr);
                assert_eq!(!found.is_empty(), expected, "{path} {template} {found:?}");
            }
        }
    }

    #[test]
    fn templates_for_log_groups() {
        for (template, want) in [
            (r#"{"timestamp": <time>, "message": <id>}"#, true),
            (r#"{ "message": "run <id> \"done\" <", "timestamp" : <t> }"#, true),
            (r#"{"timestamp": <time>}"#, false),
            (r#"{"timestamp": <time>, "message": <id>, "more": 1}"#, false),
            (r#""run <id>""#, false),
            ("<event>", false),
            (r#"{"timestamp": <time, "message": 1}"#, false),
            ("", false),
        ] {
            assert_eq!(gives_log_event(template), want, "{template}");
        }
    }

    #[test]
    fn messages_that_are_objects() {
        let paths = BTreeMap::from([
            ("all".to_owned(), "$.detail".to_owned()),
            ("run".to_owned(), "$.detail.event".to_owned()),
            ("id".to_owned(), "$.detail.event.run-id".to_owned()),
        ]);
        for (message, from_scalr, want) in [
            ("<all>", false, Some("all")),
            ("<run>", true, Some("run")),
            ("<run>", false, None),
            ("<id>", true, None),
            ("\"<id> of <all>\"", true, None),
            ("<aws.events.event.json>", false, Some("aws.events.event.json")),
            ("{\"run\": <run>}", true, None),
        ] {
            let template = format!(r#"{{"timestamp": <time>, "message": {message}}}"#);
            assert_eq!(
                message_container(&template, &paths, from_scalr),
                want,
                "{template}"
            );
        }
    }
}
