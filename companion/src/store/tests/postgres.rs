//! What is of PostgreSQL alone: plans, one process at a time, and a server that is not as it should be.

use scalr_api::AccountId;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row as _};

use super::super::sql::Pool;
use super::super::{Durability, Place, Server, Store, StoreError, WriteFault, inspect_server};
use super::databases::{self, pool, schema};
use super::plans;
use crate::error_chain::with_causes;
use crate::testing::BOUNDS;

async fn open(server: &Server) -> Result<Store, StoreError> {
    Store::open(&Place::Server(Box::new(server.clone())), Durability::None, BOUNDS).await
}

/// Why a store is not opened.
async fn refused(server: &Server) -> String {
    match open(server).await {
        Ok(_) => "it opens".to_owned(),
        Err(error) => with_causes(&error),
    }
}

#[tokio::test]
async fn no_hot_query_reads_a_whole_table() {
    let Some(postgres) = databases::server() else {
        return;
    };
    let server = schema(&postgres.url()).await;
    let store = open(&server).await.unwrap();
    let Pool::Postgres(read) = &store.read else {
        panic!("it is not PostgreSQL");
    };
    for query in plans::hot() {
        let text = query.postgres();
        let mut connection = read.acquire().await.unwrap();
        let plan = plan(&mut connection, text).await;
        let bad =
            |line: &&String| line.contains("Seq Scan on") && !SCANS.iter().any(|one| line.contains(one));
        assert_eq!(plan.iter().find(bad), None, "{text}\n{plan:#?}");
        connection.close().await.unwrap();
    }
}

/// The plan for whatever arguments a statement is given.
async fn plan(connection: &mut PgConnection, text: &str) -> Vec<String> {
    let arguments = (1..10).take_while(|n| text.contains(&format!("${n}"))).count();
    let mut run = async |text: String| {
        sqlx::raw_sql(AssertSqlSafe(text))
            .fetch_all(&mut *connection)
            .await
    };
    run("SET plan_cache_mode = force_generic_plan".to_owned())
        .await
        .unwrap();
    // Its own types are not told by every statement: those of the program are of its values.
    let mut types = vec!["unknown"; arguments];
    loop {
        let of_types = if types.is_empty() {
            String::new()
        } else {
            format!("({})", types.join(", "))
        };
        let Err(error) = run(format!("PREPARE hot {of_types} AS {text}")).await else {
            break;
        };
        let said = error.to_string();
        let untyped = said
            .split("data type of parameter $")
            .nth(1)
            .and_then(|rest| rest.split(' ').next());
        let at: usize = untyped
            .unwrap_or_else(|| panic!("{text}: {said}"))
            .parse()
            .unwrap();
        types[at - 1] = "text";
    }
    let nulls = vec!["NULL"; arguments].join(", ");
    let execute = if arguments == 0 {
        "EXECUTE hot".to_owned()
    } else {
        format!("EXECUTE hot ({nulls})")
    };
    let rows = run(format!("EXPLAIN {execute}")).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Tables with a row an account, a connection or a source to delete.
const SCANS: [&str; 6] = [
    "Seq Scan on audit_log_setting",
    "Seq Scan on connection",
    "Seq Scan on delivery",
    "Seq Scan on source_removal",
    "Seq Scan on environment",
    "Seq Scan on workspace",
];

/// What a session of the pool is set to.
async fn set_to(pool: &Pool, setting: &str) -> String {
    let Pool::Postgres(pool) = pool else {
        panic!("it is not PostgreSQL");
    };
    let mut connection = pool.acquire().await.unwrap();
    let row = sqlx::query("SELECT current_setting($1)")
        .bind(setting)
        .fetch_one(&mut *connection);
    row.await.unwrap().get(0)
}

/// The role of the tests is the server's owner, whose setting is for all databases: so it is set for a database of its own.
#[tokio::test]
async fn a_commit_waits_for_the_disk_whatever_the_database_says() {
    let Some(postgres) = databases::server() else {
        return;
    };
    let mut first = schema(&postgres.url()).await.connect().await.unwrap();
    for statement in [
        "CREATE DATABASE not_on_disk",
        "ALTER DATABASE not_on_disk SET synchronous_commit = off",
    ] {
        sqlx::raw_sql(statement).execute(&mut first).await.unwrap();
    }
    let server = Server::read(&postgres.url().replace("/postgres", "/not_on_disk")).unwrap();
    let of = |durability| {
        let place = Place::Server(Box::new(server.clone()));
        async move { Store::open(&place, durability, BOUNDS).await.unwrap() }
    };
    let store = of(Durability::Disk).await;
    assert_eq!(
        set_to(&store.read, "synchronous_commit").await,
        "off",
        "the database says so"
    );
    assert_eq!(set_to(&store.write, "synchronous_commit").await, "on");
    store.close().await;
}

#[tokio::test]
async fn a_second_process_is_refused_and_learns_who_has_it() {
    let Some(postgres) = databases::server() else {
        return;
    };
    let server = schema(&postgres.url()).await;
    let store = open(&server).await.unwrap();
    let said = refused(&server).await;
    let me = format!("process {}", std::process::id());
    assert!(
        said.contains("another process uses the database") && said.contains(&me),
        "{said}"
    );
    assert!(!said.contains(databases::PASSWORD), "{said}");
    let inspection = inspect_server(&server).await.unwrap();
    assert!(inspection.holder.unwrap().contains(&me));
    store.close().await;
    assert_eq!(refused(&server).await, "it opens");
}

#[tokio::test]
async fn a_session_that_ended_is_replaced_and_writes_go_on() {
    let Some(postgres) = databases::server() else {
        return;
    };
    let server = schema(&postgres.url()).await;
    let store = open(&server).await.unwrap();
    let other = pool(&server).await;
    for _ in 0..2 {
        sqlx::raw_sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'
             AND objid = current_schema()::regnamespace::oid",
        )
        .execute(&other)
        .await
        .unwrap();
        store.try_write().await.unwrap();
        assert_eq!(store.commits().fault(), None);
    }
    let said = refused(&server).await;
    assert!(said.contains("another process uses the database"), "{said}");
}

