//! The filters of subscribers: what each scope takes and matches.

use event_pattern::{FILTER_BYTES_MAX, Filters, Parts, STEPS_MAX, Scope};

const EVENT: Parts<'_> = Parts {
    data: r#"{"source":"aws.partner/scalr.com/a","detail":{"event":{"result":"errored","duration":137000000000.0}}}"#,
    metadata: r#"{"tenant":"acme"}"#,
    system_metadata: r#"{"aws:Source":"aws.partner/scalr.com/a","aws:SequenceNumber":"10000000000000015000"}"#,
};

const SCOPES: [Scope; 3] = Scope::ALL;

fn check(filters: &[(Scope, &str)], event: &Parts<'_>, expected: bool) {
    let compiled = Filters::compile(filters.iter().copied());
    let matched = compiled.map(|all| all.matches_within(event, None, &mut { STEPS_MAX }));
    assert_eq!(matched, Ok(Ok(expected)), "{filters:?} {event:?}");
}

#[test]
fn all_filters_must_match_their_part_of_the_event() {
    let [data, metadata, system] = SCOPES;
    let errored = (data, r#"{"detail":{"event":{"result":["errored"]}}}"#);
    for (filters, expected) in [
        (vec![], true),
        (vec![errored], true),
        (
            vec![(
                data,
                r#"{"detail":{"event":{"result":[{"anything-but":{"prefix":"err"}}]}}}"#,
            )],
            false,
        ),
        (
            vec![(data, r#"{"detail":{"event":{"duration":[{"numeric":[">",1]}]}}}"#)],
            true,
        ),
        (vec![(metadata, r#"{"tenant":["acme","b"]}"#)], true),
        (vec![(metadata, r#"{"tenant":["b"]}"#)], false),
        (vec![(system, r#"{"aws:Source":[{"prefix":"aws."}]}"#)], true),
        // Its values are texts.
        (
            vec![(system, r#"{"aws:SequenceNumber":[{"numeric":[">",1]}]}"#)],
            false,
        ),
        (vec![errored, (metadata, r#"{"tenant":["acme"]}"#)], true),
        (vec![errored, (metadata, r#"{"tenant":["b"]}"#)], false),
        // A field may have an operator's name.
        (vec![(data, r#"{"wildcard":[{"exists":false}]}"#)], true),
    ] {
        check(&filters, &EVENT, expected);
    }
}

#[test]
fn data_may_be_an_array_or_no_json_at_all() {
    let pattern = [(Scope::Data, r#"{"a":["x"],"$or":[{"b":[1]},{"c":[1]}]}"#)];
    for (data, expected) in [
        (r#" [{"a":"x","c":1}]"#, true),
        (r#"[{"a":"y"},{"a":"x","b":1}]"#, true),
        (r#"[{"a":"y"}]"#, false),
        ("[", false),
        ("\"x\"", false),
        ("plain", false),
        ("", false),
    ] {
        check(&pattern, &Parts { data, ..EVENT }, expected);
    }
}

#[test]
fn refusals_name_the_rule_that_was_broken() {
    let [data, metadata, system] = SCOPES;
    let wildcard = "Filter pattern must not contain wildcard matchers (wildcard, anything-but wildcard)";
    let not_exact = "A METADATA filter is an object whose values are lists of exact values";
    let half = format!(r#"{{"a":["{}"]}}"#, "x".repeat(FILTER_BYTES_MAX / 2));
    let too_long = format!(
        "The filter patterns have {} bytes together; a subscriber's may have 4096",
        2 * half.len()
    );
    for (filters, expected) in [
        (
            vec![(data, r#"{"a":[1]}"#), (data, r#"{"b":[1]}"#)],
            "Duplicate filter scope: DATA",
        ),
        (vec![(data, r#"{"a":[{"wildcard":"x*"}]}"#)], wildcard),
        (
            vec![(
                system,
                r#"{"$or":[{"a":[1]},{"b":[{"anything-but":{"wildcard":"x*"}}]}]}"#,
            )],
            wildcard,
        ),
        (
            vec![(metadata, r#"{"k":[{"prefix":"x"}]}"#)],
            &format!("{not_exact}: `k` is none"),
        ),
        (
            vec![(metadata, r#"{"k":{"l":["x"]}}"#)],
            &format!("{not_exact}: `k` is none"),
        ),
        (
            vec![(metadata, r#"{"$or":[{"k":["x"]},{"l":["x"]}]}"#)],
            &format!("{not_exact}: `$or` is none"),
        ),
        (vec![(data, &half), (system, &half)], &too_long),
        (
            vec![(data, "{}")],
            "DATA: Event pattern is not valid. Reason: Empty objects are not allowed",
        ),
    ] {
        let refused = Filters::compile(filters.iter().copied()).unwrap_err();
        assert_eq!(refused.to_string(), expected, "{filters:?}");
    }
}

#[test]
fn scopes_are_named_as_aws_names_them() {
    for scope in Scope::ALL {
        assert_eq!(Scope::named(scope.name()), Some(scope));
    }
    assert_eq!(Scope::named("data"), None);
}

#[test]
fn a_scope_that_was_matched_is_not_looked_at() {
    let [data, metadata, _] = SCOPES;
    let check = |other: &str, matched: Option<Scope>, expected: bool| {
        let filters = [(data, r#"{"source":["another"]}"#), (metadata, other)];
        let compiled = Filters::compile(filters).unwrap();
        let found = compiled.matches_within(&EVENT, matched, &mut { STEPS_MAX });
        assert_eq!(found, Ok(expected), "{other} {matched:?}");
    };
    check(r#"{"tenant":["acme"]}"#, None, false);
    check(r#"{"tenant":["acme"]}"#, Some(data), true);
    check(r#"{"tenant":["acme"]}"#, Some(metadata), false);
    check(r#"{"tenant":["b"]}"#, Some(data), false);
}
