//! Keeps AWS's partner sources in step with the stored connections: the row is written first, then AWS is called.
//!
//! A crash between the two leaves a row that says what is left to do; [`Sources::reconcile`] does it at the start and every
//! few seconds.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use scalr_api::{ConnectionId, Status};
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

use crate::aws_error::{AwsError, SourceHealth, SourceState};
use crate::clock::{self, Clock};
use crate::partner::Partner;
use crate::schedule::{REFUSED_REMOVAL, REMOVAL};
use crate::store::{Connection, Result, SourceKey, Store};

/// Wait between two rounds of the reconciler.
const ROUND: Duration = Duration::from_secs(5);

/// What identifies a source at AWS.
type NameAndRegion = (String, String);

/// The sources; clones share the locks.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    store: Store,
    partner: Partner,
    clock: Clock,
    // One lock a source: tasks on other sources are not delayed.
    locks: Arc<Mutex<HashMap<NameAndRegion, Arc<tokio::sync::Mutex<()>>>>>,
}

/// The status that AWS's answer means for a connection, with its error message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObservedStatus {
    pub(crate) status: Status,
    pub(crate) error: Option<String>,
}

/// A stored status with its version.
#[derive(Clone, Debug)]
struct VersionedStatus {
    status: Status,
    version: i64,
}

impl VersionedStatus {
    fn of(connection: &Connection) -> Self {
        Self {
            status: connection.status.clone(),
            version: connection.status_version,
        }
    }
}

impl Sources {
    pub(crate) fn new(store: Store, partner: Partner, clock: Clock) -> Self {
        Self {
            store,
            partner,
            clock,
            locks: Arc::default(),
        }
    }

    async fn lock(&self, source: &SourceKey) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            // Locks that nobody holds leave the map, so that it stays as small as the number of running tasks.
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            let name = (source.name.clone(), source.region.clone());
            Arc::clone(locks.entry(name).or_default())
        };
        lock.lock_owned().await
    }

    /// Ensures that AWS has a connection's source.
    pub(crate) async fn ensure(&self, id: &ConnectionId) -> Result<()> {
        self.ensured(id).await.map(drop)
    }

    /// As [`Self::ensure`]; returns the connection's status if this changed it.
    async fn ensured(&self, id: &ConnectionId) -> Result<Option<VersionedStatus>> {
        let Some(connection) = self.store.connection_by_id(id).await? else {
            return Ok(None);
        };
        if connection.source_made {
            return Ok(None);
        }
        let source = &connection.source;
        let _lock = self.lock(source).await;
        // Read again under the lock: meanwhile the connection may have been deleted, and its source with it.
        match self.store.connection_by_id(id).await? {
            Some(now) if !now.source_made => {}
            _ => return Ok(None),
        }
        // The source that an earlier connection of this name left is deleted first, with the bus associated with it.
        let created = match self.finish_removal(source).await? {
            Ok(()) => (self.partner.create(source).await, "AWS refuses the event source"),
            Err(error) => (
                Err(error),
                "AWS refuses to delete the event source that an earlier connection of this name left",
            ),
        };
        self.record_creation(&connection, created).await
    }

    /// Records the result of creating a source. A connection that was paused meanwhile stays paused, whatever the result.
    async fn record_creation(
        &self,
        connection: &Connection,
        (created, refused): (std::result::Result<(), AwsError>, &str),
    ) -> Result<Option<VersionedStatus>> {
        let (id, account) = (&connection.id, &connection.account_id);
        let mut tx = self.store.begin().await?;
        let Some(before) = tx.connection(account, id.as_str()).await? else {
            // Deleted meanwhile: the removal of its source is queued and waits for this lock.
            return Ok(None);
        };
        let (status, error) = match created {
            Ok(()) => {
                tx.set_source_made(id, true).await?;
                let was_refused = before.status == Status::Failed;
                (was_refused.then_some(Status::Pending), None)
            }
            Err(AwsError::Retryable(why)) => (None, Some(format!("{why}. It will be retried."))),
            Err(refusal @ AwsError::Refused { .. }) => {
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
        Ok(status.and(after.as_ref().map(VersionedStatus::of)))
    }

    /// Deletes the sources that earlier connections left under this name, for any AWS account: one of them blocks the name
    /// for all. A source that AWS does not delete stays in the queue for a retry; the first such error is returned.
    async fn finish_removal(&self, source: &SourceKey) -> Result<std::result::Result<(), AwsError>> {
        let mut all = Ok(());
        for left in self.store.removals_of(source).await? {
            let Err(error) = self.partner.delete(&left.source).await else {
                self.store.removed(&left.source).await?;
                continue;
            };
            let (name, region) = (&left.source.name, &left.source.region);
            let backoff = if let AwsError::Refused { .. } = error {
                tracing::error!(source = name, region, %error, "AWS refuses to delete a source; it will be retried");
                REFUSED_REMOVAL
            } else {
                tracing::warn!(source = name, region, %error, "a source cannot be deleted now; it will be retried");
                REMOVAL
            };
            let wait_ms = backoff.wait_ms(left.failures, clock::random());
            let retry_at_ms = self.clock.now_ms().saturating_add(wait_ms);
            self.store
                .not_removed(&left.source, &error.to_string(), retry_at_ms)
                .await?;
            all = all.and(Err(error));
        }
        Ok(all)
    }

    /// Deletes a source whose connection is gone. What fails now is left to the reconciler.
    pub(crate) async fn remove(&self, source: &SourceKey) -> Result<()> {
        let _lock = self.lock(source).await;
        self.finish_removal(source).await.map(drop)
    }

    /// The state of a connection's source, as AWS says it.
    pub(crate) async fn state(&self, connection: &Connection) -> std::result::Result<SourceState, AwsError> {
        self.partner.state(&connection.source).await
    }

    /// "Refresh status": reads the state of a connection's source from AWS, after creating the source (again) where it is
    /// missing.
    ///
    /// `connection` is as the caller read it. Returned with the observed status is the version of the status that it is
    /// based on: where the stored version is another by then, the observation is stale.
    pub(crate) async fn refresh(&self, connection: &Connection) -> Result<(ObservedStatus, i64)> {
        let mut base = VersionedStatus::of(connection);
        if let Some(changed) = self.ensured(&connection.id).await? {
            base = changed;
        }
        let mut state = self.partner.state(&connection.source).await;
        if matches!(state, Ok(SourceState::Missing | SourceState::Deleted)) {
            let mut tx = self.store.begin().await?;
            tx.set_source_made(&connection.id, false).await?;
            tx.commit().await?;
            if let Some(changed) = self.ensured(&connection.id).await? {
                base = changed;
            }
            state = self.partner.state(&connection.source).await;
        }
        Ok((observed(state, &base.status), base.version))
    }

    /// Does what a crash or an unreachable AWS left undone, until stopped.
    pub(crate) async fn reconcile(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                // Interrupted, it is as after a crash: the rows say what is left to do.
                () = stop.cancelled() => return,
                () = self.round() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(ROUND) => {}
            }
        }
    }

    /// Does all that is left to do, concurrently: a region that does not answer, or a row that cannot be read, must not
    /// delay the others.
    async fn round(&self) {
        let due = self.store.removals_due(self.clock.now_ms()).await;
        let names: BTreeMap<NameAndRegion, SourceKey> = logged(due)
            .unwrap_or_default()
            .into_iter()
            .map(|source| ((source.name.clone(), source.region.clone()), source))
            .collect();
        let waiting = logged(self.store.connections_without_source().await).unwrap_or_default();
        let (removed, created) = tokio::join!(
            join_all(names.values().map(|source| self.remove(source))),
            join_all(waiting.iter().map(|id| self.ensure(id))),
        );
        for done in removed.into_iter().chain(created) {
            logged(done);
        }
    }
}

