//! What watchers are told: what commits do, and nothing else.

use scalr_api::Status;
use tokio::sync::broadcast::Receiver;

use super::super::{Happening, Settlement, What};
use crate::testing::{ACCEPTED_MS, Bench, ending};

/// What was told since the last time.
fn told(feed: &mut Receiver<Happening>) -> Vec<What> {
    std::iter::from_fn(|| feed.try_recv().ok())
        .map(|happening| happening.what)
        .collect()
}

#[tokio::test]
async fn watchers_see_what_commits_do_and_nothing_else() {
    let bench = Bench::new().await;
    let store = &bench.app.store;
    let id = bench.connect("prod", "us-east-1", &Status::Active).await;
    let mut feed = store.watch();
    let mut tx = store.begin().await.unwrap();
    tx.set_status(&id, &Status::Disabled, None).await.unwrap();
    drop(tx);
    assert_eq!(told(&mut feed), [], "it was rolled back");
    bench.accept(&id, 1).await;
    let event = || ("e-0".to_owned(), "AuditLog".to_owned());
    let (event_id, detail_type) = event();
    let accepted = What::Accepted {
        event_id,
        detail_type,
    };
    assert_eq!(told(&mut feed), [accepted]);
    for settlement in [
        Settlement::Retry {
            due_at_ms: 0,
            error: Some("busy".to_owned()),
        },
        Settlement::Delivered,
    ] {
        let mut tx = store.begin().await.unwrap();
        let entries = tx.sendable(&id, 10, ACCEPTED_MS).await.unwrap();
        let leased = tx.lease(entries, "l".to_owned(), ACCEPTED_MS).await.unwrap();
        let seq = leased.entries[0].seq;
        // A lease that is not on the event settles nothing.
        tx.settle(&[ending("other", seq, &settlement)], ACCEPTED_MS)
            .await
            .unwrap();
        tx.settle(&[ending("l", seq, &settlement)], ACCEPTED_MS)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
    let (event_id, detail_type) = event();
    let delivered = What::Delivered {
        event_id,
        detail_type,
        after_ms: 0,
    };
    let retried = What::Retried {
        event_id: "e-0".to_owned(),
        error: "busy".to_owned(),
    };
    assert_eq!(told(&mut feed), [retried, delivered]);
}
