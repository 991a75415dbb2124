//! The fields that a jq filter reads, and those of them that no event had: jq makes `null` of a misspelt one, and says nothing.

use std::collections::BTreeSet;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{self, BinaryOp, Term};
use jaq_core::path::{Opt, Part};
use scalr_events::{EventType, catalogue, nearest};
use serde_json::Value;

/// Fields of a filter that are looked at.
const PATHS_MAX: usize = 50;
/// Depth of a filter that is looked into.
const DEPTH_MAX: usize = 100;

/// The keys that lead to a value.
type Path = Vec<String>;

/// The fields of a filter that no event had so far.
pub(in crate::cli) struct Unseen {
    paths: BTreeSet<Path>,
    has_seen_one: bool,
}

impl Unseen {
    /// The fields that a filter reads from the event itself. Those behind `//` and `?` may be missing.
    pub(super) fn of(code: &str) -> Self {
        let mut paths = BTreeSet::new();
        if let Some(term) = jaq_core::load::parse(code, |parser: &mut parse::Parser<'_, '_>| parser.term()) {
            walk(&term, &[Path::new()], DEPTH_MAX, &mut paths);
        }
        Self {
            paths,
            has_seen_one: false,
        }
    }

    /// An event has come.
    pub(in crate::cli) fn see(&mut self, json: &str) {
        if self.paths.is_empty() {
            return;
        }
        let Ok(event) = serde_json::from_str::<Value>(json) else {
            return;
        };
        self.has_seen_one = true;
        self.paths.retain(|path| !has(&event, path));
    }

    /// What is to be said once of the fields that no event had; nothing before there was one.
    pub(in crate::cli) fn warnings(&mut self) -> Vec<String> {
        if !self.has_seen_one {
            return Vec::new();
        }
        let all = std::mem::take(&mut self.paths);
        // Of a field that is missing, what is behind it is missing too.
        let is_first = |path: &&Path| !(1..path.len()).any(|to| all.contains(&path[..to]));
        all.iter().filter(is_first).map(|path| warning(path)).collect()
    }
}

fn has(event: &Value, path: &[String]) -> bool {
    let found = path.iter().try_fold(event, |at, key| at.get(key));
    found.is_some()
}

