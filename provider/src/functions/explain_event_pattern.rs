//! `explain_event_pattern(pattern, event)`: why an event matches a pattern, or does not.

use tfplugin::{Attrs, Dynamic, Function, FunctionError};

use super::event_pattern_matches::{Argument, both};

/// Says for each leaf of an event pattern whether the event matches it, and what the event has there.
///
/// A leaf is a field of the pattern with its list of values. Use the result in the `error_message` of a test, a `check` or a precondition. It is an object:
///
/// - `matched` (bool): whether the event matches, as `event_pattern_matches` says.
/// - `message` (string): the same in words: each leaf that the event does not match, with what the event has there and the hint; with `$or`, for each alternative.
/// - `leaves` (list of objects): every leaf, by path:
///   - `path` (string): keys that lead to it, joined by dots, such as `detail.event.result`.
///   - `matched` (bool): whether the event matches here.
///   - `expected` (string): list of the pattern, as JSON text.
///   - `found` (list of strings): what the event has there, each value as JSON text, at most 20; empty if it has nothing.
///   - `nearest` (string): if the event has nothing there, the field of the event with the most similar path, if one is similar.
///   - `hint` (string): if no event of Scalr's can match, the reason, with the nearest valid field or value; or that only the type or the case
///     of a value differs. Null if the event matches, or if another event may match.
///   - `alternative` (number): with `$or` in the pattern, which combination of its alternatives the leaf belongs to, from 0.
/// - `leaves_left_out` (number): leaves beyond the first 10,000.
/// - `split_over_elements` (bool): whether all leaves of a combination match, but with values in different elements of a list, which
///   EventBridge does not count as a match.
#[derive(Attrs, Debug)]
pub struct ExplainEventPattern {
    /// Event pattern: an object, or JSON text. A null attribute counts as absent.
    #[tf(required)]
    pattern: Dynamic,
    /// Event: an object, or JSON text such as `provider::scalr::sample_event("RunExecuted")`. A null attribute of an
    /// object counts as absent; in JSON text null is null.
    #[tf(required)]
    event: Dynamic,
}

/// What a pattern makes of an event.
#[derive(Attrs, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whether the event matches.
    #[tf(computed)]
    matched: bool,
    /// The same in words.
    #[tf(computed)]
    message: String,
    /// Every leaf of the pattern.
    #[tf(computed)]
    leaves: Vec<Leaf>,
    /// Leaves beyond those.
    #[tf(computed)]
    leaves_left_out: i64,
    /// Leaves are matched by values in different elements of a list.
    #[tf(computed)]
    split_over_elements: bool,
}

/// A field of a pattern with its list of values.
#[derive(Attrs, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Keys that lead to it.
    #[tf(computed)]
    path: String,
    /// Whether the event matches here.
    #[tf(computed)]
    matched: bool,
    /// List of the pattern, as JSON text.
    #[tf(computed)]
    expected: String,
    /// What the event has there, as JSON texts.
    #[tf(computed)]
    found: Vec<String>,
    /// The nearest field of the event, where it has nothing there.
    #[tf(computed)]
    nearest: Option<String>,
    /// What to write instead.
    #[tf(computed)]
    hint: Option<String>,
    /// The combination of alternatives that it belongs to.
    #[tf(computed)]
    alternative: i64,
}

impl Function for ExplainEventPattern {
    const NAME: &'static str = "explain_event_pattern";
    type Output = Explanation;

    fn call(self) -> Result<Explanation, FunctionError> {
        let explained = both(&self.pattern, &self.event, scalr_events::explain);
        explained
            .map(Explanation::from)
            .map_err(|(argument, text)| match argument {
                Argument::Pattern => FunctionError::new(text).at(Self::pattern()),
                Argument::Event => FunctionError::new(text).at(Self::event()),
            })
    }
}

impl From<scalr_events::Explained> for Explanation {
    fn from(explained: scalr_events::Explained) -> Self {
        let message = explained.message();
        let scalr_events::Explained { engine, hints } = explained;
        Self {
            matched: engine.matched,
            message,
            leaves_left_out: count(engine.leaves_left_out),
            split_over_elements: engine.split_over_elements,
            leaves: engine.leaves.into_iter().zip(hints).map(Leaf::from).collect(),
        }
    }
}

impl From<(event_pattern::Leaf, Option<String>)> for Leaf {
    fn from((leaf, hint): (event_pattern::Leaf, Option<String>)) -> Self {
        Self {
            path: leaf.path,
            matched: leaf.matched,
            expected: leaf.expected,
            found: leaf.found,
            nearest: leaf.nearest,
            hint,
            alternative: count(leaf.alternative),
        }
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use event_pattern::Pattern;

    use super::*;
    use crate::tests::snapshot;

    const RUN: &str = r#"{"detail-type": "RunExecuted", "detail": {"event": {"result": "applied", "workspace": "web"}, "tags": ["a", "b"]}}"#;

    fn explain(pattern: &str) -> Explanation {
        let pattern = Pattern::compile(pattern).expect("a pattern");
        Explanation::from(scalr_events::explain(&pattern, RUN).expect("an event"))
    }

    #[test]
    fn every_leaf_says_what_the_event_has() {
        let explained = explain(
            r#"{"detail-type": ["RunExecuted"], "detail": {"event": {"result": ["errored"], "workspce": ["web"]}, "tags": ["a"]}}"#,
        );
        let shown: Vec<_> = explained
            .leaves
            .iter()
            .map(|leaf| (leaf.path.as_str(), leaf.matched, leaf.found.join(" ")))
            .collect();
        for want in [
            ("detail-type", true, r#""RunExecuted""#.to_owned()),
            ("detail.event.result", false, r#""applied""#.to_owned()),
            ("detail.event.workspce", false, String::new()),
            ("detail.tags", true, r#""a" "b""#.to_owned()),
        ] {
            assert!(shown.contains(&want), "{want:?} is not in {shown:?}");
        }
        assert!(!explained.matched && shown.len() == 4);
        let near = explained.leaves.iter().filter_map(|leaf| leaf.nearest.as_deref());
        assert_eq!(near.collect::<Vec<_>>(), ["detail.event.workspace"]);
    }

    /// What a user reads of each kind of miss.
    #[test]
    fn every_miss_has_its_sentence() {
        let many: Vec<String> = (0..30).map(|at| format!(r#""f{at}": ["x"]"#)).collect();
        let said = [
            r#"{"detail-type": ["RunExecuted"]}"#,
            r#"{"detail": {"event": {"result": ["errored"], "workspce": ["web"], "nothing-like-it": ["x"]}}}"#,
            r#"{"detail-type": ["RunExecuted"], "$or": [{"detail": {"event": {"result": ["errored"]}}}, {"detail": {"tags": ["c"]}}]}"#,
            r#"{"detail": {"event": {"result": [{"exists": false}]}}}"#,
            r#"{"detail": {"event": {"result": ["erorred"], "workspace": ["Web"]}, "tags": ["scalr-workspace:web"]}}"#,
            &format!("{{{}}}", many.join(", ")),
        ]
        .map(|pattern| explain(pattern).message);
        let split = Pattern::compile(r#"{"a": {"b": [1], "c": [2]}}"#).expect("a pattern");
        let split = scalr_events::explain(&split, r#"{"a": [{"b": 1, "c": 9}, {"b": 9, "c": 2}]}"#)
            .expect("an event");
        assert!(split.engine.split_over_elements);
        snapshot::check("explained.txt", said.into_iter().chain([split.message()]));
    }
}
