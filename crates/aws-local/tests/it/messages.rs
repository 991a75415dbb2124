//! Messages on their way through a queue: digests, receipts, delays, order, redrive, waiting.

use std::time::{Duration, Instant};

use aws_local::Config;
use serde_json::{Value, json};

use crate::client::Local;
use crate::sqs::{arn, make, ok, receive, refused};

#[tokio::test]
async fn digests_and_attributes_come_back_as_recorded() {
    let local = Local::start(Config::default()).await;
    make(&local, "q", json!({})).await;
    let text = |value: &str| json!({ "DataType": "String", "StringValue": value });
    let sent = ok(
        &local,
        "SendMessage",
        "q",
        json!({
            "MessageBody": "msg",
            "MessageAttributes": { "Hello": text("There"), "General": text("Kenobi"), "Help.Me": text("Me") },
            "MessageSystemAttributes": { "AWSTraceHeader": text("Root=1-5759e988-bd862e3fe1be46a994272793") },
        }),
    )
    .await;
    assert_eq!(
        sent["MD5OfMessageBody"],
        json!("6e2baaf3b97dbeef01c0043275f9a0e7")
    );
    assert_eq!(
        sent["MD5OfMessageAttributes"],
        json!("4c360f3fdafd970e05fae2f149d997f5")
    );
    assert_eq!(sent["MD5OfMessageSystemAttributes"].as_str().unwrap().len(), 32);
    for (names, md5, count) in [
        (json!([]), Value::Null, 0),
        (json!(["All"]), json!("4c360f3fdafd970e05fae2f149d997f5"), 3),
        (json!([".*"]), json!("4c360f3fdafd970e05fae2f149d997f5"), 3),
        (
            json!(["Foo", "Hello"]),
            json!("a311262e065454b75da111d535b8dacd"),
            1,
        ),
        (json!(["Hel.*"]), json!("83fee93c1bcd8b9a5a923ffacdc636c7"), 2),
        (json!(["AWS."]), Value::Null, 0),
    ] {
        let wanted = json!({ "MessageAttributeNames": names, "VisibilityTimeout": 0, "MessageSystemAttributeNames": ["AWSTraceHeader"], "AttributeNames": ["SenderId", "SentTimestamp"] });
        let got = ok(&local, "ReceiveMessage", "q", wanted).await["Messages"][0].clone();
        assert_eq!(got["MD5OfMessageAttributes"], md5, "{names} {got}");
        let found = got["MessageAttributes"]
            .as_object()
            .map_or(0, serde_json::Map::len);
        assert_eq!(found, count, "{names} {got}");
        assert_eq!(got["Attributes"].as_object().unwrap().len(), 3, "{got}");
    }
    let binary = json!({ "DataType": "Binary", "BinaryValue": "dHJhY2VwYXJlbnQeMDAtNzc0MDYyZDZjMzcwODFhNWEwYjliNWI4OGUzMDYyN2MtMmQyNDgyMjExZjY0ODlkYS0wMQ==" });
    let sent = ok(
        &local,
        "SendMessage",
        "q",
        json!({ "MessageBody": "test", "MessageAttributes": { "attr1": binary } }),
    )
    .await;
    assert_eq!(
        sent["MD5OfMessageAttributes"],
        json!("8cbe4db156db8a94db8b801b7addb984")
    );
    local.stop().await;
}

