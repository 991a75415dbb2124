//! One connection's worker: lease, check the source, put, check it again, settle; until nothing is left to send.

use std::time::{Duration, Instant};

use scalr_api::{ConnectionId, Status};
use tokio_util::sync::CancellationToken;

use super::batch::{self, ENTRIES_MAX};
use super::decide::{self, Answer, Decision, Next, Now};
use crate::clock::{self, Clock, Trust};
use crate::ids;
use crate::partner::{AwsError, Partner, SourceState};
use crate::schedule::{DELIVERY, LEASE_MS};
use crate::store::{Connection, Entry, Leased, Result, Settlement, SourceKey, Store, StoreError};

/// Retries of reading the source's state after a put.
const STATE_RETRIES_MAX: u32 = 4;

/// No further halves of a refused call are sent after this time: its lease must not run out.
const HALVING_MAX: Duration = Duration::from_secs(20);

pub(super) struct Worker {
    pub(super) store: Store,
    pub(super) partner: Partner,
    pub(super) clock: Clock,
    pub(super) id: ConnectionId,
}

impl Worker {
    /// Sends until nothing can be sent now, the connection stops, or the process does.
    pub(super) async fn run(self, stop: CancellationToken) -> Result<()> {
        // The source's state after one batch is its state before the next.
        let mut is_active = false;
        while !stop.is_cancelled() {
            match self.batch(is_active, &stop).await? {
                Some(Next::Continue) => is_active = true,
                _ => break,
            }
        }
        Ok(())
    }

