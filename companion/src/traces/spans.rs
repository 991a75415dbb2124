//! What a span says. Attributes have the names of OpenTelemetry's conventions where those have one
//! (<https://opentelemetry.io/docs/specs/semconv/>), and begin with `scalr.` where not. None holds what an event says.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, Status};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::ids;
use crate::secrets;

const SYSTEM: &str = "aws.eventbridge";

/// An attempt to send an event for a connection, and how it ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) event_id: &'a str,
    /// Its type.
    pub(crate) kind: &'a str,
    pub(crate) connection: &'a str,
    pub(crate) region: &'a str,
    /// From 1.
    pub(crate) number: u32,
    /// Events of its call.
    pub(crate) of: usize,
    /// Why AWS did not take it, where it did not.
    pub(crate) error: Option<&'a str>,
}

/// A number of things, as an attribute.
pub(super) fn count(things: usize) -> i64 {
    i64::try_from(things).unwrap_or(i64::MAX)
}

fn span(
    context: SpanContext,
    parent: Option<&SpanContext>,
    (name, kind): (impl Into<Cow<'static, str>>, SpanKind),
    began: SystemTime,
) -> SpanData {
    SpanData {
        span_context: context,
        parent_span_id: parent.map_or(SpanId::INVALID, SpanContext::span_id),
        parent_span_is_remote: parent.is_some_and(SpanContext::is_remote),
        span_kind: kind,
        name: name.into(),
        start_time: began,
        // The clock may have been set back.
        end_time: SystemTime::now().max(began),
        attributes: vec![],
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
            .with_version(env!("CARGO_PKG_VERSION"))
            .build(),
    }
}

/// The call that reported events. Its status is an error where the fault is not the caller's.
pub(super) fn call(
    (context, caller): (SpanContext, Option<&SpanContext>),
    began: SystemTime,
    (route, status): (&'static str, u16),
    attributes: Vec<KeyValue>,
) -> SpanData {
    let mut span = span(
        context,
        caller,
        (format!("POST {route}"), SpanKind::Server),
        began,
    );
    span.attributes = attributes;
    if status >= 500 {
        span.status = Status::error("");
    }
    span
}

/// An event was accepted for so many connections: the first span of its trace.
pub(super) fn accepted(
    context: SpanContext,
    (id, kind, connections): (&str, &str, usize),
    began: SystemTime,
    call: Option<SpanContext>,
) -> SpanData {
    let mut span = span(
        context,
        None,
        (format!("accept {kind}"), SpanKind::Producer),
        began,
    );
    span.attributes = of_event(id, kind);
    span.attributes
        .push(KeyValue::new("scalr.deliveries", count(connections)));
    span.links.links.extend(call.map(Link::with_context));
    span
}

/// An attempt has ended.
pub(super) fn attempted(event: &SpanContext, attempt: &Attempt<'_>, began: SystemTime) -> SpanData {
    let context = SpanContext::new(
        event.trace_id(),
        ids::span(),
        event.trace_flags(),
        false,
        event.trace_state().clone(),
    );
    let name = format!("send {}", attempt.kind);
    let mut span = span(context, Some(event), (name, SpanKind::Client), began);
    span.attributes = of_event(attempt.event_id, attempt.kind);
    span.attributes.extend([
        KeyValue::new("scalr.connection.id", attempt.connection.to_owned()),
        KeyValue::new("scalr.delivery.attempt", i64::from(attempt.number)),
        KeyValue::new("cloud.region", attempt.region.to_owned()),
        KeyValue::new("messaging.batch.message_count", count(attempt.of)),
    ]);
    if let Some(error) = attempt.error {
        span.status = Status::error(secrets::redact(error));
    }
    span
}

fn of_event(id: &str, kind: &str) -> Vec<KeyValue> {
    vec![
        KeyValue::new("messaging.system", SYSTEM),
        KeyValue::new("messaging.message.id", id.to_owned()),
        KeyValue::new("scalr.event.type", kind.to_owned()),
    ]
}
