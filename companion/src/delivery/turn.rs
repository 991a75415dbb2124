//! One turn: what AWS has answered is stored and the next calls are leased, in one transaction, so that many share a commit.

use std::collections::{BTreeSet, HashMap};

use scalr_api::{ConnectionId, Status};

use super::batch::Batch;
use super::call::Answered;
use super::decide::{Decision, Next};
use super::region::Region;
use super::work::{Looked, Work};
use crate::event_bus::CallLimits;
use crate::partner::Partner;
use crate::schedule::LEASE_MS;
use crate::store::{Ending, Entry, Leased, Result, Settlement, Store, StoreError, Tx};
use crate::{clock, ids};

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
        let are_looks_due = work.are_looks_due(now) || !starts;
        let is_idle = work.answered.is_empty() && free.is_empty() && work.unmade.is_empty();
        if is_idle && !(are_looks_due && work.is_unstored()) {
            return Ok(());
        }
        let mut tx = self.store.begin_first().await?;
        tx.release(&work.unmade).await?;
        settle(&mut tx, &work.answered, now).await?;
        for (looked, next) in &work.looked {
            conclude(&mut tx, looked, next.as_ref()).await?;
        }
        remove_stopped(work);
        let mut unread = vec![];
        let leased = self.lease(&mut tx, work, (free, &mut unread), now).await;
        for id in unread {
            let until_ms = work.unread.failed(&id, now, clock::random());
            work.scan_at_ms = work.scan_at_ms.min(until_ms);
        }
        let Some(leased) = leased? else {
            work.is_scan_due = true;
            return Ok(());
        };
        if let Err(error) = tx.commit().await {
            // A database on a server may have committed all the same: then there are leases of calls that nobody makes.
            work.unmade.extend(leased.into_iter().map(|(_, call)| call.lease));
            return Err(error);
        }
        work.is_scan_due |= !std::mem::take(&mut work.unmade).is_empty();
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

    /// Leases so many calls of each region. Adds the connections whose events cannot be read to those; none where, for one of them, nothing
    /// more can be done in this transaction, and the turn is taken again without it.
    async fn lease(
        &self,
        tx: &mut Tx,
        work: &mut Work,
        (free, unread): (Vec<(String, usize)>, &mut Vec<ConnectionId>),
        now: i64,
    ) -> Result<Option<Vec<(String, Leased)>>> {
        let mut leased = vec![];
        for (name, calls) in free {
            let (region, in_calls) = work.region_and_calls(&name);
            for _ in 0..calls {
                let of = (in_calls, self.partner.limits(&name));
                let Some(call) = fill(tx, region, of, unread, now).await? else {
                    break;
                };
                leased.push((name.clone(), call));
            }
            if tx.is_spent() {
                return Ok(None);
            }
        }
        Ok(Some(leased))
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
    // Calls that fail together are one failure of a connection.
    let mut counted = BTreeSet::new();
    for (answered, decision) in answered {
        for (id, next) in &decision.connections {
            stop(tx, id, next, None).await?;
        }
        if let Some(why) = &decision.region {
            let entries = answered.leased.entries.iter().zip(&decision.settlements);
            let kept = entries.filter(|(_, settlement)| settlement.is_kept());
            let ids = kept.map(|(entry, _)| &entry.connection_id);
            let ids: Vec<&ConnectionId> = ids.filter(|id| counted.insert(*id)).collect();
            tx.call_failed(&ids, why).await?;
        }
    }
    Ok(())
}

/// Takes their turns from the connections that do not continue: the store says when they do.
fn remove_stopped(work: &mut Work) {
    let (answered, looked) = (&work.answered, &work.looked);
    let calls = answered.iter().flat_map(|(answered, decision)| {
        let ids = decision.connections.keys();
        ids.map(|id| (answered.region.as_str(), id))
    });
    let looks = looked.iter().filter(|(_, next)| next.is_some());
    let looks = looks.map(|(looked, _)| (looked.region.as_str(), &looked.id));
    for (region, id) in calls.chain(looks) {
        if let Some(region) = work.regions.get_mut(region) {
            region.remove(id);
        }
    }
}

/// Stores that a connection does not continue: with `base`, a version of its status, where nothing decided on that meanwhile.
async fn stop(tx: &mut Tx, id: &ConnectionId, next: &Next, base: Option<i64>) -> Result<()> {
    match next {
        Next::BackOff { until_ms, why } => {
            tracing::warn!(connection = %id, why, "events are held until a retry");
            tx.back_off(id, why, *until_ms).await
        }
        Next::Pending => {
            tracing::warn!(connection = %id, "the event source has no bus; events are held");
            tx.stop_sending(id, &Status::Pending, None, base).await
        }
        Next::Failed { why } => {
            tracing::error!(connection = %id, why, "the connection failed; events are held");
            tx.stop_sending(id, &Status::Failed, Some(why), base).await
        }
    }
}

/// Stores what a look has found.
async fn conclude(tx: &mut Tx, looked: &Looked, next: Option<&Next>) -> Result<()> {
    match next {
        None => tx.confirm(&looked.id, looked.up_to).await,
        Some(next) => stop(tx, &looked.id, next, Some(looked.status_version)).await,
    }
}

/// Leases a call of the connections whose turn it is; none where nothing of theirs can be sent. What is in a call under way is left
/// out, also where its lease has run out.
async fn fill(
    tx: &mut Tx,
    region: &mut Region,
    (in_calls, limits): (&HashMap<i64, ConnectionId>, CallLimits),
    unread: &mut Vec<ConnectionId>,
    now: i64,
) -> Result<Option<Leased>> {
    let (mut batch, mut more, mut first) = (Batch::new(limits), vec![], None);
    while batch.room() > 0 {
        let Some(due) = region.next(!batch.entries.is_empty()) else {
            break;
        };
        let limit = batch.room();
        let found = tx.sendable(&due.id, i64::try_from(limit).unwrap_or(1), now).await;
        let mut entries = match found {
            Ok(entries) => entries,
            Err(StoreError::Unreadable(what)) => {
                fail(tx, &due.id, &what).await?;
                continue;
            }
            Err(error) if error.is_of_the_server() => return Err(error),
            // It has lost its turn, which a later scan gives it again; the answers and the other connections do not wait for it.
            Err(error) => {
                let why = &error as &dyn std::error::Error;
                tracing::error!(connection = %due.id, error = why, "what a connection holds cannot be read; it will be retried");
                unread.push(due.id);
                if tx.is_spent() {
                    return Ok(None);
                }
                continue;
            }
        };
        let is_full = entries.len() == limit;
        entries.retain(|entry| !in_calls.contains_key(&entry.seq));
        let (is_empty, is_alone, before) = (entries.is_empty(), due.is_failing, batch.entries.len());
        if !batch.add(entries) {
            if batch.entries.len() == before {
                first = Some(due);
            } else {
                more.push(due);
            }
            break;
        }
        if is_full {
            more.push(due);
        }
        if is_alone && !is_empty {
            break;
        }
    }
    for due in more {
        region.back(due);
    }
    // A large event would never find a call with room for it.
    if let Some(due) = first {
        region.front(due);
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
    stop(tx, id, &Next::Failed { why }, None).await
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
        } if decision.region.as_ref() != Some(error) && !decision.connections.contains_key(connection) => {
            tracing::warn!(%connection, event, error, "AWS did not take this event; it will be retried");
        }
        Settlement::Delivered => {
            tracing::info!(%connection, event, "AWS acknowledged an event");
        }
        Settlement::Retry { .. } => {}
    }
}
