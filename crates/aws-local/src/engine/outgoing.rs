//! The queues of what is done outside: requests over HTTP, and evaluations of expressions. Each is begun when the change that
//! asked for it is on disk, and never if the disk refuses that change.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::delivery::http;
use crate::delivery::job::{Evaluation, Job};
use crate::journal::Ticket;

/// What is to be done, and the write that it waits for.
type Waiting<T> = (T, Option<Ticket>);

/// The sending end.
#[derive(Debug)]
pub(super) struct Outgoing {
    requests: UnboundedSender<Waiting<http::Job>>,
    evaluations: UnboundedSender<Waiting<Evaluation>>,
    /// Deliveries whose job is queued or begun and whose result is not recorded, with the journal's number of the
    /// change that asked for it; 0 once that change is known to be on disk.
    in_flight: BTreeMap<u64, u64>,
}

/// The receiving ends, for whoever does what is asked for.
#[derive(Debug)]
pub(crate) struct Jobs {
    pub(crate) requests: Queue<http::Job>,
    pub(crate) evaluations: Queue<Evaluation>,
}

/// One receiving end.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    queue: UnboundedReceiver<Waiting<T>>,
    first: Option<Waiting<T>>,
}

pub(super) fn channel() -> (Outgoing, Jobs) {
    let (requests, for_requests) = unbounded_channel();
    let (evaluations, for_evaluations) = unbounded_channel();
    let outgoing = Outgoing {
        requests,
        evaluations,
        in_flight: BTreeMap::new(),
    };
    let jobs = Jobs {
        requests: Queue::new(for_requests),
        evaluations: Queue::new(for_evaluations),
    };
    (outgoing, jobs)
}

impl Outgoing {
    /// Queues jobs until the change of the ticket is on disk; at once where there is no disk.
    pub(super) fn post(&mut self, jobs: Vec<Job>, ticket: Option<&Ticket>) {
        let number = ticket.map_or(0, Ticket::number);
        for job in jobs {
            // The receivers are dropped only with the server.
            match job {
                Job::Http(request) => {
                    self.in_flight.insert(request.id, number);
                    let _ = self.requests.send((request, ticket.cloned()));
                }
                Job::Evaluation(evaluation) => {
                    self.in_flight.insert(evaluation.id, number);
                    let _ = self.evaluations.send((evaluation, ticket.cloned()));
                }
            }
        }
    }

    /// The result of a delivery's job is known.
    pub(super) fn ended(&mut self, delivery: u64) {
        self.in_flight.remove(&delivery);
    }

    /// After the disk refused changes: which of these deliveries have no job in flight. The journal's entries up to
    /// `written` are on disk.
    pub(super) fn without_request(&mut self, written: u64, deliveries: BTreeSet<u64>) -> BTreeSet<u64> {
        self.in_flight.retain(|_, number| *number <= written);
        self.in_flight.values_mut().for_each(|number| *number = 0);
        let in_flight = |id: &u64| self.in_flight.contains_key(id);
        deliveries.into_iter().filter(|id| !in_flight(id)).collect()
    }
}

impl<T> Queue<T> {
    fn new(queue: UnboundedReceiver<Waiting<T>>) -> Self {
        Self { queue, first: None }
    }

    /// The next one whose change is on disk; none once the engine is dropped, which whoever keeps it never sees.
    /// Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<T> {
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
