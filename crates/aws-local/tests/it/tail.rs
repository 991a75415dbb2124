//! StartLiveTail: its event stream, its checks, and how many sessions there may be.

use aws_local::Config;
use flate2::Crc;
use reqwest::Response;
use serde_json::{Value, json};

use crate::client::{CUSTOMER, Local, REGION};

const C: &str = CUSTOMER;

fn arn(name: &str) -> String {
    format!("arn:aws:logs:{REGION}:{C}:log-group:{name}")
}

/// The messages of an event stream, as they come.
struct Stream {
    response: Response,
    bytes: Vec<u8>,
}

async fn start(local: &Local, host: Option<&str>, body: &Value) -> Response {
    let scope = format!("AWS4-HMAC-SHA256 Credential={C}/20240101/{REGION}/logs/aws4_request, Signature=x");
    let mut request = local.http.post(&local.url);
    if let Some(host) = host {
        request = request.header("host", host);
    }
    let request = request
        .header("authorization", scope)
        .header("x-amz-target", "Logs_20140328.StartLiveTail")
        .header("content-type", "application/x-amz-json-1.1")
        .body(body.to_string());
    request.send().await.unwrap()
}

fn number(bytes: &[u8]) -> usize {
    u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize
}

fn checksum(bytes: &[u8]) -> usize {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum() as usize
}

impl Stream {
    fn new(response: Response) -> Self {
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(
            response.headers()["content-type"],
            "application/vnd.amazon.eventstream"
        );
        Self {
            response,
            bytes: Vec::new(),
        }
    }

    /// The name and payload of the next message; its lengths and checksums have to be right.
    async fn next(&mut self) -> (String, Value) {
        loop {
            let whole = (self.bytes.len() >= 4).then(|| number(&self.bytes));
            if let Some(whole) = whole.filter(|whole| self.bytes.len() >= *whole) {
                let message: Vec<u8> = self.bytes.drain(..whole).collect();
                return read(&message);
            }
            let chunk = self.response.chunk().await.unwrap().unwrap();
            self.bytes.extend_from_slice(&chunk);
        }
    }

    /// The next update that has events.
    async fn events(&mut self) -> Vec<Value> {
        loop {
            let (name, payload) = self.next().await;
            assert_eq!(name, "sessionUpdate");
            let events = payload["sessionResults"].as_array().unwrap();
            if !events.is_empty() {
                return events.clone();
            }
        }
    }
}

/// As AWS's guide lays a message out (Transcribe's "Event stream encoding" describes the same form).
fn read(message: &[u8]) -> (String, Value) {
    let head = number(&message[4..]);
    let end = message.len() - 4;
    assert_eq!(number(&message[8..]), checksum(&message[..8]));
    assert_eq!(number(&message[end..]), checksum(&message[..end]));
    let (mut headers, mut name) = (&message[12..12 + head], String::new());
    while let Some((length, rest)) = headers.split_first() {
        let (key, rest) = rest.split_at(usize::from(*length));
        assert_eq!(rest[0], 7, "a text");
        let length = usize::from(u16::from_be_bytes([rest[1], rest[2]]));
        let (value, rest) = rest[3..].split_at(length);
        if key == b":event-type" {
            name = String::from_utf8(value.to_vec()).unwrap();
        }
        headers = rest;
    }
    (name, serde_json::from_slice(&message[12 + head..end]).unwrap())
}

async fn group(local: &Local, name: &str) {
    let create = json!({ "logGroupName": name }).to_string();
    let stream = |stream: &str| json!({ "logGroupName": name, "logStreamName": stream }).to_string();
    local
        .run(&[
            (C, "logs.CreateLogGroup", &create, "ok"),
            (C, "logs.CreateLogStream", &stream("a"), "ok"),
            (C, "logs.CreateLogStream", &stream("b"), "ok"),
        ])
        .await;
}

async fn put(local: &Local, group: &str, stream: &str, messages: &[&str]) {
    let now = local.look("clock").await["epoch_ms"].clone();
    let events: Vec<Value> = messages
        .iter()
        .map(|message| json!({ "timestamp": now, "message": message }))
        .collect();
    let body = json!({ "logGroupName": group, "logStreamName": stream, "logEvents": events }).to_string();
    local.run(&[(C, "logs.PutLogEvents", &body, "ok")]).await;
}

