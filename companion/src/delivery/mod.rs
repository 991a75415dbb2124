//! Durable delivery: accepted events are sent from their stored rows to AWS, at least once, until AWS has taken them.
//!
//! One task decides, in turns: it stores what AWS has answered and leases the next calls, all in one transaction; calls and looks at
//! event sources are tasks of their own. A call holds events of any connections of its region; a few calls of a region are under way at
//! a time, so that a region that hangs delays no other. Delivered means acknowledged: AWS acknowledges also what it drops because the
//! source is not ACTIVE, so a look follows each call, on a budget, and until it was good nothing is forgotten.
//!
//! Never: an event is deleted before AWS's answer is stored; two events of a lane are in flight at once.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! batch budget decide hold_off   leaves: filling calls; calls a second; what AWS's answers mean; backoff
//! call region                    one call; whose turn it is in a region
//! work                           what is under way, and what waits for the store
//! turn                           one transaction: answers are stored, calls leased
//! ```

mod batch;
mod budget;
mod call;
mod decide;
#[cfg(test)]
mod faults;
mod hold_off;
mod region;
#[cfg(test)]
mod tests;
mod turn;
mod work;

use std::time::Duration;

use scalr_api::ConnectionId;
use tokio_util::sync::CancellationToken;

pub(crate) use batch::DETAIL_BYTES_MAX;

use crate::aws_error::AwsError;
use crate::clock::{self, Clock, Trust};
use crate::panics;
use crate::partner::Partner;
use crate::store::{Due, Result, Store};
use decide::Now;
use turn::Means;
use work::{Done, Ended, LOOKS_WAIT_MS, Looked, Work};

/// Longest wait between two rounds.
const ROUND: Duration = Duration::from_secs(15);
const ROUND_MS: i64 = 15_000;

/// Delivery, as a value to run.
pub(crate) struct Delivery {
    pub(crate) store: Store,
    pub(crate) partner: Partner,
    pub(crate) clock: Clock,
    /// How long AWS's last answers are waited for after a stop.
    pub(crate) drain: Duration,
    /// Calls of a region that are under way at a time.
    pub(crate) calls_max: usize,
}