#[tokio::test]
async fn a_process_whose_database_was_taken_writes_nothing_any_more() {
    let Some(postgres) = databases::server() else {
        return;
    };
    let server = schema(&postgres.url()).await;
    let store = open(&server).await.unwrap();
    let other = pool(&server).await;
    // Its session ends, and another process is faster.
    sqlx::raw_sql("UPDATE holder SET process = 'another', host = 'elsewhere'")
        .execute(&other)
        .await
        .unwrap();
    sqlx::raw_sql(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'
         AND objid = current_schema()::regnamespace::oid",
    )
    .execute(&other)
    .await
    .unwrap();
    for _ in 0..2 {
        let said = with_causes(&store.try_write().await.unwrap_err());
        assert!(said.contains("another process has taken the database"), "{said}");
        assert_eq!(store.commits().fault(), Some(WriteFault::Taken));
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let Some(postgres) = databases::server() else {
        return;
    };
    let server = schema(&postgres.url()).await;
    open(&server).await.unwrap().close().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (99, 'x', TRUE, '', 0)";
    sqlx::raw_sql(newer).execute(&pool(&server).await).await.unwrap();
    let said = refused(&server).await;
    assert!(
        said.contains("version 99")
            && said.contains("start the version of the program that has written them"),
        "{said}"
    );
}

#[tokio::test]
async fn a_server_that_cannot_be_used_is_refused_with_what_to_do() {
    let Some(postgres) = databases::server() else {
        return;
    };
    let (host, url) = (postgres.host(), postgres.url());
    let role = databases::ROLE;
    for (url, why, next) in [
        (
            format!("postgres://{role}:wrong@{host}/postgres"),
            "refuses the password of the role `service`",
            "PGPASSFILE",
        ),
        (
            format!("postgres://{role}:{}@{host}/nothing", databases::PASSWORD),
            "there is no database `nothing`",
            "CREATE DATABASE",
        ),
        (
            format!("postgres://{role}:hidden@127.0.0.1:1/d"),
            "nothing answers at `127.0.0.1`, port 1",
            "Is PostgreSQL running",
        ),
        (
            format!("postgres://{role}:hidden@nowhere.invalid/d"),
            "the host `nowhere.invalid` has no address",
            "DNS",
        ),
        (
            format!("{url}?options=-csearch_path%3Dnone"),
            "no schema of its `search_path` exists",
            "Create one",
        ),
    ] {
        let server = Server::read(&url).unwrap();
        let said = refused(&server).await;
        assert!(said.contains(why) && said.contains(next), "{url}: {said}");
        assert!(
            !said.contains("hidden") && !said.contains("wrong") && !said.contains(databases::PASSWORD),
            "{said}"
        );
    }
}

/// PostgreSQL answers its commit with a rollback, and with no error.
#[tokio::test]
async fn a_transaction_in_which_a_statement_failed_is_not_committed() {
    let Some(postgres) = databases::server() else {
        return;
    };
    let store = open(&schema(&postgres.url()).await).await.unwrap();
    let account = AccountId::new("acc-1").unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.insert_account(&account, "a", 0).await.unwrap();
    tx.insert_account(&account, "a", 0).await.unwrap_err();
    tx.commit().await.unwrap_err();
    assert!(store.account("acc-1").await.unwrap().is_none());
    assert_eq!(store.commits().fault(), Some(WriteFault::Other));
}
