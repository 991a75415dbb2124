//! The service and its local AWS as processes that are killed and started again, at fixed addresses and over the same folders.

use std::collections::HashSet;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::load::Client;
use super::plan::{CLIENTS, CONNECTIONS};
use super::verdict::Observed;
use crate::service::api::{Account, Api, text};
use crate::service::customer;
use crate::service::http::Connection;
use crate::service::server::{self, Server};

/// The regions of the connections, in turn.
const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];
/// The partner's account at the local AWS, as the service has it on loopback.
const PARTNER: &str = "999900001111";
/// Below the ports that the kernel gives to clients: one of those could connect to itself while nobody listens.
const PORTS: std::ops::Range<u16> = 20_000..30_000;
/// A drain that makes no progress for so long is stuck. The longest wait between two tries is half of it.
const STUCK_AFTER: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(100);

/// A connection to AWS.
pub(super) struct Receiver {
    name: String,
    account: usize,
    id: String,
    aws_account: String,
    region: &'static str,
    is_audit: bool,
}

/// What records the service's writes.
#[derive(Clone)]
pub(super) struct Recording {
    /// The library.
    pub(super) recorder: PathBuf,
    /// The folder whose files are recorded.
    pub(super) folder: PathBuf,
    pub(super) log: PathBuf,
}

/// Everything that runs.
pub(super) struct Stage {
    program: PathBuf,
    folder: PathBuf,
    /// Where the service keeps its state.
    pub(super) data_dir: PathBuf,
    pub(super) recording: Option<Recording>,
    ports: [u16; 2],
    service: Option<Server>,
    aws: Option<Server>,
    pub(super) accounts: Vec<Account>,
    pub(super) receivers: Vec<Receiver>,
    /// SIGKILLs of the service and of the local AWS.
    pub(super) kills: [usize; 2],
    /// Calls that the local AWS has carried out and, by a fault, not answered.
    pub(super) unanswered: usize,
    /// The longest time from a start of the service to its first answer.
    pub(super) slowest_start: Duration,
}

impl Receiver {
    fn source(&self) -> String {
        format!(
            "aws.partner/scalr.com/{}/{}",
            account_name(self.account),
            self.name
        )
    }
}

fn account_name(number: usize) -> String {
    format!("chaos{number}")
}

