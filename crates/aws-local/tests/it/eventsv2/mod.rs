//! Custom event buses by AWS's own SDK: a bus, a partner's event source, a subscriber, and what arrives in a queue.

use std::time::Duration;

use aws_local::Config;
use aws_sdk_eventbridgev2::Client;
use aws_sdk_eventbridgev2::error::ProvideErrorMetadata;
use aws_sdk_eventbridgev2::types::{
    BatchConfiguration, Filter, FilterConfiguration, FilterScope, InvokeConfiguration, PutEventsRequestEntry,
    PutEventsResultEntry, PutEventsSystemMetadata,
};
use serde_json::{Value, json};

use crate::client::{CUSTOMER, Local};
use crate::sqs;

mod assumed;
mod batches;
mod buses;
mod bytes;
mod delivery;
mod destinations;
mod habits;
mod lifecycle;
mod metrics;
mod model;
mod policies;
mod retained;
mod sources;
mod wire;

const ROLE: &str = "arn:aws:iam::222222222222:role/deliver";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:222222222222:q";
const SOURCE: &str = "aws.partner/scalr.com/acme/prod";

struct Bus {
    local: Local,
    client: Client,
    arn: String,
}

/// A bus that is ACTIVE, and a queue.
async fn bus() -> Bus {
    bus_on(Local::start(Config::default()).await).await
}

async fn bus_on(local: Local) -> Bus {
    let client = local.events_v2(CUSTOMER);
    make_queue(&local, "q").await;
    let made = client.create_event_bus().name("scalr").send().await.unwrap();
    let bus = Bus {
        arn: made.event_bus_arn.unwrap(),
        local,
        client,
    };
    bus.pass(2).await;
    bus
}

async fn make_queue(local: &Local, name: &str) {
    sqs::make(local, name, json!({})).await;
}

async fn delete_queue(local: &Local, name: &str) {
    sqs::ok(local, "DeleteQueue", name, json!({})).await;
}

/// The bodies of the messages in a queue.
async fn received(local: &Local, queue: &str) -> Vec<Value> {
    let messages = sqs::receive(local, queue).await;
    messages
        .iter()
        .map(|message| serde_json::from_str(message["Body"].as_str().unwrap()).unwrap())
        .collect()
}

impl Bus {
    /// Moves the clock forward, so that what takes time is done.
    async fn pass(&self, seconds: i64) {
        let body = json!({ "advance_seconds": seconds }).to_string();
        self.local.tell("clock", &body).await;
    }

    async fn subscribe(&self, name: &str, filter: Option<&str>) -> String {
        self.subscribe_by(name, filter.map(data_filter)).await
    }

    async fn subscribe_by(&self, name: &str, filter: Option<FilterConfiguration>) -> String {
        let target = InvokeConfiguration::builder()
            .target_arn(QUEUE)
            .role_arn(ROLE)
            .build()
            .unwrap();
        let request = self
            .client
            .create_subscriber()
            .name(name)
            .event_bus_arn(&self.arn)
            .invoke_configuration(target)
            .set_filter_configuration(filter);
        let made = request.send().await.unwrap();
        self.pass(1).await;
        made.subscriber_arn.unwrap()
    }

    async fn put(&self, detail: &str, group: &str) -> (String, String) {
        self.put_all(&[(detail, group)]).await.remove(0)
    }

    /// Puts details, each with its group, in one call; the id and code of each.
    async fn put_all(&self, entries: &[(&str, &str)]) -> Vec<(String, String)> {
        let entry = |(detail, group): &(&str, &str)| {
            let metadata = PutEventsSystemMetadata::builder().event_group_id(*group).build();
            let entry = PutEventsRequestEntry::builder().source("acme").detail_type("Run");
            let entry = entry.detail(*detail).system_metadata(metadata).build();
            entry.unwrap()
        };
        let entries = entries.iter().map(entry).collect();
        let put = self.client.put_events().event_bus_arn(&self.arn);
        let put = put.set_entries(Some(entries)).send().await.unwrap();
        let answer = |entry: &PutEventsResultEntry| {
            let code = entry.success_code().unwrap().as_str().to_owned();
            (entry.event_id().unwrap().to_owned(), code)
        };
        put.entries().iter().map(answer).collect()
    }

    /// Waits until the story of an event tells so many attempts of its delivery; gives the delivery.
    async fn tried(&self, id: &str, attempts: usize) -> Value {
        let told = async {
            loop {
                let story = self.local.look(&format!("events/{id}")).await;
                let delivery = &story["buses"][0]["deliveries"][0];
                let all = delivery["attempts"].as_array();
                if all.is_some_and(|all| all.len() >= attempts) {
                    return delivery.clone();
                }
                tokio::task::yield_now().await;
            }
        };
        let told = tokio::time::timeout(Duration::from_secs(30), told).await;
        told.unwrap_or_else(|_| panic!("{id} has not been tried {attempts} times"))
    }

    /// The payloads of `/_local/invocations`.
    async fn invocations(&self) -> Vec<Value> {
        let kept = self.local.look("invocations").await;
        let rows = kept["invocations"].as_array().unwrap();
        let payload = |row: &Value| serde_json::from_str(row["payload"].as_str().unwrap()).unwrap();
        rows.iter().map(payload).collect()
    }

    /// Its state; the code of the refusal where there is none.
    async fn state(&self) -> String {
        let found = self.client.describe_event_bus().event_bus_arn(&self.arn);
        match found.send().await {
            Ok(found) => found.state.map(|state| state.to_string()).unwrap_or_default(),
            Err(refused) => refused.code().unwrap_or_default().to_owned(),
        }
    }

    async fn messages(&self) -> Vec<Value> {
        received(&self.local, "q").await
    }
}

fn batch(size: i32, window_seconds: i32) -> BatchConfiguration {
    BatchConfiguration::builder()
        .max_batch_size(size)
        .max_batch_window_in_seconds(window_seconds)
        .build()
}

fn data_filter(pattern: &str) -> FilterConfiguration {
    filter(FilterScope::Data, pattern)
}

fn filter(scope: FilterScope, pattern: &str) -> FilterConfiguration {
    let filter = Filter::builder().scope(scope).pattern(pattern).build().unwrap();
    FilterConfiguration::builder().filters(filter).build()
}

fn entry() -> PutEventsRequestEntry {
    PutEventsRequestEntry::builder()
        .source("s")
        .detail_type("t")
        .build()
        .unwrap()
}

/// The `n` of the details of events.
fn numbers(events: &[Value]) -> Vec<i64> {
    events
        .iter()
        .map(|event| event["detail"]["n"].as_i64().unwrap())
        .collect()
}

/// The code of a refusal; panics where there is none.
fn refused<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(answer: Result<T, E>) -> String {
    answer.unwrap_err().code().unwrap_or_default().to_owned()
}
