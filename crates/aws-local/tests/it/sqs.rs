//! Queues as SDKs meet them: how they are made and set, batches, and the names of refusals.

use aws_local::Config;
use serde_json::{Value, json};

use crate::client::{CUSTOMER, Local, PARTNER, REGION};
use crate::script::has;

const C: &str = CUSTOMER;

pub(crate) fn arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{C}:{name}")
}

/// A request about the queue `q`: `body` with its URL.
async fn ask(local: &Local, operation: &str, queue: &str, body: Value) -> (u16, Value) {
    let mut body = body;
    body["QueueUrl"] = json!(format!("{}/{C}/{queue}", local.url));
    local.ask(C, &format!("sqs.{operation}"), &body.to_string()).await
}

pub(crate) async fn ok(local: &Local, operation: &str, queue: &str, body: Value) -> Value {
    let shown = body.to_string();
    let (status, answer) = ask(local, operation, queue, body).await;
    assert_eq!(status, 200, "{operation} {shown} gave {answer}");
    answer
}

pub(crate) async fn refused(
    local: &Local,
    operation: &str,
    queue: &str,
    body: Value,
    code: &str,
    words: &str,
) {
    let shown = body.to_string();
    let (status, answer) = ask(local, operation, queue, body).await;
    let kind = answer["__type"].as_str().unwrap_or_default();
    let says = answer["message"].as_str().unwrap_or_default();
    assert_ne!(status, 200, "{operation} {shown} gave {answer}");
    assert_eq!(
        kind.rsplit('#').next(),
        Some(code),
        "{operation} {shown} gave {answer}"
    );
    assert!(says.contains(words), "{operation} {shown} gave {answer}");
}

pub(crate) async fn make(local: &Local, name: &str, attributes: Value) {
    let body = json!({ "QueueName": name, "Attributes": attributes }).to_string();
    local.run(&[(C, "sqs.CreateQueue", &body, "ok")]).await;
}

pub(crate) async fn receive(local: &Local, queue: &str) -> Vec<Value> {
    receive_with(local, queue, &json!({})).await
}

/// All messages of the queue, as they arrive: until none has for a second.
pub(crate) async fn receive_all(local: &Local, queue: &str) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let more = receive_with(local, queue, &json!({ "WaitTimeSeconds": 1 })).await;
        if more.is_empty() {
            return all;
        }
        all.extend(more);
    }
}

