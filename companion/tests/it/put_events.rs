//! `serve --put-events-to`: events go to event buses of one's own, for those who are no partner of AWS's.

use aws_sdk_eventbridgev2::types::{
    Filter, FilterConfiguration, FilterScope, InvokeConfiguration, Transformer, TransformerType,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::aws::Aws;
use crate::companion::{Companion, connection, run_executed};
use crate::serve::{account, serve, show, start};
use crate::stage::REGION;
use crate::until;

const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:events";
const PATTERN: &str = r#"{"source":[{"prefix":"scalr.com/"}]}"#;

/// The two kinds of event buses.
#[derive(Clone, Copy, Debug)]
enum Bus {
    Classic,
    Custom,
}

impl Bus {
    /// Makes one that leads Scalr's events to a queue; its ARN.
    async fn make(self, aws: &Aws) -> String {
        let statement = json!({
            "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" },
            "Action": "sqs:SendMessage", "Resource": QUEUE,
        });
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        let queue = json!({ "QueueName": "events", "Attributes": { "Policy": policy } });
        aws.queues(REGION, "CreateQueue", &queue).await;
        match self {
            Self::Classic => {
                let events = aws.events(REGION);
                let made = events.create_event_bus().name("scalr").send().await.unwrap();
                let rule = events.put_rule().name("r").event_bus_name("scalr");
                rule.event_pattern(PATTERN).send().await.unwrap();
                aws.target(REGION, "scalr", "queue", QUEUE).await;
                made.event_bus_arn().unwrap().to_owned()
            }
            Self::Custom => {
                let arn = aws.custom_bus(REGION, "scalr").await;
                let filter = Filter::builder().scope(FilterScope::Data).pattern(PATTERN);
                let filters = FilterConfiguration::builder().filters(filter.build().unwrap());
                let target = InvokeConfiguration::builder()
                    .target_arn(QUEUE)
                    .role_arn("arn:aws:iam::123456789012:role/deliver");
                let with_metadata = Transformer::builder().r#type(TransformerType::WithMetadata);
                let create = aws
                    .custom(REGION)
                    .create_subscriber()
                    .name("s")
                    .event_bus_arn(&arn);
                let create = create
                    .filter_configuration(filters.build())
                    .invoke_configuration(target.build().unwrap())
                    .transformer(with_metadata.build());
                create.send().await.unwrap();
                arn
            }
        }
    }
}

/// A service that puts events to this bus, with the connection `prod` of the account `acme`.
async fn connected(aws: &Aws, arn: &str) -> (Companion, TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let (mut c, operator) = start(dir.path(), &aws.proxy.endpoint, &["--put-events-to", arn]).await;
    let token = account(&c, &operator.unwrap(), "acme").await;
    show(&mut c, &token);
    let id = c.connect("prod", REGION).await;
    (c, dir, id)
}

/// Reports runs, each accepted before the next is sent.
async fn report(c: &Companion, runs: &[(&str, &str)]) {
    for (run, workspace) in runs {
        let event = run_executed(run, workspace, "")["detail"].take();
        let (status, answer) = c
            .request("POST", "/events/v1/run-executed", Some(event))
            .await
            .unwrap();
        assert_eq!(status, 202, "{answer}");
    }
}

/// The messages in the queue.
async fn received(aws: &Aws) -> Vec<Value> {
    let url = "http://x/123456789012/events";
    let ask = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10 });
    let answer = aws.queues(REGION, "ReceiveMessage", &ask).await;
    let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
    for message in &messages {
        let receipt = json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] });
        aws.queues(REGION, "DeleteMessage", &receipt).await;
    }
    let read = |message: &Value| serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
    messages.iter().map(read).collect()
}

