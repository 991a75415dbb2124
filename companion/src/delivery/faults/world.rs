//! A delivery with three connections, a real store and a real local AWS, and a clock that stands until it is moved.

use std::collections::{BTreeMap, BTreeSet};

use futures::FutureExt as _;
use scalr_api::{AccountId, DeliveryState, Status};
use scalr_events::EventType;
use serde_json::{Value, json};

use super::super::*;
use crate::clock::{TestHands, wall_ms};
use crate::store::{Bounds, NewEvent, SourceKey, Which, outbox};
use crate::testing::{ACCOUNT, BOUNDS, Bench};

const REGION: &str = "us-east-1";
const PARTNER: &str = "999900001111";
const GROUP: &str = "/events";
pub(super) const CONNECTIONS: [&str; 3] = ["a", "b", "c"];
const LANES: usize = 4;
pub(super) const MINUTE: i64 = 60_000;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// A local AWS, as bytes: what the customers do there, and its faults.
pub(super) struct Aws {
    endpoint: String,
    http: reqwest::Client,
}

impl Aws {
    async fn start() -> Self {
        let bound = aws_local::Server::bind(aws_local::Config::default()).await;
        let server = bound.unwrap();
        let endpoint = format!("http://{}", server.local_addr());
        tokio::spawn(server.run(std::future::pending()));
        let http = reqwest::Client::new();
        Self { endpoint, http }
    }

    async fn call(&self, account: &str, operation: &str, body: Value) -> Value {
        let service = if operation.starts_with("Logs") {
            "logs"
        } else {
            "events"
        };
        let signed = format!(
            "AWS4-HMAC-SHA256 Credential={account}/20240101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=none"
        );
        let request = self.http.post(&self.endpoint).header("x-amz-target", operation);
        let request = request.header("content-type", "application/x-amz-json-1.1");
        let answer = request.header("authorization", signed).body(body.to_string());
        let answer = answer.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{operation}: {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// The bus of a source, and the rule that leads its events to the log group.
    pub(super) async fn associate(&self, account: &str, source: &str) {
        let arn = format!("arn:aws:logs:{REGION}:{account}:log-group:{GROUP}");
        let (bus, rule) = (json!(source), json!("r"));
        let pattern = json!({ "source": [source] }).to_string();
        let made = json!({ "Name": bus, "EventSourceName": source });
        self.call(account, "AWSEvents.CreateEventBus", made).await;
        let made = json!({ "Name": rule, "EventBusName": bus, "EventPattern": pattern });
        self.call(account, "AWSEvents.PutRule", made).await;
        let target = json!({ "Rule": rule, "EventBusName": bus, "Targets": [{ "Id": "log", "Arn": arn }] });
        self.call(account, "AWSEvents.PutTargets", target).await;
    }

    /// Removes them: the source is PENDING then.
    pub(super) async fn dissociate(&self, account: &str, source: &str) {
        let (bus, rule) = (json!(source), json!("r"));
        let target = json!({ "Rule": rule, "EventBusName": bus, "Ids": ["log"] });
        self.call(account, "AWSEvents.RemoveTargets", target).await;
        let made = json!({ "Name": rule, "EventBusName": bus });
        self.call(account, "AWSEvents.DeleteRule", made).await;
        self.call(account, "AWSEvents.DeleteEventBus", json!({ "Name": bus }))
            .await;
    }

    async fn log_group(&self, account: &str) {
        let resource = format!("arn:aws:logs:{REGION}:{account}:log-group:{GROUP}:*");
        let policy = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" },
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": resource,
        }] });
        let made = json!({ "logGroupName": GROUP });
        self.call(account, "Logs_20140328.CreateLogGroup", made).await;
        let made = json!({ "policyName": "p", "policyDocument": policy.to_string() });
        self.call(account, "Logs_20140328.PutResourcePolicy", made).await;
    }

    /// The numbers of all events in the log group, in the order in which they arrived: that is the end of their ids.
    pub(super) async fn arrived(&self, account: &str) -> Vec<usize> {
        let all = json!({ "logGroupName": GROUP });
        let found = self.call(account, "Logs_20140328.FilterLogEvents", all).await;
        assert_eq!(found["nextToken"], Value::Null, "more than a page");
        let position = |event: &Value| event["eventId"].as_str().map(|id| id[id.len() - 19..].to_owned());
        let number = |event: &Value| {
            let message: Value = serde_json::from_str(event["message"].as_str().unwrap()).unwrap();
            usize::try_from(message["detail"]["number"].as_u64().unwrap()).unwrap()
        };
        let mut events = found["events"].as_array().unwrap().clone();
        events.sort_by_key(position);
        events.iter().map(number).collect()
    }

    pub(super) async fn fault(&self, fault: &Value) {
        let url = format!("{}/_local/faults", self.endpoint);
        let answer = self.http.post(url).body(fault.to_string()).send().await.unwrap();
        assert!(
            answer.status().is_success(),
            "{fault}: {}",
            answer.text().await.unwrap()
        );
    }

    /// Ends all faults; how many calls they have hit.
    pub(super) async fn no_faults(&self) -> u64 {
        let url = format!("{}/_local/faults", self.endpoint);
        let list: Value = self.http.get(&url).send().await.unwrap().json().await.unwrap();
        self.http.delete(url).send().await.unwrap();
        let each = list["faults"].as_array().unwrap().iter();
        each.filter_map(|fault| fault["hit"].as_u64()).sum()
    }
}

