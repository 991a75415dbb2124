//! Deliveries that are over: each delivery is in one state, whatever is done with it.

use scalr_api::{ConnectionId, DeliveryState, Status};

use super::super::sql::query;
use super::super::{Bounds, Settlement, Step, Which};
use super::figures;
use crate::testing::{ACCEPTED_MS, BOUNDS, Bench, ending};

/// Settles the oldest held event of a connection.
async fn settle(bench: &Bench, id: &ConnectionId, settlement: &Settlement, now_ms: i64) {
    let mut tx = bench.app.store.begin().await.unwrap();
    let head = tx.sendable(id, 1, i64::MAX).await.unwrap();
    let seq = head[0].seq;
    tx.lease(head, "l".into(), 1).await.unwrap();
    tx.settle(&[ending("l", seq, settlement)], now_ms).await.unwrap();
    tx.commit().await.unwrap();
}

fn refused() -> Settlement {
    Settlement::Refused {
        error: "MalformedDetail: m".into(),
    }
}

/// How many deliveries of a connection are held, delivered, failed and purged; their sum is how many were made.
async fn counts(bench: &Bench, id: &ConnectionId) -> [i64; 4] {
    let figures = figures(bench, id).await.0;
    let counts = [figures.held, figures.delivered, figures.failed, figures.purged];
    let in_doubt = figures.unconfirmed;
    let made = query("SELECT made FROM delivery WHERE connection_id = $1")
        .bind(id.as_str())
        .fetch_one(&bench.app.store.read)
        .await
        .unwrap();
    assert_eq!(
        made.try_get::<i64>("made").unwrap(),
        counts.iter().sum::<i64>() + in_doubt,
        "{counts:?}"
    );
    counts
}

/// All steps with what is meant; how many deliveries each was done with.
async fn again(bench: &Bench, which: &Which<'_>, purge: bool) -> Vec<u64> {
    let (mut which, mut steps) = (which.clone(), vec![]);
    which.seq[1] = bench.app.store.newest_settled().await.unwrap();
    loop {
        let mut tx = bench.app.store.begin().await.unwrap();
        let step: Option<Step> = if purge {
            Some(tx.purge_failed(&which).await.unwrap())
        } else {
            tx.send_again(&which, ACCEPTED_MS).await.unwrap()
        };
        tx.commit().await.unwrap();
        let Some(step) = step else { return steps };
        steps.push(step.done);
        match step.up_to {
            Some(seq) => which.seq[0] = seq,
            None => return steps,
        }
    }
}

#[tokio::test]
async fn each_delivery_is_in_one_state() {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 4).await;
    settle(&bench, &id, &Settlement::Delivered, 1).await;
    settle(&bench, &id, &refused(), 2).await;
    settle(&bench, &id, &refused(), 3).await;
    assert_eq!(counts(&bench, &id).await, [1, 1, 2, 0]);
    let (failed, more) = bench
        .app
        .store
        .settled(&Which::all(id.as_str(), DeliveryState::Failed), 1)
        .await
        .unwrap();
    assert_eq!(
        (failed[0].event_id.as_str(), failed[0].attempts, more),
        ("e-1", 1, true)
    );
    assert_eq!(failed[0].error.as_deref(), Some("MalformedDetail: m"));

    let of_one = |event| Which {
        event: Some(event),
        ..Which::all(id.as_str(), DeliveryState::Failed)
    };
    assert_eq!(again(&bench, &of_one("e-0"), true).await, [0], "it was delivered");
    assert_eq!(again(&bench, &of_one("e-1"), true).await, [1]);
    assert_eq!(counts(&bench, &id).await, [1, 1, 1, 1]);
    assert_eq!(
        again(&bench, &of_one("e-2"), false).await,
        [1],
        "the same delivery again"
    );
    assert_eq!(counts(&bench, &id).await, [2, 1, 0, 1]);
    let delivered = Which::all(id.as_str(), DeliveryState::Delivered);
    assert_eq!(again(&bench, &delivered, false).await, [1], "a delivery more");
    assert_eq!(counts(&bench, &id).await, [3, 1, 0, 1]);
    assert_eq!(
        again(&bench, &delivered, false).await,
        [0],
        "no copy of it is left"
    );
    let before = Which {
        time_ms: [0, ACCEPTED_MS],
        ..delivered
    };
    assert_eq!(again(&bench, &before, false).await, [0], "it was accepted later");
}

