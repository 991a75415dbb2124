//! `cargo fuzz run pattern`: a pattern and an event, a line each; what the pattern says alone, a matcher says.
#![no_main]

use event_pattern::{Matcher, Pattern};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (pattern, event) = text.split_once('\n').unwrap_or((text, "{}"));
    match Pattern::compile(pattern) {
        Err(error) => assert!(error.message().starts_with(&error.first_line())),
        Ok(pattern) => {
            let alone = pattern.matches(event);
            let mut matcher = Matcher::new();
            matcher.add((), &pattern);
            assert_eq!(matcher.matches(event).map(|ids| !ids.is_empty()), alone);
            assert_eq!(pattern.explain(event).map(|why| why.matched), alone);
        }
    }
});
