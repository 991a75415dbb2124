//! The one owner of the state: takes each request through the core, one at a time, under a lock that no I/O happens
//! under. What leaves the process, an answer or a request over HTTP, waits until its change is on disk.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! core outgoing recovery   the deterministic core; queued requests; the status of a recovery
//! replay storage           the core as it is read from disk; where changes and retained events go
//! locked                   what the lock guards
//! shared                   the lock, and reading the state from disk again after a refused write
//! reading                  reading retained events for subscribers
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::change::{Change, Request};
use crate::clock::Millis;
use crate::config::{Config, UnknownRoles};
use crate::delivery::http::HttpResult;
use crate::fault::Fault;
use crate::journal::{DataDir, DataError, Health, Journal, Ticket};
use crate::ops::{self, Output};
use crate::state::World;
use crate::state::custom_bus::Rendered;

mod core;
mod locked;
mod outgoing;
mod reading;
mod recovery;
mod replay;
#[cfg(test)]
mod retained;
mod shared;
mod storage;
#[cfg(test)]
mod tests;

use core::Core;
use locked::{Locked, seed};
pub(crate) use outgoing::{Jobs, Queue};
use reading::Reader;
use recovery::Recovery;
use replay::Replay;
use shared::Shared;
use storage::{Storage, To};

/// How long a caller waits for the state to be read from disk again.
const RECOVERY_WAIT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Engine {
    shared: Arc<Shared>,
    recovery_wait: Duration,
    /// How far the clock was moved forward, once that is on disk.
    clock_offset: watch::Sender<Millis>,
    reader: Reader,
}

impl Engine {
    /// The state of the data directory, or an empty one; and the queues of what is to be done outside.
    pub(crate) fn open(config: &Config) -> Result<(Self, Jobs), DataError> {
        let dir = config.data_dir.as_deref().map(DataDir::new);
        Self::open_at(config, dir.as_ref())
    }

    pub(crate) fn open_at(config: &Config, dir: Option<&DataDir>) -> Result<(Self, Jobs), DataError> {
        let (outgoing, jobs) = outgoing::channel();
        let log_bytes_max = config.log_bytes_max;
        let start = |world, version| Replay::start(world, version, log_bytes_max);
        let (storage, mut core) = match dir {
            None => (
                Storage::temporary(),
                Core::replaying(World::default(), log_bytes_max),
            ),
            Some(dir) => {
                let (journal, segments, Replay { core, .. }) = Journal::open(dir, start)?;
                let writer = To::Journal(journal);
                (Storage::new(writer, segments), core)
            }
        };
        core.ready();
        let mut locked = Locked {
            core: core.limited(config.max_put_bytes),
            put_bytes_max: config.max_put_bytes,
            log_bytes_max,
            default_account: config.account.clone(),
            storage,
            unread: BTreeMap::new(),
            expiry: Millis::MIN,
            outgoing,
            recovery: Recovery::default(),
        };
        let under_way = locked.core.world.outbox.under_way();
        locked.resume(under_way.into_iter().collect());
        let urls: BTreeMap<String, String> = config.targets.iter().cloned().collect();
        if urls != locked.core.world.targets {
            let at = locked.now();
            locked.make(at, Change::Targets { urls });
        }
        let denied = config.unknown_roles == UnknownRoles::Deny;
        if denied != locked.core.world.unknown_roles_denied {
            let at = locked.now();
            locked.make(at, Change::UnknownRoles { denied });
        }
        if config.assumptions != locked.core.world.assumptions {
            let (at, assumptions) = (locked.now(), config.assumptions.clone());
            locked.make(at, Change::Assume { assumptions });
        }
        let clock_offset = watch::Sender::new(locked.core.world.clock_offset);
        let shared = Shared::new(locked);
        let engine = Self {
            reader: Reader::new(Arc::clone(&shared), RECOVERY_WAIT),
            shared,
            recovery_wait: RECOVERY_WAIT,
            clock_offset,
        };
        Ok((engine, jobs))
    }

    /// Runs one request; what it changed is on disk when this returns, if there is a disk.
    pub(crate) async fn call(&self, request: &Request) -> Result<Output, Fault> {
        let prepared = ops::check(request.service, &request.operation, &request.body.value)?;
        let seed = seed();
        self.fire().await?;
        let (answer, ticket, dropped) = self.turn(|locked| locked.call(request, prepared, seed)).await?;
        drop(dropped);
        self.stored(ticket).await?;
        answer
    }