impl Stage {
    pub(super) fn new(program: &Path, folder: &Path, random: u64) -> Result<Self> {
        // Two runs of one seed at a time look from different places on.
        let first = port(random.wrapping_add(u64::from(std::process::id()) * 31))?;
        let ports = [first, port(u64::from(first - PORTS.start) + 1)?];
        Ok(Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            data_dir: folder.join("serve"),
            recording: None,
            ports,
            service: None,
            aws: None,
            accounts: vec![],
            receivers: vec![],
            kills: [0; 2],
            unanswered: 0,
            slowest_start: Duration::ZERO,
        })
    }

    /// Where everything is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The clients of all accounts.
    pub(super) fn clients(&self) -> Vec<Client> {
        let accounts = self.accounts.iter().enumerate();
        let clients = accounts.flat_map(|(number, account)| {
            let client = move || Client::new(number, account.token.clone(), self.host());
            std::iter::repeat_with(client).take(CLIENTS)
        });
        clients.collect()
    }

    /// Where the service listens.
    pub(super) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.ports[0])
    }

    /// The local AWS.
    pub(super) fn aws(&self) -> Result<Connection> {
        Connection::open(&format!("127.0.0.1:{}", self.ports[1]))
    }

    /// The log of the service or of the local AWS.
    fn log(&self, name: &str) -> Result<Stdio> {
        let file = self.folder.join(format!("{name}.log"));
        Ok(File::options().create(true).append(true).open(file)?.into())
    }

    fn serve(&self, more: &[&str]) -> Result<Command> {
        let mut command = Command::new(&self.program);
        command.args(["serve", "--json", "--no-console", "--listen", &self.host()]);
        command.args(["--aws-endpoint", &format!("http://127.0.0.1:{}", self.ports[1])]);
        command.arg("--data-dir").arg(&self.data_dir).args(more);
        if let Some(recording) = &self.recording {
            command.env("LD_PRELOAD", &recording.recorder);
            command.env("POWER_LOSS_FOLDER", &recording.folder);
            command.env("POWER_LOSS_LOG", &recording.log);
        }
        command.stderr(self.log("serve")?);
        Ok(command)
    }

    /// Starts the service, with these options too; the line that it prints once it answers.
    pub(super) fn start_service(&mut self, more: &[&str]) -> Result<Value> {
        let begun = Instant::now();
        let (service, line) = server::launched(self.serve(more)?).context("the service does not start")?;
        self.slowest_start = self.slowest_start.max(begun.elapsed());
        self.service = Some(service);
        Ok(line)
    }

    /// Kills the service.
    pub(super) fn kill_service(&mut self) {
        // With the process its value ends, and the other way round.
        self.kills[0] += usize::from(self.service.take().is_some());
    }

    /// Asks the service to end.
    pub(super) fn end_service(&self) -> Result<()> {
        let service = self.service.as_ref().context("no service runs")?;
        let id = i32::try_from(service.child.id())?;
        let id = rustix::process::Pid::from_raw(id).context("no process id")?;
        Ok(rustix::process::kill_process(id, rustix::process::Signal::TERM)?)
    }

    /// Starts the service and kills it so long after that.
    pub(super) fn kill_at_start(&mut self, after: Duration) -> Result<()> {
        let mut child = self.serve(&[])?.stdout(Stdio::null()).spawn()?;
        std::thread::sleep(after);
        // It may have ended by itself, which the next start does as well.
        let _ = child.kill();
        child.wait()?;
        self.kills[0] += 1;
        Ok(())
    }

    /// Starts the local AWS.
    pub(super) fn start_aws(&mut self) -> Result<()> {
        let mut command = Command::new(&self.program);
        let address = format!("127.0.0.1:{}", self.ports[1]);
        command.args(["aws-local", "--json", "--listen", &address]);
        command.arg("--data-dir").arg(self.folder.join("aws"));
        command.stderr(self.log("aws")?);
        let (aws, _) = server::launched(command).context("the local AWS does not start")?;
        self.aws = Some(aws);
        Ok(())
    }

    /// Kills the local AWS.
    pub(super) fn kill_aws(&mut self) {
        self.kills[1] += usize::from(self.aws.take().is_some());
    }

    /// Makes accounts with their connections, each with a log group that receives its events.
    pub(super) fn furnish(&mut self, operator: &str) -> Result<()> {
        let (mut scalr, mut aws) = (Api::open(&self.host())?, self.aws()?);
        for (at, connections) in CONNECTIONS.into_iter().enumerate() {
            let name = account_name(at);
            let account = scalr.account(operator, &name)?;
            for of in 0..connections {
                let number = self.receivers.len();
                let receiver = Receiver {
                    name: format!("c{number}"),
                    account: at,
                    id: String::new(),
                    aws_account: format!("{}", 100_000_000_000 + number),
                    region: REGIONS[number % REGIONS.len()],
                    is_audit: of == 0,
                };
                let place = (receiver.aws_account.as_str(), receiver.region);
                let id = scalr.connect(&account.token, &receiver.name, place)?;
                customer::receive(&mut aws, place, &receiver.source())?;
                scalr.set_status(&account.token, &id, "active")?;
                if receiver.is_audit {
                    scalr.audit(&account, &id)?;
                }
                self.receivers.push(Receiver { id, ..receiver });
            }
            self.accounts.push(account);
        }
        Ok(())
    }

    /// Empties the local AWS, and makes again what the connections need there.
    pub(super) fn reset_aws(&self) -> Result<()> {
        let mut aws = self.aws()?;
        aws.reset()?;
        for receiver in &self.receivers {
            let source = json!({ "Name": receiver.source(), "Account": receiver.aws_account });
            let operation = "AWSEvents.CreatePartnerEventSource";
            aws.aws_in((PARTNER, receiver.region), operation, &source)?;
            let place = (receiver.aws_account.as_str(), receiver.region);
            customer::receive(&mut aws, place, &receiver.source())?;
        }
        Ok(())
    }

    /// The figures of each connection, each of one read of the database, in which each delivery has to have one state.
    pub(super) fn books(&self) -> Result<Vec<Books>> {
        let mut scalr = Api::open(&self.host())?;
        let all = self.receivers.iter().map(|receiver| {
            let token = &self.accounts.get(receiver.account).context("no account")?.token;
            let books = Books::of(&scalr.figures(token, &receiver.id)?)?;
            ensure!(
                books.add_up(),
                "the figures of {} do not add up: {books:?}",
                receiver.name
            );
            Ok(books)
        });
        all.collect()
    }

    /// Waits until nothing is held any more, as long as there is progress.
    pub(super) fn drain(&self) -> Result<Vec<Books>> {
        let (mut last, mut since) = (u64::MAX, Instant::now());
        loop {
            let books = self.books()?;
            let open = books.iter().map(|one| one.held + one.unconfirmed).sum();
            if open == 0 {
                return Ok(books);
            }
            if open != last {
                (last, since) = (open, Instant::now());
            }
            ensure!(
                since.elapsed() < STUCK_AFTER,
                "{open} deliveries are stuck: {books:?}"
            );
            std::thread::sleep(PAUSE);
        }
    }

    /// What arrived in each log group.
    pub(super) fn observe(&self) -> Result<Vec<Observed>> {
        let mut aws = self.aws()?;
        let all = self.receivers.iter().map(|receiver| {
            let place = (receiver.aws_account.as_str(), receiver.region);
            let arrived = customer::arrived(&mut aws, place)?;
            let id = |message: &Value| {
                let detail = &message["detail"];
                let id = detail.pointer("/event/run-id").or(detail.pointer("/request/id"));
                Ok(id
                    .and_then(Value::as_str)
                    .context("an event without an id")?
                    .to_owned())
            };
            Ok(Observed {
                name: receiver.name.clone(),
                account: receiver.account,
                is_audit: receiver.is_audit,
                arrived: arrived
                    .iter()
                    .map(|event| id(&event.message))
                    .collect::<Result<_>>()?,
            })
        });
        all.collect()
    }

    /// How often the service has sent an event to a connection, by its own record.
    pub(super) fn attempts(&self, scalr: &mut Api, number: usize, event: &str) -> Result<u64> {
        let receiver = self.receivers.get(number).context("no such connection")?;
        let token = &self.accounts.get(receiver.account).context("no account")?.token;
        let path = format!(
            "/_companion/connections/{}/deliveries?state=delivered&event={event}",
            receiver.id
        );
        let listed = scalr.call(token, ("GET", &path), &Value::Null)?;
        let attempts = listed["deliveries"][0]["attempts"].as_u64();
        attempts.with_context(|| format!("no record of {event}: {listed}"))
    }

    /// The ids of all events that a connection has delivered, by the service's own record.
    pub(super) fn delivered(&self, number: usize) -> Result<HashSet<String>> {
        let mut scalr = Api::open(&self.host())?;
        let receiver = self.receivers.get(number).context("no such connection")?;
        let token = &self.accounts.get(receiver.account).context("no account")?.token;
        let (mut all, mut after) = (HashSet::new(), String::new());
        loop {
            let path = format!(
                "/_companion/connections/{}/deliveries?state=delivered{after}",
                receiver.id
            );
            let page = scalr.call(token, ("GET", &path), &Value::Null)?;
            let rows = page["deliveries"].as_array().context("no deliveries")?;
            all.extend(
                rows.iter()
                    .filter_map(|row| Some(row["event-id"].as_str()?.to_owned())),
            );
            match page["after"].as_u64() {
                Some(last) => after = format!("&after={last}"),
                None => return Ok(all),
            }
        }
    }

    /// Lines of the logs that tell of a panic.
    pub(super) fn panics(&self) -> Result<Vec<String>> {
        let mut found = vec![];
        for name in ["serve", "aws"] {
            let log = std::fs::read_to_string(self.folder.join(format!("{name}.log")))?;
            found.extend(
                log.lines()
                    .filter(|line| line.contains("panicked"))
                    .map(str::to_owned),
            );
        }
        Ok(found)
    }
}

