//! What the engine's lock guards: the core, the writer's sending end and the queue of requests. Nothing here does I/O.

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::Timestamp;

use super::core::{Core, Dropped, Moment};
use super::outgoing::Outgoing;
use super::recovery::Recovery;
use super::storage::{Storage, To};
use crate::caller::Caller;
use crate::change::{Change, Entry, Request, Stored};
use crate::clock::Millis;
use crate::fault::Fault;
use crate::journal::{Health, Journal, Ticket};
use crate::ops::{Output, Prepared};
use crate::segments::{LogId, Place, Write};
use crate::state::custom_bus::{Kept, SubscriberId};

/// How often expired events are looked for.
const EXPIRY_EVERY: Millis = 60_000;
/// The most bytes of events that a bus keeps; the oldest files go first.
const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Locked {
    pub(super) core: Core,
    pub(super) put_bytes_max: usize,
    pub(super) log_bytes_max: u64,
    pub(super) default_account: String,
    pub(super) storage: Storage,
    /// Subscribers for which reading failed, and until when nothing is read for them.
    pub(super) unread: BTreeMap<SubscriberId, Instant>,
    /// When retained events are looked at next for those that have expired.
    pub(super) expiry: Millis,
    pub(super) outgoing: Outgoing,
    pub(super) recovery: Recovery,
}

/// The answer to a request, the write that it waits for, and what is dropped without the lock.
pub(super) type Answered = (Result<Output, Fault>, Option<Ticket>, Dropped);

impl Locked {
    pub(super) fn health(&self) -> Health {
        self.storage.health()
    }

    pub(super) fn now(&mut self) -> Millis {
        self.core.now(Timestamp::now().as_millisecond())
    }

    /// Carries out a request. [`Self::tick`] has fired what is due before it.
    pub(super) fn call(&mut self, request: &Request, prepared: Prepared<'_>, seed: u64) -> Answered {
        let at = self.now();
        let caller = self.caller(request);
        let writes = prepared.writes;
        let made = self
            .core
            .call(Moment { at, seed }, &caller, &request.base_url, prepared);
        if made.answer.is_err() || !writes || made.unchanged {
            // What an answer is based on, a refusal too, has to be on disk, or it could be missing at the next read.
            return (made.answer, self.latest(), made.dropped);
        }
        let entry = |places| match made.published {
            Some(call) => Stored::from(&Entry {
                at,
                seed,
                change: Change::Published { call, events: places },
            }),
            None => Stored::call(at, seed, &caller, request),
        };
        let ticket = self.store(&made.kept, &made.gone_logs, entry, 0);
        self.outgoing.post(made.jobs, ticket.as_ref());
        (made.answer, ticket, made.dropped)
    }

    /// The write that whoever reads the state as it is now waits for.
    pub(super) fn latest(&self) -> Option<Ticket> {
        self.storage.latest()
    }

    fn caller(&self, request: &Request) -> Caller {
        let key = request.key.as_deref();
        let account = key.and_then(|key| self.core.world.account_of(key));
        Caller {
            account: account.unwrap_or(&self.default_account).to_owned(),
            region: request.region.clone(),
            key: request.key.clone(),
        }
    }

    /// Makes a change that no request asks for, and stores it. What it drops goes to the caller.
    pub(super) fn make(&mut self, at: Millis, change: Change) -> (Option<Ticket>, Dropped) {
        self.make_with(at, change, Vec::new(), 0)
    }

    /// The same for a change that names retained events, of so many bytes.
    pub(super) fn make_with(
        &mut self,
        at: Millis,
        change: Change,
        events: Vec<Kept>,
        read_bytes: u64,
    ) -> (Option<Ticket>, Dropped) {
        let is_reset = matches!(change, Change::Reset);
        let seed = seed();
        let entry = Entry { at, seed, change };
        let mut made = self.core.make(&entry, events);
        let ticket = self.store(&made.kept, &made.gone_logs, |_| Stored::from(&entry), read_bytes);
        self.outgoing.post(made.jobs, ticket.as_ref());
        if is_reset {
            made.dropped.extend(self.storage.begin_again());
        }
        (ticket, made.dropped)
    }

    /// Stores a change, given the places of the events that a caller published with it.
    fn store(
        &mut self,
        kept: &[Kept],
        gone: &[LogId],
        entry: impl FnOnce(Vec<Place>) -> Stored,
        read_bytes: u64,
    ) -> Option<Ticket> {
        let (mut write, places) = self.storage.keep(kept);
        write.then(self.storage.remove(gone));
        let ticket = self.storage.store(|| entry(places), write, read_bytes);
        if let To::Journal(journal) = &mut self.storage.writer {
            journal.fold_if_long(&self.core.world);
        }
        ticket
    }

    /// Fires some of what is due, in the order of time; false where nothing more is due. However much is due, others get
    /// the lock meanwhile.
    pub(super) fn tick(&mut self) -> bool {
        let now = self.now();
        let due = |locked: &Self| locked.core.world.timers.next_due().is_some_and(|due| due <= now);
        if due(self) {
            self.make(now, Change::Tick);
        }
        due(self)
    }

    /// Has files deleted whose events have all expired, from time to time.
    pub(super) fn expire(&mut self) {
        let now = self.now();
        if now < self.expiry {
            return;
        }
        self.expiry = now + EXPIRY_EVERY;
        let (mut write, mut dropped) = (Write::default(), 0);
        for (_, realm) in self.core.world.realms() {
            for bus in realm.custom_buses.buses.values() {
                let (log, start) = (bus.log.id, bus.window_start(now));
                write.then(self.storage.segments.expire(log, start));
                let (shorter, count) = self.storage.segments.shorten(log, LOG_BYTES_MAX);
                write.then(shorter);
                dropped += count;
            }
        }
        self.core.world.custom_events_dropped += dropped;
        self.storage.write(write);
    }

    /// Replaces the state by the one read from disk again, which does not have the refused changes. Gives the old one,
    /// which takes long to drop.
    pub(super) fn replace(&mut self, storage: Storage, core: Core) -> (Core, Storage) {
        let written = self.storage.journal().map_or(0, Journal::written);
        let core = std::mem::replace(&mut self.core, core.limited(self.put_bytes_max));
        let under_way = self.core.world.outbox.under_way();
        let lost = self.outgoing.without_request(written, under_way);
        let storage = std::mem::replace(&mut self.storage, storage);
        self.resume(lost.into_iter().collect());
        (core, storage)
    }

    /// Sends deliveries again whose request is lost: at least once, as with AWS.
    pub(super) fn resume(&mut self, ids: Vec<u64>) {
        if !ids.is_empty() {
            let at = self.now();
            self.make(at, Change::Resume { ids });
        }
    }
}

/// A seed for the random choices of one change.
pub(super) fn seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}
