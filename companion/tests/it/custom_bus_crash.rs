//! SIGKILL while events are published on a custom event bus: each that was acknowledged is received after the restart.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_eventbridgev2::Client;
use aws_sdk_eventbridgev2::types::{
    InvokeConfiguration, PutEventsRequestEntry, Transformer, TransformerType,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::aws::Aws;
use crate::companion::{Companion, dev};
use crate::until;

const REGION: &str = "eu-west-1";
const PUBLISHERS: usize = 4;

async fn start(dir: &Path) -> (Companion, Aws) {
    let mut command = dev();
    command.arg("--data-dir").arg(dir);
    let c = Companion::spawn(command).await;
    let aws = Aws::at(c.text("/aws/endpoint")).await;
    (c, aws)
}

/// A bus whose events go to the queue `q` with their ids; its ARN.
async fn bus(aws: &Aws) -> String {
    aws.queues(REGION, "CreateQueue", &json!({ "QueueName": "q" }))
        .await;
    let custom = aws.custom(REGION);
    let made = custom.create_event_bus().name("b").send().await.unwrap();
    let arn = made.event_bus_arn().unwrap().to_owned();
    let target = InvokeConfiguration::builder()
        .target_arn(format!("arn:aws:sqs:{REGION}:123456789012:q"))
        .role_arn("arn:aws:iam::123456789012:role/r")
        .build()
        .unwrap();
    let with_ids = Transformer::builder()
        .r#type(TransformerType::WithMetadata)
        .build();
    until("the subscriber", || async {
        let create = custom.create_subscriber().name("s").event_bus_arn(&arn);
        let create = create
            .invoke_configuration(target.clone())
            .transformer(with_ids.clone());
        create.send().await.ok()
    })
    .await;
    arn
}

/// Publishes until the process is gone; the ids of what was acknowledged.
async fn publish(custom: Client, bus: String, count: Arc<AtomicUsize>) -> Vec<String> {
    let entry = PutEventsRequestEntry::builder().source("s").detail_type("t");
    let entry = entry
        .detail(json!({ "text": "x".repeat(500) }).to_string())
        .build()
        .unwrap();
    let mut ids = Vec::new();
    loop {
        let put = custom.put_events().event_bus_arn(&bus);
        let put = put.set_entries(Some(vec![entry.clone(); 10]));
        let Ok(put) = put.send().await else {
            return ids;
        };
        for entry in put.entries() {
            ids.push(entry.event_id().unwrap().to_owned());
        }
        count.fetch_add(put.entries().len(), Ordering::SeqCst);
    }
}

/// The ids of all events in the queue, which are taken out.
async fn received(aws: &Aws) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let url = json!("http://h/123456789012/q");
    loop {
        let receive = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10 });
        let answer = aws.queues(REGION, "ReceiveMessage", &receive).await;
        let Some(messages) = answer["Messages"].as_array().filter(|all| !all.is_empty()) else {
            return ids;
        };
        for message in messages {
            let body: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
            ids.insert(body["SystemMetadata"]["aws:EventId"].as_str().unwrap().to_owned());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_events_of_a_custom_event_bus_are_received_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let (c, aws) = start(dir.path()).await;
    let bus = bus(&aws).await;
    let count = Arc::new(AtomicUsize::new(0));
    let mut publishers = JoinSet::new();
    for _ in 0..PUBLISHERS {
        publishers.spawn(publish(aws.custom(REGION), bus.clone(), Arc::clone(&count)));
    }
    until("some acknowledged events", || async {
        (count.load(Ordering::SeqCst) >= 300).then_some(())
    })
    .await;
    c.crash().await;
    let acknowledged: Vec<String> = publishers.join_all().await.into_iter().flatten().collect();
    assert!(acknowledged.len() >= 300);
    let (c, aws) = start(dir.path()).await;
    let there = received(&aws).await;
    let lost: Vec<&String> = acknowledged.iter().filter(|id| !there.contains(*id)).collect();
    assert!(
        lost.is_empty(),
        "{} of {}: {lost:?}",
        lost.len(),
        acknowledged.len()
    );
    assert!(c.stop().await);
}
