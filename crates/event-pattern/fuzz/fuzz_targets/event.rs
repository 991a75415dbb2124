//! `cargo fuzz run event`: an event is taken if another reader of JSON takes it for an object.
#![no_main]

use event_pattern::Pattern;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|event: &str| {
    let pattern = Pattern::compile(r#"{"a": {"b": [{"exists": true}, {"wildcard": "*x*y"}, 1, {"cidr": "::/1"}]}}"#);
    let taken = pattern.unwrap().matches(event).is_ok();
    if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(event).is_ok() {
        assert!(taken, "{event}");
    }
});
