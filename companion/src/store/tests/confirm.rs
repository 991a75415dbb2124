//! What AWS acknowledged, until a look at the event source was good: kept, and sent again in order where it was not.

use scalr_api::{ConnectionId, DeliveryState, Status};
use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions as _, Connection as _};

use super::super::database::VOID_LEASES;
use super::super::sql::query;
use super::super::{Bounds, Settlement, Store, Which};
use super::figures;
use crate::testing::{ACCEPTED_MS, BOUNDS, Bench, ending};

impl Store {
    /// Runs this on the database.
    pub(crate) async fn run_sql(&self, sql: &'static str) {
        self.write.run(sql, sql).await;
    }

    /// What a start does to the leases of the process before it.
    pub(crate) async fn void_leases(&self) {
        self.run_sql(VOID_LEASES).await;
    }

    /// Another process keeps the database locked until that ends; nobody waits for it.
    pub(crate) async fn lock_database(&self) -> SqliteConnection {
        self.run_sql("PRAGMA busy_timeout = 0").await;
        let mut other = self.write.sqlite().connect_options().connect().await.unwrap();
        let locked = sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await;
        locked.unwrap();
        other
    }

    /// That process ends.
    pub(crate) async fn unlock_database(&self, other: SqliteConnection) {
        other.close().await.unwrap();
        self.run_sql("PRAGMA busy_timeout = 10000").await;
    }

    /// A connection's events have so many bytes, and a lane each.
    pub(crate) async fn enlarge(&self, id: &ConnectionId, bytes: usize) {
        query("UPDATE outbox SET detail = $1, lane = 'l-' || seq WHERE connection_id = $2")
            .bind("x".repeat(bytes))
            .bind(id.as_str())
            .execute(&self.write)
            .await
            .unwrap();
    }
}

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

/// Leases a connection's oldest event; returns its number.
async fn lease(bench: &Bench, id: &ConnectionId, lease: &str) -> i64 {
    let mut tx = bench.app.store.begin().await.unwrap();
    let head = tx.sendable(id, 1, ACCEPTED_MS).await.unwrap();
    let seq = head[0].seq;
    tx.lease(head, lease.into(), 1).await.unwrap();
    tx.commit().await.unwrap();
    seq
}

async fn settle(bench: &Bench, lease: &str, seq: i64, settlement: &Settlement) {
    let mut tx = bench.app.store.begin().await.unwrap();
    tx.settle(&[ending(lease, seq, settlement)], 7).await.unwrap();
    tx.commit().await.unwrap();
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
    let mut tx = bench.app.store.begin().await.unwrap();
    tx.set_status(id, status, None).await.unwrap();
    tx.commit().await.unwrap();
    move_back(bench, id).await
}

/// Moves all that is in doubt back, in steps.
async fn move_back(bench: &Bench, id: &ConnectionId) -> Vec<usize> {
    let store = &bench.app.store;
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
    let rows = query("SELECT seq FROM outbox ORDER BY seq").fetch_all(&store.read);
    let rows = rows.await.unwrap();
    let seqs: Vec<i64> = rows.iter().map(|row| row.try_get("seq").unwrap()).collect();
    // One call's worth at a time would take long: all of them at once, whatever their lane.
    query("UPDATE outbox SET lease = 'l'")
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

/// A call is under way while a source is found not to be ACTIVE, and AWS acknowledges its event after that. The next look is good.
#[tokio::test]
async fn what_a_call_under_way_at_a_bad_look_brings_is_in_doubt() {
    for (meanwhile, is_doubted) in [
        ("pending", true),
        ("failed", true),
        ("looked", true),
        ("made again", true),
        ("disabled", false),
        ("nothing", false),
    ] {
        let bench = Bench::new().await;
        let id = bench.connect("a", "us-east-1", &Status::Active).await;
        bench.accept(&id, 2).await;
        let seq = lease(&bench, &id, "l").await;
        let mut tx = bench.app.store.begin().await.unwrap();
        match meanwhile {
            "pending" => tx.set_status(&id, &Status::Pending, None).await,
            "failed" => tx.set_status(&id, &Status::Failed, None).await,
            "looked" => tx.stop_sending(&id, &Status::Pending, None, None).await,
            "made again" => tx.set_source_made(&id, false).await,
            "disabled" => tx.set_status(&id, &Status::Disabled, None).await,
            _ => Ok(()),
        }
        .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(set(&bench, &id, &Status::Active).await, [0; 0]);
        settle(&bench, "l", seq, &Settlement::Delivered).await;
        let look = begin_look(&bench, &id).await;
        confirm(&bench, &id, look).await;
        let (steps, want): (&[usize], _) = if is_doubted {
            (&[1, 0], [1, 0, 1])
        } else {
            (&[], [1, 1, 0])
        };
        assert_eq!(move_back(&bench, &id).await, steps, "{meanwhile}");
        assert_eq!(counts(&bench, &id).await, want, "{meanwhile}");
        let rest = if is_doubted { &["e-0", "e-1"][..] } else { &["e-1"] };
        assert_eq!(sent(&bench, &id).await, rest, "{meanwhile}");
    }
}

#[tokio::test]
async fn a_lease_in_doubt_ends_as_others_do() {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 1).await;
    let seq = lease(&bench, &id, "l").await;
    // Twice: it is marked once.
    set(&bench, &id, &Status::Pending).await;
    set(&bench, &id, &Status::Failed).await;
    set(&bench, &id, &Status::Active).await;
    let error = || "no".to_owned();
    let retry = Settlement::Retry {
        due_at_ms: 0,
        error: Some(error()),
    };
    settle(&bench, "other", seq, &Settlement::Delivered).await;
    settle(&bench, "l", seq, &retry).await;
    assert_eq!(counts(&bench, &id).await, [1, 0, 0]);
    assert_eq!(lease(&bench, &id, "next").await, seq, "it is free again");
    set(&bench, &id, &Status::Pending).await;
    settle(&bench, "next", seq, &Settlement::Refused { error: error() }).await;
    assert_eq!(figures(&bench, &id).await.0.failed, 1);
    assert_eq!(bench.app.store.doubted().await.unwrap(), []);
}

