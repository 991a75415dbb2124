//! Custom event buses of the local AWS beside Classic ones: the same events to the same queue, with `--data-dir`, in turn.
//!
//! The driver is in this program, and its requests are written before the clock starts, so that all that is compared meets the
//! same client. What is compared takes turns, and the median of the rounds counts: other work on the machine meets both.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use minicbor::{Decoder, Encoder};
use serde_json::{Value, json};

use crate::service::http::{self, Connection, REGION};
use crate::service::server::{self, Server};

mod replay;

const ACCOUNT: &str = "123456789012";
const QUEUE: &str = "bench";
const BUSES: usize = 5;
const FEW: usize = 100;
/// As many as AWS takes on one bus.
const MANY: usize = 10_000;
const CONNECTIONS: usize = 4;
/// How many requests are written before; they are sent again and again.
const REQUESTS: usize = 100;
const ROUNDS: usize = 5;
/// What is delivered meanwhile fits into the queue.
const LASTING: Duration = Duration::from_millis(1_500);
/// Without waits between changes: 10,000 subscribers are made one after the other.
const AT_ONCE: [&str; 4] = ["--assume", "creating=0", "--assume", "subscriber-change=0"];
/// How many events are retained and replayed.
pub(super) const RETAINED: u32 = 1_000_000;
/// After so long the queue has no messages any more.
const KEPT_SECONDS: u32 = 60;

/// What custom event buses keep, as shares of the speed of what they are compared with.
const SHARE_AT_100: f64 = 2.5;
const SHARE_AT_10: f64 = 0.8;
const SHARE_OF_MANY: f64 = 0.5;

/// Measures, with so many events for a replay; the table.
pub(super) fn run(program: &Path, retained: u32) -> Result<String> {
    let mut lines = vec![format!(
        "\nCustom event buses: {CONNECTIONS} connections, events of about 1 kB to a queue, with --data-dir; the median of {ROUNDS} rounds:"
    )];
    lines.extend(beside_classic(program)?);
    lines.extend(many_subscribers(program)?);
    lines.extend(replay::run(program, retained)?);
    Ok(lines.join("\n"))
}

fn beside_classic(program: &Path) -> Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    let site = Site::start(program, folder.path())?;
    let buses = site.buses(1)?;
    site.subscribe(&buses, 0..1)?;
    site.rule()?;
    let bus = buses.first().context("no bus")?;
    let floods = [
        Flood {
            name: "Classic PutEvents, 10 entries a call",
            entries: 10,
            requests: (0..REQUESTS).map(|at| classic(&site.address, at)).collect(),
        },
        Flood {
            name: "custom PutEvents, 10 entries a call",
            entries: 10,
            requests: (0..REQUESTS)
                .map(|at| put(&site.address, bus, at, 10, 1))
                .collect(),
        },
        Flood {
            name: "custom PutEvents, 100 entries a call",
            entries: 100,
            requests: (0..REQUESTS)
                .map(|at| put(&site.address, bus, at, 100, 1))
                .collect(),
        },
    ];
    let each = floods.each_ref().map(|flood| (&site, flood));
    let rounds = in_turn(&each)?;
    Ok(rows(
        &floods.map(|flood| flood.name),
        &rounds,
        &[None, Some(SHARE_AT_10), Some(SHARE_AT_100)],
    ))
}

fn many_subscribers(program: &Path) -> Result<Vec<String>> {
    let folders = [tempfile::tempdir()?, tempfile::tempdir()?];
    let mut all = Vec::new();
    for (folder, (count, name)) in folders.iter().zip([
        (FEW, "custom PutEvents, one of 100 subscribers matches"),
        (MANY, "custom PutEvents, one of 10,000 subscribers matches"),
    ]) {
        let site = Site::start(program, folder.path())?;
        let buses = site.buses(BUSES)?;
        site.subscribe(&buses, 0..count / BUSES)?;
        let to = buses.iter().cycle().take(REQUESTS).enumerate();
        let requests = to.map(|(at, bus)| put(&site.address, bus, at, 10, FEW / BUSES));
        let requests = requests.collect();
        all.push((
            site,
            Flood {
                name,
                entries: 10,
                requests,
            },
        ));
    }
    let each: Vec<(&Site, &Flood)> = all.iter().map(|(site, flood)| (site, flood)).collect();
    let rounds = in_turn(&each)?;
    let names: Vec<&str> = all.iter().map(|(_, flood)| flood.name).collect();
    Ok(rows(&names, &rounds, &[None, Some(SHARE_OF_MANY)]))
}

