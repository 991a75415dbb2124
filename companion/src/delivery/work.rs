//! What is under way and what waits for the store: tasks, answers and looks that are not stored yet, and the regions.

use std::collections::{BTreeMap, HashMap, HashSet};

use scalr_api::ConnectionId;
use tokio::task::{Id, JoinError, JoinSet};

use super::call::{self, Answered};
use super::decide::{Decision, Next};
use super::hold_off::HoldOff;
use super::region::Region;
use crate::aws_error::{AwsError, SourceState};
use crate::partner::Partner;
use crate::store::{Deliverable, Due, Leased, Store};

/// How long good looks wait for a turn.
pub(super) const LOOKS_WAIT_MS: i64 = 1_000;

/// Everything between two turns.
#[derive(Default)]
pub(super) struct Work {
    pub(super) regions: BTreeMap<String, Region>,
    tasks: JoinSet<Ended>,
    of: HashMap<Id, Job>,
    /// Events in calls under way, whatever their leases say: the clock may have moved.
    in_calls: HashMap<i64, ConnectionId>,
    /// Something in doubt waits for the end of a call.
    pub(super) does_doubt_wait: bool,
    /// Calls that AWS has answered, with what follows, not stored yet.
    pub(super) answered: Vec<(Answered, Decision)>,
    /// Leases of calls that were not made, since their commit failed.
    pub(super) unmade: Vec<String>,
    /// Looks, with what follows, not stored yet.
    pub(super) looked: Vec<(Looked, Option<Next>)>,
    /// When the first of these was made.
    pub(super) looked_at_ms: i64,
    /// Regions that throttle or do not answer.
    pub(super) regions_off: HoldOff<String>,
    /// Connections whose last look was not answered.
    pub(super) looks_off: HoldOff<ConnectionId>,
    /// Connections whose events could not be read.
    pub(super) unread: HoldOff<ConnectionId>,
    /// The store, where it fails.
    pub(super) store_off: HoldOff<()>,
    /// The store is to be asked which connections can send.
    pub(super) is_scan_due: bool,
    /// It is to be asked that of these.
    pub(super) to_ask: HashSet<ConnectionId>,
    /// When it is asked at the latest.
    pub(super) scan_at_ms: i64,
}

/// What a task was for.
#[derive(Clone, Debug)]
enum Job {
    /// With the numbers of its events.
    Call(String, Vec<i64>),
    Look(String, ConnectionId),
}

/// How a task ended.
pub(super) enum Ended {
    Call(Box<Answered>),
    Look(Looked),
}

/// A look at a connection's event source.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) id: ConnectionId,
    pub(super) region: String,
    /// The last delivery that it covers.
    pub(super) up_to: i64,
    /// The version of the connection's status before it.
    pub(super) status_version: i64,
    /// How often the connection had failed in a row.
    pub(super) failures: u32,
    /// What it found; none where the connection is gone.
    pub(super) state: Option<Result<SourceState, AwsError>>,
}

/// A task that has ended, or failed.
pub(super) type Done = Result<(Id, Ended), JoinError>;

impl Work {
    /// The store is to be asked for what commits left. Those that have turns already are not asked for again.
    pub(super) fn ask_for(&mut self, woken: Deliverable) {
        self.is_scan_due |= woken.all;
        let regions = &self.regions;
        let new = woken.connections.into_iter();
        self.to_ask
            .extend(new.filter(|id| !regions.values().any(|region| region.has_turn(id))));
    }

    /// The region of this name.
    pub(super) fn region(&mut self, name: &str) -> &mut Region {
        self.regions.entry(name.to_owned()).or_default()
    }

    /// Makes a call.
    pub(super) fn call(&mut self, partner: &Partner, region: &str, leased: Leased) {
        let entries = leased.entries.iter();
        let of = entries.map(|entry| (entry.seq, entry.connection_id.clone()));
        let of: HashMap<_, _> = of.collect();
        let job = Job::Call(region.to_owned(), of.keys().copied().collect());
        self.in_calls.extend(of);
        let task = self
            .tasks
            .spawn(in_call(partner.clone(), region.to_owned(), leased));
        self.of.insert(task.id(), job);
        self.region(region).calls += 1;
    }

    /// A region, and the events in calls under way.
    pub(super) fn region_and_calls(&mut self, region: &str) -> (&mut Region, &HashMap<i64, ConnectionId>) {
        let region = self.regions.entry(region.to_owned()).or_default();
        (region, &self.in_calls)
    }

