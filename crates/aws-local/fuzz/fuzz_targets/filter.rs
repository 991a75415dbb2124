//! `cargo fuzz run filter`: a log filter in the first line, the message in the rest.
#![no_main]

use aws_local::testing::Local;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static LOCAL: Local = Local::new();
}

fuzz_target!(|text: &str| {
    let (pattern, message) = text.split_once('\n').unwrap_or((text, "{}"));
    LOCAL.with(|local| {
        local.used();
        local.filter(pattern, message);
    });
});
