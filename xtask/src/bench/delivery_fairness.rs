//! `cargo xtask bench delivery-fairness`: what a connection at its bound in bytes costs everyone else.
//!
//! Two companions with the same events held for a paused connection, one of them at its bound, so that each event that it
//! accepts makes room. They are measured by turns, five rounds, and the medians are compared: within one run the
//! machine is the same for both.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::against::median;
use crate::service::http::{Connection, REGION};
use crate::shell;

const ROUNDS: usize = 5;
/// Events that are measured in a round, one after the other.
const EVENTS: usize = 60;
/// The bound of the connection that is filled.
const BOUND_BYTES: u64 = 3_400_000;
/// Small events that fill it.
const FILL: usize = 11_200;
const FILLERS: usize = 4;
/// The long event of each round.
const LONG_BYTES: usize = 200_000;
const CONNECTIONS: &str = "/api/iacp/v3/integrations/aws-event-bridge";
const DELIVERED_WITHIN: Duration = Duration::from_mins(1);

/// What is measured, with how much slower it may be beside a connection at its bound.
const FIGURES: [(&str, f64); 3] = [
    ("POST of a small event", 3.0),
    ("POST of an event of 200 kB", 3.0),
    ("from there to delivered", 2.0),
];

/// Builds, unless `more` names a program; measures, prints the table, and fails where a limit is not kept.
pub(super) fn run(more: &[String]) -> Result<()> {
    let program = super::companion(more)?;
    let mut idle = Companion::start(&program, None)?;
    idle.prepare()?;
    // Not before: a connection that is opened and not used is closed after a few seconds.
    let mut full = Companion::start(&program, Some(BOUND_BYTES))?;
    full.prepare()?;
    let dropped = |companion: &mut Companion| companion.figure("other", "/dropped/too-many-bytes");
    ensure!(
        dropped(&mut idle)? == 0 && dropped(&mut full)? > 0,
        "only one of them is at its bound"
    );
    let (mut of_idle, mut of_full) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        println!("round {} of {ROUNDS}", round + 1);
        let mut turns = [(&mut idle, &mut of_idle), (&mut full, &mut of_full)];
        if round % 2 == 1 {
            turns.reverse();
        }
        for (companion, rounds) in turns {
            rounds.push(companion.round()?);
        }
    }
    let rows = rows(&of_idle, &of_full)?;
    println!("{}", table(&rows));
    if rows.iter().any(|row| !row.is_kept()) {
        bail!("a connection at its bound costs the others more than it may");
    }
    Ok(())
}

