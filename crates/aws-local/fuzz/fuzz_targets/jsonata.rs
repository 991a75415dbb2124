//! `cargo fuzz run jsonata`: an expression in the first line, the events in the rest.
#![no_main]

use aws_local::testing::evaluate;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (expression, events) = text.split_once('\n').unwrap_or((text, "{\"a\":[1,{\"b\":\"x\"}]}"));
    evaluate(&format!("{{%{expression}%}}"), events);
});
