//! A proxy between the companion and AWS: it records each call, and injects faults.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};

/// What the proxy does with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Forwards the call, and the answer.
    Pass,
    /// Forwards nothing and never answers.
    Hang,
    /// Forwards the call and never answers.
    Swallow,
    /// Forwards the call, and the answer, once the gate is open.
    Late(Gate),
    /// Answers with this status; AWS does not receive the call.
    Fail(u16),
    /// Answers with this error code of AWS's; AWS does not receive the call.
    Refuse(&'static str),
    /// Refuses the signature, as AWS words it: with the request's headers in the message; AWS does not receive the call.
    RepeatHeaders,
    /// Answers with this status once the gate is open; AWS does not receive the call.
    LateFail(Gate, u16),
    /// Forwards all entries but these, which it answers with this error code.
    FailEntries(Vec<usize>, &'static str),
}

/// Closed until [`Gate::open`].
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<Semaphore>);

impl Gate {
    /// A closed one.
    pub(crate) fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Ends all waits.
    pub(crate) fn open(&self) {
        self.0.close();
    }

    async fn pass(&self) {
        // The semaphore never has permits: a wait ends when it is closed.
        let _ = self.0.acquire().await;
    }
}

impl PartialEq for Gate {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Gate {}

/// A call that the proxy received.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Such as `PutPartnerEvents`.
    pub(crate) operation: String,
    /// The access key id it was signed with.
    pub(crate) key: String,
    /// The region it was signed for.
    pub(crate) region: String,
    /// The events in it, by run id.
    pub(crate) runs: Vec<String>,
}

/// Where a call goes, and its headers.
type Head = (Uri, HeaderMap);

type Script = Box<dyn Fn(&Call) -> Act + Send>;

struct Shared {
    upstream: String,
    http: reqwest::Client,
    script: Mutex<Script>,
    calls: watch::Sender<Vec<Call>>,
}

/// The proxy. Clones share.
#[derive(Clone)]
pub(crate) struct Proxy {
    shared: Arc<Shared>,
    /// Its own address.
    pub(crate) endpoint: String,
}

impl Proxy {
    /// Listens in front of `upstream`, and forwards all calls.
    pub(crate) async fn start(upstream: &str) -> Self {
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            http: reqwest::Client::new(),
            script: Mutex::new(Box::new(|_| Act::Pass)),
            calls: watch::Sender::new(vec![]),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let app = Router::new().fallback(handle).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { shared, endpoint }
    }

    /// From now on `script` decides what is done with a call.
    pub(crate) fn script(&self, script: impl Fn(&Call) -> Act + Send + 'static) {
        *self.shared.script.lock().expect("no script panics") = Box::new(script);
    }

    /// The calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.calls.borrow().clone()
    }

    /// The puts so far.
    pub(crate) fn puts(&self) -> Vec<Call> {
        let calls = self.calls();
        calls
            .into_iter()
            .filter(|call| call.operation == "PutPartnerEvents")
            .collect()
    }

    /// Waits until `enough` is true of the calls.
    pub(crate) async fn until(&self, enough: impl Fn(&[Call]) -> bool) {
        let mut calls = self.shared.calls.subscribe();
        let came = tokio::time::timeout(crate::PATIENCE, calls.wait_for(|calls| enough(calls))).await;
        assert!(
            came.is_ok(),
            "timed out waiting for calls; received: {:?}",
            self.calls()
        );
    }

    /// Waits until an operation was called so many times.
    pub(crate) async fn until_called(&self, operation: &str, times: usize) {
        let of_it = |call: &&Call| call.operation == operation;
        self.until(|calls| calls.iter().filter(of_it).count() >= times)
            .await;
    }
}

