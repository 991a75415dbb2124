//! The store's own rules, and how tests make it fail.

mod plans;
mod upgrade;

use scalr_api::{AccountId, ConnectionId, Status};

use super::{Bounds, Delivery, Drop, Outcome, Store};
use crate::testing::{ACCEPTED_MS, ACCOUNT, BOUNDS, Bench};

impl Store {
    /// From here on rows of these tables cannot be changed, as on a disk that is full.
    pub(crate) async fn fill_disk(&self, tables: &[&str]) {
        for table in tables {
            let full = format!(
                "CREATE TRIGGER full_{table} BEFORE UPDATE ON {table} BEGIN SELECT RAISE(FAIL, 'full'); END"
            );
            sqlx::raw_sql(sqlx::AssertSqlSafe(full))
                .execute(&self.write)
                .await
                .unwrap();
        }
    }
}

async fn figures(bench: &Bench, id: &ConnectionId) -> (Delivery, Vec<Drop>) {
    let account = AccountId::new(ACCOUNT).unwrap();
    let found = bench.app.store.delivery(&account, id.as_str()).await.unwrap();
    found.unwrap()
}

#[tokio::test]
async fn what_one_connection_drops_leaves_the_explanations_of_others() {
    let bench = Bench::new().await;
    let a = bench.connect("a", "us-east-1", &Status::Pending).await;
    let b = bench.connect("b", "us-east-2", &Status::Pending).await;
    // One event is always held: so many are dropped, less one.
    let none = Bounds {
        bytes_max: 0,
        age_ms_max: 1 << 60,
    };
    for (id, events) in [(&a, 6), (&b, 201), (&a, 1)] {
        bench.accept(id, events, none).await;
    }
    for (id, dropped, explained) in [(&a, 6, 6), (&b, 200, 100)] {
        let (figures, drops) = figures(&bench, id).await;
        assert_eq!(
            (figures.dropped_too_many, drops.len()),
            (dropped, explained),
            "{id}"
        );
    }
}

#[tokio::test]
async fn a_change_of_mind_is_counted() {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Pending).await;
    for (status, counts) in [
        (Status::Pending, false),
        (Status::Active, true),
        (Status::Active, false),
        (Status::Disabled, true),
        (Status::Disabled, true),
    ] {
        let decision = async || {
            bench
                .app
                .store
                .connection_by_id(&id)
                .await
                .unwrap()
                .unwrap()
                .decision
        };
        let before = decision().await;
        let mut tx = bench.app.store.begin().await.unwrap();
        tx.set_status(&id, &status, None).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(decision().await - before, i64::from(counts), "{status}");
    }
}

#[tokio::test]
async fn what_is_too_old_is_dropped_unless_it_is_on_its_way() {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 3, BOUNDS).await;
    let bounds = Bounds {
        age_ms_max: 2 * 3_600_000,
        ..BOUNDS
    };
    let late = ACCEPTED_MS + bounds.age_ms_max + 1;
    let mut tx = bench.app.store.begin().await.unwrap();
    let head = tx.sendable(&id, 20, 0).await.unwrap();
    assert_eq!(head.len(), 1, "one of the workspace");
    tx.lease(head, "l".into(), late).await.unwrap();
    assert_eq!(tx.expire(bounds, late - 1).await.unwrap(), 0);
    assert_eq!(tx.expire(bounds, late).await.unwrap(), 2);
    tx.commit().await.unwrap();
    let (figures, drops) = figures(&bench, &id).await;
    assert_eq!((figures.held, figures.dropped_too_old), (1, 2));
    assert_eq!(drops[0].reason, "too-old");
    assert!(
        drops[0].explanation.contains("more than 2 hours"),
        "{}",
        drops[0].explanation
    );
}

#[tokio::test]
async fn a_clock_that_is_set_back_holds_nothing_up() {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 1, BOUNDS).await;
    let due = bench.app.store.connections_due(ACCEPTED_MS - 1).await.unwrap();
    assert_eq!(due, [id]);
}

#[tokio::test]
async fn why_a_held_event_was_not_taken_is_told() {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 2, BOUNDS).await;
    let mut tx = bench.app.store.begin().await.unwrap();
    let head = tx.sendable(&id, 20, 0).await.unwrap();
    let seq = head[0].seq;
    tx.lease(head, "l".into(), 1).await.unwrap();
    let again = Outcome::Again {
        due_at_ms: 1,
        error: Some("SomethingNew: told".into()),
    };
    tx.settle("l", seq, &again, 1).await.unwrap();
    tx.commit().await.unwrap();
    let told = figures(&bench, &id).await.0.last_error;
    assert_eq!(told.as_deref(), Some("SomethingNew: told"));

    let mut tx = bench.app.store.begin().await.unwrap();
    let late = ACCEPTED_MS + BOUNDS.age_ms_max + 1;
    assert_eq!(tx.expire(BOUNDS, late).await.unwrap(), 2);
    tx.commit().await.unwrap();
    let (_, drops) = figures(&bench, &id).await;
    let told: Vec<bool> = drops
        .iter()
        .map(|drop| drop.explanation.ends_with("; at last: SomethingNew: told"))
        .collect();
    assert_eq!(
        told,
        [false, true],
        "the newest, which was never sent, comes first"
    );
}
