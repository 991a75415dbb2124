//! What AWS answers to patterns that it refuses, and EventBridge's own limits.

use event_pattern::{COMPLEXITY_MAX, ErrorKind, LENGTH_MAX, LENGTH_QUOTA, Pattern, Warning};

/// The reason, and where AWS's parser stood.
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
fn a_message_names_the_place_once_or_twice() {
    let once = Pattern::compile(r#"{"int": 42}"#).unwrap_err().message();
    let line = "Event pattern is not valid. Reason: \"int\" must be an object or an array\n \
                at [Source: (String)\"{\"int\": 42}\"; line: 1, column: 11]";
    assert_eq!(once, line);
    let twice = Pattern::compile(r#"{"a": [{"anything-but": {"prefix": [1]}}]}"#)
        .unwrap_err()
        .message();
    assert_eq!(twice.matches(" at [Source: ").count(), 2);
    let long = Pattern::compile(&format!("{{\"{}\": 1}}", "k".repeat(600)))
        .unwrap_err()
        .message();
    assert!(long.contains("\"[truncated 107 chars]; line: 1"), "{long}");
}

#[test]
fn text_that_is_no_json_is_told_from_what_is_no_pattern() {
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

fn complexity(wildcard: &str) -> usize {
    let pattern = serde_json::json!({"a": [{"wildcard": wildcard}]});
    Pattern::compile(&pattern.to_string()).map_or(0, |pattern| pattern.wildcard_complexity())
}

#[test]
fn wildcards_are_as_complex_as_the_engine_counts() {
    assert_eq!(complexity("/Users/*/dir/dir/dir/dir/dir/doc.txt"), 7);
    assert_eq!(complexity("*:*:*:*:*:event-bus/*"), 11);
    assert_eq!(complexity("abc"), 1);
    let refused = r#"{"a": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}"#;
    assert!(complexity("*:*:*:*:*:event-bus/*") > COMPLEXITY_MAX && Pattern::compile(refused).is_ok());
    let error = Pattern::compile_for_eventbridge(refused).unwrap_err();
    let reason = "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after \
                  a wildcard character";
    assert_eq!((error.reason(), error.column()), (reason, None));
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
