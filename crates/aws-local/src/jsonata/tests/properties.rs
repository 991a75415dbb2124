//! Whatever an expression says, it gets an answer.

use proptest::prelude::*;

use super::super::{Expression, Failure, Limits};
use super::{EVENT, setting};

/// Parts of which expressions are made, in whatever order.
const PARTS: [&str; 64] = [
    "$events",
    ".Data",
    ".detail",
    ".tags",
    ".event",
    ".",
    "[",
    "]",
    "[]",
    "(",
    ")",
    "{",
    "}",
    ":",
    ",",
    ";",
    "?",
    "?:",
    "??",
    "+",
    "-",
    "*",
    "**",
    "/",
    "%",
    "&",
    "=",
    "!=",
    "<",
    ">",
    " and ",
    " or ",
    " in ",
    "~>",
    "..",
    "^(",
    "@$v",
    "#$i",
    "|",
    ":=",
    "$x",
    "$",
    "$$",
    "1",
    "-2.5",
    "'a'",
    "\"b\"",
    "true",
    "null",
    "function($x){",
    "$map(",
    "$string(",
    "$sum(",
    "$merge(",
    "$replace(",
    "$split(",
    "/a+/",
    "$toMillis(",
    "$fromMillis(",
    "$formatNumber(",
    "'#0.0'",
    "$partition(",
    "$reduce(",
    "`a b`",
];

fn answered(expression: &str) -> Result<(), TestCaseError> {
    let Ok(parsed) = Expression::parse(&format!("{{%{expression}%}}")) else {
        return Ok(());
    };
    let mut setting = setting();
    setting.limits = Limits {
        work_max: 50_000,
        held_bytes_max: 1024 * 1024,
        ..Limits::default()
    };
    let result = parsed.evaluate(EVENT, &setting);
    prop_assert!(!matches!(result, Err(Failure::Broken(_))), "{result:?}");
    prop_assert_eq!(result, parsed.evaluate(EVENT, &setting));
    Ok(())
}

proptest! {
    #[test]
    fn parts_in_any_order_get_an_answer(parts in prop::collection::vec(prop::sample::select(&PARTS[..]), 0..24)) {
        answered(&parts.concat())?;
    }

    #[test]
    fn any_text_gets_an_answer(text in ".{0,60}") {
        answered(&text)?;
    }
}
