//! What the hot queries cost: by the database's own plan, and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use scalr_api::{AccountId, Status};
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Row as _, Sqlite};

use super::super::sql::{Sql, query};
use super::super::{
    Bounds, Store, access, confirm, connection, database, doubts, drops, figures, intake, lease, outbox,
    purge, retention, run, settle, settled, totals, waits,
};
use crate::testing::{ACCEPTED_MS, ACCOUNT, BOUNDS, Bench};

/// What a hot query may read from end to end: tables with a row an account, a connection or a source to delete, the lanes,
/// a list that it was given, and the index of events that were sent before, which has at most one of a lane.
const SCANS: [&str; 15] = [
    "audit_log_setting",
    "c",
    "d",
    "d USING COVERING INDEX sqlite_autoindex_delivery_1",
    "delivery",
    "delivery USING INDEX delivery_doubted",
    "d USING INDEX delivery_not_confirmed",
    "json_each VIRTUAL TABLE INDEX 1:",
    "lanes",
    "list VIRTUAL TABLE INDEX 1:",
    "o USING COVERING INDEX outbox_waiting",
    "outbox USING COVERING INDEX outbox_waiting",
    "outbox USING INDEX outbox_waiting",
    "receiver VIRTUAL TABLE INDEX 1:",
    "source_removal",
];

macro_rules! hot {
    ($($statement:expr),+ $(,)?) => {
        [$(Sql::from($statement)),+]
    };
}

async fn check(bench: &Bench, query: &str) {
    let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}")))
        .fetch_all(bench.app.store.read.sqlite())
        .await
        .unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    let bad = |line: &&String| {
        let scanned = line.strip_prefix("SCAN ");
        scanned.is_some_and(|what| !SCANS.contains(&what)) || line.contains("AUTOMATIC")
    };
    assert_eq!(plan.iter().find(bad), None, "{query}\n{plan:#?}");
}

/// The statements whose cost must not grow with what is held.
pub(super) fn hot() -> impl Iterator<Item = Sql> {
    let waits = waits::statements().map(Sql::from);
    hot![
        access::SHOWN,
        doubts::UNCONFIRMED,
        doubts::OLDEST_ACKNOWLEDGED,
        intake::BY_KEY,
        intake::ANY_OLD_KEY,
        intake::DELETE_OLD_KEYS,
        lease::CONNECTIONS_DUE,
        lease::CONNECTIONS_DUE_OF,
        lease::NEXT_RETRY_OF,
        lease::NEXT_DUE,
        lease::SENDABLE,
        database::VOID_LEASES,
        outbox::HELD_BYTES,
        outbox::ENQUEUE,
        outbox::ANY_OF_THEM_BEYOND_BOUND,
        intake::NOTE,
        retention::ANY_BEYOND_BOUND,
        retention::BEYOND_BOUND,
        retention::OLDEST,
        retention::ANY_OLDER,
        retention::OLDER,
        purge::EVENTS,
        purge::ANY_DELETED,
        purge::DELETE_EMPTY,
        purge::DELETE_EVENTS,
        purge::DELETE_SETTLED,
        settled::LISTED[0],
        settled::LISTED[1],
        settled::NUMBERED[0],
        settled::NUMBERED[1],
        settled::SEND_AGAIN,
        settled::DELETE_SETTLED,
        settled::ANY_OLD,
        settled::OLD,
        settled::ANY_CONFIRMED,
        settled::CONFIRMED,
        settled::HISTORY_BEYOND_BOUND,
        settled::OLDEST_DELIVERED,
        lease::LEASE,
        lease::RELEASE,
        settle::KEEP,
        settle::TAKE_OUT,
        settle::DELIVERED,
        settle::RETRY,
        settled::UNCONFIRMED,
        confirm::NOT_CONFIRMED,
        confirm::DOUBT,
        confirm::DOUBT_LEASES,
        confirm::DOUBTED,
        confirm::IN_DOUBT,
        confirm::MOVE_BACK,
        connection::FORGET_REFUSALS,
        figures::FIGURES,
        figures::HELD,
        figures::EXPLANATIONS,
        totals::TOTALS,
        drops::EXPLAIN,
        drops::DELETE_OLD_EXPLANATIONS,
        drops::DELETE,
        run::NEXT_STEP,
        run::DUE_RUNS,
        run::DELETE_OLD_RUNS,
    ]
    .into_iter()
    .chain(waits)
}

#[tokio::test]
async fn no_hot_query_reads_a_whole_table_of_events_or_runs() {
    let bench = Bench::new().await;
    for query in hot() {
        check(&bench, query.sqlite()).await;
    }
}

