//! Faults under load, in virtual time: nothing is lost, nothing is stuck, the order is kept, and nobody restarts anything.
//!
//! The store and the local AWS are real; the clock stands until a test moves it, so an hour passes in a second.
//!
//! | fault | tests |
//! |---|---|
//! | AWS down for an hour, or answering with errors | `aws_is_away_for_an_hour` |
//! | throttling of a third of the calls | `a_third_of_the_calls_is_throttled`; of entries: `tests/it/delivery.rs`, `only_failed_entries_are_sent_again` |
//! | answers lost after success | `answers_are_lost_after_success`; with a kill: `tests/it/crash.rs` |
//! | answers that take long | `answers_take_long`; a region that hangs: `tests/it/delivery.rs`, `one_bad_connection_stalls_no_other` |
//! | wrong credentials, then right ones | `credentials_are_wrong_for_an_hour`; what is shown meanwhile: `tests/it/operations.rs` |
//! | database locked | `the_database_is_locked_for_a_minute` |
//! | disk full | `the_disk_is_full_for_a_minute`; `tests.rs`, `an_answer_that_cannot_be_stored_is_kept_until_it_can`; intake: `tests/it/bounds.rs` |
//! | clock jumps | `the_clock_jumps_while_calls_fail`; leases: `tests.rs`, `an_event_in_a_call_is_not_sent_again_whatever_its_lease_says`; waits: `clock_watch.rs` |
//! | a source that goes PENDING | `a_source_is_pending_for_a_while`; between look and put: `tests/it/delivery.rs`, `what_was_sent_to_a_source_without_a_bus_is_sent_again` |
//! | an event or a call that AWS refuses | `call.rs`, `decide.rs`; `tests/it/delivery.rs`, `the_guilty_event_of_a_refused_call_is_found` |
//! | SIGKILL at each point of a call | `tests/it/crash.rs`; at random moments, and loss of power: `cargo xtask chaos` |

use std::collections::{BTreeMap, BTreeSet};

use futures::FutureExt as _;
use scalr_api::{AccountId, Status};
use scalr_events::EventType;
use serde_json::{Value, json};

use super::*;
use crate::clock::{TestHands, wall_ms};
use crate::clock_watch;
use crate::store::{Bounds, NewEvent, SourceKey, outbox};
use crate::testing::{ACCOUNT, BOUNDS, Bench};

