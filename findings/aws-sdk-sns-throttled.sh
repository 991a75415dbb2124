#!/bin/sh
# The AWS SDK for Rust does not try again where SNS throttles a call with the error code of its own model, `Throttled`.
# Package: aws-sdk-sns 1.121.0 with aws-runtime 1.10.2 (crates.io)
# Seen: ListOriginationNumbers answered with status 429 and the code `Throttled` is sent once and ends as ThrottledException. With the same status and the code `Throttling` it is sent three times, which is the default of the SDK's retries.
# Documented: SNS's model gives ThrottledException the code `Throttled` and status 429 (API reference, Common error types of SMS operations); the SDKs and Tools reference guide says that the standard retry mode tries throttling errors again.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"
cat > "$work/Cargo.toml" <<'TOML'
[package]
name = "seen"
version = "0.0.0"
edition = "2024"

[dependencies]
aws-runtime = "=1.10.2"
aws-sdk-sns = { version = "=1.121.0", default-features = false, features = ["rt-tokio", "default-https-client"] }
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
TOML
cat > "$work/src/main.rs" <<'RS'
//! Counts how often a throttled call is sent.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_sns::config::retry::RetryConfig;
use aws_sdk_sns::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sns::{Client, Config};

static SENT: AtomicUsize = AtomicUsize::new(0);

/// Answers every request with this error.
fn serve(listener: &TcpListener, code: &str) {
    let body = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>Slow down.</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"
    );
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let mut request = Vec::new();
        let mut part = [0; 4096];
        while !String::from_utf8_lossy(&request).contains("Action=") {
            let read = stream.read(&mut part).unwrap();
            request.extend_from_slice(&part[..read]);
        }
        SENT.fetch_add(1, Ordering::SeqCst);
        let answer = format!(
            "HTTP/1.1 429 Too Many Requests\r\ncontent-type: text/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).unwrap();
    }
}

async fn sent(code: &'static str) -> (usize, bool) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || serve(&listener, code));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("a", "b", None, None, "here"))
        .retry_config(RetryConfig::standard())
        .endpoint_url(url)
        .build();
    SENT.store(0, Ordering::SeqCst);
    let error = Client::from_conf(config).list_origination_numbers().send().await.unwrap_err();
    let throttled = error.into_service_error().is_throttled_exception();
    (SENT.load(Ordering::SeqCst), throttled)
}

#[tokio::main]
async fn main() {
    for code in ["Throttled", "Throttling"] {
        let (times, throttled) = sent(code).await;
        println!("{code}: sent {times} times, decoded as ThrottledException: {throttled}");
    }
}
RS
CARGO_TARGET_DIR="$work/target" cargo run --quiet --manifest-path "$work/Cargo.toml" > "$work/seen"
cat "$work/seen"
diff - "$work/seen" <<'SEEN'
Throttled: sent 1 times, decoded as ThrottledException: true
Throttling: sent 3 times, decoded as ThrottledException: false
SEEN
