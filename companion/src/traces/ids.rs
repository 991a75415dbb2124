//! Which trace something is part of. The ids of an event's trace follow from the event, so that nothing has to be stored for them and
//! each process that handles it finds the same.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// What is hashed before an event's type and id.
const OF_EVENT: &str = "scalr-eventbridge event";
/// Lower case letters and digits of the fields of `traceparent` in version 00: version, trace, parent, flags.
const FIELDS: [usize; 4] = [2, 32, 16, 2];

fn sampled(trace: TraceId, span: SpanId, is_remote: bool) -> SpanContext {
    SpanContext::new(trace, span, TraceFlags::SAMPLED, is_remote, TraceState::NONE)
}

/// The first span of an event's trace.
pub(super) fn event(kind: &str, id: &str) -> SpanContext {
    let mut hash = Sha256::new();
    for part in [OF_EVENT, kind, id] {
        hash.update(part);
        hash.update([0]);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let trace = digest.first_chunk().copied().unwrap_or_default();
    let span = digest.last_chunk().copied().unwrap_or_default();
    sampled(TraceId::from_bytes(trace), SpanId::from_bytes(span), false)
}

/// A new span.
pub(super) fn span() -> SpanId {
    let random = Uuid::new_v4();
    SpanId::from_bytes(random.as_bytes().first_chunk().copied().unwrap_or_default())
}

/// The span of a call, in its caller's trace if that is known.
pub(super) fn call(caller: Option<&SpanContext>) -> SpanContext {
    let trace = caller.map_or_else(
        || TraceId::from_bytes(*Uuid::new_v4().as_bytes()),
        SpanContext::trace_id,
    );
    sampled(trace, span(), false)
}

/// The caller's span, by the header `traceparent`; none where it is not in the form of version 00, or of a later one.
pub(super) fn caller(header: &str) -> Option<SpanContext> {
    let fields: Vec<&str> = header.trim().split('-').collect();
    let [version, trace, parent, flags, ..] = fields[..] else {
        return None;
    };
    let is_hex = |text: &str, length: usize| {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        text.len() == length && text.bytes().all(digit)
    };
    let are_fields = [version, trace, parent, flags]
        .into_iter()
        .zip(FIELDS)
        .all(|(field, length)| is_hex(field, length));
    if !are_fields || version == "ff" || (version == "00" && fields.len() > FIELDS.len()) {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(parent).ok()?,
        flags,
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

/// Whether a trace is among the share that is taken: by its id, so that every process decides alike.
pub(super) fn is_within(trace: TraceId, ratio: f64) -> bool {
    // The last 56 bits are the random ones of an id, by W3C's Trace Context, level 2; the first 32 of them decide.
    let bytes = trace.to_bytes();
    let random = bytes
        .iter()
        .skip(9)
        .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte))
        >> 24;
    let share = f64::from(u32::try_from(random).unwrap_or(u32::MAX)) / (f64::from(u32::MAX) + 1.0);
    share < ratio
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    #[test]
    fn an_event_has_one_trace() {
        let first = event("RunExecuted", "run-1");
        assert_eq!(first, event("RunExecuted", "run-1"));
        for (kind, id) in [
            ("AuditLog", "run-1"),
            ("RunExecuted", "run-2"),
            ("RunExecutedr", "un-1"),
        ] {
            let other = event(kind, id);
            assert_ne!(first.trace_id(), other.trace_id(), "{kind} {id}");
            assert_ne!(first.span_id(), other.span_id(), "{kind} {id}");
        }
        assert!(first.is_valid() && first.is_sampled());
    }

    #[test]
    fn a_caller_is_read_from_its_header() {
        for (header, is_read) in [
            (format!("00-{TRACE}-{PARENT}-01"), true),
            (format!(" 00-{TRACE}-{PARENT}-00 "), true),
            (format!("01-{TRACE}-{PARENT}-01-more"), true),
            (format!("00-{TRACE}-{PARENT}-01-more"), false),
            (format!("ff-{TRACE}-{PARENT}-01"), false),
            (format!("00-{}-{PARENT}-01", TRACE.to_uppercase()), false),
            (format!("00-{}-{PARENT}-01", "0".repeat(32)), false),
            (format!("00-{TRACE}-{}-01", "0".repeat(16)), false),
            (format!("00-{TRACE}-{PARENT}"), false),
            (String::new(), false),
        ] {
            let read = caller(&header);
            assert_eq!(read.is_some(), is_read, "{header}");
            if let Some(read) = read {
                assert_eq!(read.trace_id().to_string(), TRACE);
                assert_eq!(read.span_id().to_string(), PARENT);
                assert_eq!(read.is_sampled(), header.contains("-01"), "{header}");
            }
        }
    }

    #[test]
    fn a_share_of_all_events_is_taken() {
        let taken = |ratio| {
            let events = (0..4_000).map(|at| event("RunExecuted", &format!("run-{at}")));
            events.filter(|event| is_within(event.trace_id(), ratio)).count()
        };
        assert_eq!((taken(0.0), taken(1.0)), (0, 4_000));
        let quarter = taken(0.25);
        assert!((900..1_100).contains(&quarter), "{quarter}");
    }
}