/// One kind of requests.
struct Flood {
    name: &'static str,
    entries: u32,
    requests: Vec<Vec<u8>>,
}

/// What a flood took.
#[derive(Clone, Copy)]
struct Taken {
    per_second: f64,
    /// The server's CPU time for each event, which other work on the machine hardly changes.
    cpu_us: f64,
}

/// Each flood in turn, round by round; the first round is the warm-up.
fn in_turn(floods: &[(&Site, &Flood)]) -> Result<Vec<Vec<Taken>>> {
    let round = || {
        let takings = floods.iter().map(|(site, flood)| {
            site.flood(flood)
                .with_context(|| format!("{} failed", flood.name))
        });
        takings.collect::<Result<Vec<Taken>>>()
    };
    round()?;
    (0..ROUNDS).map(|_| round()).collect()
}

/// A line for each kind: its median, and its share of the first one's speed.
fn rows(names: &[&str], rounds: &[Vec<Taken>], limits: &[Option<f64>]) -> Vec<String> {
    let median_of = |of: &dyn Fn(&[Taken]) -> Option<f64>| {
        let mut all: Vec<f64> = rounds.iter().filter_map(|round| of(round)).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let row = |(at, (name, limit)): (usize, (&&str, &Option<f64>))| {
        let per_second = median_of(&|round| Some(round.get(at)?.per_second));
        let cpu = median_of(&|round| Some(round.get(at)?.cpu_us));
        let share = median_of(&|round| Some(round.get(at)?.per_second / round.first()?.per_second));
        let verdict = limit.map_or_else(String::new, |limit| {
            let kept = if share >= limit { "kept" } else { "NOT KEPT" };
            format!("{share:>7.2} times, at least {limit:.1}   {kept}")
        });
        format!("  {name:<54}{per_second:>8.0}/s{cpu:>8.1} us of CPU{verdict}")
    };
    names.iter().zip(limits).enumerate().map(row).collect()
}

/// A local AWS with a queue.
struct Site {
    server: Server,
    address: String,
}

impl Site {
    fn start(program: &Path, data: &Path) -> Result<Self> {
        let site = Self::of(server::start_with(program, Some(data), &AT_ONCE)?)?;
        let statement = json!({
            "Effect": "Allow",
            "Principal": { "Service": "events.amazonaws.com" },
            "Action": "sqs:SendMessage",
            "Resource": queue_arn(),
        });
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        let attributes = json!({ "Policy": policy, "MessageRetentionPeriod": KEPT_SECONDS.to_string() });
        site.json(
            "AmazonSQS.CreateQueue",
            &json!({ "QueueName": QUEUE, "Attributes": attributes }),
        )?;
        Ok(site)
    }

    fn of(server: Server) -> Result<Self> {
        let address = server
            .endpoint
            .strip_prefix("http://")
            .context("no http endpoint")?;
        Ok(Self {
            address: address.to_owned(),
            server,
        })
    }

    fn json(&self, operation: &str, body: &Value) -> Result<Value> {
        Connection::open(&self.address)?.aws(ACCOUNT, operation, body)
    }

    /// The ARNs of new custom event buses.
    fn buses(&self, count: usize) -> Result<Vec<String>> {
        let mut connection = Connection::open(&self.address)?;
        (0..count)
            .map(|at| {
                let body = cbor(&json!({ "Name": format!("bench-{at}") }));
                let answer = connection.ok(&request(&self.address, "CreateEventBus", &body))?;
                member(&answer, "EventBusArn")
            })
            .collect()
    }

    /// Subscribers with these numbers on each bus, which want events of the workspace with their number.
    fn subscribe(&self, buses: &[String], numbers: std::ops::Range<usize>) -> Result<()> {
        std::thread::scope(|scope| {
            let each = buses.iter().enumerate().map(|(at, bus)| {
                let numbers = numbers.clone();
                scope.spawn(move || self.subscribe_to(bus, at, numbers))
            });
            let all: Vec<_> = each.collect();
            all.into_iter().try_for_each(|one| match one.join() {
                Ok(done) => done,
                Err(_) => bail!("a thread that makes subscribers panicked"),
            })
        })
    }

    fn subscribe_to(&self, bus: &str, at: usize, numbers: std::ops::Range<usize>) -> Result<()> {
        let mut connection = Connection::open(&self.address)?;
        for number in numbers {
            let pattern = json!({ "detail-type": ["RunExecuted"], "detail": { "workspace": { "id": [workspace(number)] } } });
            let body = cbor(&json!({
                "Name": format!("bench-{at}-{number}"),
                "EventBusArn": bus,
                "FilterConfiguration": { "Filters": [{ "Scope": "DATA", "Pattern": pattern.to_string() }] },
                "InvokeConfiguration": {
                    "TargetArn": queue_arn(),
                    "RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/bench"),
                },
            }));
            connection.ok(&request(&self.address, "CreateSubscriber", &body))?;
        }
        Ok(())
    }

    /// The same on a Classic bus: one rule with the queue as its target.
    fn rule(&self) -> Result<()> {
        self.json("AWSEvents.CreateEventBus", &json!({ "Name": "bench" }))?;
        let pattern =
            json!({ "detail-type": ["RunExecuted"], "detail": { "workspace": { "id": [workspace(0)] } } });
        let rule = json!({ "Name": "bench", "EventBusName": "bench", "EventPattern": pattern.to_string() });
        self.json("AWSEvents.PutRule", &rule)?;
        let targets = json!([{ "Id": "queue", "Arn": queue_arn() }]);
        let targets = json!({ "Rule": "bench", "EventBusName": "bench", "Targets": targets });
        self.json("AWSEvents.PutTargets", &targets)?;
        Ok(())
    }

    /// Sends requests over all connections for a while, and looks into the queue for what they put.
    fn flood(&self, flood: &Flood) -> Result<Taken> {
        let (start, before) = (Instant::now(), self.server.cpu()?);
        let calls = std::thread::scope(|scope| {
            let all: Vec<_> = (0..CONNECTIONS)
                .map(|first| scope.spawn(move || self.send_all(&flood.requests, first, start)))
                .collect();
            let counts = all.into_iter().map(|one| match one.join() {
                Ok(count) => count,
                Err(_) => bail!("a connection's thread panicked"),
            });
            counts.sum::<Result<u32>>()
        })?;
        let (took, used) = (start.elapsed(), self.server.cpu()?.saturating_sub(before));
        let events = calls * flood.entries;
        ensure!(events > 0, "no event was accepted");
        let url = format!("http://{}/{ACCOUNT}/{QUEUE}", self.address);
        let asked = json!({ "QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages"] });
        let held = self.json("AmazonSQS.GetQueueAttributes", &asked)?;
        let held = &held["Attributes"]["ApproximateNumberOfMessages"];
        ensure!(
            held.as_str() == Some(&events.to_string()),
            "{events} events, and {held} messages"
        );
        self.forget_messages()?;
        Ok(Taken {
            per_second: f64::from(events) / took.as_secs_f64(),
            cpu_us: used.as_secs_f64() * 1e6 / f64::from(events),
        })
    }

    /// Lets the queue's messages expire.
    fn forget_messages(&self) -> Result<()> {
        let body = json!({ "advance_seconds": KEPT_SECONDS + 1 }).to_string();
        let request = format!(
            "POST /_local/clock HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        Connection::open(&self.address)?.ok(request.as_bytes())?;
        Ok(())
    }

    fn send_all(&self, requests: &[Vec<u8>], first: usize, start: Instant) -> Result<u32> {
        let mut connection = Connection::open(&self.address)?;
        let mut calls = 0;
        for request in requests.iter().cycle().skip(first) {
            if start.elapsed() >= LASTING {
                break;
            }
            let answer = connection.ok(request)?;
            ensure!(
                all_accepted(&answer),
                "events were refused: {}",
                String::from_utf8_lossy(&answer)
            );
            calls += 1;
        }
        Ok(calls)
    }
}

