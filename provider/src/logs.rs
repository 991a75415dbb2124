//! What the Scalr client says about its calls, in the provider's log: method, path, status, retries. No body, no token.

use std::fmt::{self, Write as _};

use tfplugin::log::Level;
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::{Event, Metadata, Subscriber};

/// The crate whose events are passed on. AWS's SDK speaks too, at length and of requests as a whole: not here.
const SOURCE: &str = "scalr_api";

/// Passes the events on from here.
pub fn begin() {
    // Someone who has set a subscriber before us keeps it.
    let _ = tracing::subscriber::set_global_default(ToTerraform);
}

struct ToTerraform;

impl Subscriber for ToTerraform {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with(SOURCE)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let fields: Vec<(&str, &str)> = line
            .fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        tfplugin::log::provider(level(*event.metadata().level()), &line.message, &fields);
    }

    // Spans are not enabled, so nothing is ever asked about one.
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

fn level(level: tracing::Level) -> Level {
    match level {
        tracing::Level::ERROR => Level::Error,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::INFO => Level::Info,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::TRACE => Level::Trace,
    }
}

#[derive(Default)]
struct Line {
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing into a text cannot fail.
            let _ = write!(self.message, "{value:?}");
        } else {
            self.fields.push((field.name(), format!("{value:?}")));
        }
    }
}
