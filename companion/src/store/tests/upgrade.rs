//! A database of an older version, opened by this one.

use scalr_api::{AccountId, ConnectionId, EnvironmentId, Status, WorkspaceId};
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use super::super::directory::DATABASE;
use super::super::{Durability, Installation, Place, Store, lock, migrations};
use crate::testing::{ACCOUNT, BOUNDS};
use crate::token::{Digest, Token};

/// What earlier versions wrote: the account of `dev`, and a connection that holds an event.
const ROWS: &str = "
    INSERT INTO installation (only_one, token) VALUES (1, 'old-token');
    INSERT INTO account (id, name) VALUES ('acc-1', 'local');
    INSERT INTO environment (id, account_id, name) VALUES ('env-1', 'acc-1', 'production');
    INSERT INTO workspace (id, environment_id, name) VALUES ('ws-1', 'env-1', 'network');
    INSERT INTO audit_log_setting (account_id) VALUES ('acc-1');
    INSERT INTO connection (id, account_id, name, aws_account_id, region, source, source_made, status, created_at_ms)
    VALUES ('in-a', 'acc-1', 'a', '123456789012', 'us-east-1', 'aws.partner/scalr.com/local/a', 1, 'active', 0);
    INSERT INTO outbox (connection_id, event_id, lane, version, detail_type, detail, bytes, time_ms, accepted_at_ms,
                        due_at_ms) VALUES ('in-a', 'e-1', 'w', 1, 'RunExecuted', '{}', 2, 5, 5, 0);";

/// What version 7 wrote beside: an event that was being sent, one that was delivered, one that has failed, and a delivered event of a
/// connection that was deleted.
const ROWS_OF_7: &str = "
    INSERT INTO account (id, name) VALUES ('acc-deleted-connections', 'deleted connections');
    INSERT INTO connection (id, account_id, name, aws_account_id, region, source, source_made, status, created_at_ms)
    VALUES ('in-b', 'acc-deleted-connections', 'in-b', 'in-b', 'us-east-1', 'in-b', 1, 'disabled', 0);
    INSERT INTO outbox (connection_id, event_id, lane, version, detail_type, detail, bytes, time_ms, accepted_at_ms,
                        due_at_ms, lease, leased_until_ms)
    VALUES ('in-a', 'e-2', 'v', 1, 'RunExecuted', '{}', 2, 6, 6, 0, 'l', 9000000000000000),
           ('in-a', 'e-3', 'w', 1, 'RunExecuted', '{\"a\": 1}', 8, 6, 6, 0, NULL, 0),
           ('in-a', 'e-4', 'w', 1, 'RunExecuted', '{\"a\": 12}', 9, 6, 6, 0, NULL, 0),
           ('in-b', 'e-5', 'w', 1, 'RunExecuted', '{\"a\": 123}', 10, 6, 6, 0, NULL, 0);
    INSERT INTO settled (connection_id, state, event_id, lane, version, detail_type, detail, bytes, time_ms, attempts, settled_at_ms)
    SELECT connection_id, CASE event_id WHEN 'e-4' THEN 'failed' ELSE 'delivered' END, event_id, lane, version, detail_type,
           detail, bytes, time_ms, 1, 7 FROM outbox WHERE event_id IN ('e-3', 'e-4', 'e-5');
    DELETE FROM outbox WHERE event_id IN ('e-3', 'e-4', 'e-5');
    UPDATE delivery SET delivered = 1;";

#[tokio::test]
async fn a_database_of_an_earlier_version_is_brought_up_to_date_and_keeps_its_events() {
    // The first, the last with one account, and the one that looked at the source before it counted an event as delivered.
    for version in [1, 4, 7] {
        check(version).await;
    }
}

/// What the version before the looks had their budget wrote beside that: a delivered event, which it had looked after, and a failed one.
const SETTLED: &str = "
    INSERT INTO settled (connection_id, state, event_id, lane, version, detail_type, detail, bytes, time_ms, attempts, settled_at_ms)
    VALUES ('in-a', 'delivered', 'e-2', 'w', 1, 'RunExecuted', '{ }', 3, 5, 1, 6),
           ('in-a', 'failed', 'e-3', 'w', 1, 'RunExecuted', '{}', 2, 5, 1, 6);
    UPDATE delivery SET delivered = 1, made = 3;";

#[tokio::test]
async fn what_an_earlier_version_delivered_is_confirmed() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::Directory(lock(dir.path()).unwrap());
    let options = SqliteConnectOptions::new()
        .filename(dir.path().join(DATABASE))
        .create_if_missing(true);
    let old = SqlitePool::connect_with(options).await.unwrap();
    migrations::SQLITE.up_to(7).run(&old).await.unwrap();
    sqlx::raw_sql(ROWS).execute(&old).await.unwrap();
    sqlx::raw_sql(SETTLED).execute(&old).await.unwrap();
    old.close().await;

    let store = Store::open(&place, Durability::None, BOUNDS).await;
    let store = store.unwrap();
    let (account, id) = (
        AccountId::new(ACCOUNT).unwrap(),
        ConnectionId::new("in-a").unwrap(),
    );
    assert_eq!(store.not_confirmed().await.unwrap(), []);
    let mut tx = store.begin().await.unwrap();
    tx.set_status(&id, &Status::Pending, None).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.doubted().await.unwrap(), [], "nothing is sent again");
    let (figures, _) = store.delivery_figures(&account, "in-a").await.unwrap().unwrap();
    let counts = [
        figures.held,
        figures.delivered,
        figures.failed,
        figures.unconfirmed,
    ];
    assert_eq!((counts, figures.made), ([1, 1, 1, 0], 3));
    let row = sqlx::query("SELECT history_bytes FROM delivery").fetch_one(store.read.sqlite());
    assert_eq!(row.await.unwrap().get::<i64, _>("history_bytes"), 3);
}