    /// Sends one batch; `None` when there is nothing to send.
    async fn batch(&self, is_active: bool, stop: &CancellationToken) -> Result<Option<Next>> {
        let (connection, leased) = match self.lease().await {
            Ok(Some(leased)) => leased,
            Ok(None) => return Ok(None),
            Err(StoreError::Unreadable(what)) => return self.fail(&what).await.map(Some),
            Err(error) => return Err(error),
        };
        let (source, entries) = (&connection.source, &leased.entries);
        let next = if is_active {
            Next::Continue
        } else {
            let state = self.partner.state(source).await;
            decide::before_put(state, decide::attempts(entries), self.now())
        };
        let decision = if next == Next::Continue {
            let put = self.put(source, entries).await;
            let state = self.state_after_put(source, stop).await;
            decide::after_put(entries, put, state, self.now())
        } else {
            decide::retry_all(entries, self.clock.now_ms(), next)
        };
        self.settle_with_retries(&leased, &decision, stop).await;
        Ok(Some(decision.connection))
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

    /// Sends a batch. A call that AWS refuses for what is in it is sent again in halves, until the guilty entry stands alone.
    async fn put(&self, source: &SourceKey, entries: &[Entry]) -> std::result::Result<Vec<Answer>, AwsError> {
        let begun = Instant::now();
        let unanswered = Answer::Unanswered("AWS refuses other events of its call".to_owned());
        let mut answers = vec![unanswered; entries.len()];
        let mut parts = vec![(0, entries.len())];
        while let Some((from, to)) = parts.pop() {
            let (Some(sent), Some(answers)) = (entries.get(from..to), answers.get_mut(from..to)) else {
                continue;
            };
            match self
                .partner
                .put(source, sent)
                .await
                .map_err(AwsError::of_the_call)
            {
                Ok(results) => {
                    for (answer, result) in answers.iter_mut().zip(results) {
                        *answer = result.into();
                    }
                }
                Err(Ok(refusal)) => {
                    if let [answer] = answers {
                        *answer = Answer::RefusedAlone(refusal);
                    } else {
                        let middle = from + sent.len() / 2;
                        parts.extend([(middle, to), (from, middle)]);
                    }
                }
                Err(Err(error)) if sent.len() == entries.len() => return Err(error),
                // Of a half, after others were answered: their answers count.
                Err(Err(error)) => {
                    answers.fill(Answer::Unanswered(decide::of_a_call(error)));
                    break;
                }
            }
            if begun.elapsed() > HALVING_MAX {
                break;
            }
        }
        Ok(answers)
    }

    /// The source's state after a put. Without it AWS's answer cannot be used and the events are sent twice, so a call
    /// that fails is retried.
    async fn state_after_put(
        &self,
        source: &SourceKey,
        stop: &CancellationToken,
    ) -> std::result::Result<SourceState, AwsError> {
        for failures in 0..STATE_RETRIES_MAX {
            match self.partner.state(source).await {
                Err(AwsError::Retryable(_)) if pause(failures, stop).await => {}
                state => return state,
            }
        }
        self.partner.state(source).await
    }

    /// Stores what follows from AWS's answer, with retries for as long as the process runs: if it were lost, what AWS has
    /// taken would be sent again. The lease keeps others from these events meanwhile.
    async fn settle_with_retries(&self, leased: &Leased, decision: &Decision, stop: &CancellationToken) {
        for failures in 0.. {
            let Err(error) = self.settle(leased, decision).await else {
                return;
            };
            tracing::error!(
                connection = %self.id, error = &error as &dyn std::error::Error,
                "AWS's answer cannot be stored; retrying"
            );
            if !pause(failures, stop).await {
                return;
            }
        }
    }

    /// Fails the connection: what it holds cannot be read by this version.
    async fn fail(&self, what: &str) -> Result<Next> {
        let why = format!(
            "What is held cannot be sent by this version of the companion: {what}. A newer version stored it. Nothing is \
             lost: start that version again, then refresh the status."
        );
        tracing::error!(connection = %self.id, why, "the connection failed; events are held");
        let mut tx = self.store.begin().await?;
        tx.stop_sending(&self.id, &Status::Failed, Some(&why)).await?;
        tx.commit().await?;
        Ok(Next::Failed { why })
    }

    async fn lease(&self) -> Result<Option<(Connection, Leased)>> {
        let Some(connection) = self.store.connection_by_id(&self.id).await? else {
            return Ok(None);
        };
        let now = self.clock.now_ms();
        let mut tx = self.store.begin().await?;
        // Read again inside the transaction: it may have been paused since.
        match tx.connection(&connection.account_id, self.id.as_str()).await? {
            Some(connection) if connection.status == Status::Active => {}
            _ => return Ok(None),
        }
        let limit = i64::try_from(ENTRIES_MAX).unwrap_or(1);
        let entries = batch::cut(&connection.source.name, tx.sendable(&self.id, limit, now).await?);
        if entries.is_empty() {
            return Ok(None);
        }
        let until = now.saturating_add(LEASE_MS);
        let leased = tx.lease(entries, ids::request(), until).await?;
        tx.commit().await?;
        Ok(Some((connection, leased)))
    }

    async fn settle(&self, leased: &Leased, decision: &Decision) -> Result<()> {
        let now = self.clock.now_ms();
        let mut tx = self.store.begin().await?;
        for (entry, settlement) in leased.entries.iter().zip(&decision.settlements) {
            self.log(entry, settlement, &decision.connection);
            tx.settle(&leased.lease, entry.seq, settlement, now).await?;
        }
        match &decision.connection {
            Next::Continue => {}
            Next::BackOff { until_ms, why } => {
                tracing::warn!(connection = %self.id, why, "events are held until a retry");
                tx.back_off(&self.id, why, *until_ms).await?;
            }
            Next::Pending => {
                tracing::warn!(connection = %self.id, "the event source has no bus; events are held");
                tx.stop_sending(&self.id, &Status::Pending, None).await?;
            }
            Next::Failed { why } => {
                tracing::error!(connection = %self.id, why, "the connection failed; events are held");
                tx.stop_sending(&self.id, &Status::Failed, Some(why)).await?;
            }
        }
        tx.commit().await
    }

    /// Logs what became of an event, unless the whole batch failed, which is logged once.
    fn log(&self, entry: &Entry, settlement: &Settlement, next: &Next) {
        let event = entry.event_id.as_str();
        match settlement {
            Settlement::Refused { error } => {
                tracing::error!(
                    connection = %self.id, event, error,
                    "AWS does not take this event; it has failed, and is kept until `deliveries redeliver` or `deliveries purge`"
                );
            }
            Settlement::NotTaken { error, .. } => {
                tracing::warn!(connection = %self.id, event, error, "AWS did not take this event; it will be retried");
            }
            Settlement::Retry {
                error: Some(error), ..
            } if *next == Next::Continue => {
                tracing::warn!(connection = %self.id, event, error, "AWS did not take this event; it will be retried");
            }
            Settlement::Delivered => {
                tracing::info!(connection = %self.id, event, "AWS acknowledged an event");
            }
            Settlement::Retry { .. } => {}
        }
    }
}

/// Waits out the backoff after this many failures; `false` when the process ends instead.
async fn pause(failures: u32, stop: &CancellationToken) -> bool {
    let wait = DELIVERY.wait_ms(failures, clock::random());
    let wait = Duration::from_millis(u64::try_from(wait).unwrap_or_default());
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(wait) => true,
    }
}
