//! A database of an older version, opened by this one.

use scalr_api::{AccountId, ConnectionId};
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use super::super::directory::DATABASE;
use super::super::{Durability, Store, lock, migrations};
use crate::testing::{ACCOUNT, BOUNDS};

/// What the first version wrote: a connection that holds an event.
const ROWS: &str = "
    INSERT INTO installation (only_one, token) VALUES (1, 'old-token');
    INSERT INTO account (id, name) VALUES ('acc-1', 'local');
    INSERT INTO audit_log_setting (account_id) VALUES ('acc-1');
    INSERT INTO connection (id, account_id, name, aws_account_id, region, source, source_made, status, created_at_ms)
    VALUES ('in-a', 'acc-1', 'a', '123456789012', 'us-east-1', 'aws.partner/scalr.com/local/a', 1, 'active', 0);
    INSERT INTO outbox (connection_id, event_id, lane, version, detail_type, detail, bytes, time_ms, accepted_at_ms,
                        due_at_ms) VALUES ('in-a', 'e-1', 'w', 1, 'RunExecuted', '{}', 2, 5, 5, 0);";

#[tokio::test]
async fn a_database_of_the_first_version_is_brought_up_to_date_and_keeps_its_events() {
    let dir = tempfile::tempdir().unwrap();
    let lock = lock(dir.path()).unwrap();
    let options = SqliteConnectOptions::new()
        .filename(dir.path().join(DATABASE))
        .create_if_missing(true);
    let old = SqlitePool::connect_with(options).await.unwrap();
    migrations::up_to(1).run(&old).await.unwrap();
    sqlx::raw_sql(ROWS).execute(&old).await.unwrap();
    old.close().await;

    // Twice: the second time there is nothing to do.
    for _ in 0..2 {
        let store = Store::open(dir.path(), &lock, Durability::None, BOUNDS)
            .await
            .unwrap();
        let names = "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name";
        let names = sqlx::query(names).fetch_all(&store.read).await.unwrap();
        let names: Vec<String> = names.iter().map(|row| row.get("name")).collect();
        let want = [
            "account_name",
            "dropped_of",
            "outbox_age",
            "outbox_errors",
            "outbox_lane",
            "outbox_oldest",
            "outbox_waiting",
            "run_step",
            "token_of",
        ];
        assert_eq!(names, want);
        let account = AccountId::new(ACCOUNT).unwrap();
        let (figures, _) = store.delivery_figures(&account, "in-a").await.unwrap().unwrap();
        assert_eq!((figures.held, figures.oldest_held_at_ms), (1, Some(5)));
        let due = store.connections_due(10).await.unwrap();
        assert_eq!(due, [ConnectionId::new("in-a").unwrap()]);
        store.close().await;
    }
}
