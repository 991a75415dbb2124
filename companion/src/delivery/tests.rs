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
            drain: Duration::ZERO,
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

#[tokio::test]
async fn an_event_that_this_version_cannot_read_fails_its_connection_alone() {
    let bench = Bench::new().await;
    let new = bench.connect("new", "us-east-1", &Status::Active).await;
    let old = bench.connect("old", "us-east-2", &Status::Active).await;
    bench.accept(&new, 1).await;
    bench.app.store.store_in_version(2).await;
    bench.accept(&old, 1).await;
    let delivery = Delivery {
        store: bench.app.store.clone(),
        partner: bench.partner.clone(),
        clock: bench.app.clock.clone(),
        drain: Duration::ZERO,
    };
    let (mut workers, stop) = (Workers::default(), CancellationToken::new());
    delivery
        .round(&mut workers, &stop, bench.app.clock.now_ms())
        .await
        .unwrap();
    while let Some(done) = workers.tasks.join_next().await {
        done.unwrap().unwrap();
    }
    let status = async |id| {
        let connection = bench.app.store.connection_by_id(id).await.unwrap().unwrap();
        (connection.status, connection.error_message.unwrap_or_default())
    };
    let (failed, why) = status(&new).await;
    assert_eq!(failed, Status::Failed);
    assert!(
        why.contains("the event `e-0` is stored in version 2, not 1"),
        "{why}"
    );
    assert_eq!(status(&old).await.0, Status::Active, "it waits for its AWS");
    let account = scalr_api::AccountId::new(crate::testing::ACCOUNT).unwrap();
    let (figures, _) = bench
        .app
        .store
        .delivery_figures(&account, new.as_str())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(figures.held, 1, "nothing is lost");
}
