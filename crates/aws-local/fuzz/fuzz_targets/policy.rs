//! `cargo fuzz run policy`: a resource policy, and an event that it decides on.
#![no_main]

use aws_local::testing::Local;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static LOCAL: Local = Local::new();
}

fuzz_target!(|policy: &str| {
    LOCAL.with(|local| {
        local.used();
        local.policy(policy);
    });
});