async fn check(bus: Bus) {
    let aws = Aws::start().await;
    let arn = bus.make(&aws).await;
    let (c, _dir, id) = connected(&aws, &arn).await;
    let made = c.connection(&id).await;
    assert_eq!(
        (&made["event-source"], &made["event-source-arn"]),
        (&json!("scalr.com/acme/prod"), &Value::Null),
        "{bus:?}"
    );
    assert_eq!(c.set_status(&id, "active").await, "active", "{bus:?}");
    report(
        &c,
        &[("run-1", "network"), ("run-2", "network"), ("run-3", "apps")],
    )
    .await;
    c.drained(&id).await;
    let delivery = c.delivery(&id).await;
    assert_eq!(delivery["delivered"], 3, "{bus:?}: {delivery}");
    let mut seen = Vec::new();
    for message in received(&aws).await {
        let (event, metadata) = match bus {
            Bus::Classic => (&message, &Value::Null),
            Bus::Custom => (&message["Data"], &message["SystemMetadata"]),
        };
        assert_eq!(event["source"], "scalr.com/acme/prod", "{bus:?}: {message}");
        assert_eq!(event["detail-type"], "RunExecuted", "{bus:?}: {message}");
        let run = event["detail"]["event"]["run-id"].as_str().unwrap().to_owned();
        if let Bus::Custom = bus {
            let workspace = if run == "run-3" { "apps" } else { "network" };
            assert_eq!(metadata["EventGroupId"], format!("{id}/{workspace}"), "{message}");
            assert_eq!(metadata["DeduplicationId"], run, "{message}");
        }
        seen.push(run);
    }
    seen.sort_unstable();
    assert_eq!(seen, ["run-1", "run-2", "run-3"], "{bus:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_put_to_a_classic_bus() {
    check(Bus::Classic).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_put_to_a_custom_bus_in_their_groups() {
    check(Bus::Custom).await;
}

/// Classic's PutEvents would answer success, and drop them.
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_bus_holds_its_events() {
    let aws = Aws::start().await;
    for (resource, bus) in [
        ("event-bus/scalr", Some(Bus::Classic)),
        ("event-busv2/scalr/abcdefghij0123456789abcde", None),
    ] {
        let arn = format!("arn:aws:events:{REGION}:123456789012:{resource}");
        let (c, _dir, id) = connected(&aws, &arn).await;
        assert_eq!(c.set_status(&id, "active").await, "failed", "{resource}");
        let why = c.connection(&id).await["err-message"].take();
        assert!(
            why.as_str().unwrap().contains("`--put-events-to`"),
            "{resource}: {why}"
        );
        report(&c, &[("run-1", "network")]).await;
        assert_eq!(c.delivery(&id).await["held"], 1, "{resource}");
        let Some(bus) = bus else { continue };
        assert_eq!(bus.make(&aws).await, arn);
        assert_eq!(c.set_status(&id, "active").await, "active");
        c.drained(&id).await;
        assert_eq!(received(&aws).await.len(), 1);
        // It is deleted while the connection is active: the next look finds that, and nothing is lost.
        let events = aws.events(REGION);
        let targets = events.remove_targets().rule("r").event_bus_name("scalr");
        targets.ids("queue").send().await.unwrap();
        let rule = events.delete_rule().name("r").event_bus_name("scalr");
        rule.send().await.unwrap();
        events.delete_event_bus().name("scalr").send().await.unwrap();
        report(&c, &[("run-2", "network")]).await;
        until("the look that finds no bus", || async {
            (c.connection(&id).await["status"] == "failed").then_some(())
        })
        .await;
        bus.make(&aws).await;
        assert_eq!(c.set_status(&id, "active").await, "active");
        until("the event that AWS has dropped", || async {
            let seen = received(&aws).await;
            let runs: Vec<_> = seen
                .iter()
                .map(|event| &event["detail"]["event"]["run-id"])
                .collect();
            assert!(runs.iter().all(|run| **run == "run-2"), "{runs:?}");
            (!runs.is_empty()).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_to_one_of_the_buses() {
    let aws = Aws::start().await;
    let arn = Bus::Classic.make(&aws).await;
    let (c, _dir, _) = connected(&aws, &arn).await;
    for (region, aws_account, pointer) in [
        ("eu-west-1", "123456789012", "region"),
        (REGION, "999900001111", "aws-account-id"),
    ] {
        let mut body = connection("other", region);
        body["data"]["attributes"]["aws-account-id"] = json!(aws_account);
        let (status, answer) = c.call("POST", "/integrations/aws-event-bridge", Some(body)).await;
        let error = &answer["errors"][0];
        assert_eq!(status, 422, "{answer}");
        assert_eq!(error["source"]["pointer"], format!("/data/attributes/{pointer}"));
        assert!(error["detail"].as_str().unwrap().contains(&arn), "{answer}");
    }
}

/// A connection was made for one of the two: with the other, its events wait, nothing of it is forgotten, and it says what to do.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_stays_with_what_it_was_made_for() {
    let aws = Aws::start().await;
    let arn = Bus::Classic.make(&aws).await;
    let to_bus = ["--put-events-to", arn.as_str()];
    for (first, second, says) in [
        (&to_bus[..], &[][..], "made for an event bus"),
        (&[], &to_bus, "made for a partner event source"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (mut c, operator) = start(dir.path(), &aws.proxy.endpoint, first).await;
        let token = account(&c, &operator.unwrap(), "acme").await;
        show(&mut c, &token);
        let id = c.connect("prod", REGION).await;
        if first.is_empty() {
            aws.associate(REGION, "aws.partner/scalr.com/acme/prod").await;
        }
        assert_eq!(c.set_status(&id, "active").await, "active");
        assert!(c.stop().await);
        let (mut c, _) = start(dir.path(), &aws.proxy.endpoint, second).await;
        show(&mut c, &token);
        report(&c, &[("run-1", "network")]).await;
        until("the look", || async {
            (c.connection(&id).await["status"] == "failed").then_some(())
        })
        .await;
        let why = c.connection(&id).await["err-message"].take();
        assert!(why.as_str().unwrap().contains(says), "{why}");
        assert_eq!(c.delivery(&id).await["held"], 1, "{says}");
        assert!(c.stop().await);
        let (mut c, _) = start(dir.path(), &aws.proxy.endpoint, first).await;
        show(&mut c, &token);
        assert_eq!(c.set_status(&id, "active").await, "active");
        c.drained(&id).await;
        assert_eq!(c.delivery(&id).await["delivered"], 1, "{says}");
    }
}

#[tokio::test]
async fn what_is_no_event_bus_is_refused_at_the_start() {
    let of = |resource: &str| format!("arn:aws:events:us-east-1:123456789012:{resource}");
    let (a, b) = (of("event-bus/a"), of("event-bus/b"));
    for (buses, says) in [
        (vec!["default"], "it is no event bus's ARN"),
        (vec![a.as_str(), b.as_str()], "give one event bus a region"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut command = serve(dir.path(), "", &[]);
        for bus in &buses {
            command.args(["--put-events-to", bus]);
        }
        let ended = command.output().await.unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{said}");
        assert!(said.contains(says) && said.contains("--put-events-to"), "{said}");
    }
}
