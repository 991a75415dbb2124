//! Traces of events, in OpenTelemetry's form: what became of an event from the moment it was accepted, sent to a collector by OTLP over
//! HTTP (<https://opentelemetry.io/docs/specs/otlp/>). A process has traces or not, as it has a log; where it has none, nothing is done.
//!
//! An event has one trace, whatever process handles it and however often it was restarted in between: the ids of the trace and of its
//! first span follow from the event's type and id. Its spans: `accept` from the call to the commit, and one `send` for each attempt
//! of each connection, with AWS's answer. The call that reported events is a span of the caller's own trace (`traceparent`,
//! <https://www.w3.org/TR/trace-context/>), to which the events' first spans are linked. A share of all traces is taken by the trace's id,
//! so that of an event all spans are kept, or none.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! ids spans        ids of an event's trace, and of a caller's; what a span says
//! export           spans on their way to the collector
//! ```

mod export;
mod ids;
mod spans;

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanContext;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanData, SpanProcessor as _};

pub(crate) use export::{Failed, Settings, register};
pub(crate) use spans::Attempt;

/// Longest wait for the collector at the end of the process.
const END_WITHIN: Duration = Duration::from_secs(5);

static TRACES: OnceLock<Traces> = OnceLock::new();

tokio::task_local! {
    /// The call that this task answers.
    static CALL: SpanContext;
}

#[derive(Debug)]
struct Traces {
    processor: BatchSpanProcessor,
    ratio: f64,
}

/// Begins to take traces. Once in a process: a second call changes nothing.
pub(crate) fn start(settings: &Settings) -> Result<(), Failed> {
    let traces = Traces {
        processor: export::processor(settings)?,
        ratio: settings.ratio,
    };
    // A second one ends as it is dropped.
    drop(TRACES.set(traces));
    Ok(())
}

/// Sends what is left, within a few seconds. Waits: not for a task of the runtime.
pub(crate) fn end() {
    if let Some(traces) = TRACES.get()
        && let Err(error) = traces.processor.shutdown_with_timeout(END_WITHIN)
    {
        tracing::warn!(%error, "the last traces were not sent");
    }
}

/// The traces of this process that this trace is among, if it has any.
fn taking(context: &SpanContext) -> Option<&'static Traces> {
    TRACES
        .get()
        .filter(|traces| ids::is_within(context.trace_id(), traces.ratio))
}

impl Traces {
    fn take(&self, span: SpanData) {
        self.processor.on_end(span);
    }
}

/// A call that reports events.
pub(crate) struct Call {
    context: SpanContext,
    caller: Option<SpanContext>,
    began: SystemTime,
}

impl Call {
    /// Begins one, of the caller's trace where this header names it.
    pub(crate) fn begin(traceparent: Option<&str>) -> Option<Self> {
        let traces = TRACES.get()?;
        let caller = traceparent.and_then(ids::caller);
        let context = ids::call(caller.as_ref());
        // A caller has decided for its whole trace.
        let is_taken = match &caller {
            Some(caller) => caller.is_sampled(),
            None => ids::is_within(context.trace_id(), traces.ratio),
        };
        is_taken.then(|| Self {
            context,
            caller,
            began: SystemTime::now(),
        })
    }

    /// Ends it with this status of HTTP, after so many events.
    pub(crate) fn end(self, route: &'static str, account: &str, (status, events): (u16, usize)) {
        if let Some(traces) = TRACES.get() {
            let attributes = vec![
                KeyValue::new("http.request.method", "POST"),
                KeyValue::new("http.route", route),
                KeyValue::new("http.response.status_code", i64::from(status)),
                KeyValue::new("scalr.account.id", account.to_owned()),
                KeyValue::new("messaging.batch.message_count", spans::count(events)),
            ];
            let ids = (self.context, self.caller.as_ref());
            traces.take(spans::call(ids, self.began, (route, status), attributes));
        }
    }
}

/// Does this as part of a call.
pub(crate) async fn within<T>(call: Option<&Call>, done: impl Future<Output = T>) -> T {
    match call {
        Some(call) => CALL.scope(call.context.clone(), done).await,
        None => done.await,
    }
}

/// A commit has accepted these events, by id and type, once for each connection that receives them; its transaction began then.
pub(crate) fn accepted<'a>(deliveries: impl Iterator<Item = (&'a str, &'a str)>, began: SystemTime) {
    if TRACES.get().is_none() {
        return;
    }
    let mut connections: HashMap<(&str, &str), usize> = HashMap::new();
    for event in deliveries {
        *connections.entry(event).or_default() += 1;
    }
    let call = CALL.try_with(Clone::clone).ok();
    for ((id, kind), connections) in connections {
        let context = ids::event(kind, id);
        if let Some(traces) = taking(&context) {
            traces.take(spans::accepted(
                context,
                (id, kind, connections),
                began,
                call.clone(),
            ));
        }
    }
}

/// When an attempt began, where there are traces.
pub(crate) fn attempt_begins() -> Option<SystemTime> {
    TRACES.get().map(|_| SystemTime::now())
}

/// An attempt to send an event has ended.
pub(crate) fn attempted(attempt: &Attempt<'_>, began: SystemTime) {
    let event = ids::event(attempt.kind, attempt.event_id);
    if let Some(traces) = taking(&event) {
        traces.take(spans::attempted(&event, attempt, began));
    }
}