#[tokio::test]
async fn what_is_sent_again_comes_in_bounded_steps_after_what_is_held() {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 450).await;
    for _ in 0..449 {
        settle(&bench, &id, &refused(), 1).await;
    }
    assert_eq!(
        again(&bench, &Which::all(id.as_str(), DeliveryState::Failed), false).await,
        [200, 200, 49]
    );
    assert_eq!(counts(&bench, &id).await, [450, 0, 0, 0]);
    let mut tx = bench.app.store.begin().await.unwrap();
    let head = tx.sendable(&id, 1, ACCEPTED_MS).await.unwrap();
    assert_eq!(head[0].event_id, "e-449", "the one that was held");
}

/// Four of six events that failed have room, beside none, and then beside those.
#[tokio::test]
async fn as_many_are_sent_again_as_there_is_room_for() {
    let bounds = Bounds {
        bytes_max: 8,
        ..BOUNDS
    };
    let bench = Bench::with_bounds(bounds).await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 6).await;
    for _ in 0..6 {
        settle(&bench, &id, &refused(), 1).await;
    }
    let failed = Which::all(id.as_str(), DeliveryState::Failed);
    assert_eq!(again(&bench, &failed, false).await, [4]);
    assert_eq!(counts(&bench, &id).await, [4, 0, 2, 0]);
}

#[tokio::test]
async fn nothing_is_sent_again_where_held_events_would_make_room_for_it() {
    // Two events of two bytes.
    let bounds = Bounds {
        bytes_max: 4,
        ..BOUNDS
    };
    let bench = Bench::with_bounds(bounds).await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 1).await;
    settle(&bench, &id, &refused(), 1).await;
    bench.accept(&id, 2).await;
    let failed = Which::all(id.as_str(), DeliveryState::Failed);
    assert!(again(&bench, &failed, false).await.is_empty());
    assert_eq!(counts(&bench, &id).await, [2, 0, 1, 0]);
    settle(&bench, &id, &Settlement::Delivered, 1).await;
    assert_eq!(again(&bench, &failed, false).await, [1]);
}

#[tokio::test]
async fn the_history_goes_back_as_far_as_it_is_told_and_keeps_what_failed() {
    for (history_ms, left) in [(100, [1, 2]), (0, [0, 2])] {
        let bench = Bench::with_bounds(Bounds { history_ms, ..BOUNDS }).await;
        let store = &bench.app.store;
        let id = bench.connect("a", "us-east-1", &Status::Active).await;
        bench.accept(&id, 4).await;
        for (settlement, at) in [
            (refused(), 1),
            (Settlement::Delivered, 2),
            (Settlement::Delivered, 50),
            (refused(), 50),
        ] {
            settle(&bench, &id, &settlement, at).await;
        }
        bench.app.store.good_look(&id).await;
        while store.any_old_history(120).await.unwrap() {
            let mut tx = store.begin().await.unwrap();
            assert!(tx.forget_history(120).await.unwrap() > 0);
            tx.commit().await.unwrap();
        }
        let mut found = vec![];
        for state in [DeliveryState::Delivered, DeliveryState::Failed] {
            found.push(
                store
                    .settled(&Which::all(id.as_str(), state), 10)
                    .await
                    .unwrap()
                    .0
                    .len(),
            );
        }
        assert_eq!(found, left, "{history_ms}");
        assert_eq!(counts(&bench, &id).await, [0, 2, 2, 0]);
    }
}

