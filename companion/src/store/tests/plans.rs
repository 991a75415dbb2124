//! What the hot queries cost: by the database's own plan, and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use scalr_api::{AccountId, Status};
use sqlx::Row as _;
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Sqlite};

use super::super::{Bounds, Store, database, drops, expiry, figures, lease, outbox, run};
use crate::testing::{ACCEPTED_MS, ACCOUNT, BOUNDS, Bench};

/// What a hot query may read from end to end: tables with a row a connection, the lanes, and the index of events that
/// were sent before, which has at most one of a lane.
const SCANS: [&str; 5] = [
    "c",
    "d",
    "lanes",
    "o USING COVERING INDEX outbox_waiting",
    "outbox USING INDEX outbox_waiting",
];

async fn check(bench: &Bench, query: &str) {
    let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}")))
        .fetch_all(&bench.app.store.read)
        .await
        .unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    let bad = |line: &&String| {
        let scanned = line.strip_prefix("SCAN ");
        scanned.is_some_and(|what| !SCANS.contains(&what)) || line.contains("AUTOMATIC")
    };
    assert_eq!(plan.iter().find(bad), None, "{query}\n{plan:#?}");
}

#[tokio::test]
async fn no_hot_query_reads_a_whole_table_of_events_or_runs() {
    let bench = Bench::new().await;
    for query in [
        lease::CONNECTIONS_DUE,
        lease::NEXT_DUE,
        lease::SENDABLE,
        database::VOID_LEASES,
        outbox::OLDEST_BEYOND_BOUND,
        expiry::ANY_OLDER,
        expiry::OLDER,
        figures::FIGURES,
        figures::EXPLANATIONS,
        drops::DELETE_OLD_EXPLANATIONS,
        run::NEXT_STEP,
        run::DUE_RUNS,
        run::DELETE_OLD_RUNS,
    ] {
        check(&bench, query).await;
    }
}

/// Counts the steps of the database's machine for as long as the connections are held that this returns: all but one of
/// those that read, since each connection prepares a statement once, and that is counted too.
async fn count_steps(store: &Store) -> (Arc<AtomicUsize>, Vec<PoolConnection<Sqlite>>) {
    let steps = Arc::new(AtomicUsize::new(0));
    let mut readers: Vec<PoolConnection<Sqlite>> = vec![];
    for _ in 0..store.read.options().get_max_connections() {
        readers.push(store.read.acquire().await.unwrap());
    }
    let used = [store.write.acquire().await.unwrap(), readers.remove(0)];
    for mut connection in used {
        let steps = Arc::clone(&steps);
        let mut handle = connection.lock_handle().await.unwrap();
        handle.set_progress_handler(1, move || {
            steps.fetch_add(1, Ordering::SeqCst);
            true
        });
    }
    (steps, readers)
}

/// The steps that each of the hot calls takes while so many events are held.
async fn costs(held: usize) -> Vec<(&'static str, usize)> {
    // Room for one event more, of two bytes as all of them.
    let bounds = Bounds {
        bytes_max: 2 * (i64::try_from(held).unwrap() + 1),
        ..BOUNDS
    };
    let bench = Bench::with_bounds(bounds).await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, held).await;
    let store = &bench.app.store;
    let (account, now) = (AccountId::new(ACCOUNT).unwrap(), ACCEPTED_MS);
    let (steps, _others) = count_steps(store).await;
    let taken = || steps.swap(0, Ordering::SeqCst);
    taken();
    let mut costs = vec![];
    assert_eq!(store.connections_due(now).await.unwrap().len(), 1);
    costs.push(("connections_due", taken()));
    store.next_due_ms(now).await.unwrap();
    costs.push(("next_due_ms", taken()));
    store.any_expired(now).await.unwrap();
    costs.push(("any_expired", taken()));
    store
        .delivery_figures(&account, id.as_str())
        .await
        .unwrap()
        .unwrap();
    costs.push(("delivery_figures", taken()));
    bench.accept(&id, 1).await;
    costs.push(("accept", taken()));
    bench.accept(&id, 1).await;
    costs.push(("accept at the bound", taken()));
    let mut tx = store.begin().await.unwrap();
    taken();
    let entries = tx.sendable(&id, 20, now).await.unwrap();
    costs.push(("sendable", taken()));
    tx.lease(entries, "l".into(), now + 1).await.unwrap();
    costs.push(("lease", taken()));
    tx.commit().await.unwrap();
    store.next_due_ms(now).await.unwrap();
    costs.push(("next_due_ms with a lease", taken()));
    costs
}

#[tokio::test]
async fn what_a_hot_call_costs_does_not_grow_with_what_is_held() {
    assert_eq!(costs(2000).await, costs(20).await);
}