/// Collects the paths that a filter reads from values at these paths, and returns the paths of its results; none where they are of values
/// that it makes.
fn walk(term: &Term<&str>, from: &[Path], depth: usize, read: &mut BTreeSet<Path>) -> Vec<Path> {
    let Some(depth) = depth.checked_sub(1) else {
        return Vec::new();
    };
    let mut walked = |term: &Term<&str>, from: &[Path]| walk(term, from, depth, read);
    match term {
        Term::Id => from.to_vec(),
        Term::Path(of, path) => {
            let of = walked(of, from);
            steps(&of, path, read)
        }
        Term::BinOp(left, BinaryOp::Pipe(None), right) => {
            let middle = walked(left, from);
            walked(right, &middle)
        }
        Term::BinOp(left, BinaryOp::Comma, right) => [walked(left, from), walked(right, from)].concat(),
        Term::BinOp(left, BinaryOp::Or | BinaryOp::And | BinaryOp::Math(_) | BinaryOp::Cmp(_), right) => {
            walked(left, from);
            walked(right, from);
            Vec::new()
        }
        Term::Call("select", args) => {
            for arg in args {
                walked(arg, from);
            }
            from.to_vec()
        }
        Term::Arr(Some(inner)) | Term::Neg(inner) => {
            walked(inner, from);
            Vec::new()
        }
        Term::Str(_, parts) => {
            for part in parts {
                if let StrPart::Term(inner) = part {
                    walked(inner, from);
                }
            }
            Vec::new()
        }
        Term::Obj(members) => {
            for value in members.iter().filter_map(|(_, value)| value.as_ref()) {
                walked(value, from);
            }
            Vec::new()
        }
        Term::IfThenElse(cases, _) => {
            // Which case is taken is not known before.
            for (condition, _) in cases.iter().take(1) {
                walked(condition, from);
            }
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// The paths behind the steps of a path, as far as these are keys.
fn steps(from: &[Path], path: &jaq_core::path::Path<Term<&str>>, read: &mut BTreeSet<Path>) -> Vec<Path> {
    let mut at = from.to_vec();
    let mut is_whole = true;
    for (part, opt) in &path.0 {
        let key = match (part, opt) {
            (Part::Index(Term::Str(None, parts)), Opt::Essential) => match parts.as_slice() {
                [StrPart::Str(key)] => *key,
                _ => "",
            },
            _ => "",
        };
        if key.is_empty() {
            is_whole = false;
            break;
        }
        for path in &mut at {
            path.push(key.to_owned());
        }
    }
    for path in at.iter().filter(|path| !path.is_empty()) {
        if read.len() < PATHS_MAX {
            read.insert(path.clone());
        }
    }
    if is_whole { at } else { Vec::new() }
}

fn warning(path: &[String]) -> String {
    let shown = in_jq(path.iter().map(String::as_str));
    let dotted = path.join(".");
    let of = EventType::ALL
        .into_iter()
        .find(|event_type| catalogue::fields(*event_type).any(|field| is_at_or_below(field.path, &dotted)));
    if let Some(event_type) = of {
        return format!("no event had the field `{shown}`, which is one of {event_type} events");
    }
    let meant = meant(path).map_or_else(String::new, |field| {
        format!("; the nearest is `{}`", in_jq(field.split('.')))
    });
    format!("no event had the field `{shown}`{meant}")
}

/// Whether a field is at this path, or below.
fn is_at_or_below(field: &str, path: &str) -> bool {
    let rest = field.strip_prefix(path);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The path that was probably meant by one that no event has: its first wrong key replaced by the nearest one there, or else the field
/// that has its last key's name.
fn meant(path: &[String]) -> Option<String> {
    let fields = || EventType::ALL.into_iter().flat_map(catalogue::fields);
    let exists = |path: &str| fields().any(|field| is_at_or_below(field.path, path));
    let right = (0..path.len())
        .rev()
        .find(|to| *to == 0 || exists(&path[..*to].join(".")))?;
    let before = path[..right].join(".");
    let below = fields().filter_map(|field| {
        let rest = if before.is_empty() {
            field.path
        } else {
            field.path.strip_prefix(&before)?.strip_prefix('.')?
        };
        rest.split('.').next()
    });
    let with = |key: &str| {
        let rest = path[right + 1..].iter().map(String::as_str);
        let keys = path[..right].iter().map(String::as_str).chain([key]).chain(rest);
        keys.collect::<Vec<_>>().join(".")
    };
    let near = nearest(&path[right], below).map(with).filter(|path| exists(path));
    near.or_else(|| {
        let last = path.last()?;
        let mut found = EventType::ALL
            .into_iter()
            .filter_map(|of| catalogue::find(of, last));
        if let Some(field) = found.next() {
            return Some(field.path.to_owned());
        }
        let names = fields().filter_map(|field| field.path.rsplit('.').next());
        let near = nearest(last, names)?;
        fields()
            .find(|field| field.path.rsplit('.').next() == Some(near))
            .map(|field| field.path.to_owned())
    })
}

/// A path as jq reads it.
pub(super) fn in_jq<'a>(keys: impl Iterator<Item = &'a str>) -> String {
    let is_plain = |key: &str| {
        key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let step = |(at, key): (usize, &str)| match (is_plain(key), at) {
        (true, _) => format!(".{key}"),
        (false, 0) => format!(".[{}]", Value::from(key)),
        (false, _) => format!("[{}]", Value::from(key)),
    };
    keys.enumerate().map(step).collect()
}

#[cfg(test)]
mod tests {
    use scalr_events::sample_text;

    use super::*;

    #[track_caller]
    fn check(code: &str, want: &[&str]) {
        let mut unseen = Unseen::of(code);
        assert_eq!(unseen.warnings(), Vec::<String>::new(), "{code}: before an event");
        unseen.see(sample_text(EventType::RunExecuted));
        unseen.see("no JSON");
        let said = unseen.warnings();
        assert_eq!(said.len(), want.len(), "{code}: {said:?}");
        for (said, want) in said.iter().zip(want) {
            assert_eq!(
                said.strip_prefix("no event had the field "),
                Some(*want),
                "{code}"
            );
        }
        assert_eq!(unseen.warnings(), Vec::<String>::new(), "{code}: once");
    }

    #[test]
    fn a_field_that_no_event_had_is_named_with_the_nearest() {
        let reslt = "`.detail.event.reslt`; the nearest is `.detail.event.result`";
        for code in [
            ".detail.event.reslt",
            ".detail.event | .reslt",
            ".detail | .event | .result, .reslt",
            "select(.detail.event.reslt == \"errored\") | .detail.event.result",
            "select(.detail.event.result == \"errored\") | .detail.event.reslt",
            "{run: .detail.event.reslt}",
            "[.detail.event.reslt]",
            "\"it \\(.detail.event.reslt)\"",
            ".detail.event.reslt + \" x\"",
            "if .detail.event.reslt then 1 else 2 end",
            ".detail.event.reslt | ascii_upcase",
            ".detail.event.reslt | .more",
        ] {
            check(code, &[reslt]);
        }
        check(
            ".detial.event.result",
            &["`.detial.event.result`; the nearest is `.detail.event.result`"],
        );
        check(".result", &["`.result`; the nearest is `.detail.event.result`"]);
        check(
            ".detail.event.runid",
            &["`.detail.event.runid`; the nearest is `.detail.event[\"run-id\"]`"],
        );
        check(
            ".detail.request.action",
            &["`.detail.request.action`, which is one of AuditLog events"],
        );
        check(".colour", &["`.colour`"]);
    }

    #[test]
    fn what_may_be_missing_or_is_made_is_not_warned_of() {
        for code in [
            ".",
            ".detail.event.result",
            ".detail.event.\"run-id\"",
            ".detail.tags[0]",
            ".detail.tags[].nothing",
            ".detail.event.reslt // \"none\"",
            ".detail.event.reslt?",
            ".detail.event | keys",
            "{a: 1} | .b",
            ".detail.event | to_entries | .nothing",
            "if .detail.event.result == \"x\" then .nothing else 1 end",
            "no filter (",
        ] {
            check(code, &[]);
        }
    }

    #[test]
    fn a_filter_with_many_fields_is_read_to_a_bound() {
        let many: Vec<String> = (0..200).map(|n| format!(".a{n}")).collect();
        let mut unseen = Unseen::of(&many.join(", "));
        unseen.see("{}");
        assert_eq!(unseen.warnings().len(), PATHS_MAX);
    }
}