async fn check(version: i64) {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::Directory(lock(dir.path()).unwrap());
    let options = SqliteConnectOptions::new()
        .filename(dir.path().join(DATABASE))
        .create_if_missing(true);
    let old = SqlitePool::connect_with(options).await.unwrap();
    migrations::SQLITE.up_to(version).run(&old).await.unwrap();
    sqlx::raw_sql(ROWS).execute(&old).await.unwrap();
    if version == 7 {
        sqlx::raw_sql(ROWS_OF_7).execute(&old).await.unwrap();
    }
    old.close().await;

    // Twice: the second time there is nothing to do.
    for _ in 0..2 {
        let store = Store::open(&place, Durability::None, BOUNDS).await.unwrap();
        let names = "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name";
        let names = sqlx::query(names).fetch_all(store.read.sqlite()).await.unwrap();
        let names: Vec<String> = names.iter().map(|row| row.get("name")).collect();
        let want = [
            "account_name",
            "delivery_doubted",
            "delivery_not_confirmed",
            "dropped_of",
            "intake_age",
            "outbox_age",
            "outbox_errors",
            "outbox_lane",
            "outbox_oldest",
            "outbox_unconfirmed",
            "outbox_waiting",
            "run_step",
            "settled_age",
            "settled_event",
            "settled_of",
            "token_of",
        ];
        assert_eq!(names, want);
        let account = AccountId::new(ACCOUNT).unwrap();
        let (figures, _) = store.delivery_figures(&account, "in-a").await.unwrap().unwrap();
        let want = if version == 7 { [2, 1, 1, 4] } else { [1, 0, 0, 1] };
        let counts = [figures.held, figures.delivered, figures.failed, figures.made];
        assert_eq!((counts, figures.oldest_held_at_ms), (want, Some(5)));
        let due = store.connections_due(10).await.unwrap();
        assert_eq!(due[0].id, ConnectionId::new("in-a").unwrap());
        admits_its_token(&store).await;
        if version == 7 {
            counts_its_deliveries_as_confirmed(&store).await;
        }
        store.close().await;
    }
}

/// What the old version delivered was confirmed when it was counted: nothing of it is sent again. Its history has the bytes that it had.
async fn counts_its_deliveries_as_confirmed(store: &Store) {
    let rows = sqlx::query("SELECT history_bytes FROM delivery ORDER BY connection_id");
    let rows = rows.fetch_all(store.read.sqlite()).await.unwrap();
    let bytes: Vec<i64> = rows.iter().map(|row| row.get("history_bytes")).collect();
    assert_eq!(bytes, [8, 10], "those of delivered events alone");
    assert_eq!(store.not_confirmed().await.unwrap(), []);
    let id = ConnectionId::new("in-a").unwrap();
    let mut tx = store.begin().await.unwrap();
    let both: Vec<_> = tx.sendable(&id, 10, 10).await.unwrap();
    let ids: Vec<&str> = both.iter().map(|entry| entry.event_id.as_str()).collect();
    assert_eq!(ids, ["e-1", "e-2"], "no lease of the old process is left");
    tx.set_status(&id, &Status::Pending, None).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.doubted().await.unwrap(), []);
    let mut tx = store.begin().await.unwrap();
    tx.set_status(&id, &Status::Active, None).await.unwrap();
    tx.commit().await.unwrap();
}

/// The token of `dev` opens the account that it opened before, and nothing else does.
async fn admits_its_token(store: &Store) {
    let unused = Installation {
        token: Token::new("made-up-token"),
        account_id: AccountId::new("acc-other").unwrap(),
        account_name: "other".into(),
        environment_id: EnvironmentId::new("env-other").unwrap(),
        workspace_id: WorkspaceId::new("ws-other").unwrap(),
    };
    let mut tx = store.begin().await.unwrap();
    assert!(!tx.is_of_service().await.unwrap());
    let found = tx.install(&unused, ("e", "w")).await.unwrap();
    assert_eq!(
        (found.account_id.as_str(), found.workspace_id.as_str()),
        (ACCOUNT, "ws-1")
    );
    tx.set_token(&found.account_id, &found.token, 7).await.unwrap();
    tx.commit().await.unwrap();
    for (sent, opens) in [("old-token", Some(ACCOUNT)), ("made-up-token", None)] {
        let shown = store.tokens_like(&Digest::of(sent)).await.unwrap();
        let account = shown.first().and_then(|shown| shown.known.account.as_ref());
        assert_eq!(account.map(|(id, _)| id.as_str()), opens, "{sent}");
    }
}
