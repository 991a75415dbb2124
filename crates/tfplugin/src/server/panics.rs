//! Panics in the log: without secrets, and in the form in which Terraform reads the rest.

use std::backtrace::{Backtrace, BacktraceStatus};

use crate::log;

/// Logs panics from here on. Rust's own way would write their text to standard error as it is.
pub(super) fn log() {
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.payload_as_str().unwrap_or("no message");
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        let mut fields = vec![("panic", text), ("location", location.as_str())];
        // Only where RUST_BACKTRACE asks for one.
        let backtrace = Backtrace::capture();
        let frames = backtrace.to_string();
        if backtrace.status() == BacktraceStatus::Captured {
            fields.push(("backtrace", frames.as_str()));
        }
        log::provider(log::Level::Error, "The provider crashed", &fields);
    }));
}