const REGION: &str = "us-east-1";
const PARTNER: &str = "999900001111";
const GROUP: &str = "/events";
const CONNECTIONS: [&str; 3] = ["a", "b", "c"];
const LANES: usize = 4;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A local AWS, as bytes: what the customers do there, and its faults.
struct Aws {
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
    async fn associate(&self, account: &str, source: &str) {
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
    async fn dissociate(&self, account: &str, source: &str) {
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
    async fn arrived(&self, account: &str) -> Vec<usize> {
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

    async fn fault(&self, fault: &Value) {
        let url = format!("{}/_local/faults", self.endpoint);
        let answer = self.http.post(url).body(fault.to_string()).send().await.unwrap();
        assert!(
            answer.status().is_success(),
            "{fault}: {}",
            answer.text().await.unwrap()
        );
    }

    /// Ends all faults; how many calls they have hit.
    async fn no_faults(&self) -> u64 {
        let url = format!("{}/_local/faults", self.endpoint);
        let list: Value = self.http.get(&url).send().await.unwrap().json().await.unwrap();
        self.http.delete(url).send().await.unwrap();
        let each = list["faults"].as_array().unwrap().iter();
        each.filter_map(|fault| fault["hit"].as_u64()).sum()
    }
}

/// A delivery with three connections, their AWS, and a clock that a test moves.
struct World {
    bench: Bench,
    delivery: Delivery,
    work: Work,
    hands: TestHands,
    aws: Aws,
    ids: Vec<ConnectionId>,
    accepted: usize,
    /// How long each answer takes, and those that are on their way.
    slow_ms: i64,
    late: Vec<(i64, Done)>,
}

fn account_of(number: usize) -> String {
    format!("{}", 100_000_000_000 + number)
}

fn source_of(number: usize) -> String {
    format!("aws.partner/scalr.com/local/{}", CONNECTIONS[number])
}

impl World {
    async fn new() -> Self {
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
    async fn accept(&mut self, events: usize) {
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
    async fn pass(&mut self, ms: i64) {
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
    async fn load(&mut self, ms: i64) {
        for _ in 0..5 {
            self.accept(6).await;
            self.pass(ms / 5).await;
        }
    }

    async fn status(&self, number: usize) -> Status {
        let found = self.bench.app.store.connection_by_id(&self.ids[number]).await;
        found.unwrap().unwrap().status
    }

    /// Everything has arrived, in the order of its lane, within a few minutes; returns how many deliveries came again.
    async fn all_arrived(&mut self, case: &str) -> usize {
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
}

/// Load with this fault for so long, and then without it; how many deliveries came again, and how many calls it hit.
async fn faulty(fault: &Value, ms: i64) -> (usize, u64) {
    let mut world = World::new().await;
    world.load(MINUTE).await;
    world.aws.fault(fault).await;
    world.load(ms).await;
    for number in 0..CONNECTIONS.len() {
        assert_eq!(
            world.status(number).await,
            Status::Active,
            "{fault}: no connection is to blame"
        );
    }
    let hit = world.aws.no_faults().await;
    assert!(hit > 0, "{fault} hit nothing");
    (world.all_arrived(&fault.to_string()).await, hit)
}

#[tokio::test]
async fn aws_is_away_for_an_hour() {
    for fault in [
        json!({ "operation": "events:*Partner*", "kind": "cut" }),
        json!({ "operation": "events:*Partner*", "kind": "error", "status": 503, "code": "ServiceUnavailable" }),
    ] {
        assert_eq!(faulty(&fault, HOUR).await.0, 0, "{fault}");
    }
}

#[tokio::test]
async fn a_third_of_the_calls_is_throttled() {
    for operation in ["PutPartnerEvents", "ListPartnerEventSourceAccounts"] {
        let fault = json!({
            "operation": format!("events:{operation}"), "kind": "error", "status": 400, "code": "ThrottlingException",
            "share": 0.3, "seed": 7,
        });
        assert_eq!(faulty(&fault, HOUR).await.0, 0, "{fault}");
    }
}

#[tokio::test]
async fn answers_are_lost_after_success() {
    let fault = json!({
        "operation": "events:PutPartnerEvents", "kind": "cut", "carried_out": true, "share": 0.3, "seed": 3,
    });
    let (again, hit) = faulty(&fault, 10 * MINUTE).await;
    assert!(
        again > 0 && again as u64 <= 20 * hit,
        "{again} came again after {hit} lost answers"
    );
}

#[tokio::test]
async fn credentials_are_wrong_for_an_hour() {
    for code in [
        "UnrecognizedClientException",
        "AccessDeniedException",
        "ExpiredTokenException",
    ] {
        let fault = json!({ "operation": "events:*Partner*", "kind": "error", "status": 400, "code": code });
        assert_eq!(faulty(&fault, HOUR).await.0, 0, "{fault}");
    }
}

/// Longer than a call may take, and longer than its lease: the answer counts when it comes.
#[tokio::test]
async fn answers_take_long() {
    for slow_ms in [30_000, 10 * MINUTE] {
        let mut world = World::new().await;
        world.slow_ms = slow_ms;
        world.load(HOUR).await;
        world.slow_ms = 0;
        world.pass(slow_ms).await;
        assert_eq!(world.all_arrived(&format!("{slow_ms} ms")).await, 0);
    }
}

#[tokio::test]
async fn the_database_is_locked_for_a_minute() {
    let mut world = World::new().await;
    world.load(MINUTE).await;
    // Some answers are on their way, and cannot be stored.
    world.accept(20).await;
    world.slow_ms = 1;
    world.pass(1).await;
    let locked = world.bench.app.store.lock_database().await;
    world.pass(MINUTE).await;
    assert!(world.work.store_off.is_failing(&()), "the store is held off");
    drop(locked);
    world.slow_ms = 0;
    assert_eq!(world.all_arrived("locked").await, 0);
}

#[tokio::test]
async fn the_disk_is_full_for_a_minute() {
    let mut world = World::new().await;
    world.load(MINUTE).await;
    world.accept(20).await;
    world.slow_ms = 1;
    world.pass(1).await;
    let tables = ["outbox", "delivery"];
    world.bench.app.store.fill_disk(&tables).await;
    world.pass(MINUTE).await;
    assert!(world.work.store_off.is_failing(&()), "the store is held off");
    world.bench.app.store.empty_disk(&tables).await;
    world.slow_ms = 0;
    assert_eq!(world.all_arrived("full").await, 0);
}

#[tokio::test]
async fn the_clock_jumps_while_calls_fail() {
    for by_ms in [DAY, -DAY, 400 * DAY, -2 * MINUTE] {
        let mut world = World::new().await;
        let fault = json!({
            "operation": "events:PutPartnerEvents", "kind": "error", "status": 400, "code": "ThrottlingException",
            "share": 0.5, "seed": 5,
        });
        world.aws.fault(&fault).await;
        world.load(MINUTE).await;
        world.accept(20).await;
        world.slow_ms = 3_000;
        world.pass(1_000).await;
        world.hands.set(by_ms);
        clock_watch::round(&world.bench.app.store, &world.delivery.clock)
            .await
            .unwrap();
        // Answers take as long as before, whatever the wall clock says.
        for (at, _) in &mut world.late {
            *at += by_ms;
        }
        world.load(MINUTE).await;
        world.slow_ms = 0;
        world.aws.no_faults().await;
        assert_eq!(world.all_arrived(&format!("{by_ms} ms")).await, 0);
    }
}

/// A customer deletes the event bus under load, and makes it again; then the status is refreshed.
#[tokio::test]
async fn a_source_is_pending_for_a_while() {
    let mut world = World::new().await;
    world.load(MINUTE).await;
    let (account, source) = (account_of(0), source_of(0));
    world.accept(20).await;
    world.slow_ms = 1;
    world.pass(1).await;
    world.aws.dissociate(&account, &source).await;
    world.slow_ms = 0;
    world.load(HOUR).await;
    assert_eq!(world.status(0).await, Status::Pending);
    for number in [1, 2] {
        assert_eq!(
            world.aws.arrived(&account_of(number)).await.len(),
            world.accepted,
            "others go on"
        );
    }
    world.aws.associate(&account, &source).await;
    let mut tx = world.bench.app.store.begin().await.unwrap();
    tx.set_status(&world.ids[0], &Status::Active, None).await.unwrap();
    tx.commit().await.unwrap();
    world.all_arrived("pending").await;
}
