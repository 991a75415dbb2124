//! What is refused unread, and that no input brings the server down.

use std::time::Duration;

use aws_local::{Config, Error, Server};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{CUSTOMER, Local};

/// Sends bytes and gives the status line that comes back; empty when the connection is only closed.
async fn status(local: &Local, bytes: &[u8]) -> String {
    let address = local.url.strip_prefix("http://").unwrap();
    let mut tcp = TcpStream::connect(address).await.unwrap();
    let _ = tcp.write_all(bytes).await;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !answer.contains(&b'\n') {
        match tokio::time::timeout(Duration::from_secs(10), tcp.read(&mut buffer)).await {
            Ok(Ok(count)) if count > 0 => answer.extend_from_slice(&buffer[..count]),
            Ok(_) => break,
            Err(_) => return "no answer".to_owned(),
        }
    }
    let text = String::from_utf8_lossy(&answer);
    text.lines()
        .next()
        .unwrap_or_default()
        .split(' ')
        .nth(1)
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn malformed_input_is_answered() {
    let local = Local::start(Config::default()).await;
    let json = "Host: localhost\r\nX-Amz-Target: AWSEvents.ListRules\r\nContent-Type: application/x-amz-json-1.1\r\n";
    let deep = format!("{{\"a\":{}", "[".repeat(100_000));
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(1 << 20));
    let head = |extra: &str, body: &str| format!("POST / HTTP/1.1\r\n{json}{extra}\r\n{body}");
    for (sent, expected) in [
        (head("Content-Length: 2\r\n", "{}"), "200"),
        (head("Transfer-Encoding: chunked\r\n", "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"), "200"),
        (head("Transfer-Encoding: chunked\r\n", "zz\r\n"), "413"),
        (format!("POST / HTTP/1.0\r\n{json}Content-Length: 2\r\n\r\n{{}}"), "200"),
        ("POST / HTTP/1.0\r\nX-Amz-Target: AWSEvents.ListRules\r\nContent-Length: 2\r\n\r\n{}".to_owned(), "403"),
        (head("Content-Length: 1\r\n", "{"), "400"),
        (head("Content-Length: 2\r\n", "[]"), "400"),
        (head("Content-Length: 4\r\n", "\"\\u\""), "400"),
        (head(&format!("Content-Length: {}\r\n", deep.len()), &deep), "400"),
        (head("Content-Length: 99999999\r\n", ""), "413"),
        (head("Content-Length: x\r\n", ""), "400"),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: 2\r\n\r\n{}".to_owned(), "400"),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: \u{1}\r\nContent-Length: 0\r\n\r\n".to_owned(), "400"),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AWSEvents\r\nContent-Length: 0\r\n\r\n".to_owned(), "400"),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: .\r\nContent-Length: 0\r\n\r\n".to_owned(), "400"),
        ("GET /a/b/c?x=%zz&&= HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), "400"),
        ("DELETE /_local/reset HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), "405"),
        ("GET /_local/events/%ff%00 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), "400"),
        ("GET /_local/events/nope HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), "404"),
        ("GET http://evil.example/_local/clock HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), "403"),
        ("GET /_local/clock HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_owned(), "403"),
        ("GET /_local/clock HTTP/1.1\r\nHost: [::1]x\r\n\r\n".to_owned(), "403"),
        ("GET /_local/clock HTTP/1.1\r\nHost: [::1]:80\r\n\r\n".to_owned(), "200"),
        ("GET /_local/clock HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n".to_owned(), "403"),
        ("GET /_local/clock HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n".to_owned(), "403"),
        ("GET http://localhost/_local/clock HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n".to_owned(), "403"),
        ("GET /_local/clock HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\n\r\n".to_owned(), "403"),
        ("OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n\r\n".to_owned(), "403"),
        (long, "431"),
        ("\u{16}\u{3}\u{1}junk\r\n\r\n".to_owned(), "400"),
    ] {
        let shown = sent.chars().take(160).collect::<String>();
        assert_eq!(status(&local, sent.as_bytes()).await, expected, "{shown}");
    }
    local.run(&[(CUSTOMER, "events.ListRules", "{}", "ok")]).await;
    local.stop().await;
}

/// A client of AWS's would not find the host of a region that is misspelt.
#[tokio::test]
async fn a_signature_for_a_region_that_does_not_exist_is_refused_in_each_protocol() {
    let local = Local::start(Config {
        region: "us-east-1".to_owned(),
        check_region: |region| match region {
            "us-east-1" => Ok(()),
            _ => Err("Did you mean us-east-1?".to_owned()),
        },
        ..Config::default()
    })
    .await;
    let (json, form) = ("application/x-amz-json-1.1", "application/x-www-form-urlencoded");
    let sqs = "com.amazon.coral.service#InvalidSignatureException";
    for (region, media, target, body, refused) in [
        (Some("us-east-1"), json, "AWSEvents.ListRules", "{}", None),
        (None, json, "AWSEvents.ListRules", "{}", None),
        (
            Some("us-est-1"),
            json,
            "AWSEvents.ListRules",
            "{}",
            Some((400, "InvalidSignatureException")),
        ),
        (
            Some("us-est-1"),
            json,
            "AmazonSQS.ListQueues",
            "{}",
            Some((400, sqs)),
        ),
        (
            Some("us-est-1"),
            form,
            "",
            "Action=GetCallerIdentity&Version=2011-06-15",
            Some((403, "<Code>SignatureDoesNotMatch</Code>")),
        ),
    ] {
        let mut request = local
            .http
            .post(&local.url)
            .body(body)
            .header("content-type", media);
        if !target.is_empty() {
            request = request.header("x-amz-target", target);
        }
        if let Some(region) = region {
            let scope = format!("Credential={CUSTOMER}/20240101/{region}/events/aws4_request");
            request = request.header("authorization", format!("AWS4-HMAC-SHA256 {scope}, Signature=x"));
        }
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        let Some((want, code)) = refused else {
            assert_eq!(status, 200, "{region:?} {target}: {text}");
            continue;
        };
        assert_eq!(status, want, "{region:?} {target}: {text}");
        for part in [code, "not 'us-est-1'. Did you mean us-east-1?"] {
            assert!(text.replace("&apos;", "'").contains(part), "{target}: {text}");
        }
    }
    local.stop().await;
}

#[tokio::test]
async fn json_clients_are_refused_in_json() {
    let local = Local::start(Config::default()).await;
    for (target, code) in [
        (None, "UnknownOperationException"),
        (Some("AWSEvents.Nonsense"), "UnknownOperationException"),
        (Some("Logs_20140328.StartQuery"), "UnknownOperationException"),
        (
            Some("AmazonSQS.StartMessageMoveTask"),
            "UnknownOperationException",
        ),
        (Some("DynamoDB_20120810.ListTables"), "UnknownOperationException"),
    ] {
        let mut request = local
            .http
            .post(&local.url)
            .header("content-type", "application/x-amz-json-1.1")
            .body("{}");
        if let Some(target) = target {
            request = request.header("x-amz-target", target);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 400, "{target:?}");
        let text = response.text().await.unwrap();
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        let kind = answer["__type"].as_str().unwrap();
        assert_eq!(kind.rsplit('#').next(), Some(code), "{target:?} {answer}");
    }
    local.stop().await;
}

#[tokio::test]
async fn other_protocols_are_refused_in_their_own_form() {
    let local = Local::start(Config::default()).await;
    for (headers, body, media, words) in [
        (
            &[("content-type", "application/x-www-form-urlencoded")][..],
            "Action=SendMessage&Version=2012-11-05&QueueUrl=x",
            "text/xml",
            "<Code>UnknownOperationException</Code><Message>The local AWS speaks SQS",
        ),
        (
            &[("content-type", "application/x-www-form-urlencoded")],
            "Action=ListMetrics&Version=2010-08-01",
            "text/xml",
            "ListMetrics, version 2010-08-01",
        ),
        (
            &[
                ("smithy-protocol", "rpc-v2-cbor"),
                ("content-type", "application/cbor"),
            ],
            "\u{0}",
            "application/cbor",
            "\u{19}UnknownOperationException",
        ),
        (
            &[("content-type", "application/json")],
            "{}",
            "application/json",
            r#"{"message":"The local AWS has no service of the REST protocol"#,
        ),
    ] {
        let mut request = local.http.post(&local.url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 400, "{body}");
        assert_eq!(response.headers()["content-type"], media, "{body}");
        let is_cbor = media == "application/cbor";
        assert_eq!(
            response.headers().get("smithy-protocol").is_some(),
            is_cbor,
            "{body}"
        );
        let text = String::from_utf8_lossy(&response.bytes().await.unwrap()).into_owned();
        assert!(text.contains(words), "{body}: {text}");
    }
    local.stop().await;
}

#[tokio::test]
async fn open_connections_do_not_delay_shutdown() {
    let local = Local::start(Config::default()).await;
    let address = local.url.strip_prefix("http://").unwrap().to_owned();
    let mut idle = Vec::new();
    for sent in [
        "",
        "POST / HT",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n{",
    ] {
        let mut tcp = TcpStream::connect(&address).await.unwrap();
        tcp.write_all(sent.as_bytes()).await.unwrap();
        idle.push(tcp);
    }
    assert_eq!(local.tell("reset", "").await, json!({ "reset": true }));
    local.stop().await;
}

#[tokio::test]
async fn beyond_loopback_only_when_allowed() {
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let config = Config {
            listen: listen.parse().unwrap(),
            ..Config::default()
        };
        let refused = Server::bind(config).await;
        assert!(
            matches!(refused, Err(Error::NotLoopback(_))),
            "{listen} {refused:?}"
        );
    }
    let config = Config {
        listen: "0.0.0.0:0".parse().unwrap(),
        allow_remote: true,
        ..Config::default()
    };
    assert!(Server::bind(config).await.is_ok());
}
