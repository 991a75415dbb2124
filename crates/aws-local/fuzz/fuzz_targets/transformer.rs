//! `cargo fuzz run transformer`: an input path, an event's detail and a template, a line each.
#![no_main]

use aws_local::testing::Local;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static LOCAL: Local = Local::new();
}

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (path, detail, template) = (line(), line(), line());
    LOCAL.with(|local| {
        local.used();
        local.transform(template, path, detail);
    });
});
