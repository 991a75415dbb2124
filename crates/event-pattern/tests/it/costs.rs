//! What a pattern and an event may cost: patterns and events that are legal and as costly as they can be.

use event_pattern::{COMBINATIONS_MAX, ErrorKind, EventError, Matcher, Pattern, STEPS_MAX};
use serde_json::{Value, json};

/// A pattern whose `$or` lists have so many members each.
fn combinations(widths: &[usize]) -> Value {
    let mut pattern = json!({ "source": ["s"] });
    for (at, width) in widths.iter().enumerate() {
        let list: Vec<Value> = (0..*width)
            .map(|n| json!({ (format!("f{at}")): [n.to_string()] }))
            .collect();
        pattern[format!("o{at}")] = json!({ "$or": list });
    }
    pattern
}

/// EventBridge's guide, "Comparison operators for use in event patterns": more than 1000 combinations are an error.
#[test]
fn combinations_of_or_are_limited_as_the_guide_says() {
    for (widths, taken) in [
        (&[31, 32][..], true),
        (&[32, 32], false),
        (&[10, 10, 10], true),
        (&[7, 11, 13], false),
        (&[10, 10, 10, 10], false),
        (&[10, 10, 10, 10, 2], false),
        (&[2, 2, 2, 2, 2, 2, 2, 2, 2], true),
        (&[2, 2, 2, 2, 2, 2, 2, 2, 2, 2], false),
    ] {
        let pattern = combinations(widths).to_string();
        let compiled = Pattern::compile_for_eventbridge(&pattern);
        let refused = compiled
            .as_ref()
            .err()
            .map(|error| (error.kind(), error.reason()));
        let reason = "Rule is too complex - too many combinations of $or";
        let expected = (!taken).then_some((ErrorKind::Limit, reason));
        assert_eq!(refused, expected, "{widths:?}");
        let count: usize = widths.iter().product();
        // The engine itself has no such limit, and ours is larger.
        assert_eq!(Pattern::compile(&pattern).is_ok(), count <= 10_000, "{widths:?}");
        assert_eq!(count <= COMBINATIONS_MAX, taken, "{widths:?}");
    }
}

fn many<T>(count: usize, one: impl Fn(usize) -> T) -> Vec<T> {
    (0..count).map(one).collect()
}

/// Patterns of which much is made, by what.
fn costly_patterns() -> Vec<(&'static str, Value)> {
    let or = |count: usize, one: &dyn Fn(usize) -> Value| json!(many(count, one));
    let wildcard = |n: usize| json!({ "wildcard": format!("*{n}-abcdefghijklmnopqrstuvwxyz-{n}*z") });
    vec![
        ("a thousand combinations", combinations(&[10, 10, 10])),
        (
            "a wildcard that each combination adds again",
            json!({
                "a": [{ "wildcard": "*abcdefghijklmnopqrstuvwxyz0123456789" }, { "equals-ignore-case": "Aa" }],
                "$or": or(500, &|n| json!({ "b": [n] })),
            }),
        ),
        (
            "lists that overlap in every combination",
            json!({
                "a": many(60, |n| json!(n.to_string())),
                "$or": or(30, &|n| json!({ "b": many(30, |m| json!((n + m).to_string())) })),
                "x": { "$or": or(30, &|n| json!({ "c": many(10, |m| json!((n + m).to_string())) })) },
            }),
        ),
        (
            "many wildcards of one field",
            json!({ "a": many(100, |n| wildcard(n % 37)) }),
        ),
        (
            "wildcards that deny",
            json!({ "a": [{ "anything-but": { "wildcard": many(60, |n| format!("*{n}*x*{n}")) } }] }),
        ),
        (
            "wildcards beside what ignores case, in every combination",
            json!({ "$or": or(40, &|n| json!({
                "a": [{ "wildcard": format!("{n}*b*c") }, { "equals-ignore-case": format!("É{n}") }, { "suffix": format!("{n}") }],
                "b": [{ "wildcard": format!("*{n}") }, { "suffix": { "equals-ignore-case": "x" } }],
                "c": [{ "numeric": [">", n] }, n.to_string()],
            })) }),
        ),
    ]
}

#[test]
fn what_is_made_of_a_pattern_is_bounded() {
    for (what, pattern) in costly_patterns() {
        let text = pattern.to_string();
        match Pattern::compile(&text) {
            Ok(pattern) => assert!(pattern.bytes() < 24 << 20, "{what}: {} bytes", pattern.bytes()),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Limit, "{what}: {error}"),
        }
        // It ends, whatever it says.
        let _ = Pattern::compile_for_eventbridge(&text);
    }
}

/// An event of two lists that have nothing to do with each other, and a third that no pattern finds anything in.
fn lists(len: usize) -> String {
    json!({ "source": "s", "a": many(len, |n| json!({ "x": n, "y": 0 })), "b": many(len, |n| json!({ "x": n, "y": 0 })) })
        .to_string()
}