/// The value; an error is logged.
fn logged<T>(done: Result<T>) -> Option<T> {
    done.inspect_err(|error| {
        tracing::error!(
            error = error as &dyn std::error::Error,
            "the sources cannot be reconciled; retrying"
        );
    })
    .ok()
}

/// What AWS's answer means for a connection that had this status.
fn observed(state: std::result::Result<SourceState, AwsError>, before: &Status) -> ObservedStatus {
    let (status, error) = match SourceHealth::from(state) {
        SourceHealth::Active => (Status::Active, None),
        SourceHealth::Pending => (Status::Pending, None),
        SourceHealth::Failed(why) => (Status::Failed, Some(why)),
        // AWS did not answer: keep the old status; a resume request becomes `pending`.
        SourceHealth::Unknown(why) => {
            let is_paused = *before == Status::Disabled;
            let status = if is_paused { &Status::Pending } else { before };
            (status.clone(), Some(format!("{why}. Refresh the status again.")))
        }
    };
    ObservedStatus { status, error }
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
        let have = observed(state, before);
        assert_eq!(have.status, *want);
        let error = have.error.unwrap_or_default();
        assert!(
            says.map_or(error.is_empty(), |part| error.contains(part)),
            "{error:?}"
        );
    }

    #[test]
    fn awss_answer_sets_the_status() {
        let retryable = || Err(AwsError::Retryable("no answer".into()));
        let refused = || {
            Err(AwsError::Refused {
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
            retryable(),
            &Status::Active,
            &Status::Active,
            Some("no answer. Refresh"),
        );
        check(
            retryable(),
            &Status::Disabled,
            &Status::Pending,
            Some("no answer"),
        );
        check(refused(), &Status::Pending, &Status::Failed, Some("AccessDenied"));
    }
}