/// A delivery with three connections, their AWS, and a clock that a test moves.
pub(super) struct World {
    pub(super) bench: Bench,
    pub(super) delivery: Delivery,
    pub(super) work: Work,
    pub(super) hands: TestHands,
    pub(super) aws: Aws,
    pub(super) ids: Vec<ConnectionId>,
    pub(super) accepted: usize,
    /// How long each answer takes, and those that are on their way.
    pub(super) slow_ms: i64,
    pub(super) late: Vec<(i64, Done)>,
}

pub(super) fn account_of(number: usize) -> String {
    format!("{}", 100_000_000_000 + number)
}

pub(super) fn source_of(number: usize) -> String {
    format!("aws.partner/scalr.com/local/{}", CONNECTIONS[number])
}

impl World {
    pub(super) async fn new() -> Self {
        let bounds = Bounds {
            retry_ms_max: DAY,
            ..BOUNDS
        };
        let (bench, aws) = (Bench::with_bounds(bounds).await, Aws::start().await);
        let partner = Partner::local(&*aws.endpoint, PARTNER);
        let (clock, hands) = TestHands::clock(wall_ms());
        let mut ids = vec![];
        for (number, name) in CONNECTIONS.into_iter().enumerate() {
            let (account, source) = (account_of(number), source_of(number));
            ids.push(bench.connect_to(name, REGION, &account).await);
            let key = SourceKey {
                name: source.clone(),
                region: REGION.into(),
                aws_account_id: account.clone(),
            };
            partner.create(&key).await.unwrap();
            aws.log_group(&account).await;
            aws.associate(&account, &source).await;
        }
        let delivery = Delivery {
            store: bench.app.store.clone(),
            partner,
            clock,
            drain: Duration::ZERO,
            calls_max: 8,
        };
        Self {
            bench,
            delivery,
            work: Work::default(),
            hands,
            aws,
            ids,
            accepted: 0,
            slow_ms: 0,
            late: vec![],
        }
    }

    /// Accepts events for all connections, over all lanes.
    pub(super) async fn accept(&mut self, events: usize) {
        let mut tx = self.bench.app.store.begin().await.unwrap();
        for _ in 0..events {
            let event = NewEvent {
                account_id: AccountId::new(ACCOUNT).unwrap(),
                event_type: EventType::RunExecuted,
                event_id: format!("run-{}", self.accepted),
                lane: format!("w{}", self.accepted % LANES),
                detail: json!({ "number": self.accepted }).to_string(),
                at: self.delivery.clock.look(),
            };
            assert_eq!(
                outbox::accept(&mut tx, &event).await.unwrap().len(),
                CONNECTIONS.len()
            );
            self.accepted += 1;
        }
        tx.commit().await.unwrap();
    }

