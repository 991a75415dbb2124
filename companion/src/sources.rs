//! Keeps AWS's partner sources and our connections the same: the row is written first, AWS follows.
//!
//! A crash between the two leaves a row that says so; [`reconcile`] takes it up at start and from time to time.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use scalr_api::{ConnectionId, Status};
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::clock;
use crate::partner::{AwsError, Partner, SourceState};
use crate::store::{Connection, Result, SourceKey, Store};

/// How long the reconciler waits between two rounds.
const ROUND: Duration = Duration::from_secs(5);
/// When AWS did not delete a source for now.
const UNANSWERED: Backoff = Backoff {
    ms_min: 5_000,
    ms_max: 60_000,
};
/// When AWS refused to delete one: somebody has to put that right there.
const REFUSED: Backoff = Backoff {
    ms_min: 60_000,
    ms_max: 3_600_000,
};

/// What AWS tells sources apart by.
type NameAndRegion = (String, String);

/// The sources. Clones share.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    store: Store,
    partner: Partner,
    // One task at a time works on a source; tasks on other sources are not held up.
    busy: Arc<Mutex<HashMap<NameAndRegion, Arc<tokio::sync::Mutex<()>>>>>,
}

/// What a look at AWS says about a connection: its status, and a word on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) status: Status,
    pub(crate) error: Option<String>,
}

/// A status that was decided on, and the count of decisions then.
#[derive(Clone, Debug)]
struct Decided {
    status: Status,
    decision: i64,
}

impl Decided {
    fn of(connection: &Connection) -> Self {
        Self {
            status: connection.status.clone(),
            decision: connection.decision,
        }
    }
}

impl Sources {
    pub(crate) fn new(store: Store, partner: Partner) -> Self {
        Self {
            store,
            partner,
            busy: Arc::default(),
        }
    }

    async fn alone(&self, source: &SourceKey) -> OwnedMutexGuard<()> {
        let lock = {
            let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
            // Locks that nobody holds are forgotten, so that the map stays as small as what is under way.
            busy.retain(|_, lock| Arc::strong_count(lock) > 1);
            let name = (source.name.clone(), source.region.clone());
            Arc::clone(busy.entry(name).or_default())
        };
        lock.lock_owned().await
    }

    /// Makes sure that AWS has a connection's source.
    pub(crate) async fn ensure(&self, id: &ConnectionId) -> Result<()> {
        self.ensured(id).await.map(drop)
    }

    /// As [`Self::ensure`]; answers what this decided on the connection's status, if anything.
    async fn ensured(&self, id: &ConnectionId) -> Result<Option<Decided>> {
        let Some(connection) = self.store.connection_by_id(id).await? else {
            return Ok(None);
        };
        if connection.source_made {
            return Ok(None);
        }
        let source = &connection.source;
        let _alone = self.alone(source).await;
        // Looked at again: while this waited, the connection may have gone, and its source with it.
        match self.store.connection_by_id(id).await? {
            Some(now) if !now.source_made => {}
            _ => return Ok(None),
        }
        // An earlier connection's source of that name goes first: with it goes what it was associated with.
        let made = match self.finish_removal(source).await? {
            Ok(()) => (self.partner.create(source).await, "AWS refuses the event source"),
            Err(error) => (
                Err(error),
                "AWS refuses to delete the event source that an earlier connection of this name left",
            ),
        };
        self.note_made(&connection, made).await
    }

    /// Notes what came of having a source made. A pause outlasts it, whatever came of it.
    async fn note_made(
        &self,
        connection: &Connection,
        (made, refused): (std::result::Result<(), AwsError>, &str),
    ) -> Result<Option<Decided>> {
        let (id, account) = (&connection.id, &connection.account_id);
        let mut tx = self.store.begin().await?;
        let Some(before) = tx.connection(account, id.as_str()).await? else {
            // Deleted meanwhile: its removal is noted and waits for this lock.
            return Ok(None);
        };
        let (status, error) = match made {
            Ok(()) => {
                tx.set_source_made(id, true).await?;
                let was_refused = before.status == Status::Failed;
                (was_refused.then_some(Status::Pending), None)
            }
            Err(AwsError::Later(why)) => (None, Some(format!("{why}. It is tried again."))),
            Err(refusal @ AwsError::No { .. }) => {
                let is_paused = before.status == Status::Disabled;
                (
                    (!is_paused).then_some(Status::Failed),
                    Some(format!("{refused}: {refusal}")),
                )
            }
        };
        match &status {
            Some(status) => tx.set_status(id, status, error.as_deref()).await?,
            None => tx.set_error(id, error.as_deref()).await?,
        }
        let after = tx.connection(account, id.as_str()).await?;
        tx.commit().await?;
        Ok(status.and(after.as_ref().map(Decided::of)))
    }

    /// Deletes what earlier connections left under this name, for whichever AWS account: the name is taken for all.
    /// What AWS does not delete is kept, to be tried again; the first such answer is the one returned.
    async fn finish_removal(&self, source: &SourceKey) -> Result<std::result::Result<(), AwsError>> {
        let mut all = Ok(());
        for left in self.store.removals_of(source).await? {
            let Err(error) = self.partner.delete(&left.source).await else {
                self.store.removed(&left.source).await?;
                continue;
            };
            let (name, region) = (&left.source.name, &left.source.region);
            let backoff = if let AwsError::No { .. } = error {
                tracing::error!(source = name, region, %error, "AWS refuses to delete a source; it is asked again");
                REFUSED
            } else {
                tracing::warn!(source = name, region, %error, "a source is deleted later");
                UNANSWERED
            };
            let wait_ms = backoff.wait_ms(left.failures, clock::chance());
            let retry_at_ms = clock::now_ms().saturating_add(wait_ms);
            self.store
                .not_removed(&left.source, &error.to_string(), retry_at_ms)
                .await?;
            all = all.and(Err(error));
        }
        Ok(all)
    }

