//! One connection's worker: lease, look, put, look again, settle; until nothing is left to send.

use std::time::Duration;

use scalr_api::{ConnectionId, Status};
use tokio_util::sync::CancellationToken;

use super::batch::{self, ENTRIES_MAX};
use super::decide::{self, Decision, Then};
use crate::partner::Partner;
use crate::store::{Connection, Leased, Outcome, Result, Store};
use crate::{clock, ids};

/// Longer than every call of a batch together may take.
const LEASE: Duration = Duration::from_mins(2);

pub(super) struct Worker {
    pub(super) store: Store,
    pub(super) partner: Partner,
    pub(super) id: ConnectionId,
}

impl Worker {
    /// Sends until nothing can be sent now, the connection stops, or the process does.
    pub(super) async fn run(self, stop: CancellationToken) {
        // The look after one batch is the look before the next.
        let mut looked = false;
        while !stop.is_cancelled() {
            match self.batch(looked).await {
                Ok(Some(Then::Goes)) => looked = true,
                Ok(_) => return,
                Err(error) => {
                    tracing::error!(connection = %self.id, error = &error as &dyn std::error::Error, "delivery stops");
                    return;
                }
            }
        }
    }

    /// Sends one batch; `None` when there is nothing to send.
    async fn batch(&self, looked: bool) -> Result<Option<Then>> {
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
            let after = self.partner.state(source).await;
            decide::weigh(&leased.entries, put, after, clock::now_ms(), clock::chance())
        } else {
            decide::all_again(&leased.entries, clock::now_ms(), before)
        };
        self.settle(&leased, &decision).await?;
        Ok(Some(decision.connection))
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
            if let Outcome::Refused { error } = outcome {
                tracing::error!(connection = %self.id, event = entry.event_id, error, "AWS will never take this event");
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
