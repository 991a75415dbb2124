//! Pages of the console with 10 events and with 10,000: from the request to the first byte of the page, and what a page weighs with
//! all that it loads, compressed.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::delivery_fairness::Companion;
use crate::service::http::Connection;

const FEW: usize = 10;
const MANY: usize = 10_000;
/// As many log events as one PutLogEvents is given here.
const BATCH: usize = 1_000;
const CUSTOMER: &str = "123456789012";
const ROUNDS: usize = 51;
/// How much later the first byte may come with many events.
const RATIO_MAX: f64 = 2.0;
/// What a page may weigh with all that it loads, headers included.
const BYTES_MAX: usize = 100 * 1024;

/// Builds, unless `more` names a program; measures, prints the table, and fails where the limit is not kept.
pub(super) fn run(more: &[String]) -> Result<()> {
    let program = super::companion(more)?;
    let few = Stage::start(&program, FEW)?;
    let many = Stage::start(&program, MANY)?;
    println!("| page | with {FEW} events | with {MANY} | ratio | limit | bytes with {MANY} | limit |");
    println!("|---|---|---|---|---|---|---|");
    let mut is_kept = true;
    for at in 0..2 {
        let (mut with_few, mut with_many) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            with_few.push(few.first_byte(at)?);
            with_many.push(many.first_byte(at)?);
        }
        let (with_few, with_many) = (median(with_few), median(with_many));
        let ratio = with_many.as_secs_f64() / with_few.as_secs_f64();
        let bytes = many.weight(at)?;
        is_kept &= ratio <= RATIO_MAX && bytes <= BYTES_MAX;
        let name = few.pages[at].0;
        println!(
            "| {name} | {with_few:.2?} | {with_many:.2?} | {ratio:.2} | {RATIO_MAX} | {bytes} | {BYTES_MAX} |"
        );
    }
    ensure!(
        is_kept,
        "a page with many events comes later, or weighs more, than it may"
    );
    Ok(())
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}

/// A companion with a connection that holds so many events, and a log group that has as many.
struct Stage {
    _companion: Companion,
    address: String,
    cookie: String,
    pages: [(&'static str, String); 2],
}

impl Stage {
    fn start(program: &std::path::Path, events: usize) -> Result<Self> {
        let mut companion = Companion::start(program, None)?;
        let of = |line: &Value, pointer: &str| {
            let text = line.pointer(pointer).and_then(Value::as_str);
            text.map(str::to_owned).context("no such member in the line")
        };
        let address = of(&companion.line, "/scalr/hostname")?.replace("http://", "");
        let aws = of(&companion.line, "/aws/endpoint")?.replace("http://", "");
        let token = of(&companion.line, "/scalr/token")?;
        let attributes = json!({ "name": "prod", "aws-account-id": CUSTOMER, "region": "us-east-1" });
        let body = json!({ "data": { "type": "aws-event-bridge-integrations", "attributes": attributes } });
        let made = companion.call("POST", "/api/iacp/v3/integrations/aws-event-bridge", &body)?;
        let id = made["data"]["id"].as_str().context("no id")?;
        for at in 0..events {
            companion.call("POST", "/_companion/events", &event(at))?;
        }
        log(&aws, events)?;
        let pages = [
            ("connection", format!("/console/integrations/{id}")),
            (
                "log group",
                format!("/console/aws/{CUSTOMER}/us-east-1/log-group?name=bench"),
            ),
        ];
        let cookie = sign_in(&address, &token)?;
        Ok(Self {
            _companion: companion,
            address,
            cookie,
            pages,
        })
    }

    /// From the request of a page to its first byte.
    fn first_byte(&self, page: usize) -> Result<Duration> {
        Ok(self.get(&self.pages[page].1, "gzip")?.0)
    }

    /// The bytes of a page and of the styles, scripts and pictures that it names.
    fn weight(&self, page: usize) -> Result<usize> {
        let path = &self.pages[page].1;
        let (_, plain) = self.get(path, "identity")?;
        let plain = String::from_utf8_lossy(&plain);
        let mut sum = self.get(path, "gzip")?.1.len();
        let assets = plain
            .split('"')
            .filter(|text| text.starts_with("/console/assets/"));
        let mut count = 0;
        for asset in assets {
            sum += self.get(asset, "gzip")?.1.len();
            count += 1;
        }
        ensure!(count > 0, "{path} loads nothing");
        Ok(sum)
    }

    fn get(&self, path: &str, encoding: &str) -> Result<(Duration, Vec<u8>)> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\naccept-encoding: {encoding}\r\nconnection: close\r\n\r\n",
            self.address, self.cookie
        );
        let answer = ask(&self.address, &request)?;
        ensure!(answer.1.starts_with(b"HTTP/1.1 200"), "{path} is not shown");
        Ok(answer)
    }
}

fn event(at: usize) -> Value {
    json!({ "detail-type": "RunExecuted", "detail": {
        "title": "t", "tags": [format!("scalr-workspace:ws-{at}")], "event_type": "success",
        "event": {
            "run-id": format!("run-{at}"), "source": "api", "is-dry": true, "is-destroy": false, "is-agent": false,
            "is-postponed": false, "result": "applied", "duration": 1.0, "account": "local", "workspace": "w",
            "environment": "e", "user-email": "user@example.com",
        },
    } })
}

/// Puts log events into the log group `bench`.
fn log(aws: &str, events: usize) -> Result<()> {
    let mut aws = Connection::open(aws)?;
    let call = |operation: &str| format!("Logs_20140328.{operation}");
    aws.aws(
        CUSTOMER,
        &call("CreateLogGroup"),
        &json!({ "logGroupName": "bench" }),
    )?;
    let stream = json!({ "logGroupName": "bench", "logStreamName": "s" });
    aws.aws(CUSTOMER, &call("CreateLogStream"), &stream)?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let now = u64::try_from(now.as_millis())?;
    let message = event(0).to_string();
    for begin in (0..events).step_by(BATCH) {
        let batch = begin..events.min(begin + BATCH);
        let batch: Vec<Value> = batch
            .map(|at| json!({ "timestamp": now + at as u64, "message": message }))
            .collect();
        let put = json!({ "logGroupName": "bench", "logStreamName": "s", "logEvents": batch });
        aws.aws(CUSTOMER, &call("PutLogEvents"), &put)?;
    }
    Ok(())
}

/// The cookie of a session.
fn sign_in(address: &str, token: &str) -> Result<String> {
    let body = format!("token={token}");
    let request = format!(
        "POST /console/sign-in HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (_, answer) = ask(address, &request)?;
    let answer = String::from_utf8_lossy(&answer);
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    let cookie = cookie.and_then(|cookie| cookie.split(';').next());
    cookie.map(str::to_owned).context("nobody is signed in")
}

/// Sends a request on a connection of its own: the time to the first byte, and the whole answer.
fn ask(address: &str, request: &str) -> Result<(Duration, Vec<u8>)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let begin = Instant::now();
    stream.write_all(request.as_bytes())?;
    let mut answer = vec![0];
    stream.read_exact(&mut answer)?;
    let took = begin.elapsed();
    stream.read_to_end(&mut answer)?;
    Ok((took, answer))
}
