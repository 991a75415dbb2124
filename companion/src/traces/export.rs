//! Spans on their way to the collector: kept in a bounded queue, sent in batches by a thread of their own. Nothing waits for them; what
//! the collector does not take is lost, counted, and said once until it takes some again.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::Key;
use opentelemetry_otlp::{
    ExporterBuildError, OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_TRACES_HEADERS, SpanExporter,
    WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SpanData, SpanExporter as Exports, SpanProcessor as _,
};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::{error_chain, secrets};

/// What OTLP adds to a collector's address for traces.
const PATH: &str = "/v1/traces";
/// The name of the service where nothing says another.
const SERVICE: &str = "scalr-eventbridge";
/// Shorter values of headers are no secrets.
const SECRET_LENGTH_MIN: usize = 8;
/// Spans that wait; beyond that, new ones are left out.
const QUEUE: usize = 16_384;
/// Spans of one request.
const BATCH: usize = 512;
/// Between two requests where a batch does not fill.
const EVERY: Duration = Duration::from_secs(1);
/// Longest wait for an answer.
const WITHIN: Duration = Duration::from_secs(10);

static SPANS: LazyLock<Family<Outcome, Counter>> = LazyLock::new(Family::default);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// Where traces are sent.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The collector's address; `/v1/traces` is added to it, as OTLP says.
    pub(crate) endpoint: String,
    /// It is this machine's, to which no proxy leads.
    pub(crate) is_near: bool,
    /// The share of all traces that is taken, from 0 to 1.
    pub(crate) ratio: f64,
}

/// Why traces cannot be sent at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// The client cannot be made.
    #[error("the client cannot be made")]
    Client(#[from] reqwest::Error),
    /// OpenTelemetry's own settings, or the address, are not in their form.
    #[error("{0}")]
    Settings(#[from] ExporterBuildError),
    /// The thread that makes the client ended.
    #[error("the client cannot be made")]
    Thread,
}

/// Adds the figures.
pub(crate) fn register(registry: &mut Registry) {
    for outcome in ["sent", "lost"] {
        drop(SPANS.get_or_create(&Outcome { outcome }));
    }
    registry.register(
        "trace_spans",
        "Spans of traces that the collector has taken (`sent`) or not (`lost`)",
        SPANS.clone(),
    );
}

/// What takes spans and sends them in batches.
pub(super) fn processor(settings: &Settings) -> Result<BatchSpanProcessor, Failed> {
    for variable in [OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_TRACES_HEADERS] {
        let headers = std::env::var(variable).unwrap_or_default();
        let values = headers.split(',').filter_map(|pair| pair.split_once('='));
        values.for_each(|(_, value)| keep_secret(value.trim()));
    }
    let url = address(&settings.endpoint);
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client(settings.is_near)?)
        .with_endpoint(&url)
        .with_timeout(WITHIN)
        .build()?;
    let told = Told {
        exporter,
        url,
        is_failing: AtomicBool::new(false),
    };
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(EVERY)
        .build();
    let mut processor = BatchSpanProcessor::builder(told)
        .with_batch_config(batches)
        .build();
    processor.set_resource(&resource());
    Ok(processor)
}

/// Keeps the value of a header out of the log, as it is written and as it is sent; without the word before a token, too. A short value,
/// such as a tenant's number, is none: it would be found everywhere.
fn keep_secret(value: &str) {
    let sent = value.replace("%20", " ");
    for text in [value, &sent, sent.rsplit(' ').next().unwrap_or_default()] {
        if text.len() >= SECRET_LENGTH_MIN {
            secrets::given(text);
        }
    }
}

/// Who sends the spans, as OpenTelemetry's variables say, and by our name where they name no service.
fn resource() -> Resource {
    let said = Resource::builder().build();
    let name = said.get(&Key::from_static_str("service.name"));
    let is_named = name.is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    if is_named {
        return said;
    }
    Resource::builder().with_service_name(SERVICE).build()
}

fn address(endpoint: &str) -> String {
    let endpoint = endpoint.trim_end_matches('/');
    if endpoint.ends_with(PATH) {
        endpoint.to_owned()
    } else {
        format!("{endpoint}{PATH}")
    }
}

/// The client, which waits in the thread that sends. It has a runtime of its own, and so is made outside ours.
fn client(is_near: bool) -> Result<reqwest::blocking::Client, Failed> {
    let made = std::thread::spawn(move || {
        let client = reqwest::blocking::Client::builder()
            .timeout(WITHIN)
            .redirect(reqwest::redirect::Policy::none());
        if is_near { client.no_proxy() } else { client }.build()
    });
    Ok(made.join().map_err(|_| Failed::Thread)??)
}

/// An exporter that says what becomes of the spans.
#[derive(Debug)]
struct Told {
    exporter: SpanExporter,
    url: String,
    is_failing: AtomicBool,
}

impl Exports for Told {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let sent = self.exporter.export(batch).await;
        let outcome = if sent.is_ok() { "sent" } else { "lost" };
        let counted = u64::try_from(spans).unwrap_or(u64::MAX);
        SPANS.get_or_create(&Outcome { outcome }).inc_by(counted);
        let was_failing = self.is_failing.swap(sent.is_err(), Ordering::Relaxed);
        match sent {
            Err(error) if !was_failing => tracing::warn!(
                collector = self.url,
                spans,
                error = error_chain::with_causes(&error),
                "the collector does not take traces, which are lost until it does; delivery is not affected"
            ),
            Ok(()) if was_failing => {
                tracing::warn!(collector = self.url, "the collector takes traces again");
            }
            _ => {}
        }
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_has_the_path_of_traces_once() {
        for endpoint in [
            "http://127.0.0.1:4318",
            "http://127.0.0.1:4318/",
            "http://127.0.0.1:4318/v1/traces",
        ] {
            assert_eq!(address(endpoint), "http://127.0.0.1:4318/v1/traces");
        }
        assert_eq!(
            address("https://collector.example.com/otlp"),
            "https://collector.example.com/otlp/v1/traces"
        );
    }
}