    /// Lets so much time pass, in which the delivery does all that it does by itself.
    pub(super) async fn pass(&mut self, ms: i64) {
        let end = self.delivery.clock.now_ms() + ms;
        loop {
            if let Some(woken) = self.bench.app.store.deliverable().now_or_never() {
                self.work.ask_for(woken);
            }
            let now = self.delivery.clock.now_ms();
            let wait = self.delivery.step(&mut self.work, now).await;
            while let Some(done) = self.work.ended().await {
                self.late.push((now + self.slow_ms, done));
            }
            let (due, late) = std::mem::take(&mut self.late)
                .into_iter()
                .partition::<Vec<_>, _>(|(at, _)| *at <= now);
            self.late = late;
            let is_answered = !due.is_empty();
            for (_, done) in due {
                self.delivery.ended(&mut self.work, done);
            }
            if is_answered {
                continue;
            }
            let next = self.late.iter().map(|(at, _)| *at).min().unwrap_or(i64::MAX);
            let next = next.min(now + i64::try_from(wait.as_millis()).unwrap());
            if next >= end {
                self.hands.pass((end - now).max(0));
                return;
            }
            self.hands.pass(next - now);
        }
    }

    /// Accepts events again and again while time passes.
    pub(super) async fn load(&mut self, ms: i64) {
        for _ in 0..5 {
            self.accept(6).await;
            self.pass(ms / 5).await;
        }
    }

    pub(super) async fn status(&self, number: usize) -> Status {
        let found = self.bench.app.store.connection_by_id(&self.ids[number]).await;
        found.unwrap().unwrap().status
    }

    /// Everything has arrived, in the order of its lane, within a few minutes; returns how many deliveries came again.
    pub(super) async fn all_arrived(&mut self, case: &str) -> usize {
        // Answers that are late come first.
        while !self.late.is_empty() {
            self.pass(MINUTE).await;
        }
        self.pass(5 * MINUTE).await;
        let mut again = 0;
        for (number, id) in self.ids.iter().enumerate() {
            let arrived = self.aws.arrived(&account_of(number)).await;
            let mut seen = BTreeSet::new();
            let mut lanes = BTreeMap::<usize, Vec<usize>>::new();
            for event in &arrived {
                if seen.insert(*event) {
                    lanes.entry(event % LANES).or_default().push(*event);
                }
            }
            again += arrived.len() - seen.len();
            let missing: Vec<usize> = (0..self.accepted).filter(|event| !seen.contains(event)).collect();
            assert_eq!(
                missing,
                [0; 0],
                "{case}: lost for {id}, which is {}",
                self.status(number).await
            );
            assert!(lanes.values().all(|lane| lane.is_sorted()), "{case}: {lanes:?}");
            let account = AccountId::new(ACCOUNT).unwrap();
            let found = self.bench.app.store.delivery_figures(&account, id.as_str()).await;
            let (figures, _) = found.unwrap().unwrap();
            let open = figures.held + figures.unconfirmed + figures.failed;
            assert_eq!(
                (open, figures.delivered),
                (0, figures.made),
                "{case}: {figures:?}"
            );
        }
        again
    }

    /// No delivery has arrived more often than it was sent, by the store's record.
    pub(super) async fn none_too_often(&self, case: &str) {
        for (number, id) in self.ids.iter().enumerate() {
            let all = Which::all(id.as_str(), DeliveryState::Delivered);
            let (delivered, _) = self.bench.app.store.settled(&all, 10_000).await.unwrap();
            let sent = delivered.iter().map(|one| (one.event_id.as_str(), one.attempts));
            let sent: BTreeMap<&str, u32> = sent.collect();
            let mut times = BTreeMap::<usize, u32>::new();
            for event in self.aws.arrived(&account_of(number)).await {
                *times.entry(event).or_default() += 1;
            }
            for (event, times) in times {
                let sent = sent[format!("run-{event}").as_str()];
                assert!(
                    times <= sent,
                    "{case}: run-{event} came {times} times for {id}, sent {sent} times"
                );
            }
        }
    }
}
