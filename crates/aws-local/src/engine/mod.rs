//! The one owner of the state: takes each request through the core, under a lock that no I/O happens under.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::caller::Caller;
use crate::change::{Change, Entry, Request};
use crate::clock::Millis;
use crate::config::Config;
use crate::delivery::http::{HttpResult, Job};
use crate::fault::Fault;
use crate::journal::{DataError, Health, Journal, Place, Ticket};
use crate::ops::{self, Answer};
use crate::state::World;

mod core;

use core::{Core, Moment};

#[derive(Debug)]
pub(crate) struct Engine {
    locked: Mutex<Locked>,
    default_account: String,
}

/// What the lock guards.
#[derive(Debug)]
struct Locked {
    core: Core,
    put_bytes_max: usize,
    journal: Option<Journal>,
    jobs: mpsc::UnboundedSender<Job>,
    /// Deliveries that are under way although the change that asked for them came to nothing.
    disowned: BTreeSet<u64>,
}

impl Locked {
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
        let reopened = journal.reopen(Core::replaying, Core::replay);
        let (journal, core) = reopened.map_err(|error| {
            tracing::error!(%error, "the data directory cannot be read again");
            disk_fault()
        })?;
        let (lost, kept) = (self.core.world.outbox.under_way(), core.world.outbox.under_way());
        self.disowned.extend(&lost - &kept);
        let to = self.core.world.outbox.next();
        (self.core, self.journal) = (core.limited(self.put_bytes_max), Some(journal));
        if to > self.core.world.outbox.next() {
            let at = self.now();
            self.make(at, Change::SkipDeliveries { to });
        }
        self.core.resume(&kept - &lost);
        Ok(())
    }

    fn now(&mut self) -> Millis {
        self.core.now(Timestamp::now().as_millisecond())
    }

    /// Makes a change of our own and stores it.
    fn make(&mut self, at: Millis, change: Change) -> Option<Ticket> {
        let seed = seed();
        let entry = Entry { at, seed, change };
        let made = self.core.make(&entry);
        self.post(made.jobs);
        self.keep(&entry)
    }

    /// Hands requests to the edge, which is gone only when the server is.
    fn post(&self, jobs: Vec<Job>) {
        for job in jobs {
            let _ = self.jobs.send(job);
        }
    }

    /// What a reader saw has to be on disk too, or it could be gone when he looks again.
    fn shown(&self) -> Option<Ticket> {
        self.journal.as_ref().map(Journal::latest)
    }

    fn keep(&mut self, entry: &Entry) -> Option<Ticket> {
        let journal = self.journal.as_mut()?;
        let ticket = journal.append(entry);
        journal.fold_if_long(&self.core.world);
        Some(ticket)
    }

    /// Fires what is due, in the order of time.
    fn tick(&mut self) -> Millis {
        let now = self.now();
        while let Some(due) = self.core.world.timers.next_due()
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
        let (journal, mut core) = match place {
            None => (None, Core::replaying(World::default())),
            Some(place) => {
                let (journal, core) = Journal::open(place, Core::replaying, Core::replay)?;
                (Some(journal), core)
            }
        };
        core.resume(core.world.outbox.under_way());
        let mut locked = Locked {
            core: core.limited(config.max_put_bytes),
            put_bytes_max: config.max_put_bytes,
            journal,
            jobs: to_edge,
            disowned: BTreeSet::new(),
        };
        let urls: BTreeMap<String, String> = config.targets.iter().cloned().collect();
        if urls != locked.core.world.targets {
            let at = locked.now();
            locked.make(at, Change::Targets { urls });
        }
        let engine = Self {
            locked: Mutex::new(locked),
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
        let prepared = ops::check(request.service, &request.operation, &request.body)?;
        let (writes, seed) = (prepared.writes, seed());
        let mut locked = self.lock();
        locked.ensure_durable()?;
        let at = locked.tick();
        let caller = self.caller(&locked.core.world, request);
        let moment = Moment { at, seed };
        let made = locked.core.call(moment, &caller, &request.base_url, prepared);
        let answer = made.answer?;
        locked.post(made.jobs);
        if !writes || made.unchanged {
            return Ok((answer, locked.shown()));
        }
        let change = Change::Call {
            caller,
            service: request.service,
            operation: request.operation.clone(),
            body: request.body.clone(),
        };
        Ok((answer, locked.keep(&Entry { at, seed, change })))
    }

    fn caller(&self, world: &World, request: &Request) -> Caller {
        let account = request.key.as_deref().and_then(|key| world.account_of(key));
        Caller {
            account: account.unwrap_or(&self.default_account).to_owned(),
            region: request.region.clone(),
            key: request.key.clone(),
        }
    }

    /// Records how a request over HTTP ended.
    pub(crate) fn record_result(&self, delivery: u64, result: HttpResult) {
        let mut locked = self.lock();
        if locked.ensure_durable().is_err() || locked.disowned.remove(&delivery) {
            return;
        }
        let at = locked.now();
        locked.make(at, Change::HttpResult { delivery, result });
    }

    /// Looks at the state without changing it.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&World) -> T) -> T {
        let mut locked = self.lock();
        // Where nothing can be done about it, the last state is still worth a look.
        let _ = locked.ensure_durable();
        at(&locked.core.world)
    }

    /// Fires what is due now.
    pub(crate) fn tick(&self) {
        let mut locked = self.lock();
        if locked.ensure_durable().is_ok() {
            locked.tick();
        }
    }

    /// Empties everything but the clock.
    pub(crate) async fn reset(&self) -> Result<(), Fault> {
        let ticket = {
            let mut locked = self.lock();
            locked.ensure_durable()?;
            let at = locked.now();
            locked.make(at, Change::Reset)
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
            let mut locked = self.lock();
            locked.ensure_durable()?;
            let at = locked.now();
            let ticket = locked.make(at, Change::MoveClock { by: (to - at).max(0) });
            (locked.tick(), ticket)
        };
        wait(ticket).await.map(|()| now)
    }

    /// A panic in an operation leaves the state as far as it came; others go on.
    fn lock(&self) -> MutexGuard<'_, Locked> {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner)
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
