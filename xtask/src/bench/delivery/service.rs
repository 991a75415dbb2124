//! The service under measurement and the local AWS that it delivers to, each a process of its own: accounts, tokens and connections
//! are made over the service's API.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::service::api::{Api, text};
use crate::service::customer;
use crate::service::http::{Connection, REGION};
use crate::service::server::{self, Server};

/// Room for all that is held while the connections are paused.
const HOLD_BYTES_MAX: u32 = 1 << 31;
/// Between two looks at how far a drain is.
const PAUSE: Duration = Duration::from_millis(20);

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
        let mut scalr = Api::open(&service.host)?;
        for at in 0..accounts {
            let name = format!("bench{at}");
            let token = scalr.account(&operator, &name)?.token;
            for of in 0..connections {
                service.connect(&mut scalr, &token, &name, at * connections + of)?;
            }
            service.tokens.push(token);
        }
        Ok(service)
    }

    /// Makes a connection with an AWS account and a bus of its own, and pauses it.
    fn connect(&mut self, scalr: &mut Api, token: &str, account: &str, number: usize) -> Result<()> {
        let (name, aws_account) = (format!("c{number}"), format!("{}", 100_000_000_000 + number));
        let id = scalr.connect(token, &name, (&aws_account, REGION))?;
        let source = format!("aws.partner/scalr.com/{account}/{name}");
        let mut aws = Connection::open(self.aws.endpoint.trim_start_matches("http://"))?;
        customer::associate(&mut aws, (&aws_account, REGION), &source)?;
        for status in ["active", "disabled"] {
            scalr.set_status(token, &id, status)?;
        }
        let token = token.to_owned();
        self.receivers.push(Receiver { token, id });
        Ok(())
    }

    /// Gives all connections this status.
    pub(super) fn set_all(&self, status: &str) -> Result<()> {
        let mut scalr = Api::open(&self.host)?;
        let mut each = self.receivers.iter();
        each.try_for_each(|one| scalr.set_status(&one.token, &one.id, status))
    }

    /// Waits until every connection has so many deliveries, or until this time has passed; how many there were in all.
    pub(super) fn delivered(&self, each: u64, within: Duration) -> Result<u64> {
        let begun = Instant::now();
        let mut scalr = Api::open(&self.host)?;
        for receiver in &self.receivers {
            while delivered_to(&mut scalr, receiver)? < each {
                if begun.elapsed() > within {
                    return self.sum(&mut scalr);
                }
                std::thread::sleep(PAUSE);
            }
        }
        self.sum(&mut scalr)
    }

    fn sum(&self, scalr: &mut Api) -> Result<u64> {
        let all = self.receivers.iter();
        all.map(|receiver| delivered_to(scalr, receiver)).sum()
    }

    /// How often the service has called this operation of AWS's.
    pub(super) fn calls(&self, operation: &str) -> Result<u64> {
        let address = self.aws.endpoint.trim_start_matches("http://");
        Connection::open(address)?.calls(operation)
    }
}

fn delivered_to(scalr: &mut Api, receiver: &Receiver) -> Result<u64> {
    let figures = scalr.figures(&receiver.token, &receiver.id)?;
    figures["delivered"].as_u64().context("no such figure")
}
