//! Every operation of AWS's model by bytes: each is there, says which required member is missing, and answers and refuses as the
//! model has it.

use std::collections::BTreeSet;

use aws_local::Config;
use serde_json::{Value, json};

use super::bytes::{Form, Model, read};
use super::{QUEUE, ROLE, SOURCE};
use crate::client::{CUSTOMER, Local, PARTNER, REGION};
use crate::sqs;

const FORMS: [Form; 3] = [Form::Counted, Form::OpenMaps, Form::AllOpen];

/// What no request to the local AWS leads to: its operator asks for faults in another way, and it has no schema registry.
const NEVER: [&str; 3] = [
    "InternalException",
    "SchemaRegistryUnavailableException",
    "ThrottlingException",
];

fn table() -> Value {
    serde_json::from_str(include_str!("../../../model/eventsv2.json")).unwrap()
}

fn operations(table: &Value) -> impl Iterator<Item = &String> {
    table["operations"].as_object().unwrap().keys()
}

/// An answer: its status and its body, whose headers are those that Go's client insists on.
async fn post(local: &Local, operation: &str, account: &str, body: Vec<u8>) -> (u16, Value) {
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential={account}/20260930/{REGION}/events/aws4_request, SignedHeaders=host, Signature=x"
    );
    let request = local
        .http
        .post(format!("{}/service/AWSEventsV2/operation/{operation}", local.url));
    let request = request
        .header("smithy-protocol", "rpc-v2-cbor")
        .header("content-type", "application/cbor")
        .header("authorization", scope);
    let answer = request.body(body).send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    assert_eq!(headers["smithy-protocol"], "rpc-v2-cbor", "{operation}");
    assert_eq!(headers["content-type"], "application/cbor", "{operation}");
    (status, read(&answer.bytes().await.unwrap()))
}

#[tokio::test]
async fn every_operation_is_there() {
    let (table, local) = (table(), Local::start(Config::default()).await);
    for operation in operations(&table) {
        let (status, answer) = post(&local, operation, CUSTOMER, vec![0xA0]).await;
        assert_ne!(
            answer["__type"], "UnknownOperationException",
            "{operation} {status}"
        );
    }
    local.stop().await;
}

/// A value of a shape with its required members alone; a union has its first variant.
fn least(model: Model<'_>, name: &str) -> Value {
    let shape = model.shape(name);
    match shape["type"].as_str().unwrap() {
        "structure" => {
            let required = shape["required"].as_array().unwrap().iter();
            let mut names: Vec<&str> = required.map(|name| name.as_str().unwrap()).collect();
            let members = shape["members"].as_object().unwrap();
            if shape["union"] == true {
                names.extend(members.keys().next().map(String::as_str));
            }
            names
                .into_iter()
                .map(|name| (name.to_owned(), least(model, members[name].as_str().unwrap())))
                .collect()
        }
        "list" => json!([least(model, shape["of"].as_str().unwrap())]),
        "map" => json!({ "k": least(model, shape["value"].as_str().unwrap()) }),
        "integer" | "long" | "timestamp" => shape["min"].as_i64().unwrap_or(1).into(),
        "boolean" => json!(true),
        _ => shape["enum"][0].as_str().unwrap_or("x").into(),
    }
}

/// Values of a shape that each lack one required member, and the place of that one as AWS's messages spell it.
fn lacking(model: Model<'_>, name: &str, at: &str, depth: usize) -> Vec<(String, Value)> {
    let (shape, whole) = (model.shape(name), least(model, name));
    let below = |part: &str, at: &str| lacking(model, shape[part].as_str().unwrap(), at, depth - 1);
    let mut found = Vec::new();
    match shape["type"].as_str().unwrap() {
        _ if depth == 0 => {}
        "list" => {
            let items = below("of", &format!("{at}.1.member"));
            found.extend(items.into_iter().map(|(at, item)| (at, json!([item]))));
        }
        "map" => {
            let values = below("value", &format!("{at}.k.member"));
            found.extend(values.into_iter().map(|(at, value)| (at, json!({ "k": value }))));
        }
        "structure" => {
            for (member, of) in shape["members"].as_object().unwrap() {
                let (first, rest) = member.split_at(1);
                let dot = if at.is_empty() { "" } else { "." };
                let at = format!("{at}{dot}{}{rest}", first.to_lowercase());
                if shape["required"].as_array().unwrap().contains(&json!(member)) {
                    let mut without = whole.clone();
                    without.as_object_mut().unwrap().remove(member);
                    found.push((at.clone(), without));
                }
                for (at, value) in lacking(model, of.as_str().unwrap(), &at, depth - 1) {
                    let mut with = if shape["union"] == true {
                        json!({})
                    } else {
                        whole.clone()
                    };
                    with[member] = value;
                    found.push((at, with));
                }
            }
        }
        _ => {}
    }
    found
}

