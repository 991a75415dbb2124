//! PutPartnerEvents on a local AWS, over HTTP and four connections that are kept open. The driver is in this program, and its
//! requests are written before the clock starts, so that both sides of a comparison meet the same client.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::service::http::{self, Connection, REGION};

/// The account that has the bus, the rules and the log group.
const CUSTOMER: &str = "123456789012";
/// The account that sends partner events.
const PARTNER: &str = "111111111111";
const SOURCE: &str = "aws.partner/example.com/bench/one";
const LOG_GROUP: &str = "/bench/events";
const RULES: u32 = 100;
const CONNECTIONS: usize = 4;
/// As many entries as one PutPartnerEvents takes.
const BATCH: u32 = 10;
/// Before the clock starts.
const WARM_UP: Duration = Duration::from_millis(500);

/// What putting events took.
pub(super) struct Taken {
    pub(super) events_per_second: f64,
    /// The server's CPU time for each event, which other work on the machine hardly changes.
    pub(super) cpu_us_per_event: f64,
}

/// Puts events, each of which matches one rule of a hundred and is delivered to a log group. `cpu` is the server's CPU time
/// so far.
pub(super) fn measure(
    endpoint: &str,
    lasting: Duration,
    cpu: impl Fn() -> Result<Duration>,
) -> Result<Taken> {
    let address = endpoint.strip_prefix("http://").context("no http endpoint")?;
    let mut connection = Connection::open(address)?;
    prepare(&mut connection)?;
    let requests: Vec<Vec<u8>> = (0..RULES).map(|batch| put(address, batch)).collect();
    flood(address, &requests, WARM_UP)?;
    let (start, before) = (Instant::now(), cpu()?);
    let events = flood(address, &requests, lasting)?;
    let (took, used) = (start.elapsed(), cpu()?.saturating_sub(before));
    ensure!(events > 0.0, "no event was accepted");
    let filter = json!({ "logGroupName": LOG_GROUP, "limit": 1 });
    let found = connection.aws(CUSTOMER, "Logs_20140328.FilterLogEvents", &filter)?;
    ensure!(
        found["events"]
            .as_array()
            .is_some_and(|events| !events.is_empty()),
        "no event was delivered"
    );
    Ok(Taken {
        events_per_second: (events / took.as_secs_f64()).round(),
        cpu_us_per_event: used.as_secs_f64() * 1e6 / events,
    })
}

/// Puts batches over all connections for a while; how many events were accepted.
fn flood(address: &str, requests: &[Vec<u8>], lasting: Duration) -> Result<f64> {
    let start = Instant::now();
    let batches = std::thread::scope(|scope| {
        let connections: Vec<_> = (0..CONNECTIONS)
            .map(|first| scope.spawn(move || put_all(address, requests, first, start, lasting)))
            .collect();
        let counts = connections.into_iter().map(|one| match one.join() {
            Ok(count) => count,
            Err(_) => bail!("a connection's thread panicked"),
        });
        counts.sum::<Result<u32>>()
    })?;
    Ok(f64::from(batches) * f64::from(BATCH))
}

fn put_all(
    address: &str,
    requests: &[Vec<u8>],
    first: usize,
    start: Instant,
    lasting: Duration,
) -> Result<u32> {
    let mut connection = Connection::open(address)?;
    let mut batches = 0;
    for request in requests.iter().cycle().skip(first) {
        if start.elapsed() >= lasting {
            break;
        }
        let answer: Value = serde_json::from_slice(&connection.ok(request)?)?;
        ensure!(answer["FailedEntryCount"] == 0, "events were refused: {answer}");
        batches += 1;
    }
    Ok(batches)
}

/// Source, bus, log group and rules.
fn prepare(connection: &mut Connection) -> Result<()> {
    let arn = format!("arn:aws:logs:{REGION}:{CUSTOMER}:log-group:{LOG_GROUP}");
    let statement = json!({
        "Effect": "Allow",
        "Principal": { "Service": "events.amazonaws.com" },
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": format!("{arn}:*"),
    });
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let source = json!({ "Name": SOURCE, "Account": CUSTOMER });
    connection.aws(PARTNER, "AWSEvents.CreatePartnerEventSource", &source)?;
    let mut customer = |operation: &str, body: Value| connection.aws(CUSTOMER, operation, &body);
    customer(
        "AWSEvents.CreateEventBus",
        json!({ "Name": SOURCE, "EventSourceName": SOURCE }),
    )?;
    customer(
        "Logs_20140328.CreateLogGroup",
        json!({ "logGroupName": LOG_GROUP }),
    )?;
    let policy = json!({ "policyName": "bench", "policyDocument": document });
    customer("Logs_20140328.PutResourcePolicy", policy)?;
    for number in 0..RULES {
        let name = format!("bench-{number}");
        let detail = json!({ "workspace": { "id": [format!("ws-{number}")] } });
        let pattern =
            json!({ "source": [SOURCE], "detail-type": ["RunExecuted"], "detail": detail }).to_string();
        customer(
            "AWSEvents.PutRule",
            json!({ "Name": name, "EventBusName": SOURCE, "EventPattern": pattern }),
        )?;
        let targets = json!([{ "Id": "log", "Arn": arn }]);
        customer(
            "AWSEvents.PutTargets",
            json!({ "Rule": name, "EventBusName": SOURCE, "Targets": targets }),
        )?;
    }
    Ok(())
}

/// One put, as bytes to send. Entries are about as long as what Scalr sends of a run.
fn put(address: &str, batch: u32) -> Vec<u8> {
    let entries = (0..BATCH).map(|at| {
        let number = batch * BATCH + at;
        let detail = json!({
            "number": number,
            "workspace": { "id": format!("ws-{}", number % RULES), "name": "network", "environment": "env-v0o000000000000001" },
            "run": {
                "id": format!("run-{number:016}"),
                "status": "applied",
                "message": "Queued manually, ".repeat(24),
                "created-by": { "email": "someone@example.com", "kind": "user" },
            },
            "plan": { "status": "finished", "resources": { "add": 3, "change": 1, "destroy": 0 } },
        });
        json!({ "Source": SOURCE, "DetailType": "RunExecuted", "Detail": detail.to_string() })
    });
    let body = json!({ "Entries": entries.collect::<Vec<_>>() });
    http::aws(address, PARTNER, "AWSEvents.PutPartnerEvents", &body)
}

#[cfg(test)]
mod tests {
    use super::put;

    #[test]
    fn a_put_is_one_whole_request() {
        let text = String::from_utf8(put("127.0.0.1:1", 3)).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("content-length: {}", body.len())),
            "{head}"
        );
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["Entries"].as_array().map(Vec::len), Some(10));
    }
}
