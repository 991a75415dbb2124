//! One turn: what AWS has answered is stored and the next calls are leased, in one transaction, so that many share a commit.

use std::collections::BTreeSet;

use scalr_api::{ConnectionId, Status};

use super::batch::Batch;
use super::call::Answered;
use super::decide::{Decision, Next};
use super::region::Region;
use super::work::{Looked, Work};
use crate::ids;
use crate::partner::Partner;
use crate::schedule::LEASE_MS;
use crate::store::{Ending, Entry, Leased, Result, Settlement, Store, StoreError, Tx};

/// What a turn works with.
pub(super) struct Means<'a> {
    pub(super) store: &'a Store,
    pub(super) partner: &'a Partner,
    /// Calls of a region that are under way at a time.
    pub(super) calls_max: usize,
}

impl Means<'_> {
    /// Stores what has been answered and looked at, and leases and starts further calls where that is wanted. Where it fails nothing has
    /// happened but that connections have lost their turns, which the next scan gives them again.
    pub(super) async fn turn(&self, work: &mut Work, now: i64, starts: bool) -> Result<()> {
        let free = if starts { self.free(work, now) } else { vec![] };
        if work.answered.is_empty() && free.is_empty() && !work.are_looks_due(now) {
            return Ok(());
        }
        let mut tx = self.store.begin_first().await?;
        settle(&mut tx, &work.answered, now).await?;
        for (looked, next) in &work.looked {
            conclude(&mut tx, looked, next.as_ref()).await?;
        }
        let mut leased = vec![];
        for (name, calls) in free {
            let region = work.region(&name);
            for _ in 0..calls {
                let Some(call) = fill(&mut tx, region, now).await? else {
                    break;
                };
                leased.push((name.clone(), call));
            }
        }
        tx.commit().await?;
        for (answered, decision) in std::mem::take(&mut work.answered) {
            stored(work, &answered, &decision);
        }
        // One that does not continue may have to wait.
        let looked = std::mem::take(&mut work.looked);
        work.is_scan_due |= looked.iter().any(|(_, next)| next.is_some());
        for (region, call) in leased {
            work.call(self.partner, &region, call);
        }
        Ok(())
    }

    /// The regions that can send, with how many calls more each may make. One that fails is tried by one call.
    fn free(&self, work: &Work, now: i64) -> Vec<(String, usize)> {
        let can_send = work
            .regions
            .iter()
            .filter(|(name, region)| region.has_ready() && work.regions_off.permits(name, now));
        let free = can_send.map(|(name, region)| {
            let most = if work.regions_off.is_failing(name) {
                1
            } else {
                self.calls_max
            };
            (name.clone(), most.saturating_sub(region.calls))
        });
        free.filter(|(_, calls)| *calls > 0).collect()
    }
}

/// Stores how the leases of these calls end, and what that means for their connections.
async fn settle(tx: &mut Tx, answered: &[(Answered, Decision)], now: i64) -> Result<()> {
    let endings = answered.iter().flat_map(|(answered, decision)| {
        let lease = answered.leased.lease.as_str();
        let entries = answered.leased.entries.iter().zip(&decision.settlements);
        entries.map(move |(entry, settlement)| Ending {
            seq: entry.seq,
            lease,
            settlement,
        })
    });
    let endings: Vec<_> = endings.collect();
    tx.settle(&endings, now).await?;
    for (answered, decision) in answered {
        for (id, next) in &decision.connections {
            stop(tx, id, next).await?;
        }
        if let Some(why) = &decision.region {
            let ids: BTreeSet<_> = answered
                .leased
                .entries
                .iter()
                .map(|entry| &entry.connection_id)
                .collect();
            let ids: Vec<&ConnectionId> = ids.into_iter().collect();
            tx.call_failed(&ids, why).await?;
        }
    }
    Ok(())
}