    /// Deletes a source whose connection is gone. What AWS does not do now is left to the reconciler.
    pub(crate) async fn remove(&self, source: &SourceKey) -> Result<()> {
        let _alone = self.alone(source).await;
        self.finish_removal(source).await.map(drop)
    }

    /// Asks AWS how a connection's source is, having it made (again) where it is missing: "Refresh status".
    ///
    /// `asked` is the connection when the caller asked. The answer's second part is the count of decisions on its
    /// status that the look rests on: where there were more meanwhile, the look is worth nothing.
    pub(crate) async fn refresh(&self, asked: &Connection) -> Result<(Seen, i64)> {
        let mut rests_on = Decided::of(asked);
        if let Some(decided) = self.ensured(&asked.id).await? {
            rests_on = decided;
        }
        let mut state = self.partner.state(&asked.source).await;
        if matches!(state, Ok(SourceState::Missing | SourceState::Deleted)) {
            let mut tx = self.store.begin().await?;
            tx.set_source_made(&asked.id, false).await?;
            tx.commit().await?;
            if let Some(decided) = self.ensured(&asked.id).await? {
                rests_on = decided;
            }
            state = self.partner.state(&asked.source).await;
        }
        Ok((seen(state, &rests_on.status), rests_on.decision))
    }

    /// Takes up what a crash or an unreachable AWS left undone, until stopped.
    pub(crate) async fn reconcile(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                // Cut short it is as after a crash: the rows say what is left to do.
                () = stop.cancelled() => return,
                () = self.round() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(ROUND) => {}
            }
        }
    }

    /// One look at all that is left to do. Side by side: a region that does not answer, or a row that does not
    /// read, must not hold up the others.
    async fn round(&self) {
        let gone = self.store.removals_due(clock::now_ms()).await;
        let names: BTreeMap<NameAndRegion, SourceKey> = noted(gone)
            .unwrap_or_default()
            .into_iter()
            .map(|source| ((source.name.clone(), source.region.clone()), source))
            .collect();
        let waiting = noted(self.store.connections_without_source().await).unwrap_or_default();
        let (removed, made) = tokio::join!(
            join_all(names.values().map(|source| self.remove(source))),
            join_all(waiting.iter().map(|id| self.ensure(id))),
        );
        for done in removed.into_iter().chain(made) {
            noted(done);
        }
    }
}

fn noted<T>(done: Result<T>) -> Option<T> {
    done.inspect_err(|error| {
        tracing::error!(
            error = error as &dyn std::error::Error,
            "the sources cannot be looked after"
        );
    })
    .ok()
}

/// What AWS's answer means for a connection that was in this status.
fn seen(state: std::result::Result<SourceState, AwsError>, before: &Status) -> Seen {
    let waits = |status: Status| Seen { status, error: None };
    match state {
        Ok(SourceState::Active) => waits(Status::Active),
        Ok(SourceState::Pending) => waits(Status::Pending),
        Ok(SourceState::Deleted) => {
            failed("The event source was deleted at AWS. Refresh the status to have it made again.")
        }
        Ok(SourceState::Missing) => {
            failed("AWS has no such event source. Refresh the status to have it made again.")
        }
        // Nothing is known: what held still holds, but a paused connection asked to resume has to wait.
        Err(AwsError::Later(why)) => Seen {
            status: if *before == Status::Disabled {
                Status::Pending
            } else {
                before.clone()
            },
            error: Some(format!("{why}. Refresh the status again.")),
        },
        Err(refusal @ AwsError::No { .. }) => {
            failed(format!("AWS refuses to tell the event source's state: {refusal}"))
        }
    }
}

fn failed(error: impl Into<String>) -> Seen {
    Seen {
        status: Status::Failed,
        error: Some(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(
        state: std::result::Result<SourceState, AwsError>,
        before: &Status,
        want: &Status,
        says: Option<&str>,
    ) {
        let have = seen(state, before);
        assert_eq!(have.status, *want);
        let error = have.error.unwrap_or_default();
        assert!(
            says.map_or(error.is_empty(), |part| error.contains(part)),
            "{error:?}"
        );
    }

    #[test]
    fn a_look_settles_the_status() {
        let late = || Err(AwsError::Later("no answer".into()));
        let no = || {
            Err(AwsError::No {
                code: "AccessDenied".into(),
                message: "no".into(),
            })
        };
        check(Ok(SourceState::Active), &Status::Pending, &Status::Active, None);
        check(Ok(SourceState::Pending), &Status::Active, &Status::Pending, None);
        check(
            Ok(SourceState::Deleted),
            &Status::Active,
            &Status::Failed,
            Some("deleted at AWS"),
        );
        check(
            Ok(SourceState::Missing),
            &Status::Active,
            &Status::Failed,
            Some("no such event source"),
        );
        check(
            late(),
            &Status::Active,
            &Status::Active,
            Some("no answer. Refresh"),
        );
        check(late(), &Status::Disabled, &Status::Pending, Some("no answer"));
        check(no(), &Status::Pending, &Status::Failed, Some("AccessDenied"));
    }
}
