//! Entry point of fuzzers to JSONATA.
#![allow(clippy::panic, reason = "it runs under fuzzers, where a panic is the finding")]

use crate::clock::Dice;
use crate::jsonata::{Expression, Limits, Setting, error::Failure};

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
    result.ok().map(|output| output.payload())
}