#[tokio::test]
async fn a_look_that_is_older_than_a_refresh_does_not_stop_its_connection() {
    for (refreshed, want) in [(false, Status::Pending), (true, Status::Active)] {
        let bench = Bench::new().await;
        let store = &bench.app.store;
        let id = bench.connect("a", "us-east-1", &Status::Active).await;
        bench.accept(&id, 2).await;
        acknowledge(&bench, &id, 1).await;
        let look = store.to_confirm(&id).await.unwrap().unwrap();
        let mut tx = store.begin().await.unwrap();
        if refreshed {
            tx.set_status(&id, &Status::Active, None).await.unwrap();
        } else {
            // AWS did not answer: that says nothing.
            let why = Some("no answer");
            tx.set_status(&id, &Status::Active, why).await.unwrap();
        }
        tx.stop_sending(&id, &Status::Pending, None, Some(look.status_version))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let connection = store.connection_by_id(&id).await.unwrap().unwrap();
        assert_eq!(connection.status, want);
        assert_eq!(
            store.doubted().await.unwrap(),
            [id],
            "what it acknowledged is in doubt"
        );
    }
}

#[tokio::test]
async fn a_connection_that_backs_off_is_not_sent() {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 1).await;
    let mut tx = bench.app.store.begin().await.unwrap();
    tx.back_off(&id, "no", ACCEPTED_MS + 10).await.unwrap();
    for (at, want) in [(0, 0), (9, 0), (10, 1)] {
        let heads = tx.sendable(&id, 9, ACCEPTED_MS + at).await.unwrap();
        assert_eq!(heads.len(), want, "after {at} ms");
    }
}

/// The last call of a connection ends after it was deleted: nobody looks at a source that is gone, and its history stays where it is.
#[tokio::test]
async fn what_a_deleted_connections_last_call_brings_is_not_confirmed() {
    let bench = Bench::new().await;
    let store = &bench.app.store;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 450).await;
    let look = store.to_confirm(&id).await.unwrap().unwrap();
    let seq = lease(&bench, &id, "l").await;
    let connection = store.connection_by_id(&id).await.unwrap().unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.delete_connection(&connection).await.unwrap();
    tx.commit().await.unwrap();
    settle(&bench, "l", seq, &Settlement::Delivered).await;
    assert_eq!(store.not_confirmed().await.unwrap(), []);
    assert!(store.to_confirm(&id).await.unwrap().is_none());
    let mut tx = store.begin().await.unwrap();
    let base = Some(look.status_version);
    tx.stop_sending(&id, &Status::Pending, None, base).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.doubted().await.unwrap(), []);
}

/// Two calls had an event, and both have ended: the one whose lease is on it counts.
#[tokio::test]
async fn of_two_calls_with_an_event_the_later_one_counts() {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 1).await;
    let mut tx = bench.app.store.begin().await.unwrap();
    let entries = tx.sendable(&id, 20, ACCEPTED_MS).await.unwrap();
    let seq = entries[0].seq;
    tx.lease(entries, "two".into(), 1).await.unwrap();
    let refused = Settlement::Refused { error: "no".into() };
    let endings = [
        ending("one", seq, &refused),
        ending("two", seq, &Settlement::Delivered),
    ];
    tx.settle(&endings, ACCEPTED_MS).await.unwrap();
    tx.commit().await.unwrap();
    let (figures, _) = figures(&bench, &id).await;
    assert_eq!(
        (figures.held, figures.delivered, figures.failed, figures.made),
        (0, 1, 0, 1)
    );
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

/// The oldest held event of all is no unconfirmed one, as in a connection's own figures.
#[tokio::test]
async fn an_unconfirmed_event_is_not_the_oldest_that_is_held() {
    for (unconfirmed, want) in [(true, None), (false, Some(ACCEPTED_MS))] {
        let bench = Bench::new().await;
        let id = bench.connect("a", "us-east-1", &Status::Pending).await;
        bench.app.store.hold(&id, [1, 2], unconfirmed).await;
        let totals = bench.app.store.totals().await.unwrap();
        let oldest: Vec<_> = totals.iter().map(|one| one.oldest_held_at_ms).collect();
        assert_eq!(oldest, [want]);
    }
}

/// What the figures say: how many are unconfirmed, and when the oldest was acknowledged that no look has covered.
#[tokio::test]
async fn doubts_are_counted_over_all_connections() {
    let bench = Bench::new().await;
    let ids = [
        bench.connect("a", "us-east-1", &Status::Active).await,
        bench.connect("b", "eu-west-1", &Status::Active).await,
    ];
    let doubts = async || {
        let doubts = bench.app.store.doubts().await.unwrap();
        (doubts.unconfirmed, doubts.oldest_acknowledged_at_ms)
    };
    assert_eq!(doubts().await, (0, None));
    for id in &ids {
        bench.accept(id, 2).await;
    }
    acknowledge(&bench, &ids[0], 2).await;
    assert_eq!(doubts().await, (0, Some(7)));
    let up_to = begin_look(&bench, &ids[0]).await;
    confirm(&bench, &ids[0], up_to).await;
    assert_eq!(doubts().await, (0, None));
    acknowledge(&bench, &ids[1], 2).await;
    assert_eq!(doubts().await, (0, Some(7)));
    set(&bench, &ids[1], &Status::Pending).await;
    assert_eq!(doubts().await, (2, None));
}
