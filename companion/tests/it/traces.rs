//! `serve --otlp-endpoint`: an event's trace at a collector, from the call that reported it to AWS's answer.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;

use crate::aws::Aws;
use crate::companion::{Companion, run_executed};
use crate::proxy::Act;
use crate::serve::{account, serve, show};
use crate::stage::REGION;
use crate::until;

const SECRET: &str = "collector-secret-0123456789";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// What a collector has received.
#[derive(Default)]
struct Held {
    spans: Vec<Span>,
    services: Vec<String>,
    authorizations: Vec<String>,
}

#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Held>>);

impl Collector {
    async fn start() -> (Self, String) {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/v1/traces", post(collect))
            .with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (collector, url)
    }

    /// Waits for so many spans of these names.
    async fn wait_for(&self, name: &str, spans: usize) -> Vec<Span> {
        until(name, async || {
            let held = self.0.lock().unwrap();
            let found = held.spans.iter().filter(|span| span.name == name);
            let found: Vec<Span> = found.cloned().collect();
            (found.len() >= spans).then_some(found)
        })
        .await
    }
}

async fn collect(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) -> Vec<u8> {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let mut held = collector.0.lock().unwrap();
    let authorization = headers["authorization"].to_str().unwrap().to_owned();
    held.authorizations.push(authorization);
    for resource in request.resource_spans {
        let attributes = resource.resource.unwrap().attributes;
        let name = attributes.into_iter().find(|pair| pair.key == "service.name");
        if let Some(Any::StringValue(name)) = name.and_then(|pair| pair.value?.value) {
            held.services.push(name);
        }
        held.spans
            .extend(resource.scope_spans.into_iter().flat_map(|of| of.spans));
    }
    ExportTraceServiceResponse::default().encode_to_vec()
}

/// The bytes that these hexadecimal digits write.
fn bytes(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2).map(|at| &hex[at..at + 2]);
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// The attributes as texts.
fn attributes(span: &Span) -> HashMap<&str, String> {
    let text = |value: &Any| match value {
        Any::StringValue(text) => text.clone(),
        Any::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let pairs = span.attributes.iter();
    pairs
        .map(|pair| {
            let value = pair.value.as_ref().and_then(|value| value.value.as_ref());
            (pair.key.as_str(), value.map(text).unwrap_or_default())
        })
        .collect()
}

/// A service that sends traces there, with an active connection of the account `acme`, and its log.
async fn connected(aws: &Aws, dir: &tempfile::TempDir, more: &[&str]) -> (Companion, String, Lines) {
    let mut command = serve(dir.path(), &aws.proxy.endpoint, more);
    let headers = format!("authorization=Bearer%20{SECRET}");
    command
        .env("OTEL_EXPORTER_OTLP_HEADERS", headers)
        .stderr(Stdio::piped());
    let (mut c, log) = Companion::spawn_with_log(command).await;
    let operator = c.line["operator_token"].as_str().unwrap().to_owned();
    c.line = serde_json::json!({ "scalr": { "hostname": c.line["hostname"], "token": operator } });
    let token = account(&c, &operator, "acme").await;
    show(&mut c, &token);
    let id = c.connect("prod", REGION).await;
    aws.receive(REGION, "aws.partner/scalr.com/acme/prod").await;
    assert_eq!(c.set_status(&id, "active").await, "active");
    (c, id, BufReader::new(log).lines())
}

type Lines = tokio::io::Lines<BufReader<tokio::process::ChildStderr>>;

/// Reports a run as part of a trace of the caller's.
async fn report(c: &Companion, run: &str) {
    let event = run_executed(run, "network", "")["detail"].take();
    let url = format!("{}/events/v1/run-executed", c.text("/scalr/hostname"));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let sent = http
        .post(url)
        .bearer_auth(c.text("/scalr/token"))
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"));
    assert_eq!(sent.json(&event).send().await.unwrap().status(), 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_events_trace_leads_from_its_report_to_awss_answer() {
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().unwrap());
    let (collector, url) = Collector::start().await;
    let (c, id, mut log) = connected(&aws, &dir, &["--otlp-endpoint", &url]).await;
    let puts = AtomicUsize::new(0);
    aws.proxy.script(move |call| {
        let is_first = call.operation == "PutPartnerEvents" && puts.fetch_add(1, Ordering::SeqCst) == 0;
        if is_first { Act::Fail(500) } else { Act::Pass }
    });
    report(&c, "run-1").await;
    c.drained(&id).await;

    let sends = collector.wait_for("send RunExecuted", 2).await;
    let accepts = collector.wait_for("accept RunExecuted", 1).await;
    let calls = collector.wait_for("POST /events/v1/run-executed", 1).await;
    let ([accept], [call]) = (&accepts[..], &calls[..]) else {
        panic!("one each: {accepts:?} {calls:?}")
    };
    assert_eq!(
        (&call.trace_id, &call.parent_span_id),
        (&bytes(TRACE), &bytes(PARENT))
    );
    let of_call = attributes(call);
    assert_eq!(of_call["http.response.status_code"], "202");
    assert_eq!(of_call["messaging.batch.message_count"], "1");
    assert!(accept.parent_span_id.is_empty(), "it is the first of its trace");
    assert_eq!(
        accept.links.iter().map(|link| &link.span_id).collect::<Vec<_>>(),
        [&call.span_id]
    );
    assert_eq!(attributes(accept)["messaging.message.id"], "run-1");
    for (at, send) in sends.iter().enumerate() {
        assert_eq!(
            (&send.trace_id, &send.parent_span_id),
            (&accept.trace_id, &accept.span_id)
        );
        let says = attributes(send);
        assert_eq!(
            (
                says["messaging.message.id"].as_str(),
                says["scalr.connection.id"].as_str()
            ),
            ("run-1", id.as_str())
        );
        assert_eq!(says["scalr.delivery.attempt"], (at + 1).to_string());
        let error = send.status.as_ref().map_or("", |status| &status.message);
        assert_eq!(error.contains("500"), at == 0, "{error}");
    }
    {
        let held = collector.0.lock().unwrap();
        assert!(held.services.iter().all(|name| name == "scalr-eventbridge"));
        assert!(
            held.authorizations
                .iter()
                .all(|one| *one == format!("Bearer {SECRET}"))
        );
        assert!(!format!("{:?}", held.spans).contains(c.text("/scalr/token")));
    }
    assert!(c.stop().await);
    while let Some(line) = log.next_line().await.unwrap() {
        assert!(!line.contains(SECRET) && !line.contains("collector"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_is_said_once_and_delays_no_event() {
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().unwrap());
    // A port that nobody listens on, as this process has it and takes no connection.
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", taken.local_addr().unwrap());
    drop(taken);
    let (c, id, mut log) = connected(&aws, &dir, &["--otlp-endpoint", &url]).await;
    report(&c, "run-1").await;
    c.drained(&id).await;
    let mut said = vec![];
    while said.is_empty() {
        let line = log.next_line().await.unwrap().expect("it is said");
        said.extend(line.contains("does not take traces").then_some(line));
    }
    report(&c, "run-2").await;
    c.drained(&id).await;
    assert_eq!(c.delivery(&id).await["delivered"], 2);
    assert!(c.stop().await);
    while let Some(line) = log.next_line().await.unwrap() {
        said.extend(line.contains("does not take traces").then_some(line));
    }
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(said[0].contains(&url), "{said:?}");
}
