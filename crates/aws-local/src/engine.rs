//! The one owner of the state: takes each request through the core, under a lock that no I/O happens under.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::{Dice, Millis};
use crate::fault::Fault;
use crate::journal::{DataError, Entry, Journal, Ticket};
use crate::model::{self, Service};
use crate::ops::{self, Answer, Caller, Cx, Limits, sts};
use crate::server::Config;
use crate::state::World;
use crate::timers;

/// A request, taken off the wire.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) key: Option<String>,
    pub(crate) region: String,
    pub(crate) body: Value,
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
}

impl Core {
    fn new(world: World, limits: Limits) -> Self {
        Self {
            world,
            limits,
            last: 0,
            journal: None,
        }
    }

    fn now(&mut self) -> Millis {
        self.last = self
            .last
            .max(Timestamp::now().as_millisecond() + self.world.clock_offset);
        self.last
    }

    /// Carries out a change. The answer matters for calls only.
    fn run(&mut self, entry: &Entry) -> Answer {
        self.last = entry.at;
        let limits = &self.limits;
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
            limits,
        };
        match &entry.change {
            Change::Call {
                service,
                operation,
                body,
                ..
            } => {
                let op = ops::find(*service, operation).ok_or_else(|| Fault::unknown(*service, operation))?;
                return (op.run)(&mut cx, body.clone());
            }
            Change::Tick => timers::fire(&mut cx),
            Change::MoveClock { by } => {
                self.world.clock_offset += by;
                self.last += by;
            }
            Change::Reset => self.world = self.world.emptied(),
        }
        Ok(Value::Null)
    }

    /// Carries out a change of our own and keeps it.
    fn make(&mut self, at: Millis, change: Change) -> Option<Ticket> {
        let entry = Entry {
            at,
            seed: seed(),
            change,
        };
        let _ = self.run(&entry);
        self.keep(&entry)
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
    /// Empty, or as the data directory has it.
    pub(crate) fn open(config: &Config) -> Result<Self, DataError> {
        let limits = Limits {
            put_bytes_max: config.max_put_bytes,
        };
        let core = match &config.data_dir {
            None => Core::new(World::default(), limits),
            Some(dir) => {
                // What was accepted once is accepted again, under whatever limits it runs now.
                let start = |world| {
                    Core::new(
                        world,
                        Limits {
                            put_bytes_max: usize::MAX,
                        },
                    )
                };
                let (journal, core) = Journal::open(dir, start, |core, entry| {
                    if let Err(fault) = core.run(&entry) {
                        tracing::warn!(?fault, "a change of before is refused now");
                    }
                })?;
                Core {
                    journal: Some(journal),
                    limits,
                    ..core
                }
            }
        };
        Ok(Self {
            core: Mutex::new(core),
            default_account: config.account.clone(),
        })
    }

    /// Runs one request; what it changed is on disk when this returns, if there is a disk.
    pub(crate) async fn call(&self, request: Request) -> Answer {
        let (answer, ticket) = self.run(request)?;
        wait(ticket).await?;
        Ok(answer)
    }

    fn run(&self, request: Request) -> Result<(Value, Option<Ticket>), Fault> {
        let Request {
            service,
            operation,
            key,
            region,
            body,
        } = request;
        let op = ops::find(service, &operation).ok_or_else(|| Fault::unknown(service, &operation))?;
        model::check(service.model(), &operation, &body)
            .map_err(|problems| Fault::model(service, problems))?;
        let mut core = self.lock();
        if op.writes && core.journal.as_ref().is_some_and(Journal::has_failed) {
            return Err(disk_fault());
        }
        let at = core.tick();
        let caller = sts::caller(&core.world, key, region, &self.default_account);
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
        let answer = core.run(&entry)?;
        let ticket = if op.writes { core.keep(&entry) } else { None };
        Ok((answer, ticket))
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
