//! Keeps AWS's partner sources and our connections the same: the row is written first, AWS follows.
//!
//! A crash between the two leaves a row that says so; [`reconcile`] takes it up at start and from time to time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use scalr_api::{ConnectionId, Status};
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

use crate::partner::{AwsError, Partner, SourceState};
use crate::store::{Connection, Result, SourceKey, Store};

/// How long the reconciler waits between two rounds.
const ROUND: Duration = Duration::from_secs(5);

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
        let Some(connection) = self.store.connection_by_id(id).await? else {
            return Ok(());
        };
        if connection.source_made {
            return Ok(());
        }
        let source = &connection.source;
        let _alone = self.alone(source).await;
        // Looked at again: while this waited, the connection may have gone, and its source with it.
        match self.store.connection_by_id(id).await? {
            Some(now) if !now.source_made => {}
            _ => return Ok(()),
        }
        // An earlier connection's source of that name goes first: with it goes what it was associated with.
        let made = match self.finish_removal(source).await? {
            Ok(()) => self.partner.create(source).await,
            Err(error) => Err(error),
        };
        let mut tx = self.store.begin().await?;
        let account = &connection.account_id;
        let Some(now) = tx.connection(account, id.as_str()).await? else {
            // Deleted meanwhile: its removal is noted and waits for this lock.
            return Ok(());
        };
        match made {
            Ok(()) => {
                tx.set_source_made(id, true).await?;
                if now.status == Status::Failed {
                    tx.set_status(id, &Status::Pending, None).await?;
                } else {
                    tx.set_error(id, None).await?;
                }
            }
            Err(AwsError::Later(why)) => {
                tx.set_error(id, Some(&format!("{why}. It is tried again.")))
                    .await?;
            }
            Err(refusal @ AwsError::No { .. }) => {
                tx.set_status(
                    id,
                    &Status::Failed,
                    Some(&format!("AWS refuses the event source: {refusal}")),
                )
                .await?;
            }
        }
        tx.commit().await
    }

    /// Deletes what an earlier connection left under this name, for whichever AWS account: the name is taken for all.
    async fn finish_removal(&self, source: &SourceKey) -> Result<std::result::Result<(), AwsError>> {
        for left in self.store.removals_of(source).await? {
            if let Err(error) = self.partner.delete(&left).await {
                return Ok(Err(error));
            }
            self.store.removed(&left).await?;
        }
        Ok(Ok(()))
    }

    /// Deletes a source whose connection is gone. What AWS does not take now is left to the reconciler.
    pub(crate) async fn remove(&self, source: &SourceKey) -> Result<()> {
        let _alone = self.alone(source).await;
        match self.finish_removal(source).await? {
            Ok(()) => {}
            Err(AwsError::Later(why)) => {
                tracing::warn!(source = source.name, why, "the source is deleted later");
            }
            Err(refusal) => {
                tracing::error!(source = source.name, %refusal, "AWS refuses to delete the source; it stays there");
                self.store.removed(source).await?;
            }
        }
        Ok(())
    }

    /// Asks AWS how a connection's source is, having it made (again) where it is missing: "Refresh status".
    pub(crate) async fn refresh(&self, connection: &Connection) -> Result<Seen> {
        self.ensure(&connection.id).await?;
        let mut state = self.partner.state(&connection.source).await;
        if matches!(state, Ok(SourceState::Missing | SourceState::Deleted)) {
            let mut tx = self.store.begin().await?;
            tx.set_source_made(&connection.id, false).await?;
            tx.commit().await?;
            self.ensure(&connection.id).await?;
            state = self.partner.state(&connection.source).await;
        }
        Ok(seen(state, &connection.status))
    }

    /// Takes up what a crash or an unreachable AWS left undone, until stopped.
    pub(crate) async fn reconcile(self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.round().await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the sources cannot be looked after"
                );
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(ROUND) => {}
            }
        }
    }

    async fn round(&self) -> Result<()> {
        // Side by side: a region that does not answer must not hold up the others.
        let gone = self.store.removals().await?;
        let removed = join_all(gone.iter().map(|source| self.remove(source))).await;
        removed.into_iter().collect::<Result<()>>()?;
        let waiting = self.store.connections_without_source().await?;
        let made = join_all(waiting.iter().map(|id| self.ensure(id))).await;
        made.into_iter().collect()
    }
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
