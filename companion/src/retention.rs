//! Keeps what is held within its bounds of bytes and of age, and the history within its own, and deletes what deleted connections
//! held, in bounded transactions beside intake and delivery.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Trust};
use crate::clock_watch;
use crate::store::{Result, Store};

/// Longest wait between two rounds.
const ROUND: Duration = Duration::from_secs(15);
/// Shortest wait between two rounds: what comes in meanwhile makes room together, not by a transaction each.
const PAUSE: Duration = Duration::from_millis(100);
/// Steps of a round with the history: what is held is kept within its bounds between two rounds.
const HISTORY_STEPS_MAX: usize = 20;

/// Retention, as a value to run.
pub(crate) struct Retention {
    store: Store,
    clock: Clock,
    /// It has been logged that old events stay for as long as the clock is in doubt.
    doubt_is_logged: bool,
}

impl Retention {
    pub(crate) fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            doubt_is_logged: false,
        }
    }

    /// Drops what is beyond the bounds, until stopped.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let round = self.round(&stop).await;
            let is_more = round.unwrap_or_else(|error| {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "held events beyond their bounds cannot be dropped; retrying"
                );
                false
            });
            let next = async {
                tokio::time::sleep(PAUSE).await;
                if is_more {
                    return;
                }
                tokio::select! {
                    () = self.store.beyond_bound() => {}
                    () = self.clock.confirmed() => {}
                    () = tokio::time::sleep(ROUND) => {}
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = next => {}
            }
        }
    }

    /// Drops all that is beyond the bounds, in transactions that others may come between; of the history some. Whether that may have more.
    async fn round(&mut self, stop: &CancellationToken) -> Result<bool> {
        let now_ms = self.clock.now_ms();
        while !stop.is_cancelled() && self.store.any_beyond_bound().await? {
            let mut tx = self.store.begin().await?;
            let dropped = tx.make_room(now_ms).await?;
            tx.commit().await?;
            if dropped == 0 {
                // What is left is being sent, or the newest event of its connection.
                break;
            }
            tracing::debug!(
                dropped,
                "more than the bound was held; the oldest events were dropped"
            );
        }
        while !stop.is_cancelled() && self.store.any_deleted().await? {
            let mut tx = self.store.begin().await?;
            let deleted = tx.purge().await?;
            tx.commit().await?;
            if deleted == 0 {
                break;
            }
            tracing::debug!(deleted, "of a deleted connection, and its events");
        }
        let is_more = self.forget_history(now_ms, stop).await?;
        // Their events are gone in any case: a clock in doubt only keeps them longer.
        while !stop.is_cancelled()
            && self.clock.trust() == Trust::Confirmed
            && self.store.any_old_key(now_ms).await?
        {
            let mut tx = self.store.begin().await?;
            let forgotten = tx.forget_keys(now_ms).await?;
            tx.commit().await?;
            tracing::debug!(forgotten, "keys of events that were accepted long ago");
        }
        while !stop.is_cancelled() && self.store.any_expired(now_ms).await? && self.ages_are_believed() {
            let mut tx = self.store.begin().await?;
            let dropped = tx.expire(now_ms).await?;
            tx.commit().await?;
            tracing::warn!(dropped, "events expired and were dropped");
        }
        Ok(is_more)
    }

    /// Deletes some of the delivered events that are kept no longer: for their age, for which a clock in doubt keeps them longer, where
    /// there is an age, and for the bound in bytes. Whether there may be more.
    async fn forget_history(&self, now_ms: i64, stop: &CancellationToken) -> Result<bool> {
        for _ in 0..HISTORY_STEPS_MAX {
            let is_age_known = !self.store.keeps_history() || self.clock.trust() == Trust::Confirmed;
            let mut forgotten = 0;
            if is_age_known && self.store.any_old_history(now_ms).await? {
                let mut tx = self.store.begin().await?;
                forgotten += tx.forget_history(now_ms).await?;
                tx.commit().await?;
            }
            if self.store.any_history_beyond_bound().await? {
                let mut tx = self.store.begin().await?;
                forgotten += tx.trim_history().await?;
                tx.commit().await?;
            }
            if forgotten == 0 || stop.is_cancelled() {
                return Ok(false);
            }
            tracing::debug!(
                forgotten,
                "delivered events were kept for long enough, or beyond the bound in bytes"
            );
        }
        Ok(true)
    }

    /// Whether events may be dropped for their age. That they may not is logged once, when there are such events.
    fn ages_are_believed(&mut self) -> bool {
        let trust = self.clock.trust();
        let is_doubted = trust != Trust::Confirmed;
        if is_doubted && !self.doubt_is_logged {
            tracing::warn!(
                "held events look older than the bound. {}",
                clock_watch::explain(trust)
            );
        }
        self.doubt_is_logged = is_doubted;
        !is_doubted
    }
}

#[cfg(test)]
mod tests {
    use scalr_api::{AccountId, ConnectionId, DeliveryState, Status};

    use super::*;
    use crate::clock::TestHands;
    use crate::store::{Bounds, Which};
    use crate::testing::{ACCEPTED_MS, ACCOUNT, BOUNDS, Bench};

    const HOUR: i64 = 3_600_000;
    const HOLD: i64 = 336 * HOUR;