/// A companion of its own process, ended with this value.
pub(super) struct Companion {
    child: Child,
    scalr: Connection,
    /// Ready to be sent with the token.
    head: String,
    pub(super) line: Value,
    /// The connections by name.
    ids: Vec<(&'static str, String)>,
    _folder: TempDir,
}

impl Drop for Companion {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Companion {
    pub(super) fn start(program: &Path, bytes_max: Option<u64>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(program);
        command.args(["dev", "--json", "--data-dir"]).arg(folder.path());
        if let Some(bytes) = bytes_max {
            command.args(["--hold-bytes-max", &bytes.to_string()]);
        }
        println!("$ {}", shell::spell(&command));
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut text = String::new();
        let out = child.stdout.take().context("no stdout")?;
        BufReader::new(out).read_line(&mut text)?;
        let line: Value = serde_json::from_str(&text).context("no line of JSON")?;
        let of = |pointer: &str| {
            line.pointer(pointer)
                .and_then(Value::as_str)
                .context("no address")
        };
        let address = of("/scalr/hostname")?.trim_start_matches("http://");
        let head = format!(
            "host: {address}\r\nauthorization: Bearer {}\r\n",
            of("/scalr/token")?
        );
        Ok(Self {
            scalr: Connection::open(address)?,
            child,
            head,
            line,
            ids: Vec::new(),
            _folder: folder,
        })
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> Vec<u8> {
        request(&self.head, method, path, body)
    }

    /// Opens its connection again: the companion closes one that has been idle for a minute.
    pub(super) fn reconnect(&mut self) -> Result<()> {
        self.scalr = self.open()?;
        Ok(())
    }

    /// A call of its own API that succeeds.
    pub(super) fn call(&mut self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let request = self.request(method, path, body);
        let answer = self
            .scalr
            .ok(&request)
            .with_context(|| format!("{method} {path}"))?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// `other`, paused, is filled; then `healthy`, which delivers, is made.
    fn prepare(&mut self) -> Result<()> {
        let other = self.connect("other", "us-west-2")?;
        self.set_status(&other, "disabled")?;
        self.ids.push(("other", other));
        self.fill()?;
        let healthy = self.connect("healthy", REGION)?;
        let source = "aws.partner/scalr.com/local/healthy";
        let text = |pointer: &str| {
            self.line
                .pointer(pointer)
                .and_then(Value::as_str)
                .context("no AWS")
        };
        let (endpoint, account) = (text("/aws/endpoint")?, text("/aws/account_id")?);
        let mut aws = Connection::open(endpoint.trim_start_matches("http://"))?;
        let bus = json!({ "Name": source, "EventSourceName": source });
        aws.aws(account, "AWSEvents.CreateEventBus", &bus)?;
        ensure!(
            self.set_status(&healthy, "active")? == "active",
            "`healthy` is not active"
        );
        self.ids.push(("healthy", healthy));
        Ok(())
    }

    fn connect(&mut self, name: &str, region: &str) -> Result<String> {
        let attributes = json!({ "name": name, "aws-account-id": "123456789012", "region": region });
        let body = json!({ "data": { "type": "aws-event-bridge-integrations", "attributes": attributes } });
        let made = self.call("POST", CONNECTIONS, &body)?;
        Ok(made["data"]["id"].as_str().context("no id")?.to_owned())
    }

    fn set_status(&mut self, id: &str, status: &str) -> Result<String> {
        let attributes = json!({ "status": status });
        let body = json!({ "data": { "type": "aws-event-bridge-integrations", "attributes": attributes } });
        let set = self.call("PATCH", &format!("{CONNECTIONS}/{id}"), &body)?;
        let status = set["data"]["attributes"]["status"].as_str();
        Ok(status.context("no status")?.to_owned())
    }

    fn fill(&self) -> Result<()> {
        let requests: Vec<_> = (0..FILL)
            .map(|at| emit(&self.head, &format!("fill-{at:05}"), 0))
            .collect();
        std::thread::scope(|scope| {
            let parts = requests.chunks(FILL.div_ceil(FILLERS));
            let fillers: Vec<_> = parts
                .map(|part| {
                    scope.spawn(move || {
                        let mut connection = self.open()?;
                        part.iter()
                            .try_for_each(|request| connection.ok(request).map(drop))
                    })
                })
                .collect();
            fillers.into_iter().try_for_each(|filler| match filler.join() {
                Ok(done) => done,
                Err(_) => bail!("a filler's thread panicked"),
            })
        })
    }

    fn open(&self) -> Result<Connection> {
        let host = self.line["scalr"]["hostname"].as_str().context("no address")?;
        Connection::open(host.trim_start_matches("http://"))
    }

    /// A figure of a connection's delivery.
    fn figure(&mut self, name: &str, pointer: &str) -> Result<u64> {
        let id = self
            .ids
            .iter()
            .find(|(of, _)| *of == name)
            .context("no such connection")?;
        let path = format!("/_companion/connections/{}/delivery", id.1);
        let figures = self.call("GET", &path, &Value::Null)?;
        figures
            .pointer(pointer)
            .and_then(Value::as_u64)
            .context("no such figure")
    }

    /// The medians of one round, in milliseconds.
    fn round(&mut self) -> Result<[f64; FIGURES.len()]> {
        let (mut posts, mut deliveries) = (Vec::new(), Vec::new());
        for at in 0..EVENTS {
            let [post, delivery] = self.send(&format!("run-{at}"), 0)?;
            posts.push(post);
            deliveries.push(delivery);
        }
        let [long, _] = self.send("run-long", LONG_BYTES)?;
        let median = |values| median(values).context("no events");
        Ok([median(posts)?, long, median(deliveries)?])
    }

    /// Sends an event: until it was accepted, and until AWS had taken the one of `healthy`.
    fn send(&mut self, run: &str, bytes: usize) -> Result<[f64; 2]> {
        let before = self.figure("healthy", "/delivered")?;
        let request = emit(&self.head, run, bytes);
        let start = Instant::now();
        self.scalr.ok(&request)?;
        let accepted = start.elapsed();
        while self.figure("healthy", "/delivered")? == before {
            ensure!(start.elapsed() < DELIVERED_WITHIN, "`healthy` does not deliver");
        }
        Ok([accepted, start.elapsed()].map(|took| took.as_secs_f64() * 1e3))
    }
}

fn request(head: &str, method: &str, path: &str, body: &Value) -> Vec<u8> {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let length = body.len();
    let kind = "application/vnd.api+json";
    format!(
        "{method} {path} HTTP/1.1\r\n{head}content-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// An event of a run, with a title of so many bytes.
fn emit(head: &str, run: &str, bytes: usize) -> Vec<u8> {
    let event = json!({
        "run-id": run, "source": "api", "is-dry": true, "is-destroy": false, "is-agent": false, "is-postponed": false,
        "result": "planned_and_finished", "duration": 1.0, "account": "local", "workspace": "network",
        "environment": "development", "user-email": "user@example.com",
    });
    let detail = json!({ "title": "t".repeat(bytes), "tags": [], "event_type": "success", "event": event });
    let body = json!({ "detail-type": "RunExecuted", "detail": detail });
    request(head, "POST", "/_companion/events", &body)
}

/// A figure of both, in milliseconds.
struct Row {
    name: &'static str,
    ratio_max: f64,
    idle: f64,
    full: f64,
}

impl Row {
    fn ratio(&self) -> f64 {
        self.full / self.idle
    }

    fn is_kept(&self) -> bool {
        self.ratio() <= self.ratio_max
    }
}

fn rows(idle: &[[f64; FIGURES.len()]], full: &[[f64; FIGURES.len()]]) -> Result<Vec<Row>> {
    let of = |rounds: &[[f64; FIGURES.len()]], at: usize| {
        median(rounds.iter().map(|round| round[at]).collect()).context("no rounds")
    };
    let rows = FIGURES.into_iter().enumerate().map(|(at, (name, ratio_max))| {
        Ok(Row {
            name,
            ratio_max,
            idle: of(idle, at)?,
            full: of(full, at)?,
        })
    });
    rows.collect()
}

fn table(rows: &[Row]) -> String {
    let mut table = format!(
        "\n{:<30}{:>12}{:>14}{:>8}   limit\n",
        "medians (ms)", "idle", "at its bound", "ratio"
    );
    for row in rows {
        let verdict = if row.is_kept() { "" } else { "  NOT KEPT" };
        let _ = writeln!(
            table,
            "{:<30}{:>12.2}{:>14.2}{:>8.2}   at most {:.0}{verdict}",
            row.name,
            row.idle,
            row.full,
            row.ratio(),
            row.ratio_max
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{emit, rows, table};

    #[test]
    fn medians_of_the_rounds_are_compared_with_their_limits() {
        let idle = [[1.0, 4.0, 10.0], [2.0, 4.0, 10.0], [90.0, 4.0, 10.0]];
        let kept = rows(&idle, &[[6.0, 12.0, 20.0]]).unwrap();
        assert!(kept.iter().all(super::Row::is_kept), "{}", table(&kept));
        let slow = rows(&idle, &[[6.1, 12.1, 20.1]]).unwrap();
        assert_eq!(table(&slow).matches("NOT KEPT").count(), 3, "{}", table(&slow));
        assert!(rows(&idle, &[]).is_err());
    }

    #[test]
    fn an_event_is_one_whole_request() {
        let text = String::from_utf8(emit("host: h\r\n", "run-1", 10)).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.ends_with(&format!("content-length: {}", body.len())),
            "{head}"
        );
        assert!(body.contains("tttttttttt"), "{body}");
    }
}
