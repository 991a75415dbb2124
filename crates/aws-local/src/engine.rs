//! The one owner of the state: takes each request through the core, under a lock that no I/O happens under.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::clock::{Dice, Millis};
use crate::delivery::outside::{self, Job, Outcome};
use crate::fault::Fault;
use crate::journal::{DataError, Entry, Journal, Ticket};
use crate::model::{self, Service};
use crate::ops::{self, Answer, Caller, Cx, Limits, sqs, sts};
use crate::server::Config;
use crate::state::World;
use crate::timers::{self, Timer};

/// A request, taken off the wire.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) key: Option<String>,
    pub(crate) region: String,
    pub(crate) body: Value,
    /// The address that the caller reached us at.
    pub(crate) base_url: String,
}

/// Everything that changes the state; the journal keeps these.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    Call {
        caller: Caller,
        service: Service,
        operation: String,
        body: Value,
    },
    /// Timers that were due.
    Tick,
    /// A delivery over HTTP was made.
    Settle {
        delivery: u64,
        outcome: Outcome,
    },
    MoveClock {
        by: Millis,
    },
    Reset,
}

#[derive(Debug)]
pub(crate) struct Engine {
    core: Mutex<Core>,
    default_account: String,
}

#[derive(Debug)]
struct Core {
    world: World,
    limits: Limits,
    /// The latest time the core was handed: time does not run backwards in it.
    last: Millis,
    journal: Option<Journal>,
    jobs: mpsc::UnboundedSender<Job>,
}

/// What a change came to.
struct Ran {
    answer: Answer,
    jobs: Vec<Job>,
    unchanged: bool,
}

impl Core {
    fn new(world: World, limits: Limits, jobs: mpsc::UnboundedSender<Job>) -> Self {
        Self {
            world,
            limits,
            last: 0,
            journal: None,
            jobs,
        }
    }

    fn now(&mut self) -> Millis {
        self.last = self
            .last
            .max(Timestamp::now().as_millisecond() + self.world.clock_offset);
        self.last
    }

    /// Carries out a change. The answer matters for calls only.
    fn run(&mut self, entry: &Entry, base_url: &str) -> Ran {
        self.last = entry.at;
        let none = Caller {
            account: String::new(),
            region: String::new(),
            key: None,
        };
        let caller = if let Change::Call { caller, .. } = &entry.change {
            caller
        } else {
            &none
        };
        let mut cx = Cx {
            world: &mut self.world,
            caller,
            now: entry.at,
            dice: Dice::new(entry.seed),
            limits: &self.limits,
            base_url,
            effects: Vec::new(),
            unchanged: false,
        };
        let mut answer = Ok(Value::Null);
        match &entry.change {
            Change::Call {
                service,
                operation,
                body,
                ..
            } => {
                let op = ops::find(*service, operation).ok_or_else(|| Fault::unknown(*service, operation));
                let access = match service {
                    Service::Sqs => sqs::check_access(&mut cx, operation, body),
                    _ => Ok(()),
                };
                answer = access.and(op).and_then(|op| (op.run)(&mut cx, body.clone()));
            }
            Change::Tick => timers::fire(&mut cx),
            Change::Settle { delivery, outcome } => outside::settle(&mut cx, *delivery, outcome),
            Change::MoveClock { by } => cx.world.clock_offset += by,
            Change::Reset => *cx.world = cx.world.emptied(),
        }
        let jobs = std::mem::take(&mut cx.effects)
            .into_iter()
            .filter_map(|id| outside::job(&mut cx, id))
            .collect();
        let unchanged = cx.unchanged;
        if let Change::MoveClock { by } = &entry.change {
            self.last += by;
        }
        Ran {
            answer,
            jobs,
            unchanged,
        }
    }

    /// Carries out a change of our own and keeps it.
    fn make(&mut self, at: Millis, change: Change) -> Option<Ticket> {
        let entry = Entry {
            at,
            seed: seed(),
            change,
        };
        let ran = self.run(&entry, "");
        self.post(ran.jobs);
        self.keep(&entry)
    }

    /// Hands requests to the edge, which is gone only when the server is.
    fn post(&self, jobs: Vec<Job>) {
        for job in jobs {
            let _ = self.jobs.send(job);
        }
    }

    /// Requests that were under way when the process ended are made again: at least once, as AWS has it.
    fn resume(&mut self) {
        let under_way = self
            .world
            .outbox
            .pending
            .iter()
            .filter(|(_, pending)| pending.under_way);
        let ids: Vec<u64> = under_way.map(|(id, _)| *id).collect();
        for id in ids {
            self.world.timers.set(self.last, Timer::Retry { id });
        }
    }

    fn keep(&mut self, entry: &Entry) -> Option<Ticket> {
        let journal = self.journal.as_mut()?;
        let ticket = journal.append(entry);
        journal.fold_if_long(&self.world);
        Some(ticket)
    }