#[tokio::test]
async fn the_time_of_the_first_refusal_is_kept() {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 1).await;
    let not_taken = || Settlement::NotTaken {
        due_at_ms: 0,
        error: "SomethingNew: m".into(),
    };
    let retry = || Settlement::Retry {
        due_at_ms: 0,
        error: None,
    };
    for (settlement, at, want) in [
        (retry(), 5, None),
        (not_taken(), 7, Some(7)),
        (not_taken(), 9, Some(7)),
        // A call that was not answered.
        (retry(), 11, None),
        (not_taken(), 13, Some(13)),
    ] {
        settle(&bench, &id, &settlement, at).await;
        let mut tx = bench.app.store.begin().await.unwrap();
        let head = tx.sendable(&id, 1, ACCEPTED_MS).await.unwrap();
        assert_eq!(head[0].refused_since_ms, want, "{settlement:?}");
    } // While it was paused, AWS was not asked.
    for status in [Status::Disabled, Status::Active] {
        let mut tx = bench.app.store.begin().await.unwrap();
        tx.set_status(&id, &status, None).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut tx = bench.app.store.begin().await.unwrap();
    let head = tx.sendable(&id, 1, ACCEPTED_MS).await.unwrap();
    assert_eq!(head[0].refused_since_ms, None);
}

/// Bytes of each event: 2. A clock that was ahead has stamped the first one.
#[tokio::test]
async fn the_history_is_bounded_in_bytes_and_by_the_times_of_all_its_events() {
    let bounds = Bounds {
        history_ms: 100,
        history_bytes_max: 6,
        ..BOUNDS
    };
    let bench = Bench::with_bounds(bounds).await;
    let store = &bench.app.store;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 6).await;
    settle(&bench, &id, &Settlement::Delivered, 1_000_000).await;
    settle(&bench, &id, &refused(), 2).await;
    for at in [3, 4, 500, 501] {
        settle(&bench, &id, &Settlement::Delivered, at).await;
    }
    let kept = async |state| {
        let all = Which::all(id.as_str(), state);
        let (found, _) = store.settled(&all, 10).await.unwrap();
        let ids: Vec<String> = found.into_iter().map(|one| one.event_id).collect();
        ids.join(" ")
    };
    let trim = async || {
        let mut tx = store.begin().await.unwrap();
        let trimmed = tx.trim_history().await.unwrap();
        tx.commit().await.unwrap();
        trimmed
    };
    assert_eq!(trim().await, 0, "none of it is confirmed");
    bench.app.store.good_look(&id).await;
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.forget_history(200).await.unwrap(), 2);
    tx.commit().await.unwrap();
    assert_eq!(kept(DeliveryState::Delivered).await, "e-0 e-4 e-5");
    assert_eq!(trim().await, 0, "six bytes");
    bench.accept(&id, 1).await;
    settle(&bench, &id, &Settlement::Delivered, 502).await;
    assert_eq!((trim().await, trim().await), (1, 0));
    assert_eq!(kept(DeliveryState::Delivered).await, "e-4 e-5 e-0");
    assert_eq!(kept(DeliveryState::Failed).await, "e-1");
    assert_eq!(counts(&bench, &id).await, [0, 6, 1, 0]);
}

/// Each step deletes 4 MiB at most: long events cost by their length.
#[tokio::test]
async fn a_step_of_forgetting_and_of_trimming_is_bounded_in_bytes() {
    for history_ms in [0, 100] {
        let bounds = Bounds {
            history_ms,
            history_bytes_max: 0,
            ..BOUNDS
        };
        let bench = Bench::with_bounds(bounds).await;
        let id = bench.connect("a", "us-east-1", &Status::Active).await;
        bench.app.store.deliver(&id, [20, 1 << 20]).await;
        bench.app.store.good_look(&id).await;
        let mut tx = bench.app.store.begin().await.unwrap();
        let now = ACCEPTED_MS + 1_000;
        assert_eq!(tx.forget_history(now).await.unwrap(), 4, "{history_ms}");
        assert_eq!(tx.trim_history().await.unwrap(), 4);
    }
}

#[tokio::test]
async fn one_event_beyond_the_bytes_of_a_step_is_forgotten_all_the_same() {
    let bounds = Bounds {
        history_ms: 0,
        history_bytes_max: 0,
        ..BOUNDS
    };
    let bench = Bench::with_bounds(bounds).await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.app.store.deliver(&id, [2, 5 << 20]).await;
    bench.app.store.good_look(&id).await;
    let mut tx = bench.app.store.begin().await.unwrap();
    assert_eq!(tx.forget_history(0).await.unwrap(), 1);
    assert_eq!(tx.trim_history().await.unwrap(), 1);
}
