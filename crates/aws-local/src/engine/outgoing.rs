//! The queue of requests over HTTP. Each is sent when the change that asked for it is on disk, and never if the disk
//! refuses that change.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::mpsc;

use crate::delivery::http::Job;
use crate::journal::Ticket;

/// A request, and the write that it waits for.
type Waiting = (Job, Option<Ticket>);

/// The sending end.
#[derive(Debug)]
pub(super) struct Outgoing {
    queue: mpsc::UnboundedSender<Waiting>,
    /// Deliveries whose request is queued or sent and whose result is not recorded, with the journal's number of the
    /// change that asked for it; 0 once that change is known to be on disk.
    in_flight: BTreeMap<u64, u64>,
}

/// The receiving end, for whoever sends the requests.
#[derive(Debug)]
pub(crate) struct Jobs {
    queue: mpsc::UnboundedReceiver<Waiting>,
    first: Option<Waiting>,
}

pub(super) fn channel() -> (Outgoing, Jobs) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let outgoing = Outgoing {
        queue: sender,
        in_flight: BTreeMap::new(),
    };
    let jobs = Jobs {
        queue: receiver,
        first: None,
    };
    (outgoing, jobs)
}

impl Outgoing {
    /// Queues requests until the change of the ticket is on disk; at once where there is no disk.
    pub(super) fn post(&mut self, jobs: Vec<Job>, ticket: Option<&Ticket>) {
        for job in jobs {
            self.in_flight.insert(job.id, ticket.map_or(0, Ticket::number));
            // The receiver is dropped only with the server.
            let _ = self.queue.send((job, ticket.cloned()));
        }
    }

    /// The result of a delivery's request is known.
    pub(super) fn ended(&mut self, delivery: u64) {
        self.in_flight.remove(&delivery);
    }

    /// After the disk refused changes: which of these deliveries have no request in flight. The journal's entries up to
    /// `written` are on disk.
    pub(super) fn without_request(&mut self, written: u64, deliveries: BTreeSet<u64>) -> BTreeSet<u64> {
        self.in_flight.retain(|_, number| *number <= written);
        self.in_flight.values_mut().for_each(|number| *number = 0);
        let in_flight = |id: &u64| self.in_flight.contains_key(id);
        deliveries.into_iter().filter(|id| !in_flight(id)).collect()
    }
}

impl Jobs {
    /// The next request whose change is on disk; none once the engine is dropped, which whoever keeps it never sees.
    /// Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Job> {
        loop {
            if self.first.is_none() {
                self.first = Some(self.queue.recv().await?);
            }
            let stored = match &mut self.first {
                Some((_, Some(ticket))) => ticket.stored().await,
                _ => true,
            };
            if let Some((job, _)) = self.first.take()
                && stored
            {
                return Some(job);
            }
        }
    }
}
