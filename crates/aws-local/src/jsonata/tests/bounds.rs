//! No expression costs more than its bounds, whatever it says.

use super::super::{Expression, Failure, Limits};
use super::{check, evaluate, setting};

/// Bounds that a test reaches soon.
fn small() -> Limits {
    Limits {
        work_max: 20_000,
        depth_max: 100,
        held_bytes_max: 256 * 1024,
        output_bytes_max: 1000,
    }
}

fn check_bound(expression: &str, expected: &Failure) {
    let parsed = Expression::parse(&format!("{{%{expression}%}}")).unwrap();
    let mut setting = setting();
    setting.limits = small();
    let first = parsed.evaluate("{}", &setting);
    assert_eq!(first.as_ref().unwrap_err(), expected, "{expression}");
    assert_eq!(
        first,
        parsed.evaluate("{}", &setting),
        "{expression} ends the same way again"
    );
}

#[test]
fn an_evaluation_ends_at_its_bounds() {
    for (expression, expected) in [
        ("($f := function($n){ $f($n + 1) }; $f(0))", Failure::Work),
        (
            "$count($map([1..5000], function($v){ $v * 2 * 2 }))",
            Failure::Work,
        ),
        ("($f := function($n){ 1 + $f($n + 1) }; $f(0))", Failure::Depth),
        ("[1..20000]", Failure::Memory),
        ("$pad('', 500000)", Failure::Memory),
        ("[1..200].([1..200])", Failure::Memory),
        (
            "($d := function($s){ $d($s & $s) }; $d('xxxxxxxx'))",
            Failure::Memory,
        ),
        (
            "$replace($pad('', 1000, 'a'), /a/, $pad('', 1000, 'b'))",
            Failure::Memory,
        ),
        (
            "(function($a)<n+n+n+n+n+n+n+n+s:n>{1})(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)",
            Failure::Work,
        ),
        ("$replace($pad('', 40000, 'a'), /a.*z|a/, 'b')", Failure::Work),
        ("$pad('', 1001)", Failure::Output),
        ("[1..500]", Failure::Output),
        (
            "$reduce([1..600], function($a, $v){ {'a': $a} })",
            Failure::Levels,
        ),
        (
            "$reduce([1..600], function($a, $v){ {'f': $a}.(function(){ $ }) })",
            Failure::Levels,
        ),
    ] {
        check_bound(expression, &expected);
    }
}

#[test]
fn what_calls_itself_last_nests_no_deeper() {
    check(
        "($c := function($n, $a){ $n = 0 ? $a : $c($n - 1, $a + $n) }; $c(5000, 0))",
        "12502500",
    );
    check(
        "($even := function($n){ $n = 0 ? true : $odd($n - 1) }; $odd := function($n){ $n = 0 ? false : $even($n - 1) }; 1)",
        "1",
    );
}

#[test]
fn memory_is_given_back() {
    check(
        "$reduce([1..1500], function($a, $v){ $pad('', 100000) = '' })",
        "false",
    );
}

#[test]
fn functions_that_hold_each_other_are_let_go() {
    let expression =
        "$reduce([1..2000], function($a, $v){ ($f := function(){ $f }; $g := function(){ $a }; $v) })";
    check(expression, "2000");
}

#[test]
fn an_expression_has_so_many_letters_and_levels() {
    let check = |inner: &str, expected: &str| {
        let invalid = Expression::parse(&format!("{{%{inner}%}}"))
            .unwrap_err()
            .to_string();
        assert!(invalid.starts_with(expected), "{invalid}");
    };
    check(
        &"1".repeat(8189),
        "the expression has 8193 letters, and may have 8192",
    );
    check(&"(".repeat(300), "the expression is nested more than 250 deep");
    check(
        &format!("1{}", " + 1".repeat(500)),
        "the expression has more than 400 levels",
    );
    assert!(Expression::parse(&format!("{{%1{}%}}", " + 1".repeat(90))).is_ok());
    check(
        &format!("[{}]", "/a/,".repeat(101)),
        "there are more than 100 regular expressions",
    );
    check(
        &format!("function($x)<{}>", "n".repeat(101)),
        "a signature has more than 100 parameters",
    );
    let deep = format!("1{}", " + 1".repeat(101));
    assert_eq!(evaluate(&deep, "{}"), Err(Failure::Depth));
}

#[test]
fn an_event_has_so_many_levels() {
    let events = format!("{}{}", "[".repeat(257), "]".repeat(257));
    let failure = evaluate("1", &events).unwrap_err().to_string();
    assert_eq!(
        failure,
        "D3120: the text is not JSON: more than 256 levels at byte 257"
    );
}