    /// Whether an event of a connection is in a call under way.
    pub(super) fn is_in_call(&self, id: &ConnectionId) -> bool {
        self.in_calls.values().any(|of| of == id)
    }

    /// Looks at a connection's source.
    pub(super) fn look(
        &mut self,
        (store, partner): (&Store, &Partner),
        id: &ConnectionId,
        region: &str,
        failures: u32,
    ) {
        let looked = Looked {
            id: id.clone(),
            region: region.to_owned(),
            up_to: 0,
            status_version: 0,
            failures,
            state: None,
        };
        let task = self.tasks.spawn(look(store.clone(), partner.clone(), looked));
        self.of
            .insert(task.id(), Job::Look(region.to_owned(), id.clone()));
    }

    /// Whether something waits for the store.
    pub(super) fn is_unstored(&self) -> bool {
        !self.answered.is_empty() || !self.looked.is_empty()
    }

    /// Calls under way.
    pub(super) fn calls(&self) -> usize {
        self.regions.values().map(|region| region.calls).sum()
    }

    /// The next task that ends; none where none is under way.
    pub(super) async fn ended(&mut self) -> Option<Done> {
        self.tasks.join_next_with_id().await
    }

    /// A further one that has ended.
    pub(super) fn ended_too(&mut self) -> Option<Done> {
        self.tasks.try_join_next_with_id()
    }

    /// Takes a task that has ended off the list; what it brought, or why it brought nothing.
    pub(super) fn done(&mut self, done: Done, now_ms: i64) -> Result<Ended, JoinError> {
        let (task, ended) = match done {
            Ok((task, ended)) => (task, Ok(ended)),
            Err(error) => (error.id(), Err(error)),
        };
        match self.of.remove(&task) {
            Some(Job::Call(region, events)) => {
                for event in events {
                    self.in_calls.remove(&event);
                }
                self.is_scan_due |= std::mem::take(&mut self.does_doubt_wait);
                let region = self.region(&region);
                region.calls = region.calls.saturating_sub(1);
            }
            Some(Job::Look(region, id)) if ended.is_err() => {
                self.region(&region).looked(&id, false, now_ms);
            }
            Some(Job::Look(..)) | None => {}
        }
        ended
    }

    /// Keeps what a look has found until it is stored.
    pub(super) fn keep_look(&mut self, looked: Looked, next: Option<Next>, now_ms: i64) {
        if self.looked.is_empty() {
            self.looked_at_ms = now_ms;
        }
        self.looked.push((looked, next));
    }

    /// Whether looks have to be stored now. Good ones wait for others, or for a turn, so that few commits are for them alone.
    pub(super) fn are_looks_due(&self, now_ms: i64) -> bool {
        let since = now_ms.saturating_sub(LOOKS_WAIT_MS)..now_ms;
        let waits =
            self.looked.iter().all(|(_, next)| next.is_none()) && since.contains(&(self.looked_at_ms - 1));
        !self.looked.is_empty() && !waits
    }

    /// Gives the connections of an answered call their next turns, but those that do not continue.
    pub(super) fn continue_with(&mut self, answered: &Answered, decision: &Decision) {
        let mut ids: Vec<&ConnectionId> = answered
            .leased
            .entries
            .iter()
            .map(|entry| &entry.connection_id)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            if decision.connections.contains_key(id) {
                continue;
            }
            self.region(&answered.region).back(Due {
                id: id.clone(),
                region: answered.region.clone(),
                failures: 0,
                is_failing: false,
            });
        }
    }
}

async fn in_call(partner: Partner, region: String, leased: Leased) -> Ended {
    Ended::Call(Box::new(call::make(partner, region, leased).await))
}

/// Reads what a look will cover, and then makes it: what is acknowledged in between is for the next one.
async fn look(store: Store, partner: Partner, mut looked: Looked) -> Ended {
    match store.to_confirm(&looked.id).await {
        Ok(Some(to_confirm)) => {
            looked.up_to = to_confirm.up_to;
            looked.status_version = to_confirm.status_version;
            looked.state = Some(partner.state(&to_confirm.source).await);
        }
        Ok(None) => {}
        Err(error) => {
            let why = format!("The store cannot be read: {error}");
            looked.state = Some(Err(AwsError::Retryable(why)));
        }
    }
    Ended::Look(looked)
}
