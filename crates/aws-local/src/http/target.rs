//! Which service and operation a request means, and its input as JSON.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde_json::Value;

use super::cbor;
use super::query::{self, Call, unknown_service};
use super::reply::Wire;
use crate::change::Body;
use crate::fault::Fault;
use crate::model::Service;

/// How deep a body may nest. The stored form nests it a few levels deeper, and JSON is read 127 deep.
const DEPTH_MAX: usize = 100;

/// The form that a client reads whose request is refused unread.
pub(super) fn wire(headers: &HeaderMap, path: &str) -> Wire {
    read(headers, path, None, b"").0
}

/// Reads RPC with CBOR (by its path), the JSON protocols (`X-Amz-Target`) and the query protocol (`Action=…`).
pub(super) fn read(headers: &HeaderMap, path: &str, query: Option<&str>, body: &[u8]) -> (Wire, Call) {
    let media = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if headers.contains_key("smithy-protocol") || media.starts_with("application/cbor") {
        return (Wire::Cbor, read_cbor(headers, path, body));
    }
    let wire = if media.starts_with("application/x-amz-json-1.0") {
        Wire::Json1_0
    } else {
        Wire::Json1_1
    };
    let Some(target) = headers.get("x-amz-target").and_then(|value| value.to_str().ok()) else {
        if media.starts_with("application/x-amz-json-") {
            let why = "The request names no operation: X-Amz-Target is missing.";
            return (wire, Err(Fault::new("UnknownOperationException", why)));
        }
        if media.starts_with("application/json") {
            let why = "The local AWS has no service of the REST protocol with JSON; nothing was done.";
            return (Wire::RestJson, Err(Fault::new("UnknownOperationException", why)));
        }
        let form = if body.is_empty() {
            query.unwrap_or_default().as_bytes()
        } else {
            body
        };
        return query::read(form);
    };
    let Some((prefix, operation)) = target.split_once('.') else {
        return (wire, Err(unknown_service(target)));
    };
    let Some(service) = Service::ALL
        .into_iter()
        .find(|service| service.target_prefix() == prefix)
    else {
        return (wire, Err(unknown_service(prefix)));
    };
    let body = if body.iter().all(u8::is_ascii_whitespace) {
        b"{}"
    } else {
        body
    };
    let call = match serde_json::from_slice::<Value>(body) {
        Ok(input) if !is_within(&input, DEPTH_MAX) => Err(Fault::new(
            "SerializationException",
            format!("The request body nests deeper than {DEPTH_MAX}."),
        )),
        Ok(input @ Value::Object(_)) => Ok((service, operation.to_owned(), Body::new(input, body))),
        Ok(_) => Err(Fault::new(
            "SerializationException",
            "The request body is not an object.",
        )),
        Err(error) => Err(Fault::new(
            "SerializationException",
            format!("The request body is not JSON: {error}"),
        )),
    };
    (wire, call)
}

/// Reads RPC with CBOR: `/service/SERVICE/operation/OPERATION` (Smithy RPC v2 CBOR). The protocol has to be named, as all its
/// clients do; who signed for which service does not count.
fn read_cbor(headers: &HeaderMap, path: &str, body: &[u8]) -> Call {
    let unknown = |why: String| Fault::new("UnknownOperationException", why);
    let protocol = headers
        .get("smithy-protocol")
        .and_then(|value| value.to_str().ok());
    if protocol != Some("rpc-v2-cbor") {
        return Err(unknown(
            "The header smithy-protocol is not rpc-v2-cbor, the one protocol that is spoken here with it; nothing was done."
                .to_owned(),
        ));
    }
    let named = path
        .strip_prefix("/service/")
        .and_then(|rest| rest.split_once("/operation/"));
    let Some((service, operation)) = named else {
        return Err(unknown(format!(
            "The path {path} names no operation: it is to be /service/SERVICE/operation/OPERATION."
        )));
    };
    if service != Service::EventsV2.target_prefix() {
        return Err(unknown(format!(
            "The local AWS has no service `{service}` that speaks RPC with CBOR, only `{}`; nothing was done.",
            Service::EventsV2.target_prefix()
        )));
    }
    // An operation without members may be sent without a body.
    let body = if body.is_empty() { b"\xA0" } else { body };
    let input = cbor::read(body, DEPTH_MAX)?;
    Ok((Service::EventsV2, operation.to_owned(), Body::without_text(input)))
}

/// Whether a value nests no deeper than that.
fn is_within(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(all) => depth > 0 && all.iter().all(|one| is_within(one, depth - 1)),
        Value::Object(all) => depth > 0 && all.values().all(|one| is_within(one, depth - 1)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_nests_only_so_deep() {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-target", "AWSEvents.ListRules".parse().unwrap());
        for (lists, taken) in [(99, true), (100, false), (126, false), (10_000, false)] {
            let body = format!("{{\"x\":{}{}}}", "[".repeat(lists), "]".repeat(lists));
            let (_, call) = read(&headers, "/", None, body.as_bytes());
            assert_eq!(call.is_ok(), taken, "{lists} lists");
        }
    }

    #[test]
    fn requests_name_their_operation() {
        let mut headers = HeaderMap::new();
        let (_, call) = read(
            &headers,
            "/",
            None,
            b"Action=AssumeRole&Version=2011-06-15&DurationSeconds=900&RoleArn=arn%3Aaws",
        );
        let (service, operation, input) = call.unwrap();
        assert_eq!((service, operation.as_str()), (Service::Sts, "AssumeRole"));
        assert_eq!(
            input.value.to_string(),
            r#"{"DurationSeconds":900,"RoleArn":"arn:aws"}"#
        );
        headers.insert("x-amz-target", "AWSEvents.ListRules".parse().unwrap());
        let (_, call) = read(&headers, "/", None, b"");
        let (service, operation, input) = call.unwrap();
        assert_eq!((service, operation.as_str()), (Service::Events, "ListRules"));
        assert_eq!(*input.value, serde_json::json!({}));
        for (target, body) in [
            ("AWSEvents", "{}"),
            ("DynamoDB_20120810.ListTables", "{}"),
            ("AWSEvents.X", "[]"),
            ("AWSEvents.X", "{"),
        ] {
            headers.insert("x-amz-target", target.parse().unwrap());
            assert!(
                read(&headers, "/", None, body.as_bytes()).1.is_err(),
                "{target} {body}"
            );
        }
    }
}
