//! Which database a test's store is in. SQLite; and PostgreSQL in the run of all of these tests that one of them makes.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use sqlx::postgres::{PgConnection, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _};

use super::super::{Place, Server, lock};
use crate::ids;

#[path = "../../../tests/it/postgres.rs"]
#[expect(dead_code, reason = "the tests of the program stop and ask it, too")]
mod postgres;

use postgres::Postgres;
pub(crate) use postgres::{PASSWORD, ROLE};

/// Names the PostgreSQL server that the stores of a run are on.
const VARIABLE: &str = "STORE_TESTS_DATABASE_URL";

/// Tests that are of SQLite alone, each with its reason.
const OF_SQLITE: &[&str] = &[
    // Its files.
    "store::tests::damage",
    "store::tests::faults",
    // Its versions before there was PostgreSQL.
    "store::tests::upgrade",
    // The steps of its machine; the plans of PostgreSQL are in `store::tests::postgres`.
    "store::tests::plans",
    // They start servers of their own.
    "store::tests::databases",
    "store::tests::postgres",
];

/// The server of this program, where PostgreSQL is installed. It ends with the program.
pub(crate) fn server() -> Option<&'static Postgres> {
    static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
    SERVER
        .get_or_init(|| Postgres::start("-c fsync=off -c max_connections=200"))
        .as_ref()
}

/// A schema of its own on a server.
pub(crate) async fn schema(url: &str) -> Server {
    let name = format!("s_{}", ids::request().replace('-', "_"));
    let mut connection = PgConnection::connect(url).await.unwrap();
    let made = sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {name}")))
        .execute(&mut connection)
        .await;
    made.unwrap();
    connection.close().await.unwrap();
    Server::read(&format!("{url}?options=-csearch_path%3D{name}")).unwrap()
}

/// Where the store of a test is that has this directory.
pub(crate) async fn place(dir: &Path) -> Place {
    match std::env::var(VARIABLE) {
        Ok(url) => Place::Server(Box::new(schema(&url).await)),
        Err(_) => Place::Directory(lock(dir).unwrap()),
    }
}

#[test]
fn what_holds_of_a_store_holds_on_postgresql() {
    let Some(server) = server() else { return };
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        "store::tests::",
        "delivery::tests::",
        "retention::",
        "api::tests::",
    ]);
    for one in OF_SQLITE {
        command.args(["--skip", one]);
    }
    let ended = command.env(VARIABLE, server.url()).output().unwrap();
    let [stdout, stderr] = [&ended.stdout, &ended.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(ended.status.success(), "{stdout}\n{stderr}");
    assert!(!stdout.contains("running 0 tests"), "{stdout}");
}

/// A pool of a few connections, for what a test does beside a store.
pub(crate) async fn pool(server: &Server) -> sqlx::PgPool {
    PgPoolOptions::new()
        .connect_with(server.options.clone())
        .await
        .unwrap()
}
