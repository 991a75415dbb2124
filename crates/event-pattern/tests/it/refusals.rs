//! What AWS answers to patterns that it refuses, and EventBridge's own limits.

use event_pattern::{
    COMPLEXITY_MAX, ErrorKind, LENGTH_MAX, LENGTH_QUOTA, Pattern, Warning, wildcard_complexity,
};
use serde_json::json;

/// The reason, and the position of AWS's parser.
fn check(pattern: &str, reason: &str, column: Option<usize>, path: &str) {
    let Err(error) = Pattern::compile(pattern) else {
        panic!("{pattern} is taken")
    };
    assert_eq!(error.reason(), reason, "{pattern}");
    assert_eq!(error.column(), column, "{pattern}");
    assert_eq!(error.path(), path, "{pattern}");
    assert_eq!(
        error.first_line(),
        format!("Event pattern is not valid. Reason: {reason}")
    );
    assert!(!error.expected().is_empty());
}

#[test]
fn reasons_are_those_of_aws() {
    check(
        r#"{"int": 42}"#,
        r#""int" must be an object or an array"#,
        Some(11),
        "int",
    );
    check(
        r#"{"string": "my-value"}"#,
        r#""string" must be an object or an array"#,
        Some(13),
        "string",
    );
    check(
        r#"{"resources": []}"#,
        "Empty arrays are not allowed",
        Some(17),
        "resources",
    );
    check(
        r#"{"my_key": [{"EXISTS": true}]}"#,
        "Unrecognized match type EXISTS",
        Some(28),
        "my_key",
    );
    check(
        r#"{"detail": {"c-count": [{"numeric": [">", 0, ">", 0]}]}}"#,
        "Bad numeric range operator: >",
        Some(49),
        "detail.c-count",
    );
    check(
        r#"{"detail": {"c-count": [{"numeric": [">", 0, "<"]}]}}"#,
        "Value of < must be numeric",
        Some(50),
        "detail.c-count",
    );
    check(
        r#"{"time": [{"prefix": 123}]}"#,
        "prefix match pattern must be a string",
        Some(25),
        "time",
    );
    check(
        r#"{"n\ud83d": [{"\ude00x": 1}]}"#,
        "Unrecognized match type ?x",
        Some(27),
        "n?",
    );
    check(r#"["a"]"#, "Filter is not an object", Some(2), "");
    check(
        r#"{"ip": [{"cidr": "xx.11.xx/8"}]}"#,
        "Nonstandard IP address: xx.11.xx",
        None,
        "ip",
    );
    check(
        r#"{"ip": [{"cidr": "10.0.0.0"}]}"#,
        "Malformed CIDR, one '/' required",
        None,
        "ip",
    );
    check(
        r#"{"a": [{"wildcard": "x**"}]}"#,
        "Consecutive wildcard characters at pos 2",
        Some(26),
        "a",
    );
}

#[test]
fn numbers_are_refused_as_java_reads_them() {
    let zero = |exponent: &str| format!(r#"{{"n": [{{"numeric": ["=", 0e{exponent}]}}]}}"#);
    assert!(Pattern::compile(&zero("2147483647")).is_ok());
    check(&zero("2147483648"), "value exceeds limits", Some(39), "n");
    check(&zero("-2147483648"), "value exceeds limits", Some(40), "n");
    let beyond = r#"{"n": [{"anything-but": 1.5e2147483649}]}"#;
    check(beyond, "value exceeds limits", None, "n");
    let mask = r#"{"n": [{"cidr": "10.0.0.0/²"}]}"#;
    check(mask, "Malformed CIDR, mask bits must be an integer", None, "n");
}

#[test]
fn a_message_names_the_place_once_or_twice() {
    let once = Pattern::compile(r#"{"int": 42}"#).unwrap_err().message();
    let line = "Event pattern is not valid. Reason: \"int\" must be an object or an array\n \
                at [Source: (String)\"{\"int\": 42}\"; line: 1, column: 11]";
    assert_eq!(once, line);
    let twice = Pattern::compile(r#"{"a": [{"anything-but": {"prefix": [1]}}]}"#)
        .unwrap_err()
        .message();
    assert_eq!(twice.matches(" at [Source: ").count(), 2);
    let control = Pattern::compile("{\"n\":\t1}\n").unwrap_err().message();
    assert!(
        control.ends_with("\n at [Source: (String)\"{\"n\":\\u00091}\n\"; line: 1, column: 8]"),
        "{control}"
    );
    let long = Pattern::compile(&format!("{{\"{}\": 1}}", "k".repeat(600)))
        .unwrap_err()
        .message();
    assert!(long.contains("\"[truncated 107 chars]; line: 1"), "{long}");
    let wide = Pattern::compile(&format!("{{\"k{}\": 1}}", "\u{1d11e}".repeat(300)))
        .unwrap_err()
        .message();
    assert!(
        wide.contains("\u{1d11e}?\"[truncated 108 chars]; line: 1"),
        "{wide}"
    );
}

#[test]
fn of_several_wrong_wildcards_the_first_in_the_engine_s_order_is_named() {
    let list = |texts: &[&str]| json!({"n": [{"anything-but": {"wildcard": texts}}]}).to_string();
    let (stars, escape) = (
        "Consecutive wildcard characters at pos 2",
        "Invalid escape character at pos 2",
    );
    check(&list(&["a**", "d**", "c\\"]), escape, Some(54), "n");
    check(&list(&["b\\x", "d**", "a**"]), stars, Some(55), "n");
}

#[test]
fn invalid_json_and_an_invalid_pattern_are_different_kinds() {
    let kind = |pattern: &str| Pattern::compile(pattern).unwrap_err().kind();
    assert_eq!(kind("{\"a\": [1]"), ErrorKind::Syntax);
    assert_eq!(kind("this"), ErrorKind::Syntax);
    assert_eq!(kind("{}"), ErrorKind::Grammar);
    assert_eq!(kind(r#"{"a": [{"cidr": "x/8"}]}"#), ErrorKind::Value);
    assert_eq!(
        kind(r#"{"a": [{"anything-but": {"prefix": []}}]}"#),
        ErrorKind::Limit
    );
}

/// The count, as the engine has it.
fn counted(pattern: &serde_json::Value, complexity: usize) {
    assert_eq!(
        wildcard_complexity(&pattern.to_string(), 1_000),
        Ok(complexity),
        "{pattern}"
    );
}

fn wildcards(texts: &[&str]) -> serde_json::Value {
    texts.iter().map(|text| json!({ "wildcard": text })).collect()
}

#[test]
fn wildcards_are_as_complex_as_the_engine_counts() {
    counted(
        &json!({"a": wildcards(&["/Users/*/dir/dir/dir/dir/dir/doc.txt"])}),
        7,
    );
    counted(&json!({"a": wildcards(&["*:*:*:*:*:event-bus/*"])}), 11);
    counted(&json!({"a": wildcards(&["abc"])}), 1);
    counted(&json!({"a": ["abc"]}), 0);
    counted(&json!({"a": wildcards(&["*"])}), 2);
    counted(&json!({"a": wildcards(&["*", "a*"])}), 4);
    counted(&json!({"a": [{"anything-but": {"wildcard": ["*x*", "x*"]}}]}), 5);
    counted(
        &json!({"a": wildcards(&["*x"]), "b": [{"prefix": "q"}, {"wildcard": "*x*x"}]}),
        4,
    );
}

#[test]
fn the_engine_s_own_mistakes_are_counted_too() {
    let complex = wildcards(&["*-*-*-*"]);
    // What is behind a field that may only be absent is not looked at.
    counted(&json!({"a": [{"exists": false}], "b": complex}), 0);
    counted(&json!({"a": [{"exists": false}, 1], "b": complex}), 7);
    // A wildcard with something after its star is not found again where it is added again.
    let again = json!([{"b": ["x"]}, {"b": ["y"]}]);
    counted(&json!({"a": wildcards(&["*q", "*"]), "$or": again}), 5);
    counted(&json!({"a": wildcards(&["*", "*q"]), "$or": again}), 4);
}

#[test]
fn wildcards_that_are_too_complex_are_refused_by_eventbridge_only() {
    let refused = json!({"a": wildcards(&["*-*-*-*-*-shop/*"])}).to_string();
    assert_eq!(wildcard_complexity(&refused, 1_000), Ok(COMPLEXITY_MAX + 1));
    assert!(Pattern::compile(&refused).is_ok());
    assert_eq!(wildcard_complexity(&refused, 3), Ok(3));
    let error = Pattern::compile_for_eventbridge(&refused).unwrap_err();
    let reason = "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after \
                  a wildcard character";
    assert_eq!((error.reason(), error.column()), (reason, None));
    assert!(Pattern::compile_for_eventbridge(&refused.replacen("-*", "-", 1)).is_ok());
}

#[test]
fn long_patterns_are_warned_of_and_then_refused() {
    let pattern = |length: usize| format!(r#"{{"a": ["{}"]}}"#, "é".repeat(length - 11));
    let warnings =
        |length: usize| Pattern::compile_for_eventbridge(&pattern(length)).map(|(_, warnings)| warnings);
    assert_eq!(warnings(LENGTH_QUOTA), Ok(Vec::new()));
    assert_eq!(
        warnings(LENGTH_QUOTA + 1),
        Ok(vec![Warning::LongerThanQuota {
            length: LENGTH_QUOTA + 1
        }])
    );
    assert!(warnings(LENGTH_MAX).is_ok());
    assert_eq!(warnings(LENGTH_MAX + 1).unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn numbers_beyond_the_guide_are_warned_of() {
    let pattern = r#"{"a": [5000000000, {"numeric": [">", 137000000000.0]}, {"numeric": ["<", 3]}]}"#;
    let (_, warnings) = Pattern::compile_for_eventbridge(pattern).unwrap();
    assert_eq!(
        warnings,
        [Warning::NumberOutOfRange {
            path: "a".to_owned(),
            number: 137e9
        }]
    );
}

#[test]
fn alternatives_that_the_engine_ignores_are_warned_of() {
    for (alternatives, want) in [
        (r#"{"a": [1, 2]}, {"a": [2, 3]}"#, &[1][..]),
        (r#"{"a": [1]}, {"a": [2]}, {"a": [3, 1], "b": ["x"]}"#, &[]),
        (r#"{"a": [1]}, {"a": [2]}, {"a": [3, 1]}"#, &[2]),
        // What is said already is not missed.
        (r#"{"a": [1, 2]}, {"a": [2]}"#, &[]),
        (r#"{"a": [1], "b": [1]}, {"a": [1], "b": [2]}"#, &[]),
        (r#"{"a": [1], "b": [1, 3]}, {"a": [1], "b": [2, 3]}"#, &[1]),
    ] {
        let pattern = format!(r#"{{"$or": [{alternatives}], "c": ["y"]}}"#);
        let (_, warnings) = Pattern::compile_for_eventbridge(&pattern).unwrap();
        let ignored: Vec<usize> = warnings
            .iter()
            .map(|warning| match warning {
                Warning::AlternativeIgnored { alternative } => *alternative,
                other => panic!("{other}"),
            })
            .collect();
        assert_eq!(ignored, want, "{pattern}");
    }
}
