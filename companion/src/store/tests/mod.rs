//! The store's own rules, and how tests make writes fail.

mod confirm;
mod damage;
pub(crate) mod databases;
mod due;
mod faults;
mod feed;
mod many;
mod plans;
mod postgres;
mod settled;
mod upgrade;

use scalr_api::{AccountId, ConnectionId, Status};
use scalr_events::EventType;

use super::sql::query;
use super::{Bounds, DeliveryFigures, DroppedEvent, NewEvent, Settlement, SourceKey, Store, outbox};
use crate::testing::{ACCEPTED, ACCEPTED_MS, ACCOUNT, BOUNDS, Bench, TOKEN, ending};

impl Store {
    /// From here on updates of these tables fail, as on a full disk.
    pub(crate) async fn fill_disk(&self, tables: &[&str]) {
        for table in tables {
            let sqlite = format!(
                "CREATE TRIGGER full_{table} BEFORE UPDATE ON {table} BEGIN SELECT RAISE(FAIL, 'full'); END"
            );
            let postgres = format!(
                "CREATE FUNCTION full_{table} () RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN RAISE 'full'; END $$;
                 CREATE TRIGGER full_{table} BEFORE UPDATE ON {table} EXECUTE FUNCTION full_{table} ()"
            );
            self.write.run(&sqlite, &postgres).await;
        }
    }
}

impl Store {
    /// From here on updates of these tables succeed again.
    pub(crate) async fn empty_disk(&self, tables: &[&str]) {
        for table in tables {
            let sqlite = format!("DROP TRIGGER full_{table}");
            let postgres = format!("DROP FUNCTION full_{table} CASCADE");
            self.write.run(&sqlite, &postgres).await;
        }
    }

    /// From here on commits of leases fail, and no statement before them; or they succeed again.
    pub(crate) async fn fail_commits(&self, fail: bool) {
        const SQLITE: [&str; 2] = [
            "DROP TRIGGER refuse; DROP TABLE refused; DROP TABLE absent",
            "CREATE TABLE absent (id INTEGER PRIMARY KEY);
             CREATE TABLE refused (id INTEGER REFERENCES absent (id) DEFERRABLE INITIALLY DEFERRED);
             CREATE TRIGGER refuse AFTER UPDATE OF lease ON outbox BEGIN INSERT INTO refused VALUES (1); END",
        ];
        const POSTGRES: [&str; 2] = [
            "DROP FUNCTION refuse CASCADE",
            "CREATE FUNCTION refuse () RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
             CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE OF lease ON outbox DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION refuse ()",
        ];
        let at = usize::from(fail);
        self.write.run(SQLITE[at], POSTGRES[at]).await;
    }

    /// Queues a source to be deleted at AWS, as the deletion of its connection does.
    pub(crate) async fn queue_removal(&self, source: &SourceKey) {
        query("INSERT INTO source_removal (source, region, aws_account_id) VALUES ($1, $2, $3)")
            .bind(&source.name)
            .bind(&source.region)
            .bind(&source.aws_account_id)
            .execute(&self.write)
            .await
            .unwrap();
    }

    /// The details of all that a connection holds.
    pub(crate) async fn details_held_for(&self, id: &ConnectionId) -> Vec<String> {
        let rows = query("SELECT detail FROM outbox WHERE connection_id = $1 ORDER BY seq")
            .bind(id.as_str())
            .fetch_all(&self.read)
            .await
            .unwrap();
        rows.iter().map(|row| row.try_get("detail").unwrap()).collect()
    }

    /// All that is stored of tokens, as text.
    pub(crate) async fn every_text_of_tokens(&self) -> String {
        let rows = query("SELECT id || name || scopes || ends_in AS text, digest FROM token")
            .fetch_all(&self.read)
            .await
            .unwrap();
        let texts = rows.iter().map(|row| {
            let digest: Vec<u8> = row.try_get("digest").unwrap();
            let text: String = row.try_get("text").unwrap();
            text + &String::from_utf8_lossy(&digest)
        });
        texts.collect()
    }

    /// All events so far are as if another version had stored them.
    pub(crate) async fn store_in_version(&self, version: i64) {
        let stored = query("UPDATE outbox SET version = $1").bind(version);
        stored.execute(&self.write).await.unwrap();
    }
}

