//! The lock, and what happens after a write that the disk refused: the state is read from disk again, by a thread of
//! its own and not under the lock. Until then no caller sees the state that contains the refused change.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::locked::Locked;
use super::replay::Replay;
use super::storage::{Storage, To, disk_fault};
use crate::fault::Fault;
use crate::journal::{DataError, Health, Reopen};

/// The locked state, and who waits for a recovery to end.
#[derive(Debug)]
pub(super) struct Shared {
    locked: Mutex<Locked>,
    recovered: Notify,
}

impl Shared {
    pub(super) fn new(locked: Locked) -> Arc<Self> {
        Arc::new(Self {
            locked: Mutex::new(locked),
            recovered: Notify::new(),
        })
    }

    /// A poisoned lock is used on: a panic in one operation must not fail all later ones.
    pub(super) fn lock(&self) -> MutexGuard<'_, Locked> {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, if it is as the disk has it; `None` while it is read again, which this starts if needed.
    pub(super) fn ready(self: &Arc<Self>) -> Result<Option<MutexGuard<'_, Locked>>, Fault> {
        let mut locked = self.lock();
        match locked.health() {
            Health::Well => return Ok(Some(locked)),
            Health::Broken => return Err(broken_fault()),
            Health::Refused => self.begin(&mut locked)?,
        }
        Ok(None)
    }

    /// Waits until [`Self::ready`] gives the state, but no longer than `wait_max`.
    pub(super) async fn turn<T>(
        self: &Arc<Self>,
        wait_max: Duration,
        make: impl FnOnce(&mut Locked) -> T,
    ) -> Result<T, Fault> {
        let until = Instant::now() + wait_max;
        loop {
            let recovered = self.recovered.notified();
            if let Some(mut locked) = self.ready()? {
                return Ok(make(&mut locked));
            }
            if tokio::time::timeout_at(until.into(), recovered).await.is_err() {
                return Err(recovering_fault());
            }
        }
    }

    fn begin(self: &Arc<Self>, locked: &mut Locked) -> Result<(), Fault> {
        let Locked {
            recovery,
            storage,
            log_bytes_max,
            ..
        } = locked;
        let log_bytes_max = *log_bytes_max;
        let Some(journal) = storage.journal().filter(|_| !recovery.is_running()) else {
            return Ok(());
        };
        if recovery.has_just_failed() {
            return Err(disk_fault());
        }
        let (shared, reopen, earlier) = (Arc::clone(self), journal.reopen(), recovery.take_thread());
        let run = move || {
            shared.recover(reopen, log_bytes_max);
            earlier.map(JoinHandle::join);
        };
        // If no thread can be started, the next caller tries again.
        let thread = std::thread::Builder::new().spawn(run).map_err(|_| disk_fault())?;
        recovery.started(thread);
        Ok(())
    }

    fn recover(&self, reopen: Reopen, log_bytes_max: u64) {
        // A replay that panics counts as a directory that cannot be read.
        let read = AssertUnwindSafe(|| {
            let start = |world, version| Replay::start(world, version, log_bytes_max);
            let (journal, segments, Replay { mut core, .. }) = reopen.read(start)?;
            core.ready();
            let writer = To::Journal(journal);
            Ok::<_, DataError>((Storage::new(writer, segments), core))
        });
        let read = std::panic::catch_unwind(read);
        let read = match read {
            Ok(Ok(read)) => Some(read),
            Ok(Err(error)) => {
                tracing::error!(%error, "the data directory cannot be read again");
                None
            }
            Err(_) => None,
        };
        let mut locked = self.lock();
        locked.recovery.ended(read.is_some());
        let before = read.map(|(storage, core)| locked.replace(storage, core));
        drop(locked);
        self.recovered.notify_waiters();
        drop(before);
    }

    /// Waits for the thread of a recovery: as long as it runs the data directory is in use.
    pub(super) fn join(&self) {
        let thread = self.lock().recovery.take_thread();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

fn recovering_fault() -> Fault {
    let why = "The data directory is still being read again after a write that it refused: nothing was changed. Try again.";
    Fault::internal(why)
}

fn broken_fault() -> Fault {
    let why = "The data directory failed in the middle of a write: start the local AWS again, which reads what it holds.";
    Fault::internal(why)
}
