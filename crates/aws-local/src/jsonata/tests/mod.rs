//! Expressions and what they come to.
//!
//! `reference.txt` has an expression and its result in turn: `= ` what is sent, `! ` the code of an error or why nothing
//! is sent, `?` for an expression that cannot be read. The results are those of the reference implementation, jsonata
//! 2.2.2 of npm, for `reference.json` as `$events` and a stack of 100.

use std::sync::Arc;

use super::{Expression, Failure, Limits, Setting, Template};
use crate::clock::Dice;

mod bounds;
mod properties;
mod templates;

const REFERENCE: &str = include_str!("reference.txt");
const EVENTS: &str = include_str!("reference.json");

/// The sample of RunExecuted in Scalr's documentation, as an event of a custom event bus.
const EVENT: &str = r#"{"Data": {"id": "run-1234567890", "account": "test", "version": 1, "time": "2024-04-19T13:44:02Z",
  "source": "aws.partner/scalr.com/account-name/integration-name", "resources": [], "region": "us-east-1",
  "detail-type": "RunExecuted", "detail": {"title": "Scalr run execution completed", "event": {
    "run-id": "run-1234567890", "source": "vcs", "is-dry": false, "result": "applied", "duration": 137000000000.0,
    "workspace": "workspace-name", "environment": "environment-name"}, "tags": ["scalr-environment:env-1234567890",
    "scalr-workspace:ws-1234567890"], "event_type": "success"}},
  "Metadata": {}, "SystemMetadata": {"aws:EventId": "e-1", "aws:DeliveryType": "LIVE"}}"#;

fn setting() -> Setting {
    Setting {
        now: 1_713_534_242_000,
        dice: Dice::new(7),
        limits: Limits::default(),
        spent: Arc::default(),
    }
}

fn evaluate(expression: &str, events: &str) -> Result<String, Failure> {
    let expression = Expression::parse(&format!("{{%{expression}%}}")).unwrap();
    expression
        .evaluate(events, &setting())
        .map(super::expression::Output::payload)
}

fn check(expression: &str, expected: &str) {
    assert_eq!(
        evaluate(expression, EVENT).as_deref(),
        Ok(expected),
        "{expression}"
    );
}

fn check_failure(expression: &str, expected: &str) {
    let failure = evaluate(expression, EVENT).unwrap_err().to_string();
    assert_eq!(failure, expected, "{expression}");
}

/// The result in the form of `reference.txt`.
fn spelt(expression: &str) -> String {
    let Ok(parsed) = Expression::parse(&format!("{{%{expression}%}}")) else {
        return "?".to_owned();
    };
    match parsed.evaluate(EVENTS, &setting()) {
        Ok(output) => format!("= {}", output.payload().replace('\n', "\\n"))
            .trim_end()
            .to_owned(),
        Err(Failure::Error { code, .. }) => format!("! {code}"),
        Err(Failure::Nothing(what)) => format!("! {what}"),
        Err(Failure::Depth) => "! depth".to_owned(),
        Err(other) => format!("! {other}"),
    }
}

