//! Workers that fail on the store, and commits that wake the delivery.

use scalr_api::Status;

use super::*;
use crate::testing::Bench;

#[tokio::test]
async fn a_worker_that_fails_on_a_full_disk_is_restarted_after_a_backoff() {
    for tables in [&["outbox"][..], &["outbox", "delivery"]] {
        let bench = Bench::new().await;
        let id = bench.connect("a", "us-east-1", &Status::Active).await;
        bench.accept(&id, 1).await;
        bench.app.store.fill_disk(tables).await;
        let delivery = Delivery {
            store: bench.app.store.clone(),
            partner: bench.partner.clone(),
            clock: bench.app.clock.clone(),
        };
        let (mut workers, stop) = (Workers::default(), CancellationToken::new());
        let now = bench.app.clock.now_ms();
        delivery.round(&mut workers, &stop, now).await.unwrap();
        assert_eq!(workers.of.len(), 1, "a worker is started");
        let done = workers.tasks.join_next_with_id().await.unwrap();
        assert!(matches!(done, Ok((_, Err(_)))), "the disk is full");
        delivery.ended(&mut workers, done, now, 1.0).await;
        let wait = delivery.round(&mut workers, &stop, now + 150).await.unwrap();
        assert_eq!(
            (workers.of.len(), wait),
            (0, Duration::from_millis(50)),
            "{tables:?}"
        );
        delivery.round(&mut workers, &stop, now + 200).await.unwrap();
        assert_eq!(workers.of.len(), 1, "a worker is started again");
        // The figures show it, if they can be written.
        let account = scalr_api::AccountId::new(crate::testing::ACCOUNT).unwrap();
        let (figures, _) = bench
            .app
            .store
            .delivery_figures(&account, id.as_str())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(figures.last_error.is_some(), tables.len() == 1);
    }
}