    /// Fires what is due, in the order of time.
    fn tick(&mut self) -> Millis {
        let now = self.now();
        while let Some(due) = self.world.timers.next_due()
            && due <= now
        {
            self.make(now, Change::Tick);
        }
        now
    }
}

impl Engine {
    /// Empty, or as the data directory has it; and the requests that it wants made.
    pub(crate) fn open(config: &Config) -> Result<(Self, mpsc::UnboundedReceiver<Job>), DataError> {
        let targets: BTreeMap<String, String> = config.targets.iter().cloned().collect();
        let limits = Limits {
            put_bytes_max: config.max_put_bytes,
            targets,
        };
        let (to_edge, jobs) = mpsc::unbounded_channel();
        let core = match &config.data_dir {
            None => Core::new(World::default(), limits, to_edge),
            Some(dir) => {
                // What was accepted once is accepted again, under whatever limits it runs now.
                let lenient = Limits {
                    put_bytes_max: usize::MAX,
                    ..limits.clone()
                };
                let start = |world| Core::new(world, lenient, to_edge);
                let (journal, core) = Journal::open(dir, start, |core, entry| {
                    if let Err(fault) = core.run(&entry, "").answer {
                        tracing::warn!(?fault, "a change of before is refused now");
                    }
                })?;
                let mut core = Core {
                    journal: Some(journal),
                    limits,
                    ..core
                };
                core.resume();
                core
            }
        };
        Ok((
            Self {
                core: Mutex::new(core),
                default_account: config.account.clone(),
            },
            jobs,
        ))
    }

    /// Runs one request; what it changed is on disk when this returns, if there is a disk.
    pub(crate) async fn call(&self, request: &Request) -> Answer {
        let (answer, ticket) = self.run(request)?;
        wait(ticket).await?;
        Ok(answer)
    }

    fn run(&self, request: &Request) -> Result<(Value, Option<Ticket>), Fault> {
        let (service, operation) = (request.service, &request.operation);
        let op = ops::find(service, operation).ok_or_else(|| Fault::unknown(service, operation))?;
        model::check(service.model(), operation, &request.body)
            .map_err(|problems| Fault::model(service, problems))?;
        let mut core = self.lock();
        if op.writes && core.journal.as_ref().is_some_and(Journal::has_failed) {
            return Err(disk_fault());
        }
        let at = core.tick();
        let (key, region) = (request.key.clone(), request.region.clone());
        let caller = sts::caller(&core.world, key, region, &self.default_account);
        let (operation, body) = (operation.clone(), request.body.clone());
        let entry = Entry {
            at,
            seed: seed(),
            change: Change::Call {
                caller,
                service,
                operation,
                body,
            },
        };
        let ran = core.run(&entry, &request.base_url);
        let answer = ran.answer?;
        core.post(ran.jobs);
        let ticket = if op.writes && !ran.unchanged {
            core.keep(&entry)
        } else {
            None
        };
        Ok((answer, ticket))
    }

    /// Takes in what a request over HTTP came to.
    pub(crate) fn settle(&self, delivery: u64, outcome: Outcome) {
        let mut core = self.lock();
        let at = core.now();
        core.make(at, Change::Settle { delivery, outcome });
    }

    /// Looks at the state without changing it.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&World) -> T) -> T {
        at(&self.lock().world)
    }

    /// Fires what is due now.
    pub(crate) fn tick(&self) {
        self.lock().tick();
    }

    /// Empties everything but the clock.
    pub(crate) async fn reset(&self) -> Result<(), Fault> {
        let ticket = {
            let mut core = self.lock();
            let at = core.now();
            core.make(at, Change::Reset)
        };
        wait(ticket).await
    }

    /// The core's time.
    pub(crate) fn now(&self) -> Millis {
        self.lock().now()
    }

    /// Moves the clock forward to `to`; it does not go back.
    pub(crate) async fn move_clock(&self, to: Millis) -> Result<Millis, Fault> {
        let (now, ticket) = {
            let mut core = self.lock();
            let at = core.now();
            let ticket = core.make(at, Change::MoveClock { by: (to - at).max(0) });
            (core.tick(), ticket)
        };
        wait(ticket).await.map(|()| now)
    }

    /// A panic in an operation leaves the state as far as it came; others go on.
    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn wait(ticket: Option<Ticket>) -> Result<(), Fault> {
    let Some(ticket) = ticket else { return Ok(()) };
    if ticket.wait().await {
        Ok(())
    } else {
        Err(disk_fault())
    }
}

fn disk_fault() -> Fault {
    Fault::internal(
        "The data directory cannot be written: changes are refused until the local AWS is started again.",
    )
}

fn seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}
