//! The path that was probably meant by an unknown filter: jq reads `-` in the name of a field as a difference, and a field without its
//! first dot as a filter.

use scalr_events::{EventType, catalogue};

use super::paths::in_jq;

/// The path in which this name of an unknown filter was probably meant as a field, as jq reads it.
pub(super) fn path(code: &str, name: &str) -> Option<String> {
    let is_of_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut before = None;
    // Behind a bracket or a text is the end of a path only.
    code.split_inclusive(|c| !is_of_path(c)).find_map(|part| {
        let word = part.trim_end_matches(|c| !is_of_path(c));
        let is_whole = !matches!(before, Some(']' | ')' | '"' | '?'));
        before = part.chars().last();
        (is_whole && is_meant(word, name)).then(|| in_jq(word.strip_prefix('.').unwrap_or(word).split('.')))
    })
}

/// Whether a word of a filter is a path, apart from this name in it.
fn is_meant(word: &str, name: &str) -> bool {
    let has_dot = word.starts_with('.');
    let mut keys = word.strip_prefix('.').unwrap_or(word).split('.');
    if keys.clone().any(str::is_empty) {
        return false;
    }
    let first = keys.clone().next().unwrap_or_default();
    let is_field = has_dot || is_of_event(first);
    let is_first = !has_dot && first.split('-').next() == Some(name);
    is_field && (is_first || keys.any(|key| key.split('-').skip(1).any(|part| part == name)))
}

/// Whether an event has this key at its top.
fn is_of_event(key: &str) -> bool {
    let mut fields = EventType::ALL.into_iter().flat_map(catalogue::fields);
    fields.any(|field| field.path.split('.').next() == Some(key))
}