/// Whether an answer, in JSON or in CBOR, says that none failed. Ours say so at their end, and are looked at there first: this program
/// is compiled without optimisation, and to look through an answer of 100 entries it takes longer than the server takes to make it.
fn all_accepted(answer: &[u8]) -> bool {
    let ends = |part: &[u8]| answer.ends_with(part);
    let holds = |part: &[u8]| answer.windows(part.len()).any(|window| window == part);
    let at_end = ends(b"\"FailedEntryCount\":0}") || ends(b"FailedEntryCount\x00");
    at_end || holds(b"\"FailedEntryCount\":0") || holds(b"FailedEntryCount\x00")
}

fn queue_arn() -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{QUEUE}")
}

fn workspace(number: usize) -> String {
    format!("ws-{number}")
}

/// About as long as what Scalr sends of a run.
fn detail(number: usize, workspaces: usize) -> String {
    json!({
        "number": number,
        "workspace": { "id": workspace(number % workspaces), "name": "network", "environment": "env-v0o000000000000001" },
        "run": {
            "id": format!("run-{number:016}"),
            "status": "applied",
            "message": "Queued manually, ".repeat(24),
            "created-by": { "email": "someone@example.com", "kind": "user" },
        },
        "plan": { "status": "finished", "resources": { "add": 3, "change": 1, "destroy": 0 } },
    })
    .to_string()
}