/// The database does not permit this; whatever else has made it, nobody becomes an operator by it.
#[tokio::test]
async fn a_token_whose_account_is_missing_is_no_operators() {
    let bench = Bench::new().await;
    let sqlite = "PRAGMA foreign_keys = OFF; DELETE FROM account";
    let postgres = "SET session_replication_role = replica; DELETE FROM account";
    bench.app.store.write.run(sqlite, postgres).await;
    let admitted = bench.app.admit(TOKEN, None, "").await;
    let said = admitted.expect_err("it is admitted as nobody").to_string();
    assert!(said.contains("`acc-1`"), "{said}");
}

async fn figures(bench: &Bench, id: &ConnectionId) -> (DeliveryFigures, Vec<DroppedEvent>) {
    let account = AccountId::new(ACCOUNT).unwrap();
    let found = bench
        .app
        .store
        .delivery_figures(&account, id.as_str())
        .await
        .unwrap();
    found.unwrap()
}

/// Drops all that is beyond the bound in bytes; returns what each transaction dropped.
async fn make_room(bench: &Bench) -> Vec<usize> {
    let mut chunks = vec![];
    loop {
        let mut tx = bench.app.store.begin().await.unwrap();
        let dropped = tx.make_room(ACCEPTED_MS).await.unwrap();
        tx.commit().await.unwrap();
        if dropped == 0 {
            return chunks;
        }
        chunks.push(dropped);
    }
}

#[tokio::test]
async fn room_is_made_outside_intake_in_bounded_transactions() {
    let none = Bounds {
        bytes_max: 0,
        ..BOUNDS
    };
    let bench = Bench::with_bounds(none).await;
    let a = bench.connect("a", "us-east-1", &Status::Pending).await;
    let b = bench.connect("b", "us-east-2", &Status::Pending).await;
    bench.accept(&a, 501).await;
    let held = figures(&bench, &a).await.0.held;
    assert_eq!(held, 501, "intake drops nothing");
    // A wait for it would end now: the commit has woken retention.
    bench.app.store.beyond_bound().await;
    assert_eq!(make_room(&bench).await, [200, 200, 100]);
    // Connections share a transaction.
    for id in [&a, &b] {
        bench.accept(id, 150).await;
    }
    assert_eq!(
        make_room(&bench).await,
        [200, 99],
        "half of it each, then the rest"
    );
    for id in [&a, &b] {
        assert_eq!(figures(&bench, id).await.0.held, 1, "the newest event stays");
    }
}

#[tokio::test]
async fn what_one_connection_drops_leaves_the_explanations_of_others() {
    let none = Bounds {
        bytes_max: 0,
        ..BOUNDS
    };
    let bench = Bench::with_bounds(none).await;
    let a = bench.connect("a", "us-east-1", &Status::Pending).await;
    let b = bench.connect("b", "us-east-2", &Status::Pending).await;
    // The newest event is always held: one less than were accepted is dropped.
    for (id, events) in [(&a, 6), (&b, 201), (&a, 1)] {
        bench.accept(id, events).await;
        make_room(&bench).await;
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
async fn an_accepted_event_stays_where_all_older_ones_are_being_sent() {
    let none = Bounds {
        bytes_max: 0,
        ..BOUNDS
    };
    let bench = Bench::with_bounds(none).await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 1).await;
    let mut tx = bench.app.store.begin().await.unwrap();
    let head = tx.sendable(&id, 20, 0).await.unwrap();
    assert_eq!(head.len(), 1);
    tx.lease(head, "l".into(), 1).await.unwrap();
    tx.commit().await.unwrap();
    bench.accept(&id, 1).await;
    make_room(&bench).await;
    let figures = figures(&bench, &id).await.0;
    assert_eq!((figures.held, figures.dropped_too_many), (2, 0));
}

#[tokio::test]
async fn a_change_of_the_status_a_pause_and_an_answer_that_it_is_active_raise_its_version() {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Pending).await;
    for (status, raises) in [
        (Status::Pending, false),
        (Status::Active, true),
        (Status::Active, true),
        (Status::Disabled, true),
        (Status::Disabled, true),
    ] {
        let version = async || {
            bench
                .app
                .store
                .connection_by_id(&id)
                .await
                .unwrap()
                .unwrap()
                .status_version
        };
        let before = version().await;
        let mut tx = bench.app.store.begin().await.unwrap();
        tx.set_status(&id, &status, None).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(version().await - before, i64::from(raises), "{status}");
    }
}

