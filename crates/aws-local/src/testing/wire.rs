//! Requests of tests and fuzzers in the form of their service, and what is held of every answer: a client can read it.
#![allow(
    clippy::expect_used,
    reason = "it runs under tests and fuzzers, where a panic is the finding"
)]

use axum::body::to_bytes;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use axum::response::Response;
use serde_json::Value;

use super::local::Answered;
use crate::change::Request;
use crate::fault::Fault;
use crate::http::{Wire, cbor};
use crate::model::{Input, Service, random};

/// How deep an answer may nest.
const DEPTH_MAX: usize = 127;

/// The service and the operation in the form of `X-Amz-Target`.
pub(super) fn named(target: &str) -> (Option<Service>, &str) {
    let (prefix, operation) = target.split_once('.').unwrap_or_default();
    let mut all = Service::ALL.into_iter();
    (all.find(|service| service.target_prefix() == prefix), operation)
}

fn speaks_cbor(target: &str) -> bool {
    named(target).0 == Some(Service::EventsV2)
}

/// An input as its operation's service reads it.
pub(super) fn encode(target: &str, input: &Value) -> Vec<u8> {
    let (service, operation) = named(target);
    if !speaks_cbor(target) {
        return input.to_string().into_bytes();
    }
    let shape = service.and_then(|service| service.input(operation));
    cbor::output(shape.map(Input::part), input)
}

/// The body with the id of the bus that is there: ids are chosen by the service, and inputs are random.
pub(super) fn with_id(body: &[u8], id: &str) -> Vec<u8> {
    let (from, mut body) = (random::BUS_ID.as_bytes(), body.to_vec());
    if id.len() == from.len() {
        while let Some(at) = body.windows(from.len()).position(|part| part == from) {
            body[at..at + from.len()].copy_from_slice(id.as_bytes());
        }
    }
    body
}

/// A request that came over the socket.
pub(super) struct Asked {
    headers: HeaderMap,
    uri: Uri,
    body: Vec<u8>,
}

impl Asked {
    pub(super) fn new(target: &str, authorization: &str, body: Vec<u8>) -> Self {
        let mut headers = HeaderMap::new();
        let mut header = |name: HeaderName, text: &str| {
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(name, value);
            }
        };
        header(AUTHORIZATION, authorization);
        let mut uri = Uri::default();
        if speaks_cbor(target) {
            header(CONTENT_TYPE, "application/cbor");
            header(HeaderName::from_static("smithy-protocol"), "rpc-v2-cbor");
            let path = format!("/service/AWSEventsV2/operation/{}", named(target).1);
            uri = path.parse().unwrap_or_default();
        } else {
            header(CONTENT_TYPE, "application/x-amz-json-1.1");
            if !target.is_empty() {
                header(HeaderName::from_static("x-amz-target"), target);
            }
        }
        Self { headers, uri, body }
    }

    pub(super) fn read(&self) -> (Wire, Result<Request, Fault>) {
        crate::http::read("us-east-1", &self.headers, &self.uri, &self.body)
    }
}

/// The status and the body; panics where a client cannot read the answer, or where it is a server error.
pub(super) async fn answered(target: &str, response: Response) -> Answered {
    let (head, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.expect("a body in memory");
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let (status, media) = (head.status.as_u16(), header("content-type").unwrap_or_default());
    let shown = format!("{target}: {status} {media} {}", String::from_utf8_lossy(&bytes));
    assert!(header("x-amzn-requestid").is_some(), "{shown}");
    assert!(status < 500, "{shown}");
    let text = || std::str::from_utf8(&bytes).expect(&shown);
    let (answer, message): (Value, _) = match media {
        "text/xml" => {
            assert!(text().starts_with('<'), "{shown}");
            return (status, Value::from(text()));
        }
        "application/cbor" => {
            assert_eq!(header("smithy-protocol"), Some("rpc-v2-cbor"), "{shown}");
            (cbor::read(&bytes, DEPTH_MAX).expect(&shown), "Message")
        }
        _ => (serde_json::from_str(text()).expect(&shown), "message"),
    };
    if status != 200 {
        let code = answer["__type"].as_str();
        assert!(code.is_some_and(|code| !code.is_empty()), "{shown}");
        assert!(answer[message].is_string(), "{shown}");
    }
    (status, answer)
}
