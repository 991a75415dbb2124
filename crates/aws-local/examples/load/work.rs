//! The works that are measured: which events are put, and the hundred rules that bring them to a log group.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Failure;
use crate::aws::{Aws, CUSTOMER, PARTNER, REGION};
use crate::measure;

const RULES: u64 = 100;
/// How long the first event may take until the partner's bus is given up.
const PROBE: Duration = Duration::from_secs(2);

/// One kind of load.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    partner: bool,
    /// Whether each event matches all rules; else it matches one of them.
    all_match: bool,
}

pub(crate) const WORKS: [Work; 3] = [
    Work {
        name: "PutPartnerEvents, 1 of 100 rules matches",
        partner: true,
        all_match: false,
    },
    Work {
        name: "PutEvents on a custom bus, 1 of 100 rules matches",
        partner: false,
        all_match: false,
    },
    Work {
        name: "PutPartnerEvents, all of 100 rules match",
        partner: true,
        all_match: true,
    },
];

/// A work whose bus, rules and log group exist.
pub(crate) struct Ready {
    pub(crate) name: &'static str,
    /// The bus that events were found on.
    pub(crate) bus: String,
    pub(crate) log_group: String,
    /// How often an event is found in the log group.
    pub(crate) copies: u64,
    /// The number of the next event.
    pub(crate) next: AtomicU64,
    source: String,
    partner: bool,
}

impl Ready {
    /// One put of events with these numbers.
    pub(crate) fn put(&self, numbers: std::ops::Range<u64>) -> (&'static str, &'static str, Value) {
        let entries: Vec<Value> = numbers.map(|number| self.entry(number)).collect();
        let body = json!({ "Entries": entries });
        if self.partner {
            (PARTNER, "events.PutPartnerEvents", body)
        } else {
            (CUSTOMER, "events.PutEvents", body)
        }
    }

    fn entry(&self, number: u64) -> Value {
        let mut entry = json!({
            "Source": self.source,
            "DetailType": "RunExecuted",
            "Detail": detail(number),
        });
        if !self.partner {
            entry["EventBusName"] = json!(self.bus);
        }
        entry
    }
}

/// About as long as what Scalr sends of a run, with the number that the event is known by.
fn detail(number: u64) -> String {
    json!({
        "number": number,
        "kind": "load",
        "workspace": { "id": format!("ws-{}", number % RULES), "name": "network", "environment": "env-v0o000000000000001" },
        "run": {
            "id": format!("run-{number:016}"),
            "status": "applied",
            "source": "scalr-cli",
            "is-dry": false,
            "message": "Queued manually, ".repeat(16),
            "created-at": "2024-04-19T13:44:02Z",
            "created-by": { "email": "someone@example.com", "kind": "user" },
        },
        "plan": { "status": "finished", "resources": { "add": 3, "change": 1, "destroy": 0 }, "outputs": ["a", "b", "c"] },
        "apply": { "status": "finished", "resources": { "add": 3, "change": 1, "destroy": 0 } },
    })
    .to_string()
}

/// Makes bus, rules and log group, and sees one event arrive.
pub(crate) async fn prepare(aws: &Aws, work: &Work) -> Result<Ready, Failure> {
    let place = if work.all_match { "all" } else { "one" };
    let source = if work.partner {
        format!("aws.partner/example.com/load/{place}")
    } else {
        "load.custom".to_owned()
    };
    let mut ready = Ready {
        name: work.name,
        bus: if work.partner {
            source.clone()
        } else {
            "load".to_owned()
        },
        log_group: format!(
            "/load/{}-{place}",
            if work.partner { "partner" } else { "custom" }
        ),
        copies: if work.all_match { RULES } else { 1 },
        next: AtomicU64::new(0),
        source,
        partner: work.partner,
    };
    make_bus(aws, &ready).await?;
    make_log_group(aws, &ready).await?;
    let made = make_rules(aws, &ready).await;
    if ready.partner && (made.is_err() || !measure::arrives(aws, &ready, PROBE).await?) {
        // Not as AWS has it, but some servers bring partner events to the default bus, if to any.
        "default".clone_into(&mut ready.bus);
        make_rules(aws, &ready).await?;
    } else {
        made?;
    }
    if !measure::arrives(aws, &ready, PROBE).await? {
        return Err(format!("{}: no event arrives", ready.name).into());
    }
    Ok(ready)
}

async fn make_bus(aws: &Aws, ready: &Ready) -> Result<(), Failure> {
    let mut bus = json!({ "Name": ready.bus });
    if ready.partner {
        let source = json!({ "Name": ready.source, "Account": CUSTOMER });
        aws.call(PARTNER, "events.CreatePartnerEventSource", &source)
            .await?;
        bus["EventSourceName"] = json!(ready.source);
    }
    aws.call(CUSTOMER, "events.CreateEventBus", &bus).await?;
    Ok(())
}

async fn make_log_group(aws: &Aws, ready: &Ready) -> Result<(), Failure> {
    let group = json!({ "logGroupName": ready.log_group });
    aws.call(CUSTOMER, "logs.CreateLogGroup", &group).await?;
    let statement = json!({
        "Effect": "Allow",
        "Principal": { "Service": "events.amazonaws.com" },
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": format!("arn:aws:logs:{REGION}:{CUSTOMER}:log-group:{}:*", ready.log_group),
    });
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let policy = json!({ "policyName": ready.log_group.replace('/', "-"), "policyDocument": document });
    aws.call(CUSTOMER, "logs.PutResourcePolicy", &policy).await?;
    Ok(())
}

async fn make_rules(aws: &Aws, ready: &Ready) -> Result<(), Failure> {
    let arn = format!("arn:aws:logs:{REGION}:{CUSTOMER}:log-group:{}", ready.log_group);
    for number in 0..RULES {
        let name = format!("load-{}-{number}", if ready.copies == 1 { "one" } else { "all" });
        let leaf = if ready.copies == 1 {
            json!({ "workspace": { "id": [format!("ws-{number}")] } })
        } else {
            json!({ "kind": ["load"] })
        };
        let pattern = json!({ "source": [ready.source], "detail-type": ["RunExecuted"], "detail": leaf });
        let rule = json!({ "Name": name, "EventBusName": ready.bus, "EventPattern": pattern.to_string() });
        aws.call(CUSTOMER, "events.PutRule", &rule).await?;
        let target = json!({ "Id": "log", "Arn": arn });
        let targets = json!({ "Rule": name, "EventBusName": ready.bus, "Targets": [target] });
        aws.call(CUSTOMER, "events.PutTargets", &targets).await?;
    }
    Ok(())
}