#[test]
fn results_are_those_of_the_reference_implementation() {
    let lines: Vec<&str> = REFERENCE.lines().collect();
    assert!(lines.len() > 1000);
    let differing: Vec<String> = lines
        .chunks(2)
        .filter(|pair| spelt(pair[0]) != pair[1])
        .map(|pair| {
            format!(
                "{}\n  reference {}\n  here      {}",
                pair[0],
                pair[1],
                spelt(pair[0])
            )
        })
        .collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn an_event_of_scalr_becomes_what_the_target_wants() {
    for (expression, expected) in [
        (
            " 'Run ' & $events.Data.detail.event.`run-id` & ': ' & $events.Data.detail.event.result ",
            "Run run-1234567890: applied",
        ),
        ("$events.Data.detail.event.duration", "137000000000"),
        ("$events.Data.detail.event.duration / 1000000000 & ' s'", "137 s"),
        ("$events.SystemMetadata.\"aws:EventId\"", "e-1"),
        (
            "{'text': $events.Data.detail.title, 'workspace': $events.Data.detail.tags[$contains($, 'workspace')]}",
            r#"{"text":"Scalr run execution completed","workspace":"scalr-workspace:ws-1234567890"}"#,
        ),
        (
            "$events.Data.detail.event ~> |$|{'seconds': duration / 1e9}, ['duration', 'is-dry']|",
            r#"{"run-id":"run-1234567890","source":"vcs","result":"applied","workspace":"workspace-name","environment":"environment-name","seconds":137}"#,
        ),
        ("$events.Data.detail.event.`is-dry`", "false"),
        ("$events.Metadata", "{}"),
        ("$events.Data.resources", "[]"),
    ] {
        check(expression, expected);
    }
}

#[test]
fn members_keep_the_order_of_the_event() {
    let events = r#"{"b": 1, "a": {"d": 2, "c": 3, "10": 4, "9": 5}}"#;
    assert_eq!(
        evaluate("$events", events).as_deref(),
        Ok(r#"{"b":1,"a":{"d":2,"c":3,"10":4,"9":5}}"#)
    );
    let many: Vec<String> = (0..40).rev().map(|at| format!("\"k{at}\":{at}")).collect();
    let many = format!("{{{}}}", many.join(","));
    assert_eq!(evaluate("$events", &many), Ok(many.clone()));
    assert_eq!(
        evaluate("$merge([$events, {'k5': 0}]).k5", &many).as_deref(),
        Ok("0")
    );
    let without = many.replace("\"k7\":7,", "");
    assert_eq!(evaluate("$events ~> |$|{}, 'k7'|", &many), Ok(without));
}

#[test]
fn functions_of_aws() {
    for (expression, expected) in [
        ("$partition([1,2,3,4,5], 2)", "[[1,2],[3,4],[5]]"),
        ("$range(0, 10, 5)", "[0,5,10]"),
        ("$range(0, 1, 0.1)[3]", "0.3"),
        ("$range(3, 1, -1)", "[3,2,1]"),
        ("$count($range(1, 0, 1))", "0"),
        (
            "$parse('{\"b\":[1,null],\"a\":\"x\"}')",
            r#"{"b":[1,null],"a":"x"}"#,
        ),
        ("$hash('content', 'MD5')", "9a0364b9e99bb480dd25e1f0284c8555"),
        (
            "$hash('content', 'SHA-1')",
            "040f06fd774092478d450774f5ba30c5da78acc8",
        ),
        (
            "$hash('content', 'SHA-256')",
            "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73",
        ),
        ("$length($hash('content', 'SHA-384'))", "96"),
        ("$length($hash('content', 'SHA-512'))", "128"),
        ("$random(5) = $random(5)", "true"),
        ("$random() = $random()", "false"),
        ("$random() < 1", "true"),
        ("$substring($uuid(), 14, 1)", "4"),
        ("$uuid() = $uuid()", "false"),
    ] {
        check(expression, expected);
    }
    for (expression, expected) in [
        (
            "$hash('x', 'CRC')",
            "D3137: `hash` has no algorithm \"CRC\"; it has MD5, SHA-1, SHA-256, SHA-384 and SHA-512, at character 8",
        ),
        (
            "$partition([1], 0)",
            "D3137: `partition` needs a size of 1 or more, at character 13",
        ),
        (
            "$range(0, 1, 0)",
            "D3137: `range` needs a step other than 0, and finite numbers, at character 9",
        ),
        (
            "$parse('[1')",
            "D3120: the text is not JSON: no comma at byte 2, at character 9",
        ),
        (
            "$eval('1')",
            "T1006: there is no `$eval` here, as at AWS; `$parse` makes a value of JSON text, at character 8",
        ),
    ] {
        check_failure(expression, expected);
    }
}

#[test]
fn time_and_randomness_come_from_outside() {
    check("$now()", "2024-04-19T13:44:02.000Z");
    check("$millis()", "1713534242000");
    check("$now('[H]:[m] [Y]')", "13:44 2024");
    check("$toMillis('13:45', '[H]:[m]') - $millis()", "58000");
    let random = "[$random(), $uuid(), $shuffle([1..9])]";
    assert_eq!(evaluate(random, EVENT), evaluate(random, EVENT));
    let parsed = Expression::parse(&format!("{{%{random}%}}")).unwrap();
    let other = Setting {
        dice: Dice::new(8),
        ..setting()
    };
    assert_ne!(parsed.evaluate(EVENT, &setting()), parsed.evaluate(EVENT, &other));
}

#[test]
fn what_cannot_be_sent_is_a_failure() {
    let only = "and only text, objects, arrays, numbers and true or false can be sent";
    for (expression, what) in [
        ("$events.Data.nothing", "undefined"),
        ("null", "null"),
        ("$sum", "a function"),
        ("1 / 0", "no finite number"),
        ("[]", ""),
    ] {
        match what {
            "" => check(expression, "[]"),
            what => check_failure(expression, &format!("the result is {what}, {only}")),
        }
    }
}

#[test]
fn failures_say_what_failed_and_where() {
    for (expression, expected) in [
        (
            "$events.Data.id + 1",
            "T2001: the left side of `+` is text, not a number, at character 19",
        ),
        (
            "uppercase('a')",
            "T1005: `uppercase` is called and is no function; the function is `$uppercase`, at character 12",
        ),
        (
            "$upper('a')",
            "T1006: `$upper` is called and is no function, at character 9",
        ),
        (
            "$uppercase(5)",
            "T0410: argument 1 of `uppercase` is a number, which the function does not take, at character 13",
        ),
        (
            "$sum($events.Data.detail.tags)",
            "T0412: argument 1 of `sum` has to be an array of numbers, at character 7",
        ),
        (
            "{1: 2}",
            "T1003: a key of an object is a number, not text, at character 3",
        ),
        ("$error('no ticket')", "D3137: no ticket, at character 9"),
    ] {
        check_failure(expression, expected);
    }
}

#[test]
fn what_is_no_expression_is_refused_with_the_place() {
    for (text, expected) in [
        ("$events", "an expression has to begin with `{%`, at character 1"),
        (
            "{% $events",
            "an expression has to end with `%}`, at character 10",
        ),
        (
            "{%%}",
            "the expression ends where a value was expected, at character 3",
        ),
        (
            "{% 1 + %}",
            "the expression ends where a value was expected, at character 8",
        ),
        (
            "{% $events.( %}",
            "the expression ends where a value was expected, at character 14",
        ),
        ("{% [1, 2 %}", "`]` was expected, not the end, at character 10"),
        ("{% {'a' 1} %}", "`:` was expected, not 1, at character 9"),
        ("{% 'abc %}", "a text has no closing quote, at character 4"),
        (
            "{% 5 5 %}",
            "the end of the expression was expected, not 5, at character 6",
        ),
        (
            "{% a := 1 %}",
            "the left side of `:=` has to be a variable, which begins with `$`, at character 4",
        ),
        (
            "{% $x.1 %}",
            "numbers, true, false and null cannot be steps of a path; put a name into backquotes, at character 7",
        ),
        (
            "{% /(a)(?=b)/ %}",
            "regular expressions here cannot look ahead or behind (`(?=b` in /(a)(?=b)/), at character 4",
        ),
        (
            "{% function($x)<q>{1} %}",
            "the signature <q> has the type `q`; types are s n b l o a f j x, at character 16",
        ),
    ] {
        let invalid = Expression::parse(text).unwrap_err().to_string();
        assert_eq!(invalid, expected, "{text}");
    }
}
