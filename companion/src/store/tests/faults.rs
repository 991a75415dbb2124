//! Why a write fails, read from SQLite's own errors.

use sqlx::Row as _;

use super::super::{StoreError, WriteFault};
use crate::testing::Bench;

#[tokio::test]
async fn why_the_store_takes_no_writes_is_known() {
    let bench = Bench::new().await;
    let store = &bench.app.store;
    store.try_write().await.unwrap();
    assert_eq!(store.commits().fault(), None);
    let mut write = store.write.sqlite().acquire().await.unwrap();
    let at = sqlx::query("PRAGMA database_list")
        .fetch_one(&mut *write)
        .await
        .unwrap();
    let file: String = at.get("file");
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(std::time::Duration::ZERO);
    let mut other = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *write).await.unwrap();
    let locked = sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await;
    sqlx::query("ROLLBACK").execute(&mut *write).await.unwrap();
    sqlx::query("PRAGMA max_page_count = 1")
        .execute(&mut other)
        .await
        .unwrap();
    let full = sqlx::query("CREATE TABLE further (a)").execute(&mut other).await;
    let wrong = sqlx::query("SELECT * FROM nothing").execute(&mut other).await;
    for (failed, want) in [
        (locked, WriteFault::Locked),
        (full, WriteFault::Full),
        (wrong, WriteFault::Other),
    ] {
        let error = StoreError::from(failed.unwrap_err());
        assert_eq!(error.write_fault(), want, "{error:?}");
    }
}
