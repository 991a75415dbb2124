//! Watches the clock: notices that it was set, and ends the waits that this leaves too long.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Trust};
use crate::store::{Result, Store};

/// Wait between two rounds.
const ROUND: Duration = Duration::from_secs(5);

/// Watches until stopped.
pub(crate) async fn watch(store: Store, clock: Clock, stop: CancellationToken) {
    loop {
        if let Err(error) = round(&store, &clock).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "waits that the clock has left too long cannot be ended; retrying"
            );
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(ROUND) => {}
        }
    }
}

/// Follows the clock, and ends the waits that lie further ahead than their schedule allows.
pub(crate) async fn round(store: &Store, clock: &Clock) -> Result<()> {
    if let Some(by_ms) = clock.observe() {
        let (by_seconds, trust) = (by_ms / 1000, clock.trust());
        if matches!(trust, Trust::Moved { .. }) {
            tracing::warn!(by_seconds, "{}", explain(trust));
        } else {
            tracing::warn!(by_seconds, "the machine's clock is back where it was");
        }
    }
    let now_ms = clock.now_ms();
    if store.any_overlong_wait(now_ms).await? {
        let mut tx = store.begin().await?;
        let ended = tx.end_overlong_waits(now_ms).await?;
        tx.commit().await?;
        tracing::warn!(
            ended,
            "waits lay further ahead than they can be, since the clock was set back; they have ended"
        );
    }
    Ok(())
}

/// What a clock in doubt means for held events, and what an operator can do.
pub(crate) fn explain(trust: Trust) -> String {
    const CONFIRM: &str = "Where the clock is right, say so with POST /_companion/clock/confirm; \
                           until then the bound in bytes applies alone";
    match trust {
        Trust::Confirmed => "Held events are dropped once they are older than the bound.".to_owned(),
        Trust::Started { left_ms } => format!(
            "No event is dropped for its age in the first hour after a start, of which {} min are left. {CONFIRM}.",
            left_ms.div_euclid(60_000) + 1
        ),
        Trust::Moved { by_ms } => format!(
            "The machine's clock has moved by {} seconds while this process ran, so no event is dropped for its age. \
             {CONFIRM}, or until the clock is back.",
            by_ms / 1000
        ),
    }
}

#[cfg(test)]
mod tests {
    use scalr_api::Status;

    use super::*;
    use crate::clock::TestHands;
    use crate::store::{NewRun, Run, Settlement, SourceKey};
    use crate::testing::{ACCEPTED_MS, Bench, ending};

    fn source() -> SourceKey {
        SourceKey {
            name: "aws.partner/scalr.com/local/gone".into(),
            region: "us-east-1".into(),
            aws_account_id: "123456789012".into(),
        }
    }

    /// A run that has just begun a step.
    fn run(now_ms: i64) -> NewRun {
        let run = Run {
            id: scalr_api::Id::new("run-1").unwrap(),
            workspace_id: scalr_api::Id::new("ws-1").unwrap(),
            status: scalr_api::RunStatus::Pending,
            is_dry: true,
            is_destroy: false,
            fails: false,
            message: None,
            source: "api".into(),
            user_email: "user@example.com".into(),
            created_at_ms: now_ms,
        };
        NewRun {
            run,
            step_at_ms: crate::runs::next_step_ms(now_ms),
        }
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_by_a_day_delays_no_retry() {
        const DAY: i64 = 24 * 3_600_000;
        let bench = Bench::new().await;
        let (clock, hands) = TestHands::clock(ACCEPTED_MS + 2 * DAY);
        let store = &bench.app.store;
        let id = bench.connect("a", "us-east-1", &Status::Active).await;
        bench.accept(&id, 1).await;
        // A retry that waits for as long as it can, of an event and of its connection.
        let due_at_ms = clock.now_ms() + crate::schedule::DELIVERY.ms_max;
        let mut tx = store.begin().await.unwrap();
        let head = tx.sendable(&id, 20, clock.now_ms()).await.unwrap();
        let seq = head[0].seq;
        tx.lease(head, "l".into(), due_at_ms).await.unwrap();
        let retry = Settlement::Retry {
            due_at_ms,
            error: None,
        };
        tx.settle(&[ending("l", seq, &retry)], clock.now_ms())
            .await
            .unwrap();
        tx.back_off(&id, "busy", due_at_ms).await.unwrap();
        tx.commit().await.unwrap();
        round(store, &clock).await.unwrap();
        let due = async |clock: &Clock| {
            let due = store.connections_due(clock.now_ms()).await.unwrap();
            due.into_iter().map(|due| due.id).collect::<Vec<_>>()
        };
        assert_eq!(due(&clock).await, [], "a wait within its schedule goes on");
        // A source that AWS refused to delete, and a run between two steps.
        let source = source();
        store.queue_removal(&source).await;
        let retry_at_ms = clock.now_ms() + crate::schedule::REFUSED_REMOVAL.ms_max;
        store.not_removed(&source, "in use", retry_at_ms).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        tx.insert_run(&run(clock.now_ms())).await.unwrap();
        tx.commit().await.unwrap();
        hands.set(-DAY);
        round(store, &clock).await.unwrap();
        assert_eq!(store.removals_due(clock.now_ms()).await.unwrap(), [source]);
        assert_eq!(store.next_step_ms().await.unwrap(), Some(clock.now_ms()));
        assert_eq!(clock.trust(), Trust::Moved { by_ms: -DAY });
        assert_eq!(due(&clock).await, [id]);
        assert!(!store.any_overlong_wait(clock.now_ms()).await.unwrap());
    }

    #[test]
    fn a_clock_in_doubt_is_explained() {
        for (trust, parts) in [
            (
                Trust::Started { left_ms: 1 },
                ["1 min", "/_companion/clock/confirm"],
            ),
            (
                Trust::Moved { by_ms: -90_000 },
                ["-90 seconds", "/_companion/clock/confirm"],
            ),
        ] {
            let explained = explain(trust);
            assert!(parts.iter().all(|part| explained.contains(part)), "{explained}");
        }
    }
}