impl Delivery {
    /// Delivers until stopped; then the answers of calls under way are waited for.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut work = Work::default();
        loop {
            let wait = self.step(&mut work, self.clock.now_ms()).await;
            tokio::select! {
                () = stop.cancelled() => break,
                woken = self.store.deliverable() => work.ask_for(woken),
                Some(done) = work.ended() => self.ended(&mut work, done),
                () = tokio::time::sleep(wait) => {}
            }
            while let Some(done) = work.ended_too() {
                self.ended(&mut work, done);
            }
        }
        if tokio::time::timeout(self.drain, self.drain(&mut work))
            .await
            .is_err()
        {
            tracing::warn!(
                "stopping without some of AWS's answers; their events are sent again after the next start"
            );
        }
    }

    fn means(&self) -> Means<'_> {
        Means {
            store: &self.store,
            partner: &self.partner,
            calls_max: self.calls_max,
        }
    }

    /// Waits for the answers of calls under way, and stores them.
    async fn drain(&self, work: &mut Work) {
        let mut failures = 0;
        while work.calls() > 0 || work.is_unstored() {
            if work.is_unstored() {
                if self.means().turn(work, self.clock.now_ms(), false).await.is_ok() {
                    continue;
                }
                let wait = crate::schedule::DELIVERY.wait_ms(failures, clock::random());
                failures = failures.saturating_add(1);
                tokio::time::sleep(Duration::from_millis(wait.unsigned_abs())).await;
                continue;
            }
            let Some(done) = work.ended().await else { return };
            self.ended(work, done);
        }
    }

    /// Does what can be done now; returns the time until there is more by itself.
    async fn step(&self, work: &mut Work, now: i64) -> Duration {
        if !work.store_off.permits(&(), now) {
            return wait_until(work.store_off.next_ms(now).unwrap_or(now), now);
        }
        match self.try_step(work, now).await {
            Ok(()) => work.store_off.succeeded(&()),
            Err(error) => {
                let is_answer = !work.answered.is_empty();
                work.is_scan_due = true;
                let until_ms = work.store_off.failed(&(), now, clock::random());
                let what = if is_answer {
                    "AWS's answer cannot be stored; retrying"
                } else {
                    "delivery cannot use the store; retrying"
                };
                tracing::error!(error = &error as &dyn std::error::Error, "{what}");
                return wait_until(until_ms, now);
            }
        }
        if work.is_scan_due {
            return wait_until(now, now);
        }
        let off = [work.regions_off.next_ms(now), work.looks_off.next_ms(now)];
        let looks_off = &work.looks_off;
        let looks = work
            .regions
            .values_mut()
            .map(|region| region.next_look_ms(now, |id| looks_off.permits(id, now)));
        let to_store = (!work.looked.is_empty()).then(|| work.looked_at_ms.saturating_add(LOOKS_WAIT_MS));
        let next = looks
            .chain(off)
            .chain([to_store])
            .flatten()
            .chain([work.scan_at_ms])
            .min();
        wait_until(next.unwrap_or(work.scan_at_ms), now)
    }

    async fn try_step(&self, work: &mut Work, now: i64) -> Result<()> {
        // A time further ahead was set before the clock was set back.
        let is_time = now >= work.scan_at_ms || work.scan_at_ms > now.saturating_add(ROUND_MS);
        if work.is_scan_due || is_time {
            self.scan(work, now).await?;
        } else if !work.to_ask.is_empty() {
            self.ask(work, now).await?;
        }
        let names: Vec<String> = work.regions.keys().cloned().collect();
        for name in names {
            let off = &work.looks_off;
            let Some(region) = work.regions.get_mut(&name) else {
                continue;
            };
            let started = region.looks(now, |id| off.permits(id, now));
            for id in started {
                work.look((&self.store, &self.partner), &id, &name, 0);
            }
        }
        self.means().turn(work, now, true).await
    }

    /// Asks the store which of the connections with new events can send.
    async fn ask(&self, work: &mut Work, now: i64) -> Result<()> {
        let asked = std::mem::take(&mut work.to_ask);
        let (due, next) = self.store.connections_due_of(&asked, now).await?;
        self.offer(work, due, now);
        if let Some(next) = next {
            work.scan_at_ms = work.scan_at_ms.min(next);
        }
        Ok(())
    }

    /// Gives connections that can send their turns.
    fn offer(&self, work: &mut Work, all: Vec<Due>, now: i64) {
        for due in all {
            if !work.unread.permits(&due.id, now) {
                continue;
            }
            let (id, region, failures) = (due.id.clone(), due.region.clone(), due.failures);
            if work.region(&region).offer(due, now) {
                work.look((&self.store, &self.partner), &id, &region, failures);
            }
        }
    }

    /// Asks the store which connections can send, and which are to be looked at.
    async fn scan(&self, work: &mut Work, now: i64) -> Result<()> {
        let mut is_moving = false;
        work.to_ask.clear();
        work.does_doubt_wait = false;
        for id in self.store.doubted().await? {
            // What a call may still bring in doubt is older than what is sent next.
            if work.is_in_call(&id) {
                work.does_doubt_wait = true;
            } else {
                is_moving |= self.move_back(&id, now).await?;
            }
        }
        let due = self.store.connections_due(now).await?;
        self.offer(work, due, now);
        for (id, region) in self.store.not_confirmed().await? {
            work.region(&region).want_look(&id);
        }
        for region in work.regions.values_mut() {
            region.prune(now);
        }
        let next = self.store.next_due_ms(now).await?;
        let round = now.saturating_add(ROUND_MS);
        work.scan_at_ms = next.map_or(round, |next| next.clamp(now.saturating_add(1), round));
        work.is_scan_due = is_moving;
        Ok(())
    }

    /// Moves some of a connection's deliveries in doubt back to the outbox: others come between. Whether there were any.
    async fn move_back(&self, id: &ConnectionId, now: i64) -> Result<bool> {
        let mut tx = self.store.begin().await?;
        let moved = tx.move_doubted(id, now).await?;
        tx.commit().await?;
        if moved > 0 {
            tracing::warn!(
                connection = %id, events = moved,
                "AWS acknowledged events, and their event source was not ACTIVE afterwards; they are sent again once it is"
            );
        }
        Ok(moved > 0)
    }

    /// Decides on a task that has ended. What follows is stored by the next turn.
    fn ended(&self, work: &mut Work, done: Done) {
        let now = self.now();
        match work.done(done, now.ms) {
            Ok(Ended::Call(answered)) => {
                let decision = decide::after_put(&answered.leased.entries, answered.put.clone(), now);
                let (region, has_failed) = (&answered.region, decision.region.is_some());
                let counts = work.regions_off.ended(region, has_failed, now.ms, now.random);
                if let Some(why) = decision.region.as_ref().filter(|_| counts) {
                    tracing::warn!(region, why, "events are held until a retry");
                }
                work.continue_with(&answered, &decision);
                work.answered.push((*answered, decision));
            }
            Ok(Ended::Look(looked)) => looked_at(work, looked, now),
            // The leases of a call expire, after which its events are sent again.
            Err(error) => {
                work.is_scan_due = true;
                tracing::error!(
                    why = panics::describe(&error),
                    "a task of the delivery panicked; what it did is done again"
                );
            }
        }
    }

    fn now(&self) -> Now {
        Now {
            ms: self.clock.now_ms(),
            random: clock::random(),
            // No event fails for its age while that is in doubt.
            retry_ms_max: match self.clock.trust() {
                Trust::Confirmed => self.store.retry_ms_max(),
                Trust::Started { .. } | Trust::Moved { .. } => i64::MAX,
            },
        }
    }
}

/// Decides on a look. One that AWS does not answer stops a connection only where its events wait for the look.
fn looked_at(work: &mut Work, looked: Looked, now: Now) {
    let Some(state) = looked.state.clone() else {
        // The connection is gone.
        work.region(&looked.region).looked(&looked.id, false, now.ms);
        return;
    };
    let is_unanswered = matches!(&state, Err(error) if is_unanswered(error));
    let next = decide::after_look(state, looked.failures, now);
    let region = work.region(&looked.region);
    let did_wait = region.looked(&looked.id, next.is_none(), now.ms);
    if is_unanswered {
        region.want_look(&looked.id);
        work.looks_off.failed(&looked.id, now.ms, now.random);
        if !did_wait {
            tracing::warn!(
                connection = %looked.id,
                "AWS does not say whether the event source is ACTIVE; what it acknowledged since the last time is kept"
            );
            return;
        }
    } else {
        work.looks_off.succeeded(&looked.id);
    }
    work.keep_look(looked, next, now.ms);
}

/// Whether a look has not said what the source's state is.
fn is_unanswered(error: &AwsError) -> bool {
    matches!(error, AwsError::Retryable(_)) || error.is_of_the_caller()
}

fn wait_until(at_ms: i64, now_ms: i64) -> Duration {
    let wait = u64::try_from(at_ms.saturating_sub(now_ms)).unwrap_or_default();
    Duration::from_millis(wait.max(1)).min(ROUND)
}
