//! Which connections a commit names, and what is known of them then.

use scalr_api::{ConnectionId, Status};

use crate::testing::{ACCEPTED_MS, Bench};

/// Accepted events name the connections that received them: the others are not asked for.
#[tokio::test]
async fn connections_with_new_events_are_asked_for_by_name() {
    let bench = Bench::new().await;
    let store = &bench.app.store;
    let check = async |asked: &[&ConnectionId], due: &[&ConnectionId], next: Option<i64>| {
        let asked = asked.iter().map(|id| (*id).clone()).collect();
        let (found, retry) = store.connections_due_of(&asked, ACCEPTED_MS).await.unwrap();
        let mut found: Vec<_> = found.iter().map(|due| &due.id).collect();
        found.sort_unstable();
        assert_eq!((found, retry), (due.to_vec(), next));
    };
    let paused = bench.connect("paused", "eu-west-1", &Status::Disabled).await;
    let waiting = bench.connect("waiting", "eu-west-2", &Status::Active).await;
    let empty = bench.connect("empty", "us-west-1", &Status::Active).await;
    let other = bench.connect("other", "us-west-2", &Status::Active).await;
    for id in [&paused, &waiting, &other] {
        bench.accept(id, 1).await;
    }
    let woken = store.deliverable().await;
    assert!(woken.all, "what became active");
    for id in [&paused, &waiting, &other] {
        assert!(woken.connections.contains(id));
    }
    let mut tx = store.begin().await.unwrap();
    tx.back_off(&waiting, "it fails", ACCEPTED_MS + 7).await.unwrap();
    tx.commit().await.unwrap();
    let retry = Some(ACCEPTED_MS + 7);
    check(&[&paused, &empty], &[], None).await;
    check(&[&paused, &waiting, &empty], &[], retry).await;
    check(&[&other], &[&other], None).await;
    check(&[&paused, &other, &waiting], &[&other], retry).await;
    bench.accept(&other, 1).await;
    let woken = store.deliverable().await;
    assert!(!woken.all);
    assert!(woken.connections.contains(&other), "{woken:?}");
}
