//! The service under measurement and the local AWS that it delivers to, each a process of its own: accounts, tokens and connections
//! are made over the service's API.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bench::http::{self, Connection, REGION};
use crate::bench::server::{self, Server};

/// Room for all that is held while the connections are paused.
const HOLD_BYTES_MAX: u32 = 1 << 31;
/// Between two looks at how far a drain is.
const PAUSE: Duration = Duration::from_millis(20);
const CONNECTIONS: &str = "/api/iacp/v3/integrations/aws-event-bridge";

/// A connection to AWS, with the token of its account.
pub(super) struct Receiver {
    token: String,
    id: String,
}

/// The service with its AWS.
pub(super) struct Service {
    pub(super) server: Server,
    aws: Server,
    /// The service's address.
    pub(super) host: String,
    /// A token of each account.
    pub(super) tokens: Vec<String>,
    receivers: Vec<Receiver>,
    _folder: TempDir,
}

impl Service {
    /// Starts both, and makes so many accounts with so many connections each, paused.
    pub(super) fn start(program: &Path, accounts: usize, connections: usize) -> Result<Self> {
        let aws = server::start(program, None)?;
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(program);
        command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--no-console"]);
        command.args(["--aws-endpoint", &aws.endpoint]);
        command.args(["--hold-bytes-max", &HOLD_BYTES_MAX.to_string()]);
        command.arg("--data-dir").arg(folder.path());
        let (server, line) = server::launch(command)?;
        let operator = text(&line, "/operator_token")?;
        let host = text(&line, "/hostname")?.trim_start_matches("http://").to_owned();
        let mut service = Self {
            server,
            aws,
            host,
            tokens: Vec::with_capacity(accounts),
            receivers: Vec::with_capacity(accounts * connections),
            _folder: folder,
        };
        let mut scalr = Connection::open(&service.host)?;
        for at in 0..accounts {
            let name = format!("bench{at}");
            let token = service.account(&mut scalr, &operator, &name)?;
            for of in 0..connections {
                service.connect(&mut scalr, &token, &name, at * connections + of)?;
            }
            service.tokens.push(token);
        }
        Ok(service)
    }

    /// A call of the service's API that succeeds.
    fn call(
        &self,
        scalr: &mut Connection,
        token: &str,
        (method, path): (&str, &str),
        body: &Value,
    ) -> Result<Value> {
        let request = request(&self.host, token, (method, path), &body.to_string());
        let answer = scalr.ok(&request).with_context(|| format!("{method} {path}"))?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// Makes an account; a token that opens it.
    fn account(&self, scalr: &mut Connection, operator: &str, name: &str) -> Result<String> {
        let account = json!({ "data": { "type": "accounts", "attributes": { "name": name } } });
        let made = self.call(scalr, operator, ("POST", "/_companion/accounts"), &account)?;
        let owner = json!({ "data": { "type": "accounts", "id": text(&made, "/data/id")? } });
        let token = json!({ "data": {
            "type": "access-tokens", "attributes": { "name": "bench", "scopes": ["admin"] },
            "relationships": { "account": owner },
        } });
        let made = self.call(scalr, operator, ("POST", "/_companion/tokens"), &token)?;
        text(&made, "/data/attributes/token")
    }

    /// Makes a connection with an AWS account and a bus of its own, and pauses it.
    fn connect(&mut self, scalr: &mut Connection, token: &str, account: &str, number: usize) -> Result<()> {
        let (name, aws_account) = (format!("c{number}"), format!("{}", 100_000_000_000 + number));
        let attributes = json!({ "name": name, "aws-account-id": aws_account, "region": REGION });
        let made = self.call(scalr, token, ("POST", CONNECTIONS), &input(&attributes))?;
        let id = text(&made, "/data/id")?;
        let source = format!("aws.partner/scalr.com/{account}/{name}");
        let mut aws = Connection::open(self.aws.endpoint.trim_start_matches("http://"))?;
        let bus = json!({ "Name": source, "EventSourceName": source });
        aws.aws(&aws_account, "AWSEvents.CreateEventBus", &bus)?;
        let token = token.to_owned();
        self.receivers.push(Receiver { token, id });
        let made = self.receivers.last().context("no connection")?;
        self.set_status(scalr, made, "active")?;
        self.set_status(scalr, made, "disabled")
    }

    fn set_status(&self, scalr: &mut Connection, receiver: &Receiver, status: &str) -> Result<()> {
        let path = format!("{CONNECTIONS}/{}", receiver.id);
        let body = input(&json!({ "status": status }));
        let set = self.call(scalr, &receiver.token, ("PATCH", &path), &body)?;
        let is = text(&set, "/data/attributes/status")?;
        ensure!(is == status, "a connection is `{is}`, not `{status}`: {set}");
        Ok(())
    }

    /// Gives all connections this status.
    pub(super) fn set_all(&self, status: &str) -> Result<()> {
        let mut scalr = Connection::open(&self.host)?;
        let mut each = self.receivers.iter();
        each.try_for_each(|one| self.set_status(&mut scalr, one, status))
    }

    /// Waits until every connection has so many deliveries, or until this time has passed; how many there were in all.
    pub(super) fn delivered(&self, each: u64, within: Duration) -> Result<u64> {
        let begun = Instant::now();
        let mut scalr = Connection::open(&self.host)?;
        for receiver in &self.receivers {
            while self.delivered_to(&mut scalr, receiver)? < each {
                if begun.elapsed() > within {
                    return self.sum(&mut scalr);
                }
                std::thread::sleep(PAUSE);
            }
        }
        self.sum(&mut scalr)
    }

    fn sum(&self, scalr: &mut Connection) -> Result<u64> {
        let all = self.receivers.iter();
        all.map(|receiver| self.delivered_to(scalr, receiver)).sum()
    }

    fn delivered_to(&self, scalr: &mut Connection, receiver: &Receiver) -> Result<u64> {
        let path = format!("/_companion/connections/{}/delivery", receiver.id);
        let figures = self.call(scalr, &receiver.token, ("GET", &path), &Value::Null)?;
        figures["delivered"].as_u64().context("no such figure")
    }

    /// How often the service has called this operation of AWS's.
    pub(super) fn calls(&self, operation: &str) -> Result<u64> {
        let address = self.aws.endpoint.trim_start_matches("http://");
        let request = format!("GET /_local/calls HTTP/1.1\r\nhost: {address}\r\n\r\n");
        let list = Connection::open(address)?.ok(request.as_bytes())?;
        let list: Value = serde_json::from_slice(&list)?;
        let rows = list["calls"].as_array().context("no calls")?;
        let of = rows.iter().filter(|row| {
            let name = row["operation"].as_str().unwrap_or_default();
            name.rsplit(':').next() == Some(operation)
        });
        Ok(of.filter_map(|row| row["count"].as_u64()).sum())
    }
}

fn input(attributes: &Value) -> Value {
    json!({ "data": { "type": "aws-event-bridge-integrations", "attributes": attributes } })
}

fn text(value: &Value, pointer: &str) -> Result<String> {
    let text = value.pointer(pointer).and_then(Value::as_str);
    Ok(text
        .with_context(|| format!("no `{pointer}` in {value}"))?
        .to_owned())
}

/// A request with a token, and with a body in the API's form; none where it is null.
fn request(host: &str, token: &str, (method, path): (&str, &str), body: &str) -> Vec<u8> {
    let body = if body == "null" { "" } else { body };
    http::with_body(host, token, (method, path), "application/vnd.api+json", body)
}