fn entries(at: usize, count: usize, workspaces: usize, more: &Value) -> Value {
    let entry = |number: usize| {
        let mut entry =
            json!({ "Source": "bench", "DetailType": "RunExecuted", "Detail": detail(number, workspaces) });
        for (name, value) in more.as_object().into_iter().flatten() {
            entry[name] = value.clone();
        }
        entry
    };
    (at * count..(at + 1) * count).map(entry).collect()
}

/// A put on the Classic bus, as bytes to send.
fn classic(address: &str, at: usize) -> Vec<u8> {
    let entries = entries(at, 10, 1, &json!({ "EventBusName": "bench" }));
    http::aws(
        address,
        ACCOUNT,
        "AWSEvents.PutEvents",
        &json!({ "Entries": entries }),
    )
}

/// The same on a custom event bus.
fn put(address: &str, bus: &str, at: usize, count: usize, workspaces: usize) -> Vec<u8> {
    let body = json!({ "EventBusArn": bus, "Entries": entries(at, count, workspaces, &Value::Null) });
    request(address, "PutEvents", &cbor(&body))
}

fn request(address: &str, operation: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /service/AWSEventsV2/operation/{operation} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/cbor\r\n\
         smithy-protocol: rpc-v2-cbor\r\nauthorization: AWS4-HMAC-SHA256 Credential={ACCOUNT}/20240101/{REGION}/events/aws4_request, \
         SignedHeaders=host, Signature=none\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn cbor(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing into memory does not fail.
    let _ = write(value, &mut Encoder::new(&mut out));
    out
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn write(value: &Value, out: &mut Encoder<&mut Vec<u8>>) -> Written {
    match value {
        Value::Null => out.null()?,
        Value::Bool(flag) => out.bool(*flag)?,
        Value::Number(number) => out.i64(number.as_i64().unwrap_or_default())?,
        Value::String(text) => out.str(text)?,
        Value::Array(items) => {
            out.array(items.len() as u64)?;
            for item in items {
                write(item, out)?;
            }
            out
        }
        Value::Object(members) => {
            out.map(members.len() as u64)?;
            for (name, value) in members {
                out.str(name)?;
                write(value, out)?;
            }
            out
        }
    };
    Ok(())
}

/// A text of an answer.
fn member(answer: &[u8], name: &str) -> Result<String> {
    let mut from = Decoder::new(answer);
    let length = from.map()?.context("a map of unknown length")?;
    for _ in 0..length {
        if from.str()? == name {
            return Ok(from.str()?.to_owned());
        }
        from.skip()?;
    }
    bail!("the answer has no {name}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Taken, all_accepted, cbor, member, rows};

    #[test]
    fn the_median_share_decides() {
        let round = |speeds: [f64; 2]| {
            speeds
                .map(|per_second| Taken {
                    per_second,
                    cpu_us: 1.0,
                })
                .to_vec()
        };
        let check = |rounds: [[f64; 2]; 3], kept: bool| {
            let rounds: Vec<_> = rounds.into_iter().map(round).collect();
            let table = rows(&["a", "b"], &rounds, &[None, Some(2.5)]).join("\n");
            assert_eq!(!table.contains("NOT KEPT"), kept, "{table}");
        };
        check([[1.0, 2.5], [9.0, 9.0], [2.0, 9.0]], true);
        check([[1.0, 2.4], [9.0, 9.0], [2.0, 9.0]], false);
        check([[f64::NAN; 2]; 3], false);
    }

    #[test]
    fn answers_are_read_in_both_forms() {
        let made = cbor(&json!({ "Entries": [{ "EventId": "e" }], "EventBusArn": "a" }));
        assert_eq!(member(&made, "EventBusArn").unwrap(), "a");
        assert!(member(&made, "Name").is_err() && member(b"\x80", "Name").is_err());
        for (answer, expected) in [
            (cbor(&json!({ "FailedEntryCount": 0 })), true),
            (cbor(&json!({ "FailedEntryCount": 1 })), false),
            (br#"{"FailedEntryCount":0,"Entries":[]}"#.to_vec(), true),
            (br#"{"FailedEntryCount":2}"#.to_vec(), false),
        ] {
            assert_eq!(all_accepted(&answer), expected, "{answer:?}");
        }
    }
}