/// Stores that a connection does not continue.
async fn stop(tx: &mut Tx, id: &ConnectionId, next: &Next) -> Result<()> {
    match next {
        Next::BackOff { until_ms, why } => {
            tracing::warn!(connection = %id, why, "events are held until a retry");
            tx.back_off(id, why, *until_ms).await
        }
        Next::Pending => {
            tracing::warn!(connection = %id, "the event source has no bus; events are held");
            tx.stop_sending(id, &Status::Pending, None).await
        }
        Next::Failed { why } => {
            tracing::error!(connection = %id, why, "the connection failed; events are held");
            tx.stop_sending(id, &Status::Failed, Some(why)).await
        }
    }
}

/// Stores what a look has found.
async fn conclude(tx: &mut Tx, looked: &Looked, next: Option<&Next>) -> Result<()> {
    match next {
        None => tx.confirm(&looked.id, looked.up_to).await,
        Some(next) => stop(tx, &looked.id, next).await,
    }
}

/// Leases a call of the connections whose turn it is; none where nothing of theirs can be sent.
async fn fill(tx: &mut Tx, region: &mut Region, now: i64) -> Result<Option<Leased>> {
    let (mut batch, mut more) = (Batch::default(), vec![]);
    while batch.room() > 0 {
        let Some(due) = region.next(!batch.entries.is_empty()) else {
            break;
        };
        let limit = batch.room();
        let found = tx.sendable(&due.id, i64::try_from(limit).unwrap_or(1), now).await;
        let entries = match found {
            Ok(entries) => entries,
            Err(StoreError::Unreadable(what)) => {
                fail(tx, &due.id, &what).await?;
                continue;
            }
            Err(error) => return Err(error),
        };
        let (is_full, is_alone) = (entries.len() == limit, due.is_failing);
        let is_empty = entries.is_empty();
        if !batch.add(entries) || is_full {
            more.push(due);
        }
        if is_alone && !is_empty {
            break;
        }
    }
    for due in more {
        region.back(due);
    }
    if batch.entries.is_empty() {
        return Ok(None);
    }
    let until = now.saturating_add(LEASE_MS);
    tx.lease(batch.entries, ids::request(), until).await.map(Some)
}

/// Fails a connection: what it holds cannot be read by this version.
async fn fail(tx: &mut Tx, id: &ConnectionId, what: &str) -> Result<()> {
    let why = format!(
        "What is held cannot be sent by this version of the companion: {what}. A newer version stored it. Nothing is \
         lost: start that version again, then refresh the status."
    );
    stop(tx, id, &Next::Failed { why }).await
}

/// What follows once AWS's answer is stored: it is logged, and what AWS has acknowledged is to be confirmed by a look.
fn stored(work: &mut Work, answered: &Answered, decision: &Decision) {
    // Something may have to wait, and only the store knows until when.
    let mut waits = !decision.connections.is_empty();
    for (entry, settlement) in answered.leased.entries.iter().zip(&decision.settlements) {
        log(entry, settlement, decision);
        waits |= *settlement != Settlement::Delivered;
        if *settlement == Settlement::Delivered {
            work.region(&answered.region).want_look(&entry.connection_id);
        }
    }
    work.is_scan_due |= waits;
}

/// Logs what became of an event, unless its call or its connection failed, which is logged once.
fn log(entry: &Entry, settlement: &Settlement, decision: &Decision) {
    let (connection, event) = (&entry.connection_id, entry.event_id.as_str());
    match settlement {
        Settlement::Refused { error } => {
            tracing::error!(
                %connection, event, error,
                "AWS does not take this event; it has failed, and is kept until `deliveries redeliver` or `deliveries purge`"
            );
        }
        Settlement::NotTaken { error, .. } => {
            tracing::warn!(%connection, event, error, "AWS did not take this event; it will be retried");
        }
        Settlement::Retry {
            error: Some(error), ..
        } if decision.region.is_none() && !decision.connections.contains_key(connection) => {
            tracing::warn!(%connection, event, error, "AWS did not take this event; it will be retried");
        }
        Settlement::Delivered => {
            tracing::info!(%connection, event, "AWS acknowledged an event");
        }
        Settlement::Retry { .. } => {}
    }
}
