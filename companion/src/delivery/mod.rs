//! Durable delivery: accepted events go from their stored rows to AWS, at least once, until AWS has taken them.
//!
//! One worker a connection, so that a connection that hangs holds up no other. Never: an event is forgotten before
//! AWS's answer is stored; two events of a lane are on the way at once; an answer counts that was given while the
//! source had no bus.

mod batch;
mod decide;
mod hold_off;
#[cfg(test)]
mod tests;
mod worker;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use scalr_api::ConnectionId;
use tokio::sync::Notify;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

pub(crate) use batch::DETAIL_BYTES_MAX;

use crate::partner::Partner;
use crate::store::{Bounds, Result, Store};
use crate::{clock, errors, panics};
use hold_off::HoldOff;

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
    tasks: JoinSet<Result<()>>,
    of: HashMap<Id, ConnectionId>,
    held_off: HoldOff,
}

/// How a worker's task ended.
type Done = std::result::Result<(Id, Result<()>), JoinError>;

impl Delivery {
    /// Delivers until stopped; then lets workers hear the answers they wait for.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut workers = Workers::default();
        loop {
            let wait = match self.round(&mut workers, &stop, clock::now_ms()).await {
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
                Some(done) = workers.tasks.join_next_with_id() => {
                    self.ended(&mut workers, done, clock::now_ms(), clock::chance()).await;
                }
                () = tokio::time::sleep(wait) => {}
            }
        }
        let drained = async { while workers.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::warn!("AWS still owes answers; those events are sent again after the next start");
        }
    }

    /// Gives every connection that can send a worker; answers when to look again.
    async fn round(&self, workers: &mut Workers, stop: &CancellationToken, now: i64) -> Result<Duration> {
        // A store that cannot give up the old may still send the new.
        if let Err(error) = self.expire(now).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "events that were held for too long cannot be dropped"
            );
        }
        for id in self.store.connections_due(now).await? {
            if !workers.held_off.lets(&id, now) || workers.of.values().any(|busy| *busy == id) {
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
        let next = [self.store.next_due_ms(now).await?, workers.held_off.next_ms(now)];
        let next = next.into_iter().flatten().min();
        Ok(next.map_or(ROUND, |at| wait_until(at, now)))
    }

    /// Takes note of a worker's end. One that failed is not started again at once.
    async fn ended(&self, workers: &mut Workers, done: Done, now: i64, chance: f64) {
        let (task, why) = match done {
            Ok((task, Ok(()))) => (task, None),
            Ok((task, Err(error))) => (task, Some(errors::told(&error))),
            // Its lease runs out by itself; then its events are sent by the next worker.
            Err(error) => (
                error.id(),
                Some(format!("the worker broke: {}", panics::told(&error))),
            ),
        };
        let Some(id) = workers.of.remove(&task) else {
            return;
        };
        let Some(why) = why else {
            return workers.held_off.went_well(&id);
        };
        let until_ms = workers.held_off.failed(&id, now, chance);
        tracing::error!(connection = %id, why, "delivery stops for a while");
        // To be seen in the figures, too, if the store takes that much.
        if let Err(error) = self.note(&id, &why, until_ms).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "that cannot be noted");
        }
    }

    async fn note(&self, id: &ConnectionId, why: &str, until_ms: i64) -> Result<()> {
        let mut tx = self.store.begin().await?;
        tx.back_off(id, why, until_ms).await?;
        tx.commit().await
    }

    async fn expire(&self, now: i64) -> Result<()> {
        let oldest = now.saturating_sub(self.bounds.age_ms_max);
        while self.store.any_older_than(oldest).await? {
            let mut tx = self.store.begin().await?;
            let dropped = tx.expire(self.bounds, now).await?;
            tx.commit().await?;
            tracing::warn!(dropped, "events were held for too long and are dropped");
        }
        Ok(())
    }
}

fn wait_until(at_ms: i64, now_ms: i64) -> Duration {
    let wait = u64::try_from(at_ms.saturating_sub(now_ms)).unwrap_or_default();
    Duration::from_millis(wait.max(1)).min(ROUND)
}
