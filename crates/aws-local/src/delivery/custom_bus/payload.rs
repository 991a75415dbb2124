//! What a target is given of an event.

use std::sync::Arc;

use serde_json::Value;

use super::failure::Failure;
use crate::state::custom_bus::{ContentType, Event, Subscriber};

/// The payload of an event, transformed as the subscriber asks.
pub(super) fn of(subscriber: &Subscriber, event: &Event) -> Result<Arc<str>, Failure> {
    let transformer = subscriber.transformer.as_ref();
    let kind = transformer
        .and_then(|transformer| transformer.get("Type"))
        .and_then(Value::as_str);
    match kind.unwrap_or("RAW") {
        "WITH_METADATA" => Ok(with_metadata(subscriber, event)),
        "JSONATA" => Err(Failure::transformation("JSONATA: not in the local AWS")),
        _ => Ok(raw(event)),
    }
}

/// The data alone. Bytes that are text go out as they are, others as base64.
fn raw(event: &Event) -> Arc<str> {
    use base64::Engine as _;
    if event.content != ContentType::Bytes {
        return Arc::clone(&event.data);
    }
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(&*event.data)
        .unwrap_or_default();
    String::from_utf8(bytes).map_or_else(|_| Arc::clone(&event.data), Arc::from)
}

/// The three parts of an event as one object.
pub(super) fn with_metadata(subscriber: &Subscriber, event: &Event) -> Arc<str> {
    let metadata = serde_json::to_string(&event.metadata).unwrap_or_default();
    let system = event
        .system_metadata(event.number <= subscriber.replayed_to)
        .to_string();
    let parts = [
        "{\"Data\":",
        &event.json(),
        ",\"Metadata\":",
        &metadata,
        ",\"SystemMetadata\":",
        &system,
        "}",
    ];
    parts.concat().into()
}
