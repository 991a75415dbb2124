//! Requests on their way out. Each leaves the process when the change that asked for it is on disk, and never if the
//! disk refuses that change.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::mpsc;

use crate::delivery::http::Job;
use crate::journal::Ticket;

/// A request, and what it waits for.
type Waiting = (Job, Option<Ticket>);

/// The sending end.
#[derive(Debug)]
pub(super) struct Outgoing {
    queue: mpsc::UnboundedSender<Waiting>,
    /// Deliveries whose request leaves or has left and whose result is not in, by the journal's number of the change
    /// that asked for it; 0 once that change is known to be on disk.
    out: BTreeMap<u64, u64>,
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
        out: BTreeMap::new(),
    };
    let jobs = Jobs {
        queue: receiver,
        first: None,
    };
    (outgoing, jobs)
}

impl Outgoing {
    /// Lets requests leave when the change of the ticket is on disk; at once where there is no disk.
    pub(super) fn post(&mut self, jobs: Vec<Job>, ticket: Option<&Ticket>) {
        for job in jobs {
            self.out.insert(job.id, ticket.map_or(0, Ticket::number));
            // The other end is gone only when the server is.
            let _ = self.queue.send((job, ticket.cloned()));
        }
    }

    /// The result of a delivery's request is in.
    pub(super) fn ended(&mut self, delivery: u64) {
        self.out.remove(&delivery);
    }

    /// After the disk refused changes: which of these deliveries have no request out. The journal's entries up to
    /// `written` are on disk.
    pub(super) fn without_request(&mut self, written: u64, deliveries: BTreeSet<u64>) -> BTreeSet<u64> {
        self.out.retain(|_, number| *number <= written);
        self.out.values_mut().for_each(|number| *number = 0);
        let is_out = |id: &u64| self.out.contains_key(id);
        deliveries.into_iter().filter(|id| !is_out(id)).collect()
    }
}

impl Jobs {
    /// The next request whose change is on disk; none when the engine is gone. May be dropped and called again.
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