#[tokio::test]
async fn each_required_member_is_asked_for_by_name() {
    let (table, local) = (table(), Local::start(Config::default()).await);
    let model = Model(&table);
    let mut count = 0;
    for operation in operations(&table) {
        let input = model.of("operations", operation).unwrap();
        for (at, body) in lacking(model, input, "", 8) {
            let form = FORMS[count % FORMS.len()];
            count += 1;
            let sent = model.write(input, &body, form);
            let (status, answer) = post(&local, operation, CUSTOMER, sent).await;
            let why = answer["Message"].as_str().unwrap_or_default();
            let says = format!("Value null at '{at}' failed to satisfy constraint: Member must not be null");
            let shown = format!("{operation} without {at}: {status} {answer}");
            assert_eq!(
                (status, answer["__type"].as_str()),
                (400, Some("InvalidInputException")),
                "{shown}"
            );
            assert!(
                why.contains(&says) && why.matches("Value null").count() == 1,
                "{shown}"
            );
        }
    }
    assert!(count > 60, "{count} members");
    local.stop().await;
}

/// A customer who calls every operation, and whose answers are held to the model.
struct Walk<'m> {
    model: Model<'m>,
    local: Local,
    calls: usize,
    answered: BTreeSet<String>,
    refused: BTreeSet<String>,
}

impl Walk<'_> {
    async fn call(&mut self, operation: &str, input: &Value) -> (u16, Value) {
        self.call_as(CUSTOMER, operation, input).await
    }

    async fn call_as(&mut self, account: &str, operation: &str, input: &Value) -> (u16, Value) {
        let shape = self.model.of("operations", operation).unwrap();
        let body = self.model.write(shape, input, FORMS[self.calls % FORMS.len()]);
        self.calls += 1;
        post(&self.local, operation, account, body).await
    }

    async fn ok(&mut self, operation: &str, input: Value) -> Value {
        let (status, answer) = self.call(operation, &input).await;
        assert_eq!(status, 200, "{operation} {input} gave {answer}");
        let shape = self.model.of("outputs", operation).unwrap();
        let faults = self.model.faults(shape, &answer, operation);
        assert!(faults.is_empty(), "{faults:#?}");
        self.answered.insert(operation.to_owned());
        answer
    }

    async fn refused(&mut self, operation: &str, input: Value, code: &str) {
        self.refused_as(CUSTOMER, operation, input, code).await;
    }

    async fn refused_as(&mut self, account: &str, operation: &str, input: Value, code: &str) {
        let (status, answer) = self.call_as(account, operation, &input).await;
        let shown = format!("{operation} {input} gave {status} {answer}");
        assert_eq!(answer["__type"], code, "{shown}");
        assert_eq!(self.model.0["errors"][code], json!(status), "{shown}");
        let members: Vec<&String> = answer.as_object().unwrap().keys().collect();
        assert_eq!(members, ["Message", "__type"], "{shown}");
        let listed = self.model.0["refusals"][operation].as_array().unwrap();
        assert!(listed.contains(&json!(code)), "{shown}: not in {listed:?}");
        self.refused.insert(code.to_owned());
    }

    async fn pass(&self, seconds: i64) {
        let body = json!({ "advance_seconds": seconds }).to_string();
        self.local.tell("clock", &body).await;
    }
}

