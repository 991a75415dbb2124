//! RPC with CBOR, by bytes.

use std::time::Duration;

use aws_local::Config;

use crate::client::Local;

const LIST: &str = "/service/AWSEventsV2/operation/ListEventBuses";
const CBOR: Option<&str> = Some("rpc-v2-cbor");

/// A request that is refused before it is read is refused in its client's protocol, too.
#[tokio::test]
async fn refusals_of_unread_requests_name_their_protocol() {
    let local = Local::start(Config::default()).await;
    let ask = || {
        local
            .http
            .post(format!("{}{LIST}", local.url))
            .header("smithy-protocol", "rpc-v2-cbor")
    };
    let page = ask()
        .header("origin", "http://evil.example")
        .body(b"\xA0".to_vec());
    let long = ask().body(vec![0; 17 * 1024 * 1024]);
    let packed = ask().header("content-encoding", "gzip").body(b"\xA0".to_vec());
    for (request, status, code) in [
        (page, 403, "AccessDeniedException"),
        (long, 413, "RequestEntityTooLargeException"),
        (packed, 400, "SerializationException"),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{code}");
        assert_eq!(answer.headers()["smithy-protocol"], "rpc-v2-cbor", "{code}");
        let bytes = answer.bytes().await.unwrap();
        let refusal = super::bytes::read(&bytes);
        assert_eq!(refusal["__type"], code, "{refusal}");
    }
    local.stop().await;
}

/// What generated clients of other languages want of an answer: the header, on refusals too.
#[tokio::test]
async fn answers_name_their_protocol() {
    let local = Local::start(Config::default()).await;
    let ask = |path: &'static str, protocol: Option<&'static str>, body: &'static [u8]| {
        let request = local
            .http
            .post(format!("{}{path}", local.url))
            .header("content-type", "application/cbor");
        let request = protocol
            .into_iter()
            .fold(request, |request, name| request.header("smithy-protocol", name));
        request.body(body).send()
    };
    for (path, protocol, body, status, part) in [
        (LIST, CBOR, &b"\xA0"[..], 200, "EventBuses"),
        (LIST, CBOR, b"", 200, "EventBuses"),
        (LIST, CBOR, b"\xBF\x6AMaxResults\x01\xFF", 200, "EventBuses"),
        (LIST, CBOR, b"\xA1\x63Odd\x01", 400, "InvalidInputException"),
        (LIST, CBOR, b"\xA1", 400, "SerializationException"),
        (LIST, None, b"\xA0", 400, "UnknownOperationException"),
        (
            LIST,
            Some("rpc-v2-json"),
            b"\xA0",
            400,
            "UnknownOperationException",
        ),
        (
            "/service/AWSEventsV2/operation/Odd",
            CBOR,
            b"\xA0",
            400,
            "UnknownOperationException",
        ),
        (
            "/service/GraniteServiceVersion20100801/operation/ListMetrics",
            CBOR,
            b"\xA0",
            400,
            "UnknownOperationException",
        ),
        ("/", CBOR, b"\xA0", 400, "UnknownOperationException"),
    ] {
        let answer = tokio::time::timeout(Duration::from_secs(10), ask(path, protocol, body))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(answer.status(), status, "{path} {protocol:?} {body:02x?}");
        assert_eq!(answer.headers()["smithy-protocol"], "rpc-v2-cbor");
        assert_eq!(answer.headers()["content-type"], "application/cbor");
        let bytes = answer.bytes().await.unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains(part), "{path} {protocol:?} {body:02x?} {text}");
    }
    local.stop().await;
}