    /// An event that is held, and a clock that shows when it was accepted.
    async fn held(bytes_max: i64) -> (Bench, ConnectionId, Retention, TestHands) {
        let bounds = Bounds {
            age_ms_max: HOLD,
            bytes_max,
            ..BOUNDS
        };
        let bench = Bench::with_bounds(bounds).await;
        let id = bench.connect("a", "us-east-1", &Status::Disabled).await;
        bench.accept(&id, 1).await;
        let (clock, hands) = TestHands::clock(ACCEPTED_MS);
        let retention = Retention::new(bench.app.store.clone(), clock);
        (bench, id, retention, hands)
    }

    /// How many events are held after a round, and whether it logged doubt by then.
    async fn round(bench: &Bench, id: &ConnectionId, retention: &mut Retention) -> (i64, bool) {
        let store = &bench.app.store;
        clock_watch::round(store, &retention.clock).await.unwrap();
        retention.round(&CancellationToken::new()).await.unwrap();
        let account = AccountId::new(ACCOUNT).unwrap();
        let (figures, _) = store
            .delivery_figures(&account, id.as_str())
            .await
            .unwrap()
            .unwrap();
        (figures.held, retention.doubt_is_logged)
    }

    #[tokio::test]
    async fn an_event_is_dropped_once_it_was_held_for_too_long() {
        let (bench, id, mut retention, hands) = held(BOUNDS.bytes_max).await;
        hands.pass(HOLD);
        assert_eq!(round(&bench, &id, &mut retention).await, (1, false));
        hands.pass(1);
        assert_eq!(round(&bench, &id, &mut retention).await, (0, false));
    }

    #[tokio::test]
    async fn a_clock_that_jumps_drops_nothing_until_it_is_confirmed() {
        for confirms in [Clock::confirm, |clock: &Clock| clock.advance(0)] {
            let (bench, id, mut retention, hands) = held(BOUNDS.bytes_max).await;
            retention.clock.confirm();
            hands.set(2 * HOLD);
            assert_eq!(round(&bench, &id, &mut retention).await, (1, true));
            hands.pass(2 * HOUR);
            assert_eq!(round(&bench, &id, &mut retention).await, (1, true));
            confirms(&retention.clock);
            assert_eq!(round(&bench, &id, &mut retention).await, (0, false));
        }
    }

    #[tokio::test]
    async fn after_a_start_with_another_clock_there_is_an_hour_to_correct_it() {
        let (bench, id, mut retention, hands) = held(BOUNDS.bytes_max).await;
        hands.set(2 * HOLD);
        let (clock, hands) = TestHands::clock(retention.clock.wall_ms());
        retention.clock = clock;
        assert_eq!(round(&bench, &id, &mut retention).await, (1, true));
        hands.pass(HOUR - 1);
        assert_eq!(round(&bench, &id, &mut retention).await, (1, true));
        hands.pass(1);
        assert_eq!(round(&bench, &id, &mut retention).await, (0, false));
    }

    /// In the first hour after a start the clock is in doubt; an age of 0 needs none.
    #[tokio::test]
    async fn without_a_history_what_is_confirmed_is_deleted_whatever_the_clock_shows() {
        for (history_ms, left) in [(0, 0), (HOUR, 1)] {
            let bench = Bench::with_bounds(Bounds { history_ms, ..BOUNDS }).await;
            let id = bench.connect("a", "us-east-1", &Status::Active).await;
            bench.app.store.deliver(&id, [1, 2]).await;
            bench.app.store.good_look(&id).await;
            let (clock, _hands) = TestHands::clock(ACCEPTED_MS + 2 * HOUR);
            let mut retention = Retention::new(bench.app.store.clone(), clock);
            round(&bench, &id, &mut retention).await;
            assert_ne!(retention.clock.trust(), Trust::Confirmed);
            let delivered = Which::all(id.as_str(), DeliveryState::Delivered);
            let (kept, _) = bench.app.store.settled(&delivered, 9).await.unwrap();
            assert_eq!(kept.len(), left, "{history_ms}");
        }
    }

    /// Room is made for what is held between two rounds.
    #[tokio::test]
    async fn a_long_history_is_forgotten_in_several_rounds() {
        for (history_ms, history_bytes_max) in [(0, i64::MAX), (HOUR, 0)] {
            let bounds = Bounds {
                history_ms,
                history_bytes_max,
                ..BOUNDS
            };
            let bench = Bench::with_bounds(bounds).await;
            let id = bench.connect("a", "us-east-1", &Status::Active).await;
            bench.app.store.deliver(&id, [4_100, 2]).await;
            bench.app.store.good_look(&id).await;
            let (clock, _hands) = TestHands::clock(ACCEPTED_MS);
            let mut retention = Retention::new(bench.app.store.clone(), clock);
            let stop = CancellationToken::new();
            let mut rounds = vec![];
            for _ in 0..2 {
                rounds.push(retention.round(&stop).await.unwrap());
            }
            assert_eq!(rounds, [true, false], "{history_ms}");
            let delivered = Which::all(id.as_str(), DeliveryState::Delivered);
            assert!(bench.app.store.settled(&delivered, 9).await.unwrap().0.is_empty());
        }
    }

    #[tokio::test]
    async fn the_bound_in_bytes_applies_whatever_the_clock_shows() {
        let (bench, id, mut retention, hands) = held(0).await;
        bench.accept(&id, 5).await;
        hands.set(2 * HOLD);
        assert_eq!(round(&bench, &id, &mut retention).await, (1, true));
    }
}
