//! Whatever is put in, an answer comes out, and a value matches itself.

use event_pattern::{COMPLEXITY_MAX, EventError, Matcher, Pattern, wildcard_complexity};
use proptest::prelude::*;
use serde_json::{Value, json};

/// JSON of all kinds, nested a little.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c\\\\\"*é😀]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from);
        let map = prop::collection::btree_map(
            "(\\$or|prefix|exists|anything-but|numeric|[a-c.]{0,2})",
            inner,
            0..4,
        );
        prop_oneof![list, map.prop_map(|map| Value::Object(map.into_iter().collect()))]
    })
}

/// JSON with a few bytes changed, which mostly is none any more.
fn nearly_json() -> impl Strategy<Value = String> {
    (
        any_json(),
        prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 0..3),
    )
        .prop_map(|(json, changes)| {
            let mut chars: Vec<char> = json.to_string().chars().collect();
            for (at, c) in changes {
                let at = at.index(chars.len());
                chars[at] = c;
            }
            chars.into_iter().collect()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(pattern in nearly_json(), event in nearly_json()) {
        if let Ok(pattern) = Pattern::compile(&pattern) {
            let matched = pattern.matches(&event);
            if let Ok(why) = pattern.explain(&event) {
                prop_assert_eq!(matched, Ok(why.matched));
            }
        }
    }

    #[test]
    fn an_event_is_refused_exactly_if_it_is_no_json_object(event in nearly_json()) {
        let pattern = Pattern::compile(r#"{"a": [{"exists": true}]}"#).unwrap();
        let mut values = serde_json::Deserializer::from_str(&event).into_iter::<Value>();
        let object = values.next().is_some_and(|first| first.is_ok_and(|json| json.is_object()));
        // A lone surrogate is no text to others, and one to the engine.
        if !event.contains("\\u") {
            prop_assert_eq!(pattern.matches(&event).is_ok(), object, "{}", event);
        }
    }

    #[test]
    fn a_value_matches_itself(value in any_json()) {
        if !value.is_object() && !value.is_array() {
            let pattern = Pattern::compile(&json!({"a": {"b": [value]}}).to_string()).unwrap();
            prop_assert_eq!(pattern.matches(&json!({"a": [{"b": 0.5}, {"b": [value]}]}).to_string()), Ok(true));
        }
    }

    #[test]
    fn a_matcher_forgets(patterns in prop::collection::vec(any_json(), 0..12), event in any_json()) {
        let mut matcher = Matcher::new();
        for (id, pattern) in patterns.iter().enumerate() {
            if let Ok(pattern) = Pattern::compile(&pattern.to_string()) {
                matcher.add(id, &pattern);
            }
        }
        // It always has one rule at least, and so gives up what it kept of the event with the last.
        matcher.add(patterns.len(), &Pattern::compile(r#"{"a": [1, {"exists": false}]}"#).unwrap());
        let _ = matcher.matches(&event.to_string());
        (0..=patterns.len()).for_each(|id| { matcher.remove(&id); });
        prop_assert_eq!(format!("{:?}", matcher), format!("{:?}", Matcher::<usize>::new()));
    }
}

/// Answers in time, whatever the answer is.
fn check(pattern: &str, event: &str) -> Result<bool, EventError> {
    let started = std::time::Instant::now();
    let answer = Pattern::compile(pattern).map_or(Ok(false), |pattern| pattern.matches(event));
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    answer
}

#[test]
fn hostile_wildcards_are_matched_in_time() {
    let stars = "a*".repeat(2_000);
    let pattern = json!({"a": [{"wildcard": format!("{stars}b")}]}).to_string();
    assert_eq!(
        check(&pattern, &json!({"a": "a".repeat(200_000)}).to_string()),
        Ok(false)
    );
}

#[test]
fn alternatives_that_multiply_are_refused() {
    let or = r#""$or":[{"a":[1]},{"b":[1]}],"#.repeat(100);
    assert!(Pattern::compile(&format!("{{{or}\"c\":[1]}}")).is_err());
}

#[test]
fn wide_arrays_are_decided_in_time() {
    let elements: Vec<Value> = (0..3_000).map(|n| json!({"x": n, "y": n + 1, "z": n})).collect();
    let event = json!({"a": elements}).to_string();
    let pattern = r#"{"a": {"x": [{"exists": true}], "y": [{"numeric": [">", 0]}], "z": [2999], "w": [{"exists": false}]}}"#;
    assert_eq!(check(pattern, &event), Ok(true));
    let pattern = r#"{"a": {"x": [1], "y": [{"numeric": [">", 0]}], "z": [2]}}"#;
    assert_eq!(check(pattern, &event), Ok(false));
}

#[test]
fn repeated_keys_in_arrays_end() {
    let array = r#""a":[{"x":1},{"y":1},{"z":1},{"w":1}],"#.repeat(40);
    let event = format!("{{{array}\"b\":1}}");
    let pattern = r#"{"a":{"x":[1],"y":[1],"z":[1],"w":[1],"v":[2]}}"#;
    assert_eq!(check(pattern, &event), Ok(false));
    let pattern = r#"{"a":{"x":[1],"y":[1],"z":[{"anything-but":1}],"w":[1]}}"#;
    assert_eq!(check(pattern, &event), Ok(false));
}

#[test]
fn deep_nesting_is_refused() {
    let deep = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    assert!(check(r#"{"a": [1]}"#, &deep(1_000)).is_ok());
    assert!(check(r#"{"a": [1]}"#, &deep(1_001)).is_err());
    assert!(Pattern::compile(&deep(100_000)).is_err());
}

#[test]
fn hostile_patterns_are_counted_in_time() {
    let stars = "a*".repeat(2_000);
    let many: Vec<Value> = (0..150)
        .map(|n| json!({ "wildcard": format!("a{n}*b*c") }))
        .collect();
    let long: Vec<Value> = (0..9).map(|_| json!({ "wildcard": "*ab".repeat(100) })).collect();
    let or = |n: usize| format!(r#""$or":[{{"a{n}":[{{"wildcard":"*a"}}]}},{{"b{n}":[{{"suffix":"b"}}]}}]"#);
    let alternatives = (0..7).map(or).collect::<Vec<_>>().join(",");
    for pattern in [
        json!({"a": [{ "wildcard": stars }]}).to_string(),
        json!({ "a": many }).to_string(),
        json!({ "a": long }).to_string(),
        format!("{{{alternatives}}}"),
    ] {
        let started = std::time::Instant::now();
        assert!(
            wildcard_complexity(&pattern, COMPLEXITY_MAX + 1).is_ok(),
            "{pattern}"
        );
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }
}

#[test]
fn long_lists_are_compiled_in_time() {
    let list = |item: &str| format!(r#"{{"a":[{}{{"cidr":"10.0.0.0/8"}}]}}"#, item.repeat(30_000));
    assert_eq!(check(&list("null,"), r#"{"a": null}"#), Ok(true));
    assert_eq!(check(&list("12345678901234567890,"), r#"{"a": 1}"#), Ok(false));
    let items: Vec<String> = (0..5_000).map(|n| format!("*{n}x")).collect();
    let denied = json!({"a": [{"anything-but": {"wildcard": items}}]}).to_string();
    assert_eq!(check(&denied, r#"{"a": "7x"}"#), Ok(false));
}