#[tokio::test]
async fn an_expired_event_is_dropped_unless_it_is_leased() {
    let bounds = Bounds {
        age_ms_max: 2 * 3_600_000,
        ..BOUNDS
    };
    let bench = Bench::with_bounds(bounds).await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 3).await;
    let late = ACCEPTED_MS + bounds.age_ms_max + 1;
    let mut tx = bench.app.store.begin().await.unwrap();
    let head = tx.sendable(&id, 20, 0).await.unwrap();
    assert_eq!(head.len(), 1, "one of the workspace");
    tx.lease(head, "l".into(), late).await.unwrap();
    assert_eq!(tx.expire(late - 1).await.unwrap(), 0);
    assert_eq!(tx.expire(late).await.unwrap(), 2);
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
async fn a_clock_that_is_set_back_delays_nothing() {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 1).await;
    let due = bench.app.store.connections_due(ACCEPTED_MS - 1).await.unwrap();
    assert_eq!(due[0].id, id);
}

#[tokio::test]
async fn the_figures_show_why_a_held_event_was_not_taken() {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 2).await;
    let mut tx = bench.app.store.begin().await.unwrap();
    let head = tx.sendable(&id, 20, 0).await.unwrap();
    let seq = head[0].seq;
    tx.lease(head, "l".into(), 1).await.unwrap();
    let retry = Settlement::Retry {
        due_at_ms: 1,
        error: Some("SomethingNew: m".into()),
    };
    tx.settle(&[ending("l", seq, &retry)], 1).await.unwrap();
    tx.commit().await.unwrap();
    let shown = figures(&bench, &id).await.0.last_error;
    assert_eq!(shown.as_deref(), Some("SomethingNew: m"));

    let mut tx = bench.app.store.begin().await.unwrap();
    let late = ACCEPTED_MS + BOUNDS.age_ms_max + 1;
    assert_eq!(tx.expire(late).await.unwrap(), 2);
    tx.commit().await.unwrap();
    let (_, drops) = figures(&bench, &id).await;
    let explained: Vec<bool> = drops
        .iter()
        .map(|drop| drop.explanation.ends_with("; last error: SomethingNew: m"))
        .collect();
    assert_eq!(
        explained,
        [false, true],
        "the newest comes first, which was never sent"
    );
}

/// The delivery's turn waits for one other transaction at most, however many wait.
#[tokio::test]
async fn a_flood_of_writers_keeps_the_first_one_waiting_for_one_of_them() {
    let bench = Bench::new().await;
    let store = &bench.app.store;
    let held = store.begin().await.unwrap();
    let (sender, mut order) = tokio::sync::mpsc::unbounded_channel();
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let (store, sender) = (store.clone(), sender.clone());
        waiting.spawn(async move {
            let tx = store.begin().await.unwrap();
            sender.send("other").unwrap();
            tx.commit().await.unwrap();
        });
    }
    // All of them wait: nothing else can run on this thread's runtime.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let first = store.clone();
    waiting.spawn(async move {
        let tx = first.begin_first().await.unwrap();
        sender.send("first").unwrap();
        tx.commit().await.unwrap();
    });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    held.commit().await.unwrap();
    while waiting.join_next().await.is_some() {}
    let at = std::iter::from_fn(|| order.try_recv().ok()).position(|who| who == "first");
    assert!(at <= Some(1) && at.is_some(), "{at:?}");
}

/// Whether a wait for work of the delivery would end now; uses that signal up.
async fn is_awake(store: &Store) -> bool {
    let signal = store.deliverable();
    tokio::select! {
        biased;
        _ = signal => true,
        () = std::future::ready(()) => false,
    }
}