/// The figures of a connection.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) made: u64,
    pub(super) held: u64,
    pub(super) delivered: u64,
    pub(super) unconfirmed: u64,
    /// Failed, purged, and dropped for either reason.
    pub(super) given_up: u64,
}

impl Books {
    fn of(figures: &Value) -> Result<Self> {
        let figure = |pointer: &str| {
            let figure = figures.pointer(pointer).and_then(Value::as_u64);
            figure.with_context(|| format!("no `{pointer}` in {figures}"))
        };
        let given_up = [
            "/failed",
            "/purged",
            "/dropped/too-old",
            "/dropped/too-many-bytes",
            "/dropped/refused",
        ];
        Ok(Self {
            made: figure("/made")?,
            held: figure("/held")?,
            delivered: figure("/delivered")?,
            unconfirmed: figure("/unconfirmed")?,
            given_up: given_up.into_iter().map(figure).sum::<Result<u64>>()?,
        })
    }

    fn add_up(&self) -> bool {
        self.made == self.held + self.delivered + self.unconfirmed + self.given_up
    }
}

/// A free port.
fn port(random: u64) -> Result<u16> {
    let width = u64::from(PORTS.end - PORTS.start);
    let ports = (0..width).map(|at| u16::try_from(u64::from(PORTS.start) + (random % width + at) % width));
    let mut free = ports
        .flatten()
        .filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.next().context("no free port")
}

/// The operator's token in the line of a first start.
pub(super) fn operator(line: &Value) -> Result<String> {
    text(line, "/operator_token")
}
