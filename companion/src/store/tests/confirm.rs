//! What AWS acknowledged, until a look at the event source was good: kept, and sent again in order where it was not.

use scalr_api::{ConnectionId, DeliveryState, Status};
use sqlx::Row as _;

use super::super::{Bounds, Settlement, Which};
use super::figures;
use crate::testing::{ACCEPTED_MS, BOUNDS, Bench, ending};

/// Has AWS acknowledge so many of a connection's events, which are of one lane.
async fn acknowledge(bench: &Bench, id: &ConnectionId, events: usize) {
    for _ in 0..events {
        let mut tx = bench.app.store.begin().await.unwrap();
        let head = tx.sendable(id, 1, ACCEPTED_MS).await.unwrap();
        let seq = head[0].seq;
        tx.lease(head, "l".into(), 1).await.unwrap();
        tx.settle(&[ending("l", seq, &Settlement::Delivered)], 7)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
}

/// A look that begins now covers deliveries up to this one.
async fn begin_look(bench: &Bench, id: &ConnectionId) -> i64 {
    bench.app.store.to_confirm(id).await.unwrap().unwrap().up_to
}

async fn confirm(bench: &Bench, id: &ConnectionId, up_to: i64) {
    let mut tx = bench.app.store.begin().await.unwrap();
    tx.confirm(id, up_to).await.unwrap();
    tx.commit().await.unwrap();
}

/// Stores this status; then all that is in doubt is moved back, in steps.
async fn set(bench: &Bench, id: &ConnectionId, status: &Status) -> Vec<usize> {
    let store = &bench.app.store;
    let mut tx = store.begin().await.unwrap();
    tx.set_status(id, status, None).await.unwrap();
    tx.commit().await.unwrap();
    let mut steps = vec![];
    while !store.doubted().await.unwrap().is_empty() {
        let due = store.connections_due(ACCEPTED_MS).await.unwrap();
        assert_eq!(due, [], "nothing is sent before what is in doubt");
        let mut tx = store.begin().await.unwrap();
        steps.push(tx.move_doubted(id, 9).await.unwrap());
        tx.commit().await.unwrap();
        counts(bench, id).await;
    }
    steps
}

/// How many deliveries are held, delivered and unconfirmed; their sum is how many were made.
async fn counts(bench: &Bench, id: &ConnectionId) -> [i64; 3] {
    let figures = figures(bench, id).await.0;
    let counts = [figures.held, figures.delivered, figures.unconfirmed];
    assert_eq!(figures.made, counts.iter().sum::<i64>(), "{counts:?}");
    counts
}

/// The events that are sent from here on, in their order.
async fn sent(bench: &Bench, id: &ConnectionId) -> Vec<String> {
    let mut sent = vec![];
    loop {
        let mut tx = bench.app.store.begin().await.unwrap();
        let head = tx.sendable(id, 1, ACCEPTED_MS).await.unwrap();
        drop(tx);
        let Some(head) = head.first() else { return sent };
        sent.push(head.event_id.clone());
        acknowledge(bench, id, 1).await;
    }
}

#[tokio::test]
async fn what_no_good_look_has_covered_is_sent_again_before_newer_events() {
    for status in [Status::Pending, Status::Failed] {
        let bench = Bench::new().await;
        let id = bench.connect("a", "us-east-1", &Status::Active).await;
        bench.accept(&id, 6).await;
        acknowledge(&bench, &id, 2).await;
        let first = begin_look(&bench, &id).await;
        // Acknowledged while the look is under way: it is not covered.
        acknowledge(&bench, &id, 1).await;
        confirm(&bench, &id, first).await;
        acknowledge(&bench, &id, 1).await;
        let late = begin_look(&bench, &id).await;
        assert_eq!(counts(&bench, &id).await, [2, 4, 0]);
        assert_eq!(set(&bench, &id, &status).await, [2, 0]);
        assert_eq!(counts(&bench, &id).await, [2, 2, 2]);
        assert_eq!(set(&bench, &id, &Status::Active).await, [0; 0]);
        // A good look that began before is about what was moved back: it covers none of it.
        confirm(&bench, &id, late).await;
        assert_eq!(sent(&bench, &id).await, ["e-2", "e-3", "e-4", "e-5"]);
        assert_eq!(counts(&bench, &id).await, [0, 6, 0]);
    }
}

#[tokio::test]
async fn unconfirmed_events_are_listed_and_are_beside_the_bounds_of_what_is_held() {
    let bounds = Bounds {
        bytes_max: 2,
        ..BOUNDS
    };
    let bench = Bench::with_bounds(bounds).await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 4).await;
    acknowledge(&bench, &id, 3).await;
    set(&bench, &id, &Status::Pending).await;
    let of = |state| Which::all(id.as_str(), state);
    let (listed, more) = bench
        .app
        .store
        .settled(&of(DeliveryState::Unconfirmed), 2)
        .await
        .unwrap();
    let ids: Vec<_> = listed.iter().map(|one| one.event_id.as_str()).collect();
    assert_eq!((ids, more), (vec!["e-0", "e-1"], true));
    assert_eq!((listed[0].ended_at_ms, listed[0].attempts), (9, 1));
    let why = listed[0].error.as_deref().unwrap_or_default();
    assert!(why.contains("found that ACTIVE afterwards"), "{why}");
    let one = Which {
        event: Some("e-2"),
        ..of(DeliveryState::Unconfirmed)
    };
    assert_eq!(bench.app.store.settled(&one, 9).await.unwrap().0.len(), 1);
    let delivered = of(DeliveryState::Delivered);
    assert_eq!(bench.app.store.settled(&delivered, 9).await.unwrap().0.len(), 0);
    let mut tx = bench.app.store.begin().await.unwrap();
    assert_eq!(tx.make_room(9).await.unwrap(), 0, "two bytes are held");
    tx.commit().await.unwrap();
    assert_eq!(counts(&bench, &id).await, [1, 0, 3]);
    let held = bench.app.store.details_held_for(&id).await;
    assert_eq!(held.len(), 4, "their bodies are there");
}