#[tokio::test]
async fn a_commit_wakes_delivery_when_there_is_something_to_deliver() {
    let bench = Bench::new().await;
    let (store, account) = (&bench.app.store, AccountId::new(ACCOUNT).unwrap());
    let id = bench.connect("a", "us-east-1", &Status::Pending).await;
    assert!(!is_awake(store).await, "a connection that waits for its bus");
    bench.accept(&id, 1).await;
    assert!(is_awake(store).await, "an accepted event");
    for (status, wakes) in [(Status::Disabled, false), (Status::Active, true)] {
        let mut tx = store.begin().await.unwrap();
        tx.set_status(&id, &status, None).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(is_awake(store).await, wakes, "{status}");
    }
    let mut tx = store.begin().await.unwrap();
    let event = event(&account, EventType::RunExecuted);
    outbox::accept(&mut tx, &event).await.unwrap();
    drop(tx);
    assert!(!is_awake(store).await, "a transaction that is rolled back");
}

#[tokio::test]
async fn a_commit_whose_caller_is_gone_wakes_delivery_too() {
    let bench = Bench::new().await;
    let store = &bench.app.store;
    bench.connect("a", "us-east-1", &Status::Pending).await;
    let mut tx = store.begin().await.unwrap();
    let event = event(&AccountId::new(ACCOUNT).unwrap(), EventType::RunExecuted);
    outbox::accept(&mut tx, &event).await.unwrap();
    // A commit that never ends: SQLite's own may end before its caller looks at it once.
    tokio::select! {
        biased;
        () = tx.wakes.after(std::future::pending()) => {}
        () = std::future::ready(()) => {}
    }
    assert!(is_awake(store).await);
}

fn event(account: &AccountId, event_type: EventType) -> NewEvent {
    NewEvent {
        account_id: account.clone(),
        event_type,
        event_id: "e".into(),
        lane: "w".into(),
        detail: "{}".into(),
        at: ACCEPTED,
    }
}

/// Ids and names are what their senders chose.
#[tokio::test]
async fn events_are_stored_as_they_came_and_in_their_order() {
    let bench = Bench::new().await;
    let (store, account) = (&bench.app.store, AccountId::new(ACCOUNT).unwrap());
    let ids = [
        bench.connect("a", "us-east-1", &Status::Pending).await,
        bench.connect("b", "us-east-2", &Status::Pending).await,
    ];
    let texts = ["a\u{0}b", "a\u{0}c", "\u{1f600}\"\\\u{7f}\u{2028}", "", "1"];
    let of = |text: &&str| NewEvent {
        event_id: (*text).to_owned(),
        lane: format!("lane {text}"),
        detail: format!("{{\"x\":{}}}", serde_json::to_string(text).unwrap()),
        ..event(&account, EventType::RunExecuted)
    };
    let events: Vec<NewEvent> = texts.iter().map(of).collect();
    let digest = crate::token::Digest::of("body");
    let keys: Vec<_> = texts.iter().map(|text| (*text, &digest)).collect();
    let mut tx = store.begin().await.unwrap();
    let of_runs = (&account, EventType::RunExecuted);
    tx.note_accepted(of_runs, (&keys, 2), 7).await.unwrap();
    outbox::accept_for(&mut tx, &ids, &events.iter().collect::<Vec<_>>())
        .await
        .unwrap();
    let known = tx.accepted(of_runs, &texts).await.unwrap();
    assert!(
        known
            .values()
            .all(|one| one.digest.is(&digest) && one.deliveries == 2)
    );
    assert_eq!(known.len(), texts.len());
    let all = query("SELECT connection_id, event_id, lane, detail FROM outbox ORDER BY seq");
    let rows = all.fetch_all(&mut tx.inner).await.unwrap();
    let stored: Vec<[String; 4]> = rows
        .iter()
        .map(|row| ["connection_id", "event_id", "lane", "detail"].map(|name| row.try_get(name).unwrap()))
        .collect();
    let wanted = events.iter().flat_map(|one| {
        ids.iter().map(|id| {
            [
                id.to_string(),
                one.event_id.clone(),
                one.lane.clone(),
                one.detail.clone(),
            ]
        })
    });
    assert_eq!(stored, wanted.collect::<Vec<_>>());
}