#[tokio::test]
async fn a_session_shows_what_arrives_after_its_start() {
    let local = Local::start(Config::default()).await;
    group(&local, "g").await;
    group(&local, "h").await;
    put(&local, "g", "a", &["before"]).await;
    let asked = json!({ "logGroupIdentifiers": [arn("g"), arn("h")], "logEventFilterPattern": "run" });
    // A client that is told to leave host prefixes out reaches it; so does one that has such a name for loopback.
    let mut stream = Stream::new(start(&local, Some("stream-localhost"), &asked).await);
    assert_eq!(stream.next().await, ("initial-response".to_owned(), json!({})));
    let (name, session) = stream.next().await;
    assert_eq!(name, "sessionStart");
    assert_eq!(session["logGroupIdentifiers"], asked["logGroupIdentifiers"]);
    assert_eq!(session["logEventFilterPattern"], "run");
    assert!(
        session["sessionId"].is_string() && session["requestId"].is_string(),
        "{session}"
    );
    put(&local, "g", "a", &["run one", "other"]).await;
    let [event] = &stream.events().await[..] else {
        panic!("one event")
    };
    assert_eq!(
        (&event["message"], &event["logStreamName"]),
        (&json!("run one"), &json!("a"))
    );
    assert_eq!(event["logGroupIdentifier"], json!(format!("{C}:g")));
    assert!(
        event["timestamp"].is_i64() && event["ingestionTime"].is_i64(),
        "{event}"
    );
    put(&local, "h", "b", &["run two"]).await;
    assert_eq!(stream.events().await[0]["message"], "run two");
    drop(stream);

    let asked = json!({ "logGroupIdentifiers": [arn("g")], "logStreamNames": ["b"] });
    let mut stream = Stream::new(start(&local, None, &asked).await);
    stream.next().await;
    stream.next().await;
    put(&local, "g", "a", &["not this"]).await;
    put(&local, "g", "b", &["this"]).await;
    let events = stream.events().await;
    assert_eq!((events.len(), &events[0]["message"]), (1, &json!("this")));
    drop(stream);
    local.stop().await;
}

#[tokio::test]
async fn sessions_that_cannot_be_are_refused() {
    let local = Local::start(Config::default()).await;
    group(&local, "g").await;
    let rare = r#"{"logGroupName":"rare","logGroupClass":"INFREQUENT_ACCESS"}"#;
    local.run(&[(C, "logs.CreateLogGroup", rare, "ok")]).await;
    let with = |more: Value| {
        let mut body = json!({ "logGroupIdentifiers": [arn("g"), arn("g")] });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    // AWS's reference of StartLiveTail names these limits and errors.
    for (body, code) in [
        (json!({}), "InvalidParameterException"),
        (json!({ "logGroupIdentifiers": [] }), "InvalidParameterException"),
        (
            json!({ "logGroupIdentifiers": vec![arn("g"); 11] }),
            "InvalidParameterException",
        ),
        (
            json!({ "logGroupIdentifiers": ["g"] }),
            "InvalidParameterException",
        ),
        (
            json!({ "logGroupIdentifiers": [arn("g:*")] }),
            "InvalidParameterException",
        ),
        (
            json!({ "logGroupIdentifiers": [arn("none")] }),
            "ResourceNotFoundException",
        ),
        (
            json!({ "logGroupIdentifiers": [arn("rare")] }),
            "InvalidOperationException",
        ),
        (
            with(json!({ "logStreamNames": ["a"] })),
            "InvalidParameterException",
        ),
        (
            with(json!({ "logStreamNamePrefixes": ["a"] })),
            "InvalidParameterException",
        ),
        (
            json!({ "logGroupIdentifiers": [arn("g")], "logStreamNames": ["a"], "logStreamNamePrefixes": ["a"] }),
            "InvalidParameterException",
        ),
        (
            with(json!({ "logEventFilterPattern": "{ $.a = " })),
            "InvalidParameterException",
        ),
    ] {
        let response = start(&local, None, &body).await;
        let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(answer["__type"], code, "{body} {answer}");
    }
    let asked = json!({ "logGroupIdentifiers": [arn("g")] });
    let mut open = Vec::new();
    for _ in 0..15 {
        open.push(Stream::new(start(&local, None, &asked).await));
    }
    let over = start(&local, None, &asked).await;
    let answer: Value = serde_json::from_str(&over.text().await.unwrap()).unwrap();
    assert_eq!(answer["__type"], "LimitExceededException");
    drop(open);
    local.stop().await;
}