    /// Records how a request over HTTP ended. While the state cannot be read again the result is lost, and the
    /// delivery is retried later.
    pub(crate) async fn record_result(&self, delivery: u64, result: HttpResult) {
        self.record(delivery, Change::HttpResult { delivery, result })
            .await;
    }

    /// Records what expressions came to. While the state cannot be read again that is lost, and they are evaluated again.
    pub(crate) async fn record_evaluation(&self, delivery: u64, rendered: Rendered) {
        self.record(delivery, Change::Evaluated { delivery, rendered })
            .await;
        // The batch is sent when its events are read; what fails here, the ticking task does.
        let _ = self.reader.read().await;
    }

    async fn record(&self, delivery: u64, change: Change) {
        let _ = self.turn(|_| ()).await;
        let mut locked = self.shared.lock();
        locked.outgoing.ended(delivery);
        if locked.health() == Health::Well {
            let at = locked.now();
            locked.make(at, change);
        }
    }

    /// Reads the state without changing it; what was read is on disk when this returns.
    pub(crate) async fn look<T>(&self, at: impl FnOnce(&World) -> T) -> Result<T, Fault> {
        let look = |locked: &mut Locked| (at(&locked.core.world), locked.latest());
        let (seen, ticket) = self.turn(look).await?;
        self.stored(ticket).await?;
        Ok(seen)
    }

    /// Fires what is due now, as long as the state can be read.
    pub(crate) async fn tick(&self) {
        while matches!(self.shared.ready(), Ok(Some(_))) && matches!(self.tick_once().await, Ok(true)) {
            tokio::task::yield_now().await;
        }
    }

    /// False where nothing more is due.
    async fn tick_once(&self) -> Result<bool, Fault> {
        let is_due = self.turn(Locked::tick).await?;
        if is_due || self.reader.read_one().await? {
            return Ok(true);
        }
        self.turn(Locked::expire).await?;
        Ok(false)
    }

    /// Fires what is due now, in turns between which others get theirs, and gives subscribers some of what they want.
    async fn fire(&self) -> Result<(), Fault> {
        while self.turn(Locked::tick).await? {
            tokio::task::yield_now().await;
        }
        self.reader.read().await
    }

    /// Empties everything but the clock.
    pub(crate) async fn reset(&self) -> Result<(), Fault> {
        let reset = |locked: &mut Locked| {
            let at = locked.now();
            locked.make(at, Change::Reset)
        };
        let (ticket, dropped) = self.turn(reset).await?;
        drop(dropped);
        self.stored(ticket).await
    }

    /// The core's time.
    pub(crate) fn now(&self) -> Millis {
        self.shared.lock().now()
    }

    /// Moves the clock forward to `to`; it does not go back.
    pub(crate) async fn move_clock(&self, to: Millis) -> Result<Millis, Fault> {
        let advance = |locked: &mut Locked| {
            let at = locked.now();
            let by = (to - at).max(0);
            let (ticket, _) = locked.make(at, Change::MoveClock { by });
            (at + by, ticket)
        };
        let (now, ticket) = self.turn(advance).await?;
        self.fire().await?;
        self.stored(ticket).await?;
        let offset = self.shared.lock().core.world.clock_offset;
        self.clock_offset.send_replace(offset);
        Ok(now)
    }

    /// How far the clock was moved forward so far, and from then on.
    pub(crate) fn clock_offset(&self) -> watch::Receiver<Millis> {
        self.clock_offset.subscribe()
    }

    async fn turn<T>(&self, make: impl FnOnce(&mut Locked) -> T) -> Result<T, Fault> {
        self.shared.turn(self.recovery_wait, make).await
    }

    /// Waits until a change is on disk. A refused one is rolled back before its caller is answered, so that the next
    /// read does not show it; where that takes too long, or what is on disk is unknown, the caller is answered so.
    async fn stored(&self, ticket: Option<Ticket>) -> Result<(), Fault> {
        let Some(mut ticket) = ticket else { return Ok(()) };
        if ticket.stored().await {
            return Ok(());
        }
        Err(self.turn(|locked| locked.storage.refusal()).await?)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.join();
    }
}
