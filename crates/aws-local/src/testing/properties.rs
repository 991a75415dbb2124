//! Any input gets an answer that a client can read.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Local;

const SCOPE: &str =
    "AWS4-HMAC-SHA256 Credential=123456789012/20240101/us-east-1/events/aws4_request, Signature=x";

thread_local! {
    static LOCAL: Local = Local::new();
}

/// One local AWS for all cases of a test: earlier cases are part of the state.
fn local<T>(at: impl FnOnce(&Local) -> T) -> T {
    LOCAL.with(|local| {
        local.used();
        at(local)
    })
}

fn few(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Text of pieces that mean something to a decoder, and some that do not.
fn pieces(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![8 => prop::sample::select(of).prop_map(str::to_owned), 1 => "\\PC{0,3}"];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

const FILTERS: &[&str] = &[
    "{",
    "}",
    " ",
    "$",
    ".a",
    "[0]",
    "[*]",
    "['b']",
    "=",
    "!=",
    ">",
    "<=",
    "\"x*\"",
    "1",
    "-2e3",
    "&&",
    "||",
    "(",
    ")",
    "IS TRUE",
    "IS NULL",
    "NOT EXISTS",
    "?",
    "-",
    "\"a b\"",
    "a",
    "%",
    "\\",
    "[",
    "]",
    ",",
    "...",
];
const TEMPLATES: &[&str] = &[
    "<p>",
    "<",
    ">",
    "\"",
    "\\",
    "{\"timestamp\":",
    "\"message\":",
    "}",
    ",",
    "<aws.events.event>",
    "<q>",
    "1",
    "a",
    "<aws.events.rule-arn>",
    "{",
    ":",
    "<aws.events.event.json>",
];
const PATHS: &[&str] = &[
    "$", ".", "detail", ".detail", ".a", "[", "]", "0", "'", "\"", "b", "[0]", "['a']", "[*]", "é",
];
const SCHEDULES: &[&str] = &[
    "rate(",
    "cron(",
    ")",
    "1",
    " ",
    "5",
    "minutes",
    "minute",
    "days",
    "*",
    "?",
    "0",
    "/",
    "-",
    ",",
    "L",
    "W",
    "#",
    "MON",
    "FEB",
    "2024",
    "99999999999",
    "31",
    "cron(0 0 ? * ",
    "cron(0 0 1 * ? ",
    "9223372036854775807",
];
const SCOPES: &[&str] = &[
    "AWS4-HMAC-SHA256 ",
    "Credential=",
    "/",
    ",",
    " ",
    "123456789012",
    "AKID",
    "20240101",
    "us-east-1",
    "events",
    "aws4_request",
    "Signature=",
    "EVIL:x",
    "%2F",
];

/// A member of a policy's statement: right, or of another kind.
fn members() -> impl Strategy<Value = (&'static str, Value)> {
    let texts: &[&str] = &[
        "*",
        "events.amazonaws.com",
        "logs:*",
        "arn:aws:logs:*:*:*",
        "Allow",
        "Deny",
        "2012-10-17",
        "?",
        "",
    ];
    let text = prop::sample::select(texts).prop_map(Value::from);
    let odd = prop_oneof![
        Just(Value::Null),
        Just(json!(1)),
        Just(json!({})),
        Just(json!([])),
        Just(json!([{}]))
    ];
    let value = prop_oneof![
        6 => text.clone(),
        2 => prop::collection::vec(text.clone(), 0..3).prop_map(Value::from),
        1 => odd,
        1 => text.clone().prop_map(|text| json!({ "Service": text })),
        1 => text.clone().prop_map(|text| json!({ "AWS": [text] })),
    ];
    let operators: &[&'static str] = &[
        "StringEquals",
        "ArnLike",
        "Bool",
        "StringLike",
        "ForAnyValue:StringLike",
        "Null",
        "x",
    ];
    let keys: &[&'static str] = &[
        "aws:SourceArn",
        "aws:SourceAccount",
        "aws:SecureTransport",
        "aws:x",
    ];
    let condition = (
        prop::sample::select(operators),
        prop::sample::select(keys),
        value.clone(),
    )
        .prop_map(|(operator, key, value)| json!({ operator: { key: value } }));
    let names: &[&'static str] = &[
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "x",
    ];
    prop_oneof![
        8 => (prop::sample::select(names), value),
        1 => condition.prop_map(|condition| ("Condition", condition)),
    ]
}

/// A policy of which each member is right, or missing, or of another kind.
fn policies() -> impl Strategy<Value = String> {
    let right = json!({ "Effect": "Allow", "Principal": "*", "Action": "logs:*", "Resource": "*" });
    let statement =
        (any::<bool>(), prop::collection::vec(members(), 0..5)).prop_map(move |(right_base, members)| {
            let mut statement = if right_base { right.clone() } else { json!({}) };
            for (name, value) in members {
                statement[name] = value;
            }
            statement
        });
    (prop::collection::vec(statement, 0..3), any::<bool>()).prop_map(|(statements, listed)| {
        let one = statements.first().cloned().unwrap_or_default();
        json!({ "Version": "2012-10-17", "Statement": if listed { Value::from(statements) } else { one } })
            .to_string()
    })
}

proptest! {
    #![proptest_config(few(1000))]

    #[test]
    fn any_body_of_any_operation_is_answered(operation in any::<prop::sample::Index>(), seed in any::<u64>()) {
        let operations = Local::operations();
        let target: &String = operation.get(&operations);
        let body = Local::body(target, seed);
        local(|local| {
            local.ask(target, SCOPE, &body);
        });
    }
}

proptest! {
    #![proptest_config(few(200))]

    #[test]
    fn any_bytes_are_answered(
        operation in any::<prop::sample::Index>(),
        target in prop::option::of("\\PC{0,20}"),
        scope in pieces(SCOPES),
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..64),
            "[{}\\[\\]\",:a1 ]{0,32}".prop_map(String::into_bytes),
            "(Action|AssumeRole|GetCallerIdentity|Version|RoleArn|DurationSeconds|arn|%|%2|%2F|=|&|\\+|é){0,12}".prop_map(String::into_bytes),
        ],
    ) {
        let operations = Local::operations();
        local(|local| {
            let built: &String = operation.get(&operations);
            local.ask(built, &scope, &body);
            local.ask(target.as_deref().unwrap_or_default(), &scope, &body);
        });
    }

    #[test]
    fn any_policy_is_refused_or_decides(policy in prop_oneof![4 => policies(), 1 => "\\PC{0,40}"]) {
        local(|local| local.policy(&policy));
    }

    #[test]
    fn any_template_and_path_are_refused_or_filled(
        template in pieces(TEMPLATES),
        path in pieces(PATHS),
        detail in prop_oneof![Just("{}".to_owned()), Just(r#"{"a":{"b":[1.50,"x\"y",null]},"é":"\u00e9"}"#.to_owned()), "\\PC{0,20}"],
    ) {
        local(|local| local.transform(&template, &path, &detail));
    }

    #[test]
    fn any_filter_is_refused_or_decides(
        pattern in pieces(FILTERS),
        message in prop_oneof![Just(r#"{"a":[1,{"b":"x"}],"b":null}"#.to_owned()), "\\PC{1,20}"],
    ) {
        local(|local| local.filter(&pattern, &message));
    }

    #[test]
    fn any_schedule_is_refused_or_fires(expression in pieces(SCHEDULES)) {
        local(|local| local.schedule(&expression));
    }
}

/// Bodies that the model refuses would test nothing behind it.
#[test]
fn random_bodies_are_mostly_plausible() {
    let operations = Local::operations();
    let taken = |target: &String| {
        (0..60).any(|seed| {
            let body = Local::body(target, seed);
            local(|local| local.ask(target, SCOPE, &body).0 == 200)
        })
    };
    let never: Vec<&String> = operations.iter().filter(|target| !taken(target)).collect();
    assert!(
        never.len() * 3 < operations.len(),
        "{} of {}: {never:?}",
        never.len(),
        operations.len()
    );
}
