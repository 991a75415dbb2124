//! What the engine's lock guards: the core, the journal's sending end and the queue of requests. Nothing here does I/O.

use jiff::Timestamp;

use super::core::{Core, Dropped, Made, Moment};
use super::outgoing::Outgoing;
use super::recovery::Recovery;
use crate::caller::Caller;
use crate::change::{Change, Entry, Request, Stored};
use crate::clock::Millis;
use crate::fault::Fault;
use crate::journal::{Health, Journal, Ticket};
use crate::ops::{Output, Prepared};
use crate::segments::Write;

#[derive(Debug)]
pub(super) struct Locked {
    pub(super) core: Core,
    pub(super) put_bytes_max: usize,
    pub(super) log_bytes_max: u64,
    pub(super) default_account: String,
    pub(super) journal: Option<Journal>,
    pub(super) outgoing: Outgoing,
    pub(super) recovery: Recovery,
}

/// The answer to a request, the write that it waits for, and what is dropped without the lock.
pub(super) type Answered = (Result<Output, Fault>, Option<Ticket>, Dropped);

impl Locked {
    pub(super) fn health(&self) -> Health {
        self.journal.as_ref().map_or(Health::Well, Journal::health)
    }

    pub(super) fn now(&mut self) -> Millis {
        self.core.now(Timestamp::now().as_millisecond())
    }

    /// Carries out a request. [`Self::tick`] has fired what is due before it.
    pub(super) fn call(&mut self, request: &Request, prepared: Prepared, seed: u64) -> Answered {
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
        let ticket = self.store(Stored::call(at, seed, &caller, request));
        self.outgoing.post(made.jobs, ticket.as_ref());
        (made.answer, ticket, made.dropped)
    }

    /// The write that whoever reads the state as it is now waits for.
    pub(super) fn latest(&self) -> Option<Ticket> {
        self.journal.as_ref().map(Journal::latest)
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
        let seed = seed();
        let entry = Entry { at, seed, change };
        let Made { jobs, dropped, .. } = self.core.make(&entry);
        let ticket = self.store(Stored::from(&entry));
        self.outgoing.post(jobs, ticket.as_ref());
        (ticket, dropped)
    }

    fn store(&mut self, entry: Stored) -> Option<Ticket> {
        let journal = self.journal.as_mut()?;
        let ticket = journal.append(entry, Write::default());
        journal.fold_if_long(&self.core.world);
        Some(ticket)
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

    /// Replaces the state by the one read from disk again, which does not have the refused changes. Gives the old one,
    /// which takes long to drop.
    pub(super) fn replace(&mut self, journal: Journal, core: Core) -> (Core, Option<Journal>) {
        let written = self.journal.as_ref().map_or(0, Journal::written);
        let core = std::mem::replace(&mut self.core, core.limited(self.put_bytes_max));
        let under_way = self.core.world.outbox.under_way();
        let lost = self.outgoing.without_request(written, under_way);
        self.core.resume(lost);
        (core, self.journal.replace(journal))
    }
}

/// A seed for the random choices of one change.
pub(super) fn seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}
