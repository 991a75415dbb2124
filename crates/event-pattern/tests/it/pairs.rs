//! Single pairs that once were answered unlike the engine.

use event_pattern::{Matcher, Pattern};

fn check(pattern: &str, event: &str, expected: bool) {
    let compiled = Pattern::compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    assert_eq!(compiled.matches(event), Ok(expected), "{pattern} {event}");
    let mut matcher = Matcher::new();
    matcher.add((), &compiled);
    let found = matcher.matches(event).map(|ids| !ids.is_empty());
    assert_eq!(found, Ok(expected), "in a matcher: {pattern} {event}");
}

#[test]
fn an_alternative_behind_a_wildcard_is_lost_only_if_the_wildcard_is_found_again() {
    // Of `a` both alternatives have the same test. If the engine finds it again, the second is taken for a repeat.
    let or = r#""$or": [{"n": [4, 5]}, {"n": [5, 6]}]"#;
    for (test, kept) in [
        (r#""stop""#, false),
        (r#"{"wildcard": "st*"}"#, false),
        (r#"{"wildcard": "*op"}"#, true),
        (r#"{"anything-but": {"wildcard": ["*x", "*y"]}}"#, true),
        (r#"{"anything-but": {"wildcard": ["*x", "y*"]}}"#, false),
    ] {
        check(
            &format!(r#"{{"a": [{test}], {or}}}"#),
            r#"{"a": "stop", "n": 6}"#,
            kept,
        );
    }
}

#[test]
fn tests_behind_a_wildcard_that_is_not_found_again_are_apart() {
    let or = r#""$or": [{"n": [{"wildcard": "*q"}]}, {"n": [{"equals-ignore-case": "Q"}]}]"#;
    let event = r#"{"a": "stop", "n": "z"}"#;
    check(&format!(r#"{{"a": ["stop"], {or}}}"#), event, true);
    check(
        &format!(r#"{{"a": [{{"wildcard": "*op"}}], {or}}}"#),
        event,
        false,
    );
}

#[test]
fn the_mask_of_a_range_may_be_written_in_any_digits() {
    check(r#"{"n": [{"cidr": "10.0.0.0/٨"}]}"#, r#"{"n": "10.9.9.9"}"#, true);
    check(
        r#"{"n": [{"cidr": "10.0.0.0/+२४"}]}"#,
        r#"{"n": "10.9.9.9"}"#,
        false,
    );
}

#[test]
fn a_number_that_no_double_holds_is_lost_before_a_range_of_another_alternative() {
    let (range, event) = (r#"{"cidr": "80.0.0.0/8"}"#, r#"{"b": 5e400}"#);
    for (alternatives, matches) in [
        (r#"{"b": [5e400]}, {"b": [RANGE]}"#, false),
        (r#"{"b": [RANGE]}, {"b": [5e400]}"#, true),
    ] {
        check(
            &format!(r#"{{"$or": [{}]}}"#, alternatives.replace("RANGE", range)),
            event,
            matches,
        );
    }
}

#[test]
fn zero_has_an_exponent_that_counts() {
    check(r#"{"n": [0]}"#, r#"{"n": 0e2147483647}"#, true);
    check(r#"{"n": [0]}"#, r#"{"n": 0e2147483648}"#, false);
    check(r#"{"n": [0e2147483648]}"#, r#"{"n": 0e2147483648}"#, true);
}

#[test]
fn a_number_is_no_address_where_another_alternative_compares_numbers() {
    let event = r#"{"a": "x", "b": 5000000000}"#;
    let range = r#"{"cidr": "0.0.0.0/1"}"#;
    check(&format!(r#"{{"b": [{range}]}}"#), event, true);
    for (pattern, matches) in [
        (r#"{"$or": [{"b": [RANGE]}, {"b": [1]}]}"#, false),
        (r#"{"$or": [{"b": [1], "d": [1]}, {"b": [RANGE]}]}"#, false),
        (
            r#"{"$or": [{"a": ["x"], "b": [RANGE]}, {"a": ["x"], "b": [1]}]}"#,
            false,
        ),
        // Elsewhere the field is tried from another place.
        (
            r#"{"$or": [{"a": ["x"], "b": [RANGE]}, {"a": ["y"], "b": [1]}]}"#,
            true,
        ),
        (r#"{"$or": [{"a": ["x"], "b": [RANGE]}, {"b": [1]}]}"#, true),
        // One value leads to where the other alternative compares numbers, the other does not.
        (
            r#"{"$or": [{"a": ["x"], "b": [1]}, {"a": ["y", "x"], "b": [RANGE]}]}"#,
            false,
        ),
        (
            r#"{"$or": [{"a": ["z"], "b": [1]}, {"a": ["z", "x"], "b": [RANGE]}]}"#,
            false,
        ),
    ] {
        check(&pattern.replace("RANGE", range), event, matches);
    }
    let mixed =
        r#"{"$or": [{"a": ["x"], "b": [1]}, {"a": ["y", "x"], "b": [RANGE]}]}"#.replace("RANGE", range);
    check(&mixed, r#"{"a": "y", "b": 5000000000}"#, true);
    let pattern = r#"{
        "$or": [
            {"b": [{"numeric": ["<=", 73.9]}, ""]},
            {"d": {"$or": [{"c": [{"exists": false}]}, {"a": [{"suffix": "abab"}]}]}}
        ],
        "$or": [{"b": [{"cidr": "0.0.0.0/1"}]}, {"d": [{"numeric": [">", 23.0, "<", 232.0]}]}]
    }"#;
    check(pattern, r#"{"b": 5000000000}"#, false);
}
