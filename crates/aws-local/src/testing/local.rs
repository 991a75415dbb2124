//! Entry points of property tests and fuzzers to all decoders of callers' input: any input gets an answer.
#![allow(
    clippy::expect_used,
    reason = "it runs under tests and fuzzers, where a panic is the finding"
)]

use std::cell::{Cell, RefCell};

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::wire::{self, Asked};
use crate::assumptions::Assumptions;
use crate::clock::Dice;
use crate::config::Config;
use crate::engine::{Engine, Jobs};
use crate::model::{Service, random};
use crate::ops;

const SCOPE: &str =
    "AWS4-HMAC-SHA256 Credential=123456789012/20240101/us-east-1/events/aws4_request, Signature=x";

/// A local AWS without a port.
#[derive(Debug)]
pub struct Local {
    engine: Engine,
    runtime: Runtime,
    _jobs: Jobs,
    uses: Cell<u32>,
    /// The id of the custom event bus, which is another one after each reset.
    bus_id: RefCell<String>,
}

/// After so many uses the state is reset, or a long run gets slower and slower.
const USES_MAX: u32 = 64;

/// What came back: the status and the body.
pub type Answered = (u16, Value);

impl Default for Local {
    fn default() -> Self {
        Self::new()
    }
}

impl Local {
    /// Empty but for a log group `g` with a stream `s`, a queue `a`, rules `r` and `a` for events of source `s`, a custom event
    /// bus `a` that is ACTIVE, and a partner's event source.
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let mut assumptions = Assumptions::default();
        for at_once in ["creating=0", "subscriber-change=0"] {
            assumptions.set(at_once).expect("an assumption");
        }
        let config = Config {
            assumptions,
            ..Config::default()
        };
        let (engine, jobs) = Engine::open(&config).expect("state in memory");
        let local = Self {
            engine,
            runtime: runtime.expect("a runtime"),
            _jobs: jobs,
            uses: Cell::new(0),
            bus_id: RefCell::default(),
        };
        local.begin();
        local
    }

    /// To be called before each use.
    pub fn used(&self) {
        self.uses.set(self.uses.get() + 1);
        if self.uses.get() > USES_MAX {
            self.uses.set(0);
            self.reset();
        }
    }

    fn reset(&self) {
        self.runtime
            .block_on(self.engine.reset())
            .expect("state in memory");
        self.begin();
    }

    fn begin(&self) {
        self.must("Logs_20140328.CreateLogGroup", &json!({ "logGroupName": "g" }));
        self.must(
            "Logs_20140328.CreateLogStream",
            &json!({ "logGroupName": "g", "logStreamName": "s" }),
        );
        for name in ["r", "a"] {
            let rule = json!({ "Name": name, "EventPattern": "{\"source\":[\"s\"]}" });
            self.must("AWSEvents.PutRule", &rule);
        }
        self.must("AmazonSQS.CreateQueue", &json!({ "QueueName": "a" }));
        let source = json!({ "Name": "aws.partner/a/b", "Account": "123456789012" });
        self.must("AWSEvents.CreatePartnerEventSource", &source);
        let made = self.must("AWSEventsV2.CreateEventBus", &json!({ "Name": "a" }));
        let arn = made["EventBusArn"].as_str().unwrap_or_default();
        let id = arn.rsplit('/').next().unwrap_or_default();
        self.bus_id.replace(id.to_owned());
    }

    fn must(&self, target: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(target, SCOPE, &wire::encode(target, body));
        assert_eq!(status, 200, "{target} {body}: {answer}");
        answer
    }

    /// The operations that are built, as `X-Amz-Target` names them; custom event buses have theirs in the path, from the same
    /// two names.
    pub fn operations() -> Vec<String> {
        let names = |service: Service| {
            let all = ops::tables(service).iter().flat_map(|table| table.iter());
            all.map(move |op| format!("{}.{}", service.target_prefix(), op.name()))
        };
        let services = [Service::Events, Service::Logs, Service::Sqs, Service::EventsV2];
        services.into_iter().flat_map(names).collect()
    }

    /// A random body for an operation, generated from the seed, in the form that its service reads.
    pub fn body(target: &str, seed: u64) -> Vec<u8> {
        let (service, operation) = wire::named(target);
        let input = service.map_or(Value::Null, |service| {
            random::body(service.model(), operation, &mut Dice::new(seed))
        });
        wire::encode(target, &input)
    }

    /// One request through everything but the socket. Panics where a client cannot read the answer, or where it is a
    /// server error.
    pub fn ask(&self, target: &str, authorization: &str, body: &[u8]) -> Answered {
        let asked = Asked::new(target, authorization, wire::with_id(body, &self.bus_id.borrow()));
        let (wire, request) = asked.read();
        self.runtime.block_on(async {
            let response = match request {
                Ok(request) => wire.answer(
                    request.service,
                    &request.operation,
                    self.engine.call(&request).await,
                ),
                Err(fault) => wire.fault(&fault),
            };
            wire::answered(target, response).await
        })
    }

    /// Sets a policy of the logs service, and sends an event that it decides on, if it is accepted.
    pub fn policy(&self, document: &str) -> Answered {
        let put = json!({ "policyName": "p", "policyDocument": document });
        let put = self.ask(
            "Logs_20140328.PutResourcePolicy",
            SCOPE,
            put.to_string().as_bytes(),
        );
        if put.0 == 200 {
            let arn = "arn:aws:logs:us-east-1:123456789012:log-group:g";
            self.deliver(&json!({ "Id": "1", "Arn": arn }), "{}");
        }
        put
    }

    /// Sends an event through an input transformer to a log group; gives what arrived there.
    pub fn transform(&self, template: &str, path: &str, detail: &str) -> Option<String> {
        self.allow_all();
        let arn = "arn:aws:logs:us-east-1:123456789012:log-group:g";
        let transformer = json!({ "InputPathsMap": { "p": path }, "InputTemplate": template });
        let id = self.deliver(
            &json!({ "Id": "1", "Arn": arn, "InputTransformer": transformer }),
            detail,
        );
        let by_path = self.deliver(&json!({ "Id": "1", "Arn": arn, "InputPath": path }), detail);
        if let Some(cut) = by_path {
            assert!(
                serde_json::from_str::<Value>(&cut).is_ok() || detail.len() > 250,
                "{path} of {detail}: {cut}"
            );
        }
        id
    }

    fn allow_all(&self) {
        let statement = json!({
            "Effect": "Allow",
            "Principal": { "Service": "events.amazonaws.com" },
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "*",
        });
        let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        self.must(
            "Logs_20140328.PutResourcePolicy",
            &json!({ "policyName": "p", "policyDocument": document }),
        );
    }

    /// Sends an event to one target. Its delivery has to end; the message is that of the log group's new event, if there
    /// is one.
    fn deliver(&self, target: &Value, detail: &str) -> Option<String> {
        let targets = json!({ "Rule": "r", "Targets": [target] }).to_string();
        let (status, put) = self.ask("AWSEvents.PutTargets", SCOPE, targets.as_bytes());
        if status != 200 || put["FailedEntryCount"] != 0 {
            return None;
        }
        let before = self.messages().len();
        let entry = json!({ "Source": "s", "DetailType": "t", "Detail": detail });
        let put = json!({ "Entries": [entry] }).to_string();
        let (_, answer) = self.ask("AWSEvents.PutEvents", SCOPE, put.as_bytes());
        let id = answer["Entries"][0]["EventId"].as_str()?;
        let outcome = self.runtime.block_on(self.engine.look(|world| {
            let deliveries = world
                .stories
                .get(id)
                .and_then(|story| story.passes.first())
                .map(|pass| &pass.deliveries);
            deliveries.and_then(|all| all.first()).map(|one| one.outcome)
        }));
        let outcome = outcome.ok().flatten();
        assert!(
            matches!(outcome, Some("delivered" | "failed")),
            "{outcome:?} {target} {detail}"
        );
        let mut messages = self.messages();
        (messages.len() > before).then(|| messages.pop()).flatten()
    }

    fn messages(&self) -> Vec<String> {
        let ask = json!({ "logGroupName": "g" });
        let found = self.must("Logs_20140328.FilterLogEvents", &ask);
        let events = found["events"].as_array().into_iter().flatten();
        events
            .filter_map(|event| event["message"].as_str().map(str::to_owned))
            .collect()
    }

    /// Filters a message by a pattern: whether it is found, or nothing where the pattern is refused.
    pub fn filter(&self, pattern: &str, message: &str) -> Option<bool> {
        let event = json!({ "timestamp": self.engine.now(), "message": message });
        let put = json!({ "logGroupName": "g", "logStreamName": "s", "logEvents": [event] });
        let put = self.ask("Logs_20140328.PutLogEvents", SCOPE, put.to_string().as_bytes());
        let ask = json!({ "logGroupName": "g", "filterPattern": pattern }).to_string();
        let (status, found) = self.ask("Logs_20140328.FilterLogEvents", SCOPE, ask.as_bytes());
        let found = found["events"]
            .as_array()
            .is_some_and(|events| !events.is_empty());
        (status == 200 && put.0 == 200).then_some(found)
    }

    /// Makes a rule with a schedule; whether it was taken.
    pub fn schedule(&self, expression: &str) -> bool {
        let rule = json!({ "Name": "scheduled", "ScheduleExpression": expression }).to_string();
        let (status, _) = self.ask("AWSEvents.PutRule", SCOPE, rule.as_bytes());
        if status == 200 {
            let hour = self.engine.now() + 60 * 60 * 1000;
            self.runtime
                .block_on(self.engine.move_clock(hour))
                .expect("state in memory");
        }
        status == 200
    }
}
