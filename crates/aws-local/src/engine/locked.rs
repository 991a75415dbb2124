//! What the engine's lock guards: the core, the journal's sending end and the queue of requests. Nothing here does I/O.

use jiff::Timestamp;

use super::core::{Core, Made, Moment};
use super::outgoing::Outgoing;
use super::recovery::Recovery;
use crate::caller::Caller;
use crate::change::{Change, Entry, Request, Stored};
use crate::clock::Millis;
use crate::fault::Fault;
use crate::journal::{Health, Journal, Ticket};
use crate::ops::{Output, Prepared};

#[derive(Debug)]
pub(super) struct Locked {
    pub(super) core: Core,
    pub(super) put_bytes_max: usize,
    pub(super) default_account: String,
    pub(super) journal: Option<Journal>,
    pub(super) outgoing: Outgoing,
    pub(super) recovery: Recovery,
}

/// The answer to a request, and the write that it waits for.
pub(super) type Answered = (Result<Output, Fault>, Option<Ticket>);

impl Locked {
    pub(super) fn health(&self) -> Health {
        self.journal.as_ref().map_or(Health::Well, Journal::health)
    }

    pub(super) fn now(&mut self) -> Millis {
        self.core.now(Timestamp::now().as_millisecond())
    }

    /// Carries out a request, after all that is due before it.
    pub(super) fn call(&mut self, request: &Request, prepared: Prepared, seed: u64) -> Answered {
        let at = self.tick();
        let caller = self.caller(request);
        let writes = prepared.writes;
        let made = self
            .core
            .call(Moment { at, seed }, &caller, &request.base_url, prepared);
        if made.answer.is_err() || !writes || made.unchanged {
            // What an answer is based on, a refusal too, has to be on disk, or it could be missing at the next read.
            return (made.answer, self.latest());
        }
        let ticket = self.store(Stored::call(at, seed, &caller, request));
        self.outgoing.post(made.jobs, ticket.as_ref());
        (made.answer, ticket)
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

    /// Makes a change that no request asks for, and stores it.
    pub(super) fn make(&mut self, at: Millis, change: Change) -> Option<Ticket> {
        let seed = seed();
        let entry = Entry { at, seed, change };
        let Made { jobs, .. } = self.core.make(&entry);
        let ticket = self.store(Stored::from(&entry));
        self.outgoing.post(jobs, ticket.as_ref());
        ticket
    }

    fn store(&mut self, entry: Stored) -> Option<Ticket> {
        let journal = self.journal.as_mut()?;
        let ticket = journal.append(entry);
        journal.fold_if_long(&self.core.world);
        Some(ticket)
    }

    /// Fires what is due, in the order of time.
    pub(super) fn tick(&mut self) -> Millis {
        let now = self.now();
        while let Some(due) = self.core.world.timers.next_due()
            && due <= now
        {
            self.make(now, Change::Tick);
        }
        now
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