async fn receive_with(local: &Local, queue: &str, more: &Value) -> Vec<Value> {
    let mut wanted =
        json!({ "MaxNumberOfMessages": 10, "AttributeNames": ["All"], "MessageAttributeNames": ["All"] });
    let members = more.as_object().into_iter().flatten();
    members.for_each(|(name, value)| wanted[name] = value.clone());
    let answer = ok(local, "ReceiveMessage", queue, wanted).await;
    answer["Messages"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn queues_are_made_as_asked_or_refused() {
    let local = Local::start(Config::default()).await;
    let policy = |to: &str, count: &str| {
        format!(r#"{{\"deadLetterTargetArn\":\"{to}\",\"maxReceiveCount\":{count}}}"#)
    };
    let (dead, gone, fifo) = (arn("dead"), arn("gone"), arn("f.fifo"));
    let script = format!(
        r#"
        {C} sqs.CreateQueue {{"QueueName":"dead"}} => ok
        {C} sqs.CreateQueue {{"QueueName":"q","Attributes":{{"DelaySeconds":"5"}}}} => ok
        {C} sqs.CreateQueue {{"QueueName":"q"}} => ok
        {C} sqs.CreateQueue {{"QueueName":"q","Attributes":{{"DelaySeconds":"5","VisibilityTimeout":"30"}}}} => ok
        {C} sqs.CreateQueue {{"QueueName":"q","Attributes":{{"DelaySeconds":"6"}}}} => QueueNameExists
        {C} sqs.CreateQueue {{"QueueName":"f.fifo","Attributes":{{"FifoQueue":"true"}}}} => ok
        {C} sqs.CreateQueue {{"QueueName":"f.fifo","Attributes":{{"FifoQueue":"true","ContentBasedDeduplication":"false"}}}} => ok
        {C} sqs.CreateQueue {{"QueueName":"f.fifo","Attributes":{{"FifoQueue":"true","ContentBasedDeduplication":"true"}}}} => QueueNameExists
        {C} sqs.CreateQueue {{"QueueName":"f.fifo"}} => InvalidParameterValueException
        {C} sqs.CreateQueue {{"QueueName":"f","Attributes":{{"FifoQueue":"true"}}}} => InvalidParameterValueException
        {C} sqs.CreateQueue {{"QueueName":"a b"}} => InvalidParameterValueException
        {C} sqs.CreateQueue {{"QueueName":"x","Attributes":{{"FifoQueue":"false"}}}} => InvalidAttributeName
        {C} sqs.CreateQueue {{"QueueName":"x","Attributes":{{"Nonsense":"1"}}}} => InvalidAttributeName
        {C} sqs.CreateQueue {{"QueueName":"x","Attributes":{{"DelaySeconds":"901"}}}} => InvalidAttributeValue
        {C} sqs.CreateQueue {{"QueueName":"x","Attributes":{{"Policy":"{{}}"}}}} => InvalidAttributeValue
        {C} sqs.CreateQueue {{"QueueName":"x","Attributes":{{"RedrivePolicy":"{}"}}}} => InvalidParameterValueException
        {C} sqs.CreateQueue {{"QueueName":"x","Attributes":{{"RedrivePolicy":"{}"}}}} => InvalidParameterValueException
        {C} sqs.CreateQueue {{"QueueName":"x","Attributes":{{"RedrivePolicy":"{}"}}}} => InvalidParameterValueException
        {C} sqs.CreateQueue {{"QueueName":"x","Attributes":{{"RedrivePolicy":"{}"}}}} => InvalidParameterValueException
        {C} sqs.CreateQueue {{"QueueName":"x","Attributes":{{"RedrivePolicy":"{{}}"}}}} => InvalidParameterValueException
        {C} sqs.CreateQueue {{"QueueName":"x","Attributes":{{"RedrivePolicy":"{}"}}}} => ok
        {C} sqs.CreateQueue {{}} => MissingRequiredParameterException
        {C} sqs.GetQueueUrl {{"QueueName":"nope"}} => QueueDoesNotExist
        {C} sqs.ListQueues {{"QueueNamePrefix":"f"}} => ok{{"QueueUrls":["{}/{C}/f.fifo"]}}
        {C} sqs.ListQueues {{"MaxResults":0}} => InvalidParameterValueException
        "#,
        policy(&gone, "1"),
        policy(&fifo, "1"),
        policy("dummy", "1"),
        policy(&dead, "1001"),
        policy(&dead, "\\\"3\\\""),
        local.url,
    );
    local.play(&script).await;
    let (_, none) = local
        .ask(C, "sqs.ListQueues", r#"{"QueueNamePrefix":"zz"}"#)
        .await;
    assert_eq!(none, json!({}));
    let told = ok(
        &local,
        "GetQueueAttributes",
        "x",
        json!({ "AttributeNames": ["RedrivePolicy"] }),
    )
    .await;
    let normal = json!({ "deadLetterTargetArn": dead, "maxReceiveCount": 3 }).to_string();
    assert_eq!(
        told["Attributes"]["RedrivePolicy"],
        json!(normal),
        "the count is a number"
    );
    local.stop().await;
}

#[tokio::test]
async fn attributes_include_their_defaults() {
    let local = Local::start(Config::default()).await;
    make(&local, "q", json!({})).await;
    make(&local, "f.fifo", json!({ "FifoQueue": "true" })).await;
    let all = async |queue: &str| {
        let answer = ok(
            &local,
            "GetQueueAttributes",
            queue,
            json!({ "AttributeNames": ["All"] }),
        )
        .await;
        answer["Attributes"].clone()
    };
    let plain = json!({
        "QueueArn": arn("q"), "VisibilityTimeout": "30", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600",
        "DelaySeconds": "0", "ReceiveMessageWaitTimeSeconds": "0", "SqsManagedSseEnabled": "true",
        "ApproximateNumberOfMessages": "0",
    });
    assert!(has(&all("q").await, &plain), "{}", all("q").await);
    assert!(all("q").await.get("FifoQueue").is_none());
    let fifo = json!({
        "FifoQueue": "true", "ContentBasedDeduplication": "false", "DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue",
    });
    assert!(has(&all("f.fifo").await, &fifo), "{}", all("f.fifo").await);
    ok(
        &local,
        "SetQueueAttributes",
        "q",
        json!({ "Attributes": { "KmsMasterKeyId": "k" } }),
    )
    .await;
    assert_eq!(all("q").await["SqsManagedSseEnabled"], json!("false"));
    // How long a data key is reused goes with the key: SetQueueAttributes of AWS's reference has 300 as its default.
    let reuse = "KmsDataKeyReusePeriodSeconds";
    for (set, shown) in [
        (json!({}), json!("300")),
        (json!({ reuse: "600" }), json!("600")),
        (json!({ "KmsMasterKeyId": "" }), Value::Null),
        (json!({ reuse: "900" }), Value::Null),
        (json!({ "KmsMasterKeyId": "k" }), json!("900")),
    ] {
        if set != json!({}) {
            ok(&local, "SetQueueAttributes", "q", json!({ "Attributes": set })).await;
        }
        assert_eq!(all("q").await[reuse], shown, "{set}");
    }
    // The values of RedriveAllowPolicy are those of AWS's reference (SetQueueAttributes).
    let source = arn("f");
    for (set, shown) in [
        (
            r#"{ "redrivePermission" : "denyAll" }"#.to_owned(),
            r#"{"redrivePermission":"denyAll"}"#.to_owned(),
        ),
        (
            format!(r#"{{"sourceQueueArns": ["{source}"], "redrivePermission": "byQueue"}}"#),
            format!(r#"{{"redrivePermission":"byQueue","sourceQueueArns":["{source}"]}}"#),
        ),
    ] {
        ok(
            &local,
            "SetQueueAttributes",
            "q",
            json!({ "Attributes": { "RedriveAllowPolicy": set } }),
        )
        .await;
        assert_eq!(all("q").await["RedriveAllowPolicy"], json!(shown));
    }
    local.stop().await;
}

#[tokio::test]
async fn attributes_that_are_none_are_refused() {
    let local = Local::start(Config::default()).await;
    make(&local, "q", json!({})).await;
    make(&local, "f.fifo", json!({ "FifoQueue": "true" })).await;
    for (queue, attributes, code, words) in [
        (
            "q",
            json!({ "FifoQueue": "true" }),
            "InvalidAttributeName",
            "Unknown Attribute FifoQueue.",
        ),
        (
            "f.fifo",
            json!({ "FifoQueue": "false" }),
            "InvalidAttributeValue",
            "Modifying queue type is not supported.",
        ),
        ("q", json!({}), "MissingRequiredParameterException", "Attributes"),
        (
            "q",
            json!({ "RedriveAllowPolicy": "x" }),
            "InvalidParameterValueException",
            "unsupported format",
        ),
        (
            "q",
            json!({ "RedriveAllowPolicy": r#"{"redrivePermission":"some"}"# }),
            "InvalidParameterValueException",
            "unsupported format",
        ),
        (
            "q",
            json!({ "RedriveAllowPolicy": r#"{"redrivePermission":"byQueue"}"# }),
            "InvalidParameterValueException",
            "unsupported format",
        ),
        (
            "q",
            json!({ "KmsMasterKeyId": "k", "SqsManagedSseEnabled": "true" }),
            "InvalidAttributeName",
            "one type",
        ),
        (
            "nope",
            json!({ "DelaySeconds": "1" }),
            "QueueDoesNotExist",
            "The specified queue does not exist.",
        ),
    ] {
        refused(
            &local,
            "SetQueueAttributes",
            queue,
            json!({ "Attributes": attributes }),
            code,
            words,
        )
        .await;
    }
    let odd = json!({ "AttributeNames": ["QueueArn", "odd"] });
    refused(
        &local,
        "GetQueueAttributes",
        "q",
        odd,
        "InvalidAttributeName",
        "Unknown Attribute odd.",
    )
    .await;
    local.stop().await;
}

const INVALID: &str = "InvalidParameterValueException";
const MISSING: &str = "MissingRequiredParameterException";

/// Requests that a queue of 1,024 bytes a message (`q`) or a FIFO queue refuses: with what name, in what words.
const REFUSED_SENDS: &[(&str, &str, &str, &str)] = &[
    ("q", r#"{"MessageBody":""}"#, MISSING, "MessageBody"),
    (
        "q",
        "{}",
        MISSING,
        "The request must contain the parameter MessageBody.",
    ),
    (
        "q",
        r#"{"MessageBody":"\u0001"}"#,
        "InvalidMessageContents",
        "allowed set",
    ),
    (
        "q",
        r#"{"MessageBody":"LONG!"}"#,
        INVALID,
        "Message must be shorter than 1024 bytes.",
    ),
    (
        "q",
        r#"{"MessageBody":"m","DelaySeconds":901}"#,
        INVALID,
        "Value 901 for parameter DelaySeconds is invalid.",
    ),
    (
        "q",
        r#"{"MessageBody":"m","MessageAttributes":{"a":{"DataType":"String","StringValue":"LONG"}}}"#,
        INVALID,
        "shorter than 1024",
    ),
    (
        "q",
        r#"{"MessageBody":"m","MessageAttributes":{"ö":{"DataType":"String","StringValue":"x"}}}"#,
        INVALID,
        "The message attribute name 'ö' is invalid.",
    ),
    (
        "q",
        r#"{"MessageBody":"m","MessageAttributes":{"a":{"DataType":"String","StringValue":""}}}"#,
        INVALID,
        "Message (user) attribute 'a' must contain a non-empty value of type 'String'.",
    ),
    (
        "q",
        r#"{"MessageBody":"m","MessageAttributes":{"a":{"DataType":"Text","StringValue":"x"}}}"#,
        INVALID,
        "has an invalid message attribute type",
    ),
    (
        "f.fifo",
        r#"{"MessageBody":"m"}"#,
        MISSING,
        "The request must contain the parameter MessageGroupId.",
    ),
    (
        "f.fifo",
        r#"{"MessageBody":"m","MessageGroupId":"g"}"#,
        INVALID,
        "either have ContentBasedDeduplication enabled",
    ),
    (
        "f.fifo",
        r#"{"MessageBody":"m","MessageGroupId":"g","MessageDeduplicationId":"d","DelaySeconds":5}"#,
        INVALID,
        "not valid for this queue type.",
    ),
    (
        "nope",
        r#"{"MessageBody":"m"}"#,
        "QueueDoesNotExist",
        "does not exist",
    ),
];

const REFUSED_RECEIVES: &[(&str, &str, &str)] = &[
    (
        r#"{"MaxNumberOfMessages":11}"#,
        INVALID,
        "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
    ),
    (r#"{"WaitTimeSeconds":21}"#, INVALID, "WaitTimeSeconds"),
    (r#"{"VisibilityTimeout":-1}"#, INVALID, "VisibilityTimeout"),
    (
        r#"{"AttributeNames":["Odd"]}"#,
        "InvalidAttributeName",
        "Unknown Attribute Odd.",
    ),
];

#[tokio::test]
async fn messages_are_held_to_limits() {
    let local = Local::start(Config::default()).await;
    make(&local, "q", json!({ "MaximumMessageSize": "1024" })).await;
    make(&local, "f.fifo", json!({ "FifoQueue": "true" })).await;
    let long = "x".repeat(1024);
    for (queue, body, code, words) in REFUSED_SENDS {
        let body = serde_json::from_str(&body.replace("LONG", &long)).unwrap();
        refused(&local, "SendMessage", queue, body, code, words).await;
    }
    for (body, code, words) in REFUSED_RECEIVES {
        let body = serde_json::from_str(body).unwrap();
        refused(&local, "ReceiveMessage", "q", body, code, words).await;
    }
    local.stop().await;
}

#[tokio::test]
async fn batches_fail_by_entry_or_whole() {
    let local = Local::start(Config::default()).await;
    make(&local, "q", json!({})).await;
    make(&local, "f.fifo", json!({ "FifoQueue": "true" })).await;
    let entries = json!([{ "Id": "ok", "MessageBody": "m" }, { "Id": "late", "MessageBody": "m", "DelaySeconds": 901 }]);
    let sent = ok(&local, "SendMessageBatch", "q", json!({ "Entries": entries })).await;
    let wanted = json!({ "Successful": [{ "Id": "ok" }], "Failed": [{ "Id": "late", "SenderFault": true, "Code": "InvalidParameterValue" }] });
    assert!(has(&sent, &wanted), "{sent}");
    let many: Vec<Value> = (0..11)
        .map(|n| json!({ "Id": n.to_string(), "MessageBody": "m" }))
        .collect();
    let entry = |id: &str, size: usize| json!({ "Id": id, "MessageBody": "x".repeat(size) });
    for (queue, entries, code, words) in [
        (
            "q",
            json!([]),
            "EmptyBatchRequest",
            "There should be at least one SendMessageBatchRequestEntry in the request.",
        ),
        (
            "q",
            json!(many),
            "TooManyEntriesInBatchRequest",
            "Maximum number of entries per request are 10. You have sent 11.",
        ),
        (
            "q",
            json!([entry("a", 1), entry("a", 1)]),
            "BatchEntryIdsNotDistinct",
            "Id a repeated.",
        ),
        (
            "q",
            json!([entry("a:b", 1)]),
            "InvalidBatchEntryId",
            "at most 80 letters long.",
        ),
        (
            "q",
            json!([entry("a", 1 << 20), entry("b", 1)]),
            "BatchRequestTooLong",
            "You have sent 1048577 bytes.",
        ),
        (
            "f.fifo",
            json!([entry("a", 1)]),
            "InvalidParameterValueException",
            "The request must contain the parameter MessageGroupId.",
        ),
    ] {
        refused(
            &local,
            "SendMessageBatch",
            queue,
            json!({ "Entries": entries }),
            code,
            words,
        )
        .await;
    }
    let handle = receive(&local, "q").await[0]["ReceiptHandle"].clone();
    let both = json!({ "Entries": [{ "Id": "a", "ReceiptHandle": handle, "VisibilityTimeout": 0 }, { "Id": "b", "ReceiptHandle": "junk", "VisibilityTimeout": 0 }] });
    let wanted =
        json!({ "Successful": [{ "Id": "a" }], "Failed": [{ "Id": "b", "Code": "ReceiptHandleIsInvalid" }] });
    for operation in ["ChangeMessageVisibilityBatch", "DeleteMessageBatch"] {
        let answer = ok(&local, operation, "q", both.clone()).await;
        assert!(has(&answer, &wanted), "{operation} {answer}");
    }
    assert_eq!(receive(&local, "q").await.len(), 0);
    local.stop().await;
}

#[tokio::test]
async fn permissions_come_and_go() {
    let local = Local::start(Config::default()).await;
    make(&local, "q", json!({})).await;
    let add = |label: &str, actions: Value| json!({ "Label": label, "AWSAccountIds": ["111111111111"], "Actions": actions });
    ok(
        &local,
        "AddPermission",
        "q",
        add("one", json!(["ReceiveMessage"])),
    )
    .await;
    ok(
        &local,
        "AddPermission",
        "q",
        add("two", json!(["SendMessage", "GetQueueUrl"])),
    )
    .await;
    let policy = async || {
        let answer = ok(
            &local,
            "GetQueueAttributes",
            "q",
            json!({ "AttributeNames": ["Policy"] }),
        )
        .await;
        let text = answer["Attributes"]["Policy"].as_str().map(str::to_owned);
        text.map(|text| serde_json::from_str::<Value>(&text).unwrap())
    };
    let wanted = json!({ "Version": "2008-10-17", "Id": format!("{}/SQSDefaultPolicy", arn("q")), "Statement": [
        { "Sid": "one", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111111111111:root" }, "Action": "SQS:ReceiveMessage", "Resource": arn("q") },
        { "Sid": "two", "Action": ["SQS:SendMessage", "SQS:GetQueueUrl"] },
    ] });
    assert!(has(&policy().await.unwrap(), &wanted), "{:?}", policy().await);
    for (operation, body, code, words) in [
        (
            "AddPermission",
            add("one", json!(["SendMessage"])),
            INVALID,
            "Already exists.",
        ),
        (
            "AddPermission",
            add("three", json!(["RemovePermission"])),
            INVALID,
            "Only the queue owner",
        ),
        ("AddPermission", add("three", json!([])), MISSING, "Actions"),
        (
            "RemovePermission",
            json!({ "Label": "nope" }),
            INVALID,
            "can't find label",
        ),
    ] {
        refused(&local, operation, "q", body, code, words).await;
    }
    ok(&local, "RemovePermission", "q", json!({ "Label": "one" })).await;
    ok(&local, "RemovePermission", "q", json!({ "Label": "two" })).await;
    assert_eq!(policy().await, None);
    local.stop().await;
}

#[tokio::test]
async fn other_accounts_do_what_the_policy_allows() {
    let local = Local::start(Config::default()).await;
    make(&local, "q", json!({})).await;
    let other = PARTNER;
    let url = format!("{}/{C}/q", local.url);
    let send = json!({ "QueueUrl": url, "MessageBody": "m" }).to_string();
    let batch = json!({ "QueueUrl": url, "Entries": [{ "Id": "1", "MessageBody": "m" }] }).to_string();
    let of = json!({ "QueueUrl": url }).to_string();
    let missing = json!({ "QueueUrl": format!("{}/{C}/nope", local.url), "MessageBody": "m" }).to_string();
    let permit =
        json!({ "QueueUrl": url, "Label": "l", "AWSAccountIds": [other], "Actions": ["SendMessage"] })
            .to_string();
    let denied = "AccessDeniedException";
    local
        .run(&[
            (other, "sqs.SendMessage", &send, denied),
            (other, "sqs.AddPermission", &permit, denied),
            (C, "sqs.AddPermission", &permit, "ok"),
            (other, "sqs.SendMessage", &send, "ok"),
            (other, "sqs.SendMessageBatch", &batch, "ok"),
            (other, "sqs.ReceiveMessage", &of, denied),
            (other, "sqs.DeleteQueue", &of, denied),
            (other, "sqs.SendMessage", &missing, "QueueDoesNotExist"),
            ("444444444444", "sqs.SendMessage", &send, denied),
        ])
        .await;
    assert_eq!(receive(&local, "q").await.len(), 2);
    local.stop().await;
}

#[tokio::test]
async fn tags_come_and_go() {
    let local = Local::start(Config::default()).await;
    make(&local, "q", json!({})).await;
    ok(&local, "TagQueue", "q", json!({ "Tags": { "a": "1", "b": "" } })).await;
    ok(&local, "UntagQueue", "q", json!({ "TagKeys": ["a", "nope"] })).await;
    assert_eq!(
        ok(&local, "ListQueueTags", "q", json!({})).await,
        json!({ "Tags": { "b": "" } })
    );
    refused(
        &local,
        "TagQueue",
        "q",
        json!({ "Tags": {} }),
        "MissingRequiredParameterException",
        "Tags",
    )
    .await;
    local.stop().await;
}