const COSTLY: &str = r#"{"a": {"x": [{"numeric": [">=", 0]}], "y": [1, {"numeric": ["<", 1]}]},
    "b": {"x": [{"numeric": [">=", 0]}], "y": [{"numeric": [">", 0]}, 0], "z": [{"exists": false}]}, "c": [{"exists": true}]}"#;

#[test]
fn steps_are_counted_and_an_ordinary_rule_is_decided_beside_a_costly_one() {
    let mut matcher = Matcher::new();
    let costly = r#"{"a": {"x": [{"numeric": [">=", 0]}], "y": [5, 0]}, "b": {"x": [{"anything-but": [-1]}], "y": [5, 0], "q": [1]}, "source": ["s"]}"#;
    for id in 0..3 {
        matcher.add(id, &Pattern::compile(costly).unwrap());
    }
    matcher.add(9, &Pattern::compile(r#"{"source": ["s"]}"#).unwrap());
    matcher.add(8, &Pattern::compile(COSTLY).unwrap());
    for given in [1_000, 100_000, STEPS_MAX] {
        for len in [1, 10, 1_000, 10_000] {
            let mut steps = given;
            let found = matcher.matches_within(&lists(len), &mut steps).unwrap();
            assert!(steps <= given);
            let easy = found.matched.contains(&&9);
            assert!(
                easy || (given < STEPS_MAX && found.undecided.contains(&&9)),
                "{given} steps, lists of {len}: {found:?}"
            );
            if found.undecided.is_empty() {
                assert!(steps > 0, "{given} steps, lists of {len}");
            }
        }
    }
}

/// More ways through two long lists than are tried, and an event that has them.
fn hopeless(len: usize) -> (String, String) {
    let pattern = json!({ "p": { "a": [1] }, "p.b": { "aa": [1], "zz": [1] } });
    let mut p = many(len, |_| json!({ "a": 1 }));
    p.push(json!({ "b": { "zz": 1 } }));
    let mut pb = many(len, |_| json!({ "aa": 1 }));
    pb.push(json!({ "zz": 1 }));
    (
        pattern.to_string(),
        json!({ "source": "s", "p": p, "p.b": pb }).to_string(),
    )
}

#[test]
fn an_event_that_takes_too_many_steps_is_an_error() {
    let (pattern, event) = hopeless(800);
    let pattern = Pattern::compile(&pattern).unwrap();
    assert_eq!(pattern.matches(&event), Err(EventError::TooComplex));
    assert_eq!(pattern.explain(&event), Err(EventError::TooComplex));
    let mut steps = 1_000;
    assert_eq!(
        pattern.matches_within(&event, &mut steps),
        Err(EventError::TooComplex)
    );
    assert_eq!(steps, 0);
    assert_eq!(pattern.matches(&hopeless(300).1), Ok(false));

    let mut matcher = Matcher::new();
    matcher.add("hopeless", &pattern);
    matcher.add("easy", &Pattern::compile(r#"{"source": ["s"]}"#).unwrap());
    let found = matcher.matches_within(&event, &mut STEPS_MAX.clone()).unwrap();
    assert_eq!(
        (found.matched, found.undecided),
        (vec![&"easy"], vec![&"hopeless"])
    );
    assert_eq!(matcher.matches(&event).map(drop), Err(EventError::TooComplex));
}

/// Long keys around many fields, of which the near ones would each have a long path.
#[test]
fn an_explanation_is_bounded() {
    let fields: serde_json::Map<String, Value> = many(20_000, |n| (format!("k{n}"), json!(n)))
        .into_iter()
        .collect();
    let event = json!({ ("x".repeat(100_000)): fields.clone(), "a": fields }).to_string();
    let lists: Vec<Value> = many(
        1_000,
        |n| json!({ (format!("f{n}")): ["v"], "a": ["v"], "b": ["w"], "c": ["w"] }),
    );
    let pattern = Pattern::compile(&json!({ "$or": lists, "z1": ["a"], "z2": ["a"], "z3": [1], "z4": [1], "z5": [1], "z6": [1], "z7": [1] }).to_string()).unwrap();
    let explanation = pattern.explain(&event).unwrap();
    assert_eq!(explanation.leaves.len(), event_pattern::LEAVES_MAX);
    assert_eq!(
        explanation.leaves_left_out,
        1_000 * 11 - event_pattern::LEAVES_MAX
    );
    assert!(
        explanation
            .leaves
            .iter()
            .all(|leaf| leaf.nearest.as_ref().is_none_or(|near| near.len() < 600))
    );
    let long = json!({ "a": "v".repeat(1_000_000) }).to_string();
    let shown = Pattern::compile(r#"{"a": ["w"]}"#)
        .unwrap()
        .explain(&long)
        .unwrap();
    assert!(shown.leaves[0].found[0].len() < 5_000);
}