/// Counts the steps of the database's machine for as long as the connections are held that this returns: all but one of
/// those that read, since each connection prepares a statement once, and that is counted too.
async fn count_steps(store: &Store) -> (Arc<AtomicUsize>, Vec<PoolConnection<Sqlite>>) {
    let steps = Arc::new(AtomicUsize::new(0));
    let mut readers: Vec<PoolConnection<Sqlite>> = vec![];
    for _ in 0..store.read.sqlite().options().get_max_connections() {
        readers.push(store.read.sqlite().acquire().await.unwrap());
    }
    let used = [store.write.sqlite().acquire().await.unwrap(), readers.remove(0)];
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

/// The steps that each of the hot calls takes while so many events are held, and ten times as many are unconfirmed.
async fn costs(held: usize) -> Vec<(&'static str, usize)> {
    // Room for one event more, of two bytes as all of them.
    let bounds = Bounds {
        bytes_max: 2 * (i64::try_from(held).unwrap() + 1),
        ..BOUNDS
    };
    let bench = Bench::with_bounds(bounds).await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    let store = &bench.app.store;
    let unconfirmed = 10 * i64::try_from(held).unwrap();
    store.hold(&id, [unconfirmed, 2], true).await;
    bench.accept(&id, held).await;
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
    let held_events = store.held_events(&account, [Some(id.as_str()), None]);
    assert_eq!(held_events.await.unwrap().0.len(), held.min(100));
    costs.push(("held_events", taken()));
    bench.accept(&id, 1).await;
    costs.push(("accept", taken()));
    bench.accept(&id, 1).await;
    costs.push(("accept beyond the bound", taken()));
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
    assert_eq!(costs(2000).await, costs(200).await);
}

/// The steps that dropping 300 events takes while so many are held and as many are unconfirmed: for room, and for their age.
async fn costs_of_dropping(held: i64) -> Vec<(&'static str, usize)> {
    const DROPPED: i64 = 300;
    let bounds = Bounds {
        bytes_max: 2 * (held - DROPPED),
        age_ms_max: 0,
        ..BOUNDS
    };
    let bench = Bench::with_bounds(bounds).await;
    let id = bench.connect("a", "us-east-1", &Status::Pending).await;
    let store = &bench.app.store;
    store.hold(&id, [held, 2], true).await;
    store.hold(&id, [held, 2], false).await;
    // Twice, since the first time each statement is prepared.
    let (steps, _others) = count_steps(store).await;
    let mut costs = vec![];
    for what in ["warm-up", "room", "age"] {
        steps.store(0, Ordering::SeqCst);
        let mut tx = store.begin().await.unwrap();
        let dropped = match what {
            "age" => tx.expire(ACCEPTED_MS + 1).await.unwrap(),
            _ => tx.make_room(ACCEPTED_MS).await.unwrap(),
        };
        assert_eq!(dropped, 200, "{what}");
        if what == "warm-up" {
            tx.inner.rollback().await.unwrap();
        } else {
            tx.commit().await.unwrap();
        }
        costs.push((what, steps.load(Ordering::SeqCst)));
    }
    costs.split_off(1)
}

/// The steps that deleting a connection takes while it holds so many events, up to its commit.
async fn costs_of_deleting(held: i64) -> usize {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Pending).await;
    let store = &bench.app.store;
    store.hold(&id, [held, 2], false).await;
    let connection = store.connection_by_id(&id).await.unwrap().unwrap();
    let (steps, _others) = count_steps(store).await;
    let mut tx = store.begin().await.unwrap();
    steps.store(0, Ordering::SeqCst);
    tx.delete_connection(&connection).await.unwrap();
    let taken = steps.load(Ordering::SeqCst);
    tx.commit().await.unwrap();
    taken
}

#[tokio::test]
async fn what_deleting_a_connection_costs_does_not_grow_with_what_it_holds() {
    assert_eq!(costs_of_deleting(20_000).await, costs_of_deleting(1_000).await);
}

#[tokio::test]
async fn what_a_dropped_event_costs_does_not_grow_with_what_is_held() {
    let costs = costs_of_dropping(1_000).await;
    assert_eq!(costs_of_dropping(20_000).await, costs);
    // Steps of the database's machine an event: a row of each index and of the triggers.
    assert!(costs.iter().all(|(_, steps)| steps / 200 < 250), "{costs:?}");
}

/// The steps that forgetting 300 events takes beside so many older ones that no look has covered, where there is no history.
async fn costs_of_forgetting(not_confirmed: i64) -> Vec<usize> {
    let bounds = Bounds {
        history_ms: 0,
        ..BOUNDS
    };
    let bench = Bench::with_bounds(bounds).await;
    let store = &bench.app.store;
    let a = bench.connect("a", "us-east-1", &Status::Active).await;
    let b = bench.connect("b", "us-east-2", &Status::Active).await;
    store.deliver(&a, [not_confirmed, 2]).await;
    store.deliver(&b, [300, 2]).await;
    store.good_look(&b).await;
    let (steps, _others) = count_steps(store).await;
    let mut costs = vec![];
    for forgotten in [200, 100, 0] {
        steps.store(0, Ordering::SeqCst);
        assert_eq!(store.any_old_history(ACCEPTED_MS).await.unwrap(), forgotten > 0);
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.forget_history(ACCEPTED_MS).await.unwrap(), forgotten);
        tx.commit().await.unwrap();
        costs.push(steps.load(Ordering::SeqCst));
    }
    costs
}

#[tokio::test]
async fn what_forgetting_costs_does_not_grow_with_what_is_not_confirmed() {
    assert_eq!(costs_of_forgetting(5_000).await, costs_of_forgetting(50).await);
}

/// The steps that it takes to find the connections with deliveries that no look has covered, or with ones in doubt, beside so many others.
async fn costs_of_finding(others: i64) -> [usize; 2] {
    let bench = Bench::new().await;
    let store = &bench.app.store;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    let other = query(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < $1)
         INSERT INTO connection (id, account_id, name, aws_account_id, region, source, source_made, status, created_at_ms)
         SELECT 'in-' || n, $2, n, n, 'us-east-1', n, 1, 'active', 0 FROM n",
    );
    let other = other.bind(others).bind(ACCOUNT);
    other.execute(&store.write).await.unwrap();
    store.deliver(&id, [1, 2]).await;
    let (steps, _others) = count_steps(store).await;
    assert_eq!(
        store.not_confirmed().await.unwrap(),
        [(id, "us-east-1".to_owned())]
    );
    let not_confirmed = steps.swap(0, Ordering::SeqCst);
    assert_eq!(store.doubted().await.unwrap(), []);
    [not_confirmed, steps.load(Ordering::SeqCst)]
}

#[tokio::test]
async fn what_it_costs_to_find_what_is_not_confirmed_does_not_grow_with_the_connections() {
    assert_eq!(costs_of_finding(2_000).await, costs_of_finding(20).await);
}