#[tokio::test]
async fn an_event_goes_to_the_connections_that_receive_its_type() {
    use EventType::{AuditLog, RunExecuted};
    let bench = Bench::new().await;
    let account = AccountId::new(ACCOUNT).unwrap();
    let a = bench.connect("a", "us-east-1", &Status::Pending).await;
    let b = bench.connect("b", "us-east-2", &Status::Pending).await;
    // Each step selects a connection, or none, in the transaction that accepts the event.
    for (selects, event_type, want) in [
        (None, RunExecuted, vec![&a, &b]),
        (None, AuditLog, vec![]),
        (Some(Some(&a)), AuditLog, vec![&a]),
        (Some(Some(&b)), AuditLog, vec![&b]),
        (None, AuditLog, vec![&b]),
        (Some(None), RunExecuted, vec![&a, &b]),
        (Some(Some(&a)), AuditLog, vec![&a]),
        (Some(None), AuditLog, vec![&a]),
        (None, AuditLog, vec![]),
    ] {
        let mut tx = bench.app.store.begin().await.unwrap();
        if let Some(selects) = selects {
            tx.select_audit_connection(&account, selects).await.unwrap();
        }
        let receivers = outbox::accept(&mut tx, &event(&account, event_type))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(
            receivers.iter().collect::<Vec<_>>(),
            want,
            "{selects:?} {event_type}"
        );
    }
}

#[tokio::test]
async fn an_expired_lease_settles_nothing() {
    let bench = Bench::new().await;
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 1).await;
    let error = || "refused".to_owned();
    let retry = Settlement::Retry {
        due_at_ms: 5,
        error: Some(error()),
    };
    for settlement in [
        Settlement::Delivered,
        retry,
        Settlement::Refused { error: error() },
    ] {
        let mut tx = bench.app.store.begin().await.unwrap();
        let entries = tx.sendable(&id, 20, ACCEPTED_MS).await.unwrap();
        let seq = entries[0].seq;
        tx.lease(entries, "new".into(), 0).await.unwrap();
        tx.settle(&[ending("old", seq, &settlement)], ACCEPTED_MS)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let (figures, drops) = figures(&bench, &id).await;
        assert_eq!(
            (figures.held, figures.delivered, drops.len()),
            (1, 0, 0),
            "{settlement:?}"
        );
        assert_eq!(figures.last_error, None, "{settlement:?}");
    }
}

#[tokio::test]
async fn a_deleted_connection_is_gone_at_once_and_its_events_bit_by_bit() {
    let bench = Bench::new().await;
    let (store, account) = (&bench.app.store, AccountId::new(ACCOUNT).unwrap());
    let id = bench.connect("a", "us-east-1", &Status::Active).await;
    bench.accept(&id, 450).await;
    // An account of this name is in no way of the deletion.
    bench.token_of_another("acc-deleted-connections", &[]).await;
    let connection = store.connection_by_id(&id).await.unwrap().unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.delete_connection(&connection).await.unwrap();
    assert_eq!(tx.audit_connection(&account).await.unwrap(), None);
    tx.commit().await.unwrap();
    assert!(store.connection(&account, id.as_str()).await.unwrap().is_none());
    assert!(
        store
            .delivery_figures(&account, id.as_str())
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        store.connections_due(ACCEPTED_MS).await.unwrap(),
        [],
        "nothing of it is sent"
    );
    // A wait for retention would end now; and one of the same name, region and account may be made.
    store.beyond_bound().await;
    let mut tx = store.begin().await.unwrap();
    let id = ConnectionId::new("in-new").unwrap();
    let new = super::NewConnection {
        id,
        account_id: account.clone(),
        name: "a".into(),
        source: connection.source.clone(),
        now_ms: 0,
    };
    tx.insert_connection(&new).await.unwrap();
    tx.commit().await.unwrap();
    let mut chunks = vec![];
    while store.any_deleted().await.unwrap() {
        let mut tx = store.begin().await.unwrap();
        chunks.push(tx.purge().await.unwrap());
        tx.commit().await.unwrap();
    }
    assert_eq!(chunks, [200, 200, 50 + 1], "events, and then the connection");
    assert!(store.connection_by_id(&connection.id).await.unwrap().is_none());
    assert!(store.connection(&account, "in-new").await.unwrap().is_some());
}
