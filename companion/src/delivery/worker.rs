//! One connection's worker: lease, look, put, look again, settle; until nothing is left to send.

use std::time::Duration;

use scalr_api::{ConnectionId, Status};
use tokio_util::sync::CancellationToken;

use super::batch::{self, ENTRIES_MAX};
use super::decide::{self, BACKOFF, Decision, Then};
use crate::partner::{AwsError, Partner, SourceState};
use crate::store::{Connection, Leased, Outcome, Result, SourceKey, Store};
use crate::{clock, ids};

/// Longer than every call of a batch together may take.
const LEASE: Duration = Duration::from_mins(2);
/// Looks at the source that may fail after a put.
const LOOKS_MAX: u32 = 4;

pub(super) struct Worker {
    pub(super) store: Store,
    pub(super) partner: Partner,
    pub(super) id: ConnectionId,
}

impl Worker {
    /// Sends until nothing can be sent now, the connection stops, or the process does.
    pub(super) async fn run(self, stop: CancellationToken) -> Result<()> {
        // The look after one batch is the look before the next.
        let mut looked = false;
        while !stop.is_cancelled() {
            match self.batch(looked, &stop).await? {
                Some(Then::Goes) => looked = true,
                _ => break,
            }
        }
        Ok(())
    }

    /// Sends one batch; `None` when there is nothing to send.
    async fn batch(&self, looked: bool, stop: &CancellationToken) -> Result<Option<Then>> {
        let Some((connection, leased)) = self.lease().await? else {
            return Ok(None);
        };
        let source = &connection.source;
        let failures = leased
            .entries
            .iter()
            .map(|entry| entry.attempts)
            .max()
            .unwrap_or_default();
        let before = if looked {
            Then::Goes
        } else {
            decide::before(
                self.partner.state(source).await,
                failures,
                clock::now_ms(),
                clock::chance(),
            )
        };
        let decision = if before == Then::Goes {
            let put = self.partner.put(source, &leased.entries).await;
            let after = self.look_after(source, stop).await;
            decide::weigh(&leased.entries, put, after, clock::now_ms(), clock::chance())
        } else {
            decide::all_again(&leased.entries, clock::now_ms(), before)
        };
        self.settle_surely(&leased, &decision, stop).await;
        Ok(Some(decision.connection))
    }

    /// The source's state after a put. Without it the answer to the put is worth nothing and its events are sent
    /// twice, so a look that fails is tried some more.
    async fn look_after(
        &self,
        source: &SourceKey,
        stop: &CancellationToken,
    ) -> std::result::Result<SourceState, AwsError> {
        for looks in 0..LOOKS_MAX {
            match self.partner.state(source).await {
                Err(AwsError::Later(_)) if pause(looks, stop).await => {}
                known => return known,
            }
        }
        self.partner.state(source).await
    }

    /// Stores AWS's answer, and goes on trying for as long as the process runs: forgotten, what AWS took would be
    /// sent again. Nobody else works on these events meanwhile.
    async fn settle_surely(&self, leased: &Leased, decision: &Decision, stop: &CancellationToken) {
        for failures in 0.. {
            let Err(error) = self.settle(leased, decision).await else {
                return;
            };
            tracing::error!(
                connection = %self.id, error = &error as &dyn std::error::Error,
                "AWS's answer cannot be stored; that is tried again"
            );
            if !pause(failures, stop).await {
                return;
            }
        }
    }

    async fn lease(&self) -> Result<Option<(Connection, Leased)>> {
        let Some(connection) = self.store.connection_by_id(&self.id).await? else {
            return Ok(None);
        };
        let now = clock::now_ms();
        let mut tx = self.store.begin().await?;
        // Read again inside: between the two somebody may have paused it.
        match tx.connection(&connection.account_id, self.id.as_str()).await? {
            Some(connection) if connection.status == Status::Active => {}
            _ => return Ok(None),
        }
        let limit = i64::try_from(ENTRIES_MAX).unwrap_or(1);
        let entries = batch::cut(&connection.source.name, tx.sendable(&self.id, limit, now).await?);
        if entries.is_empty() {
            return Ok(None);
        }
        let until = now.saturating_add(i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX));
        let leased = tx.lease(entries, ids::request(), until).await?;
        tx.commit().await?;
        Ok(Some((connection, leased)))
    }

    async fn settle(&self, leased: &Leased, decision: &Decision) -> Result<()> {
        let now = clock::now_ms();
        let mut tx = self.store.begin().await?;
        for (entry, outcome) in leased.entries.iter().zip(&decision.outcomes) {
            match outcome {
                Outcome::Refused { error } => {
                    tracing::error!(connection = %self.id, event = entry.event_id, error, "AWS will never take this event");
                }
                Outcome::Again {
                    error: Some(error), ..
                } if decision.connection == Then::Goes => {
                    tracing::warn!(connection = %self.id, event = entry.event_id, error, "AWS did not take this event; it is sent again");
                }
                Outcome::Again { .. } | Outcome::Delivered => {}
            }
            tx.settle(&leased.lease, entry.seq, outcome, now).await?;
        }
        match &decision.connection {
            Then::Goes => {}
            Then::Waits { until_ms, why } => {
                tracing::warn!(connection = %self.id, why, "events wait");
                tx.back_off(&self.id, why, *until_ms).await?;
            }
            Then::Pending => {
                tracing::warn!(connection = %self.id, "the event source has no bus; events are held");
                tx.stop_sending(&self.id, &Status::Pending, None).await?;
            }
            Then::Failed { why } => {
                tracing::error!(connection = %self.id, why, "the connection failed; events are held");
                tx.stop_sending(&self.id, &Status::Failed, Some(why)).await?;
            }
        }
        tx.commit().await
    }
}

/// Waits after this many failures before; `false` when the process ends instead.
async fn pause(failures: u32, stop: &CancellationToken) -> bool {
    let wait = BACKOFF.wait_ms(failures, clock::chance());
    let wait = Duration::from_millis(u64::try_from(wait).unwrap_or_default());
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(wait) => true,
    }
}