async fn handle(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let head = &(uri, headers);
    let call = call(&head.1, &body);
    let act = (shared.script.lock().expect("no script panics"))(&call);
    // A swallowed call is recorded once AWS has answered, so that a wait for it ends after AWS has carried it out.
    if act != Act::Swallow {
        shared.calls.send_modify(|calls| calls.push(call.clone()));
    }
    match act {
        Act::Pass => shared.forward(head, body).await,
        Act::LateFail(gate, status) => {
            gate.pass().await;
            StatusCode::from_u16(status).expect("a status").into_response()
        }
        Act::Fail(status) => StatusCode::from_u16(status).expect("a status").into_response(),
        Act::Refuse(code) => (StatusCode::BAD_REQUEST, [("x-amzn-errortype", code)]).into_response(),
        Act::RepeatHeaders => {
            let sent: Vec<_> = head
                .1
                .iter()
                .map(|(name, value)| format!("{name}:{value:?}"))
                .collect();
            let message = format!("The Canonical String was {}", sent.join(" "));
            let body = json!({ "__type": "SignatureDoesNotMatch", "message": message });
            (StatusCode::FORBIDDEN, body.to_string()).into_response()
        }
        Act::Hang => std::future::pending().await,
        Act::Late(gate) => {
            gate.pass().await;
            shared.forward(head, body).await
        }
        Act::Swallow => {
            shared.forward(head, body).await;
            shared.calls.send_modify(|calls| calls.push(call));
            std::future::pending().await
        }
        Act::FailEntries(failed, code) => shared.without(head, &body, &failed, code).await,
    }
}

fn call(headers: &HeaderMap, body: &[u8]) -> Call {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let scope = text("authorization")
        .split("Credential=")
        .nth(1)
        .unwrap_or_default();
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let run = |entry: &Value| {
        let detail: Value = serde_json::from_str(entry["Detail"].as_str()?).ok()?;
        Some(detail["event"]["run-id"].as_str().unwrap_or_default().to_owned())
    };
    Call {
        operation: text("x-amz-target")
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .to_owned(),
        key: scope.split('/').next().unwrap_or_default().to_owned(),
        region: scope.split('/').nth(2).unwrap_or_default().to_owned(),
        runs: body["Entries"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(run)
            .collect(),
    }
}

impl Shared {
    async fn forward(&self, (uri, headers): &Head, body: Bytes) -> Response {
        let url = format!("{}{}", self.upstream, uri.path());
        let mut request = self.http.post(url).body(body);
        for name in [
            "x-amz-target",
            "smithy-protocol",
            "content-type",
            "authorization",
            "x-amz-date",
        ] {
            if let Some(value) = headers.get(name) {
                request = request.header(name, value);
            }
        }
        let Ok(answer) = request.send().await else {
            return StatusCode::BAD_GATEWAY.into_response();
        };
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer
            .headers()
            .iter()
            .filter(|(name, _)| name.as_str() != "transfer-encoding")
        {
            response = response.header(name, value);
        }
        let body = answer.bytes().await.unwrap_or_default();
        response.body(Body::from(body)).expect("an answer")
    }

    async fn without(&self, head: &Head, body: &[u8], failed: &[usize], code: &str) -> Response {
        let body: Value = serde_json::from_slice(body).expect("a put");
        let entries = body["Entries"].as_array().cloned().unwrap_or_default();
        let is_failed = |at: &usize| failed.contains(at);
        let kept: Vec<&Value> = (0..entries.len())
            .filter(|at| !is_failed(at))
            .map(|at| &entries[at])
            .collect();
        if !kept.is_empty() {
            let passed = self
                .forward(head, Bytes::from(json!({ "Entries": kept }).to_string()))
                .await;
            assert!(passed.status().is_success());
        }
        let slot = |at: usize| {
            if is_failed(&at) {
                json!({ "ErrorCode": code, "ErrorMessage": "injected by the test" })
            } else {
                json!({ "EventId": format!("event-{at}") })
            }
        };
        let slots: Vec<Value> = (0..entries.len()).map(slot).collect();
        let failed = failed.iter().filter(|at| **at < entries.len()).count();
        let answer = json!({ "FailedEntryCount": failed, "Entries": slots }).to_string();
        ([("content-type", "application/x-amz-json-1.1")], answer).into_response()
    }
}