#[tokio::test]
async fn what_is_not_confirmed_stays_whatever_the_history_says() {
    let bench = Bench::with_bounds(Bounds {
        history_ms: 0,
        ..BOUNDS
    })
    .await;
    let store = &bench.app.store;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 2).await;
    acknowledge(&bench, &id, 1).await;
    let look = begin_look(&bench, &id).await;
    acknowledge(&bench, &id, 1).await;
    assert!(!store.any_old_history(1_000).await.unwrap());
    confirm(&bench, &id, look).await;
    assert!(store.any_old_history(1_000).await.unwrap());
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.forget_history(1_000).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert!(!store.any_old_history(1_000).await.unwrap());
    assert_eq!(set(&bench, &id, &Status::Pending).await, [1, 0]);
}

#[tokio::test]
async fn many_deliveries_in_doubt_are_moved_back_in_steps() {
    let bench = Bench::new().await;
    let store = &bench.app.store;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 450).await;
    let rows = sqlx::query("SELECT seq FROM outbox ORDER BY seq").fetch_all(&store.read);
    let rows = rows.await.unwrap();
    let seqs: Vec<i64> = rows.iter().map(|row| row.get("seq")).collect();
    // One call's worth at a time would take long: all of them at once, whatever their lane.
    sqlx::query("UPDATE outbox SET lease = 'l'")
        .execute(&store.write)
        .await
        .unwrap();
    let endings: Vec<_> = seqs
        .iter()
        .map(|seq| ending("l", *seq, &Settlement::Delivered))
        .collect();
    let mut tx = store.begin().await.unwrap();
    tx.settle(&endings, 7).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(set(&bench, &id, &Status::Pending).await, [200, 200, 50, 0]);
    assert_eq!(set(&bench, &id, &Status::Active).await, [0; 0]);
    let mut tx = store.begin().await.unwrap();
    let head = tx.sendable(&id, 1, ACCEPTED_MS).await.unwrap();
    assert_eq!(head[0].event_id, "e-0");
}

/// Each step moves 4 MiB at most back.
#[tokio::test]
async fn a_step_of_moving_back_is_bounded_in_bytes() {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.app.store.deliver(&id, [9, 1 << 20]).await;
    assert_eq!(set(&bench, &id, &Status::Pending).await, [4, 4, 1, 0]);
}

#[tokio::test]
async fn an_unconfirmed_event_that_expires_is_not_said_to_be_refused_by_aws() {
    let bounds = Bounds {
        age_ms_max: 3_600_000,
        ..BOUNDS
    };
    let bench = Bench::with_bounds(bounds).await;
    let store = &bench.app.store;
    let id = bench.connect("a", "us-east-1", &Status::Pending).await;
    for (unconfirmed, want) in [
        (true, "accepted more than 1 hours ago, and unconfirmed since"),
        (false, "held for more than 1 hours without AWS taking it"),
    ] {
        store.hold(&id, [1, 2], unconfirmed).await;
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.expire(ACCEPTED_MS + 3_600_001).await.unwrap(), 1);
        tx.commit().await.unwrap();
        assert_eq!(figures(&bench, &id).await.1[0].explanation, want);
    }
}