fn text(answer: &Value, member: &str) -> String {
    answer[member].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_operation_answers_and_refuses_by_the_model() {
    let table = table();
    let local = Local::start(Config::default()).await;
    sqs::make(&local, "q", json!({})).await;
    let mut walk = Walk {
        model: Model(&table),
        local,
        calls: 0,
        answered: BTreeSet::new(),
        refused: BTreeSet::new(),
    };
    let bus = buses(&mut walk).await;
    let subscriber = subscribers(&mut walk, &bus).await;
    let source = sources(&mut walk, &bus).await;
    events(&mut walk, &bus).await;
    policies(&mut walk, &bus).await;
    for arn in [&bus, &subscriber, &source] {
        tags(&mut walk, arn).await;
    }
    ends(&mut walk, &bus, &subscriber, &source).await;
    let all: BTreeSet<&str> = operations(&table).map(String::as_str).collect();
    let answered: BTreeSet<&str> = walk.answered.iter().map(String::as_str).collect();
    assert_eq!(
        all.difference(&answered).collect::<Vec<_>>(),
        [&"RotateWebhookCredentials"]
    );
    let errors = table["errors"].as_object().unwrap().keys();
    let met = errors.filter(|code| !walk.refused.contains(*code));
    assert_eq!(met.collect::<Vec<_>>(), NEVER);
    walk.local.stop().await;
}

async fn buses(walk: &mut Walk<'_>) -> String {
    let asked = json!({
        "Name": "scalr",
        "Description": "Scalr's events",
        "EncryptionConfiguration": { "KmsKeyIdentifier": "alias/scalr" },
        "StorageConfiguration": { "RetentionPeriodInDays": 7 },
        "Tags": { "team": "platform" },
        "ClientToken": "t",
    });
    let bus = text(&walk.ok("CreateEventBus", asked.clone()).await, "EventBusArn");
    let again = walk.ok("CreateEventBus", asked.clone()).await;
    assert_eq!(text(&again, "EventBusArn"), bus);
    let mut other = asked;
    other["Name"] = json!("other");
    let mismatch = "IdempotentParameterMismatchException";
    walk.refused("CreateEventBus", other, mismatch).await;
    let named = |name: &str| json!({ "Name": name });
    let exists = "ResourceAlreadyExistsException";
    walk.refused("CreateEventBus", named("scalr"), exists).await;
    let at = json!({ "EventBusArn": bus });
    walk.refused("DeleteEventBus", at.clone(), "InvalidStateException")
        .await;
    walk.pass(1).await;
    for name in ["b", "c", "d", "e"] {
        walk.ok("CreateEventBus", named(name)).await;
    }
    walk.refused("CreateEventBus", named("f"), "LimitExceededException")
        .await;
    walk.ok("DescribeEventBus", at).await;
    let first = walk.ok("ListEventBuses", json!({ "MaxResults": 2 })).await;
    let next = json!({ "MaxResults": 100, "NextToken": text(&first, "NextToken") });
    let rest = walk.ok("ListEventBuses", next).await;
    assert_eq!(rest["EventBuses"].as_array().unwrap().len(), 3);
    let storage = json!({ "RetentionPeriodInDays": 30 });
    walk.ok(
        "UpdateEventBus",
        json!({ "EventBusArn": bus, "Description": "", "StorageConfiguration": storage }),
    )
    .await;
    let missing = json!({ "EventBusArn": bus.replace("/scalr/", "/missing/") });
    walk.refused("DescribeEventBus", missing, "ResourceNotFoundException")
        .await;
    let theirs = json!({ "EventBusArn": bus });
    walk.refused_as(PARTNER, "DescribeEventBus", theirs, "AccessDeniedException")
        .await;
    bus
}

/// One with every block that is stored.
fn subscriber(bus: &str, name: &str) -> Value {
    json!({
        "Name": name,
        "EventBusArn": bus,
        "Description": "Runs",
        "Type": "FIFO",
        "InvokeConfiguration": {
            "TargetArn": QUEUE,
            "RoleArn": ROLE,
            "SqsParameters": { "DelaySeconds": "0" },
        },
        "FilterConfiguration": { "Filters": [{ "Scope": "DATA", "Pattern": "{\"source\":[\"s\"]}" }] },
        "StartingPosition": "LATEST",
        "BatchConfiguration": { "MaxBatchSize": 10, "MaxBatchWindowInSeconds": 0 },
        "Transformer": { "Type": "JSONATA", "JsonataConfiguration": { "Expression": "{% $events.Data %}" } },
        "RetryPolicy": { "MaxRetryAttempts": 0, "MaxEventAgeInSeconds": 60 },
        "OnFailureConfiguration": { "Arn": QUEUE },
        "LogConfiguration": { "Level": "ERROR", "IncludePayload": "ON_ERROR_ONLY" },
        "Tags": { "team": "platform" },
    })
}

async fn subscribers(walk: &mut Walk<'_>, bus: &str) -> String {
    let made = walk.ok("CreateSubscriber", subscriber(bus, "runs")).await;
    let arn = text(&made, "SubscriberArn");
    let busy = "ConcurrentModificationException";
    walk.refused("CreateSubscriber", subscriber(bus, "t"), busy).await;
    walk.pass(1).await;
    let replayed = replayed(walk, bus).await;
    let at = json!({ "SubscriberArn": replayed });
    let told = walk.ok("DescribeSubscriber", at.clone()).await;
    assert!(
        told["PointInTimeConfiguration"]["StartingPoint"]["time"].is_f64(),
        "{told}"
    );
    walk.ok("DeleteSubscriber", at).await;
    walk.pass(1).await;
    let mut odd = subscriber(bus, "odd");
    odd["FilterConfiguration"]["Filters"][0]["Pattern"] = json!("{");
    walk.refused("CreateSubscriber", odd, "InvalidInputException")
        .await;
    let at = json!({ "SubscriberArn": arn });
    walk.ok("DescribeSubscriber", at.clone()).await;
    for asked in [json!({}), json!({ "EventBusArn": bus, "NamePrefix": "r" })] {
        let listed = walk.ok("ListSubscribers", asked).await;
        assert_eq!(listed["Subscribers"].as_array().unwrap().len(), 1);
    }
    let stop = json!({ "SubscriberArn": arn, "State": "STOPPED", "FilterConfiguration": {} });
    walk.ok("UpdateSubscriber", stop).await;
    let run = json!({ "SubscriberArn": arn, "State": "RUNNING", "ResumePosition": "LATEST" });
    walk.ok("UpdateSubscriber", run).await;
    walk.ok("DescribeSubscriber", at).await;
    arn
}

/// A subscriber from a point in time, which is no whole second.
async fn replayed(walk: &mut Walk<'_>, bus: &str) -> String {
    walk.pass(400).await;
    let now = walk.local.look("clock").await["epoch_ms"].as_i64().unwrap();
    let start: f64 = format!("{}.5", now / 1000 - 360).parse().unwrap();
    let mut asked = subscriber(bus, "replayed");
    asked["StartingPosition"] = json!("POINT_IN_TIME");
    asked["PointInTimeConfiguration"] = json!({
        "PointType": "TIMESTAMP",
        "StartingPoint": start,
        "EndPoint": now / 1000 + 3600,
    });
    let made = walk.ok("CreateSubscriber", asked).await;
    walk.pass(1).await;
    text(&made, "SubscriberArn")
}

async fn sources(walk: &mut Walk<'_>, bus: &str) -> String {
    let offered = walk.local.events(PARTNER).create_partner_event_source();
    let offered = offered.name(SOURCE).account(CUSTOMER).send().await.unwrap();
    let partner = json!({
        "PartnerEventSourceArn": offered.event_source_arn.unwrap(),
        "Pattern": "{\"detail-type\":[\"RunExecuted\"]}",
        "OnFailureConfiguration": { "Arn": QUEUE },
    });
    let configuration = json!({ "PartnerEventsConfiguration": partner });
    let asked = |name: &str| {
        json!({
            "Name": name,
            "EventBusArn": bus,
            "Configuration": configuration,
            "Description": "Scalr",
            "Tags": { "team": "platform" },
            "ClientToken": name,
        })
    };
    let made = walk.ok("CreateEventSource", asked("prod")).await;
    let arn = text(&made, "EventSourceArn");
    walk.refused("CreateEventSource", asked("other"), "InvalidStateException")
        .await;
    let at = json!({ "EventSourceArn": arn });
    walk.ok("DescribeEventSource", at).await;
    walk.ok("ListEventSources", json!({ "EventBusArn": bus })).await;
    let update = json!({ "EventSourceArn": arn, "Configuration": configuration, "Description": "" });
    walk.ok("UpdateEventSource", update).await;
    let webhook = arn.replace("/aws.partner/", "/webhook/");
    let rotate = json!({ "EventSourceArn": webhook });
    walk.refused("RotateWebhookCredentials", rotate, "InvalidInputException")
        .await;
    arn
}

async fn events(walk: &mut Walk<'_>, bus: &str) {
    let entry = |source: &str| {
        json!({
            "Source": source,
            "DetailType": "RunExecuted",
            "Detail": "{\"n\":1}",
            "Resources": ["arn:aws:s3:::b"],
            "Time": 1_760_000_000,
            "SystemMetadata": { "EventGroupId": "g", "DeduplicationId": "d" },
        })
    };
    let put = json!({ "EventBusArn": bus, "Entries": [entry("s"), entry("s"), entry("aws.s")] });
    let put = walk.ok("PutEvents", put).await;
    let said: Vec<&Value> = put["Entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["SuccessCode"])
        .collect();
    assert_eq!(said, [&json!("PUBLISHED"), &json!("DEDUPLICATED"), &Value::Null]);
    let raw = |kind: &str, data: &str| json!({ "Data": data, "SystemMetadata": { "ContentType": kind }, "Metadata": { "k": "v" } });
    let entries = [
        raw("application/json", "{}"),
        raw("application/octet-stream", "\u{1F600}"),
        raw("application/json", "{"),
    ];
    let put = walk
        .ok("PutRawEvents", json!({ "EventBusArn": bus, "Entries": entries }))
        .await;
    assert_eq!(put["FailedEntryCount"], 1);
    let found = sqs::receive_all(&walk.local, "q").await;
    let bodies = found.iter().map(|message| message["Body"].as_str().unwrap());
    assert!(bodies.clone().any(|body| body == "{}"), "{found:?}");
    assert!(
        bodies
            .clone()
            .any(|body| body.contains("\"time\":\"2025-10-09T08:53:20Z\"")),
        "{found:?}"
    );
}

async fn policies(walk: &mut Walk<'_>, bus: &str) {
    let policy = |principal: &str| {
        let statement = json!({
            "Effect": "Allow",
            "Principal": { "AWS": principal },
            "Action": "events:PutEvents",
            "Resource": bus,
        });
        let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        json!({ "ResourceArn": bus, "PolicyDocument": document })
    };
    walk.refused("PutResourcePolicy", policy("*"), "PublicPolicyException")
        .await;
    let mut long = policy(PARTNER);
    long["PolicyDocument"] = format!("{}{}", text(&long, "PolicyDocument"), " ".repeat(20_480)).into();
    walk.refused("PutResourcePolicy", long, "PolicyLengthExceededException")
        .await;
    walk.ok("PutResourcePolicy", policy(PARTNER)).await;
    let mut stale = policy(PARTNER);
    stale["ExpectedRevisionId"] = json!("NO_POLICY");
    walk.refused("PutResourcePolicy", stale, "ConflictException")
        .await;
    let at = json!({ "ResourceArn": bus });
    for operation in [
        "GetResourcePolicy",
        "ListResourcePolicies",
        "DeleteResourcePolicy",
    ] {
        walk.ok(operation, at.clone()).await;
    }
    walk.refused("GetResourcePolicy", at, "ResourceNotFoundException")
        .await;
}

async fn tags(walk: &mut Walk<'_>, arn: &str) {
    let at = json!({ "ResourceArn": arn });
    let tags = json!({ "ResourceArn": arn, "Tags": { "team": "security", "owner": "me" } });
    walk.ok("TagResource", tags).await;
    walk.ok(
        "UntagResource",
        json!({ "ResourceArn": arn, "TagKeys": ["owner"] }),
    )
    .await;
    let held = walk.ok("ListTagsForResource", at).await;
    assert_eq!(held["Tags"], json!({ "team": "security" }), "{arn}");
}

async fn ends(walk: &mut Walk<'_>, bus: &str, subscriber: &str, source: &str) {
    let at = json!({ "EventBusArn": bus });
    walk.refused("DeleteEventBus", at.clone(), "ResourceInUseException")
        .await;
    for arn in [subscriber, source] {
        walk.ok("RevokeResource", json!({ "Arn": arn })).await;
    }
    walk.ok("DescribeSubscriber", json!({ "SubscriberArn": subscriber }))
        .await;
    walk.ok("DescribeEventSource", json!({ "EventSourceArn": source }))
        .await;
    walk.ok("DeleteSubscriber", json!({ "SubscriberArn": subscriber }))
        .await;
    walk.ok("DeleteEventSource", json!({ "EventSourceArn": source }))
        .await;
    walk.ok("DeleteEventBus", at.clone()).await;
    walk.ok("DescribeEventBus", at).await;
}