#[tokio::test]
async fn receipts_delays_and_visibility_follow_the_clock() {
    let local = Local::start(Config::default()).await;
    make(&local, "q", json!({ "VisibilityTimeout": "10" })).await;
    ok(
        &local,
        "SendMessage",
        "q",
        json!({ "MessageBody": "m", "DelaySeconds": 5 }),
    )
    .await;
    assert_eq!(receive(&local, "q").await.len(), 0, "delayed");
    local.tell("clock", r#"{"advance_seconds":5}"#).await;
    let first = receive(&local, "q").await[0]["ReceiptHandle"].clone();
    assert_eq!(receive(&local, "q").await.len(), 0, "hidden");
    local.tell("clock", r#"{"advance_seconds":10}"#).await;
    let again = receive(&local, "q").await[0].clone();
    assert_ne!(again["ReceiptHandle"], first);
    assert_eq!(again["Attributes"]["ApproximateReceiveCount"], json!("2"));
    local.tell("clock", r#"{"advance_seconds":10}"#).await;
    // An old receipt still serves, and so does one whose time is over.
    let hide = json!({ "ReceiptHandle": first, "VisibilityTimeout": 100 });
    ok(&local, "ChangeMessageVisibility", "q", hide).await;
    assert_eq!(receive(&local, "q").await.len(), 0, "hidden again");
    ok(&local, "DeleteMessage", "q", json!({ "ReceiptHandle": first })).await;
    ok(&local, "DeleteMessage", "q", json!({ "ReceiptHandle": first })).await;
    for (operation, body, code) in [
        (
            "ChangeMessageVisibility",
            json!({ "ReceiptHandle": first, "VisibilityTimeout": 1 }),
            "InvalidParameterValueException",
        ),
        (
            "ChangeMessageVisibility",
            json!({ "ReceiptHandle": first, "VisibilityTimeout": 43_201 }),
            "InvalidParameterValueException",
        ),
        (
            "ChangeMessageVisibility",
            json!({ "ReceiptHandle": "junk", "VisibilityTimeout": 1 }),
            "ReceiptHandleIsInvalid",
        ),
        (
            "DeleteMessage",
            json!({ "ReceiptHandle": "junk" }),
            "ReceiptHandleIsInvalid",
        ),
    ] {
        refused(&local, operation, "q", body, code, "").await;
    }
    ok(&local, "SendMessage", "q", json!({ "MessageBody": "m" })).await;
    ok(&local, "PurgeQueue", "q", json!({})).await;
    assert_eq!(receive(&local, "q").await.len(), 0, "purged");
    let words = "Only one PurgeQueue operation on q is allowed every 60 seconds.";
    refused(
        &local,
        "PurgeQueue",
        "q",
        json!({}),
        "PurgeQueueInProgress",
        words,
    )
    .await;
    local.tell("clock", r#"{"advance_seconds":60}"#).await;
    ok(&local, "PurgeQueue", "q", json!({})).await;
    local.stop().await;
}

#[tokio::test]
async fn fifo_queues_keep_order_and_drop_what_repeats() {
    let local = Local::start(Config::default()).await;
    make(
        &local,
        "f.fifo",
        json!({ "FifoQueue": "true", "ContentBasedDeduplication": "true" }),
    )
    .await;
    let send = |body: &str, group: &str| json!({ "MessageBody": body, "MessageGroupId": group });
    for (body, group) in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("a1", "a")] {
        ok(&local, "SendMessage", "f.fifo", send(body, group)).await;
    }
    let take = json!({ "MaxNumberOfMessages": 1, "AttributeNames": ["All"] });
    let first = ok(&local, "ReceiveMessage", "f.fifo", take.clone()).await["Messages"][0].clone();
    assert_eq!(first["Body"], json!("a1"));
    let sha = "f55ff16f66f43360266b95db6f8fec01d76031054306ae4a4b380598f6cfd114";
    assert_eq!(
        first["Attributes"]["MessageDeduplicationId"],
        json!(sha),
        "{first}"
    );
    let second = ok(&local, "ReceiveMessage", "f.fifo", take.clone()).await["Messages"][0].clone();
    assert_eq!(
        second["Body"],
        json!("b1"),
        "the group of what is in flight waits"
    );
    local.tell("clock", r#"{"advance_seconds":31}"#).await;
    let old = json!({ "ReceiptHandle": first["ReceiptHandle"] });
    refused(
        &local,
        "DeleteMessage",
        "f.fifo",
        old,
        "InvalidParameterValueException",
        "The receipt handle has expired.",
    )
    .await;
    let bodies: Vec<Value> = receive(&local, "f.fifo")
        .await
        .iter()
        .map(|m| m["Body"].clone())
        .collect();
    assert_eq!(
        bodies,
        [json!("a1"), json!("a2"), json!("b1")],
        "the repeated one was dropped"
    );
    local.tell("clock", r#"{"advance_seconds":300}"#).await;
    ok(&local, "SendMessage", "f.fifo", send("a1", "a")).await;
    assert_eq!(
        receive(&local, "f.fifo").await.len(),
        4,
        "five minutes later it repeats nothing"
    );
    local.stop().await;
}

#[tokio::test]
async fn what_is_received_too_often_goes_to_the_dead_letters() {
    let local = Local::start(Config::default()).await;
    make(&local, "dead", json!({})).await;
    let redrive = json!({ "deadLetterTargetArn": arn("dead"), "maxReceiveCount": 1 }).to_string();
    make(
        &local,
        "q",
        json!({ "RedrivePolicy": redrive, "VisibilityTimeout": "0" }),
    )
    .await;
    ok(&local, "SendMessage", "q", json!({ "MessageBody": "m" })).await;
    assert_eq!(receive(&local, "q").await.len(), 1);
    assert_eq!(receive(&local, "q").await.len(), 0);
    let dead = receive(&local, "dead").await;
    assert_eq!(dead[0]["Body"], json!("m"));
    assert_eq!(
        dead[0]["Attributes"]["DeadLetterQueueSourceArn"],
        json!(arn("q")),
        "{dead:?}"
    );
    local.stop().await;
}

#[tokio::test]
async fn an_empty_queue_is_waited_at() {
    let local = Local::start(Config::default()).await;
    make(&local, "asked", json!({})).await;
    make(&local, "set", json!({ "ReceiveMessageWaitTimeSeconds": "20" })).await;
    for (queue, body) in [("asked", json!({ "WaitTimeSeconds": 20 })), ("set", json!({}))] {
        let began = Instant::now();
        let (got, _) = tokio::join!(ok(&local, "ReceiveMessage", queue, body), async {
            while local.look("metrics").await["totals"].is_null() {}
            ok(&local, "SendMessage", queue, json!({ "MessageBody": "m" })).await
        });
        assert_eq!(got["Messages"][0]["Body"], json!("m"), "{queue}");
        assert!(
            began.elapsed() < Duration::from_secs(15),
            "{queue}: it came before the time was over"
        );
    }
    let now = ok(&local, "ReceiveMessage", "set", json!({ "WaitTimeSeconds": 0 })).await;
    assert_eq!(now, json!({}), "the request says more than the queue");
    local.stop().await;
}
