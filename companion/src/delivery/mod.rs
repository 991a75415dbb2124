//! Durable delivery: accepted events go from their stored rows to AWS, at least once, until AWS has taken them.
//!
//! One worker a connection, so that a connection that hangs holds up no other. Never: an event is forgotten before
//! AWS's answer is stored; two events of a lane are on the way at once; an answer counts that was given while the
//! source had no bus.

mod batch;
mod decide;
mod worker;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use scalr_api::ConnectionId;
use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

pub(crate) use batch::DETAIL_BYTES_MAX;

use crate::clock;
use crate::partner::Partner;
use crate::store::{Bounds, Result, Store};

/// How often events that are too old are looked for, and the longest that a missed wake-up can cost.
const ROUND: Duration = Duration::from_secs(15);
/// How long workers may take to hear AWS's last answer when told to stop.
const DRAIN: Duration = Duration::from_secs(2);

/// Wakes the delivery: something was accepted, or a connection resumed.
pub(crate) type Wake = Arc<Notify>;

/// Delivery, as a value to run.
pub(crate) struct Delivery {
    pub(crate) store: Store,
    pub(crate) partner: Partner,
    pub(crate) bounds: Bounds,
    pub(crate) wake: Wake,
}

#[derive(Default)]
struct Workers {
    tasks: JoinSet<()>,
    of: HashMap<Id, ConnectionId>,
}

impl Delivery {
    /// Delivers until stopped; then lets workers hear the answers they wait for.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut workers = Workers::default();
        loop {
            let wait = match self.round(&mut workers, &stop).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "delivery cannot read its store"
                    );
                    Duration::from_secs(1)
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.wake.notified() => {}
                Some(done) = workers.tasks.join_next_with_id() => workers.forget(&done),
                () = tokio::time::sleep(wait) => {}
            }
        }
        let drained = async { while workers.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::warn!("AWS still owes answers; those events are sent again after the next start");
        }
    }

    /// Gives every connection that can send a worker; answers when to look again.
    async fn round(&self, workers: &mut Workers, stop: &CancellationToken) -> Result<Duration> {
        let now = clock::now_ms();
        self.expire(now).await?;
        for id in self.store.connections_due(now).await? {
            if workers.of.values().any(|busy| *busy == id) {
                continue;
            }
            let worker = worker::Worker {
                store: self.store.clone(),
                partner: self.partner.clone(),
                id: id.clone(),
            };
            let task = workers.tasks.spawn(worker.run(stop.clone()));
            workers.of.insert(task.id(), id);
        }
        let next = self.store.next_due_ms(now).await?;
        Ok(next.map_or(ROUND, |at| wait_until(at, now)))
    }

    async fn expire(&self, now: i64) -> Result<()> {
        if !self
            .store
            .any_older_than(now.saturating_sub(self.bounds.age_ms_max))
            .await?
        {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        let dropped = tx.expire(self.bounds, now).await?;
        tx.commit().await?;
        tracing::warn!(dropped, "events were held for too long and are dropped");
        Ok(())
    }
}

impl Workers {
    fn forget(&mut self, done: &std::result::Result<(Id, ()), tokio::task::JoinError>) {
        match done {
            Ok((id, ())) => drop(self.of.remove(id)),
            Err(error) => {
                // Its lease runs out by itself; then its events are sent by the next worker.
                tracing::error!(%error, "a delivery worker broke");
                self.of.remove(&error.id());
            }
        }
    }
}

fn wait_until(at_ms: i64, now_ms: i64) -> Duration {
    let wait = u64::try_from(at_ms.saturating_sub(now_ms)).unwrap_or_default();
    Duration::from_millis(wait.max(1)).min(ROUND)
}
