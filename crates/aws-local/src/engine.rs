//! The one owner of the state: takes each request through the core, under a lock that no I/O happens under.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::clock::{Dice, Millis};
use crate::delivery::outside::{self, Job, Outcome};
use crate::fault::Fault;
use crate::journal::{DataError, Entry, Health, Journal, Place, Ticket};
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
    /// The operator started it with other URLs for targets that are not emulated.
    Targets {
        urls: BTreeMap<String, String>,
    },
    /// Numbers of deliveries were given to changes that the disk refused.
    SkipDeliveries {
        to: u64,
    },
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
    /// Deliveries that are under way although the change that asked for them came to nothing.
    disowned: BTreeSet<u64>,
}

/// What a change came to.
struct Ran {
    answer: Answer,
    jobs: Vec<Job>,
    unchanged: bool,
}

impl Core {
    fn new(world: World, put_bytes_max: usize, jobs: mpsc::UnboundedSender<Job>) -> Self {
        let limits = Limits {
            put_bytes_max,
            targets: world.targets.clone(),
        };
        Self {
            world,
            limits,
            last: 0,
            journal: None,
            jobs,
            disowned: BTreeSet::new(),
        }
    }

    /// As the data directory has it.
    fn read(
        place: &Place,
        put_bytes_max: usize,
        jobs: mpsc::UnboundedSender<Job>,
    ) -> Result<Self, DataError> {
        // What was accepted once is accepted again, under whatever limit it runs now.
        let start = |world| Self::new(world, usize::MAX, jobs);
        let (journal, mut core) = Journal::open(place, start, Self::replay)?;
        core.journal = Some(journal);
        core.limits.put_bytes_max = put_bytes_max;
        core.resume(core.world.outbox.under_way());
        Ok(core)
    }

    fn replay(&mut self, entry: &Entry) {
        if let Err(fault) = self.run(entry, "").answer {
            tracing::warn!(?fault, "a change of before is refused now");
        }
    }

    /// Takes back what the disk refused: nobody was told that it stands.
    fn ensure_durable(&mut self) -> Result<(), Fault> {
        let Some(journal) = &self.journal else {
            return Ok(());
        };
        match journal.health() {
            Health::Well => return Ok(()),
            Health::Broken => return Err(broken_fault()),
            Health::Refused => {}
        }
        let start = |world| Self::new(world, usize::MAX, self.jobs.clone());
        let (journal, before) = journal.reopen(start, Self::replay).map_err(|error| {
            tracing::error!(%error, "the data directory cannot be read again");
            disk_fault()
        })?;
        let (lost, kept) = (self.world.outbox.under_way(), before.world.outbox.under_way());
        self.disowned.extend(&lost - &kept);
        self.limits.targets.clone_from(&before.world.targets);
        let to = self.world.outbox.next();
        (self.world, self.journal) = (before.world, Some(journal));
        if to > self.world.outbox.next() {
            let at = self.now();
            self.make(at, Change::SkipDeliveries { to });
        }
        self.resume(&kept - &lost);
        Ok(())
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
            Change::Targets { urls } => cx.world.targets.clone_from(urls),
            Change::SkipDeliveries { to } => cx.world.outbox.skip(*to),
        }
        let jobs = std::mem::take(&mut cx.effects)
            .into_iter()
            .filter_map(|id| outside::job(&mut cx, id))
            .collect();
        let unchanged = cx.unchanged;
        match &entry.change {
            Change::MoveClock { by } => self.last += by,
            Change::Targets { urls } => self.limits.targets.clone_from(urls),
            _ => {}
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

    /// Requests that nobody carries any more are made again: at least once, as AWS has it.
    fn resume(&mut self, ids: BTreeSet<u64>) {
        for id in ids {
            self.world.timers.set(self.last, Timer::Retry { id });
        }
    }

    /// What a reader saw has to be on disk too, or it could be gone when he looks again.
    fn shown(&self) -> Option<Ticket> {
        self.journal.as_ref().map(Journal::latest)
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
        Self::open_at(config, config.data_dir.as_deref().map(Place::new).as_ref())
    }

    pub(crate) fn open_at(
        config: &Config,
        place: Option<&Place>,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Job>), DataError> {
        let (to_edge, jobs) = mpsc::unbounded_channel();
        let mut core = match place {
            None => Core::new(World::default(), config.max_put_bytes, to_edge),
            Some(place) => Core::read(place, config.max_put_bytes, to_edge)?,
        };
        let urls: BTreeMap<String, String> = config.targets.iter().cloned().collect();
        if urls != core.world.targets {
            let at = core.now();
            core.make(at, Change::Targets { urls });
        }
        let engine = Self {
            core: Mutex::new(core),
            default_account: config.account.clone(),
        };
        Ok((engine, jobs))
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
        core.ensure_durable()?;
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
            core.shown()
        };
        Ok((answer, ticket))
    }

    /// Takes in what a request over HTTP came to.
    pub(crate) fn settle(&self, delivery: u64, outcome: Outcome) {
        let mut core = self.lock();
        if core.ensure_durable().is_err() || core.disowned.remove(&delivery) {
            return;
        }
        let at = core.now();
        core.make(at, Change::Settle { delivery, outcome });
    }

    /// Looks at the state without changing it.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&World) -> T) -> T {
        let mut core = self.lock();
        // Where nothing can be done about it, the last state is still worth a look.
        let _ = core.ensure_durable();
        at(&core.world)
    }

    /// Fires what is due now.
    pub(crate) fn tick(&self) {
        let mut core = self.lock();
        if core.ensure_durable().is_ok() {
            core.tick();
        }
    }

    /// Empties everything but the clock.
    pub(crate) async fn reset(&self) -> Result<(), Fault> {
        let ticket = {
            let mut core = self.lock();
            core.ensure_durable()?;
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
            core.ensure_durable()?;
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
        "The data directory cannot be written: nothing was changed. Make room there and try again.",
    )
}

fn broken_fault() -> Fault {
    let why = "The data directory failed in the middle of a write: start the local AWS again, which reads what it holds.";
    Fault::internal(why)
}

fn seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}
