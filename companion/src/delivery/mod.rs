//! Durable delivery: accepted events are sent from their stored rows to AWS, at least once, until AWS has taken them.
//!
//! One worker a connection, so that a connection that hangs delays no other. Never: an event is deleted before AWS's
//! answer is stored; two events of a lane are in flight at once; an answer counts that AWS gave while the source had no
//! bus.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! batch decide       leaves: cutting batches; what AWS's answers mean
//! hold_off worker    backoff of failed workers; one connection's worker
//! ```

mod batch;
mod decide;
mod hold_off;
#[cfg(test)]
mod tests;
mod worker;

use std::collections::HashMap;
use std::time::Duration;

use scalr_api::ConnectionId;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

pub(crate) use batch::DETAIL_BYTES_MAX;

use crate::clock::{self, Clock};
use crate::partner::Partner;
use crate::store::{Result, Store};
use crate::{error_chain, panics};
use hold_off::HoldOff;

/// Longest wait between two rounds.
const ROUND: Duration = Duration::from_secs(15);

/// Delivery, as a value to run.
pub(crate) struct Delivery {
    pub(crate) store: Store,
    pub(crate) partner: Partner,
    pub(crate) clock: Clock,
    /// How long workers may wait for AWS's last answer after a stop.
    pub(crate) drain: Duration,
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
    /// Delivers until stopped; then workers may still receive the answers they wait for.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut workers = Workers::default();
        loop {
            let wait = match self.round(&mut workers, &stop, self.clock.now_ms()).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "delivery cannot read the store; retrying"
                    );
                    Duration::from_secs(1)
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.store.deliverable() => {}
                Some(done) = workers.tasks.join_next_with_id() => {
                    self.ended(&mut workers, done, self.clock.now_ms(), clock::random()).await;
                }
                () = tokio::time::sleep(wait) => {}
            }
        }
        let drained = async { while workers.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(self.drain, drained).await.is_err() {
            tracing::warn!(
                "stopping without some of AWS's answers; their events are sent again after the next start"
            );
        }
    }

    /// Starts a worker for every connection that can send; returns the time until the next round.
    async fn round(&self, workers: &mut Workers, stop: &CancellationToken, now: i64) -> Result<Duration> {
        for id in self.store.connections_due(now).await? {
            if !workers.held_off.permits(&id, now) || workers.of.values().any(|busy| *busy == id) {
                continue;
            }
            let worker = worker::Worker {
                store: self.store.clone(),
                partner: self.partner.clone(),
                clock: self.clock.clone(),
                id: id.clone(),
            };
            let task = workers.tasks.spawn(worker.run(stop.clone()));
            workers.of.insert(task.id(), id);
        }
        let next = [self.store.next_due_ms(now).await?, workers.held_off.next_ms(now)];
        let next = next.into_iter().flatten().min();
        Ok(next.map_or(ROUND, |at| wait_until(at, now)))
    }

    /// Handles a worker's end. One that failed is started again after a backoff.
    async fn ended(&self, workers: &mut Workers, done: Done, now: i64, random: f64) {
        let (task, why) = match done {
            Ok((task, Ok(()))) => (task, None),
            Ok((task, Err(error))) => (task, Some(error_chain::with_causes(&error))),
            // Its lease expires, after which the next worker sends its events.
            Err(error) => (
                error.id(),
                Some(format!("the worker panicked: {}", panics::describe(&error))),
            ),
        };
        let Some(id) = workers.of.remove(&task) else {
            return;
        };
        let Some(why) = why else {
            return workers.held_off.succeeded(&id);
        };
        let until_ms = workers.held_off.failed(&id, now, random);
        tracing::error!(connection = %id, why, "a delivery worker failed; retrying after a backoff");
        // Shown in the figures too, if the store can be written.
        if let Err(error) = self.back_off(&id, &why, until_ms).await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the backoff cannot be stored"
            );
        }
    }

    async fn back_off(&self, id: &ConnectionId, why: &str, until_ms: i64) -> Result<()> {
        let mut tx = self.store.begin().await?;
        tx.back_off(id, why, until_ms).await?;
        tx.commit().await
    }
}

fn wait_until(at_ms: i64, now_ms: i64) -> Duration {
    let wait = u64::try_from(at_ms.saturating_sub(now_ms)).unwrap_or_default();
    Duration::from_millis(wait.max(1)).min(ROUND)
}
