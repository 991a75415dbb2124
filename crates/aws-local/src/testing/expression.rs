//! Entry point of fuzzers to JSONATA.
#![allow(
    clippy::panic,
    reason = "it runs under tests and fuzzers, where a panic is the finding"
)]

use crate::clock::Dice;
use crate::jsonata::{Expression, Failure, Limits, Setting};

/// What an expression makes of events; `None` where it cannot be read or has no result.
pub fn evaluate(expression: &str, events: &str) -> Option<String> {
    let setting = Setting {
        now: 0,
        dice: Dice::new(1),
        limits: Limits::default(),
        spent: std::sync::Arc::default(),
    };
    let result = Expression::parse(expression).ok()?.evaluate(events, &setting);
    if let Err(Failure::Broken(what)) = &result {
        panic!("{what}");
    }
    Some(result.ok()?.payload())
}

/// Fuzz targets are not built with the tests: this keeps what they call compiling.
#[test]
fn fuzzers_evaluate_expressions() {
    assert_eq!(evaluate("{% $events.a %}", r#"{"a":"b"}"#).as_deref(), Some("b"));
    assert_eq!(evaluate("{% ( %}", "{}"), None);
}
