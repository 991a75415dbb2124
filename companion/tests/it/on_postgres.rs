//! `serve` on PostgreSQL: a real server, which is killed and restarted as the service is.

use std::collections::BTreeSet;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::aws::Aws;
use crate::companion::{Companion, PROGRAM, run_executed};
use crate::postgres::{PASSWORD, Postgres, ROLE};
use crate::postgres_link::Link;
use crate::serve::{account, ended, show};
use crate::stage::REGION;
use crate::until;

/// The event source of the connection `prod` of the account `acme`.
const SOURCE: &str = "aws.partner/scalr.com/acme/prod";

/// A command with the server's password, and nothing of this machine's settings for PostgreSQL.
fn program(args: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .args(args)
        .env("PGPASSWORD", PASSWORD)
        .env("PGPASSFILE", "/none");
    command.env_remove("SCALR_EVENTBRIDGE_LOG").stdin(Stdio::null());
    command
}

fn url(postgres: &Postgres) -> String {
    url_at(&postgres.host())
}

fn url_at(host: &str) -> String {
    format!("postgres://{ROLE}@{host}/postgres")
}

/// A service on the server, with the operator's token that it printed.
async fn start(postgres: &Postgres, aws: &Aws) -> (Companion, Option<String>) {
    start_at(&url(postgres), aws).await
}

async fn start_at(url: &str, aws: &Aws) -> (Companion, Option<String>) {
    let endpoint = &aws.proxy.endpoint;
    let args = [
        "serve",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--database-url",
        url,
        "--aws-endpoint",
        endpoint,
    ];
    let mut service = Companion::spawn(program(&args)).await;
    let operator = service.line["operator_token"].as_str().map(str::to_owned);
    service.line = json!({ "scalr": { "hostname": service.line["hostname"], "token": operator } });
    (service, operator)
}

/// A new service on the server at this URL, with an account whose token it is shown, and that token.
async fn with_account(url: &str, aws: &Aws) -> (Companion, String) {
    let (mut service, operator) = start_at(url, aws).await;
    let operator = operator.expect("the first start prints a token");
    let token = account(&service, &operator, "acme").await;
    show(&mut service, &token);
    (service, token)
}

/// Reports a run; whether that was accepted.
async fn emit(service: &Companion, run_id: &str) -> bool {
    let detail = run_executed(run_id, "network", "")["detail"].take();
    let answer = service
        .request("POST", "/events/v1/run-executed", Some(detail))
        .await;
    answer.is_some_and(|(status, _)| status == 202)
}

/// Waits until all of these runs have arrived.
async fn arrived(aws: &Aws, runs: &BTreeSet<String>) {
    until("what was accepted to arrive", || async {
        let arrived = aws.runs(REGION).await;
        runs.iter().all(|run| arrived.contains_key(run)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_survives_the_service_and_its_server() {
    let Some(postgres) = Postgres::start("") else {
        return;
    };
    let aws = Aws::start().await;
    let (c, token) = with_account(&url(&postgres), &aws).await;
    let id = c.connect("prod", REGION).await;
    aws.receive(REGION, SOURCE).await;
    let mut accepted = BTreeSet::new();
    for n in 0..5 {
        let run = format!("run-{n}");
        assert!(emit(&c, &run).await, "{run}");
        accepted.insert(run);
    }
    c.crash().await;

    let (mut c, operator) = start(&postgres, &aws).await;
    assert_eq!(operator, None, "the operator's token is printed once");
    show(&mut c, &token);
    c.holds(&id, 5).await;
    assert_eq!(c.set_status(&id, "active").await, "active");
    arrived(&aws, &accepted).await;

    // The server is restarted as after a crash, while events come in.
    let c = Arc::new(c);
    let is_over = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn({
        let (c, is_over) = (Arc::clone(&c), Arc::clone(&is_over));
        async move {
            let mut accepted = BTreeSet::new();
            for n in 0.. {
                let run = format!("late-{n}");
                if emit(&c, &run).await {
                    accepted.insert(run);
                }
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
            }
            accepted
        }
    });
    for _ in 0..2 {
        let done = postgres.control(&["restart", "-s", "-w", "-m", "immediate"]);
        assert!(done.success());
        until("an event to be accepted again", || async {
            emit(&c, "again").await.then_some(())
        })
        .await;
    }
    is_over.store(true, Ordering::Relaxed);
    let late = load.await.unwrap();
    assert!(!late.is_empty());
    arrived(&aws, &late).await;
    let (status, answer) = c.request("GET", "/readyz", None).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    assert!(Arc::into_inner(c).unwrap().stop().await);
}

/// What `serve` on this database says, which it cannot use.
async fn refused(url: &str, variables: &[(&str, &str)]) -> String {
    let args = ["serve", "--listen", "127.0.0.1:0", "--database-url", url];
    let mut command = program(&args);
    command.envs(variables.iter().copied());
    let Output { status, stderr, .. } = command.output().await.unwrap();
    assert!(!status.success(), "{url}");
    let said = String::from_utf8_lossy(&stderr).into_owned();
    assert!(!said.contains("hidden") && !said.contains(PASSWORD), "{said}");
    said
}

/// The settings of `serve` with these arguments and variables, or what `doctor` finds, by name.
async fn printed(args: &[&str], variables: &[(&str, &str)]) -> Value {
    let mut command = program(args);
    let ended = command.envs(variables.iter().copied()).output().await.unwrap();
    let text = String::from_utf8_lossy(&ended.stdout);
    assert!(!text.contains("hidden"), "{text}");
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let name = |row: &Value| {
        row.get("setting")
            .or(row.get("check"))
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    };
    rows.into_iter().map(|row| (name(&row), row)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_used_is_refused_with_what_to_do() {
    let Some(postgres) = Postgres::start("-c fsync=off") else {
        return;
    };
    let aws = Aws::start().await;
    let (c, _) = start(&postgres, &aws).await;
    let url = url(&postgres);
    let in_use = refused(&url, &[]).await;
    let process = format!("process {}", c.pid());
    assert!(
        in_use.contains("another process uses the database") && in_use.contains(&process),
        "{in_use}"
    );

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pgpass");
    std::fs::write(&file, format!("*:*:*:{ROLE}:hidden\n")).unwrap();
    let file = file.to_str().unwrap();
    for (url, variables, part) in [
        (
            url.as_str(),
            &[("PGPASSWORD", "hidden")][..],
            "refuses the password of the role `service`",
        ),
        (
            url.as_str(),
            &[("PGPASSWORD", ""), ("PGPASSFILE", file)],
            "PGPASSFILE",
        ),
        (
            "postgres://a:hidden@nowhere.invalid/d",
            &[],
            "the host `nowhere.invalid` has no address",
        ),
        (
            "postgres://a:hidden@127.0.0.1:1/d",
            &[],
            "nothing answers at `127.0.0.1`, port 1",
        ),
        (
            "postgres://a:hidden@h/d?ssl_mode=require",
            &[],
            "did you mean `sslmode`?",
        ),
        (
            "mysql://a:hidden@h/d",
            &[],
            "`database-url` (`--database-url`): write it as `postgres://",
        ),
    ] {
        let said = refused(url, variables).await;
        assert!(said.contains(part), "{url}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_and_doctor_show_a_database_without_its_password() {
    let Some(postgres) = Postgres::start("-c fsync=off") else {
        return;
    };
    let aws = Aws::start().await;
    let (c, _) = start(&postgres, &aws).await;
    let args = ["serve", "--print-config", "--json"];
    let variable = [("SCALR_EVENTBRIDGE_DATABASE_URL", "postgres://a:hidden@h/d")];
    let settings = printed(&args, &variable).await;
    assert_eq!(settings["database-url"]["value"], "postgres://a:…@h/d");
    assert_eq!(settings["database-url"]["from"], "SCALR_EVENTBRIDGE_DATABASE_URL");

    let endpoint = [("SCALR_EVENTBRIDGE_AWS_ENDPOINT", aws.proxy.endpoint.as_str())];
    let found = printed(
        &["doctor", "--json", "--database-url", &url(&postgres)],
        &endpoint,
    )
    .await;
    assert_eq!(found["database"]["result"], "ok", "{found}");
    let detail = found["database"]["detail"].as_str().unwrap();
    assert!(
        detail.contains("version 2 of its tables; ") && detail.contains(&format!("process {}", c.pid())),
        "{detail}"
    );
    assert_eq!(found["durability"]["result"], "failed", "{found}");
    assert!(
        found["durability"]["next"]
            .as_str()
            .unwrap()
            .contains("ALTER SYSTEM SET fsync = on")
    );
}

/// Another process was faster after the session had ended: the service ends with the next write.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_database_was_taken_or_is_newer_ends() {
    let Some(postgres) = Postgres::start("-c fsync=off") else {
        return;
    };
    let aws = Aws::start().await;
    let (c, operator) = start(&postgres, &aws).await;
    let operator = operator.unwrap();
    assert_eq!(postgres.psql("UPDATE holder SET process = 'another'"), "UPDATE 1");
    postgres.psql("DO $$ BEGIN PERFORM pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'; END $$");
    let create = ended(&c, &operator, &["accounts", "create", "late"]).await;
    assert!(!create.status.success());
    until("the service to end", || async {
        c.request("GET", "/healthz", None).await.is_none().then_some(())
    })
    .await;
    assert_eq!(postgres.psql("TABLE account"), "");
    drop(c);

    assert_eq!(
        postgres.psql("UPDATE _sqlx_migrations SET version = 99 WHERE version = 1"),
        "UPDATE 1"
    );
    let newer = refused(&url(&postgres), &[]).await;
    assert!(
        newer.contains("version 99") && newer.contains("start the version of the program"),
        "{newer}"
    );
}

/// A network that drops all packets closes no connection: the service finds that out by itself, says it, and continues afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_is_said_and_used_again() {
    let Some(postgres) = Postgres::start("") else {
        return;
    };
    let (aws, link) = (Aws::start().await, Link::to(&postgres));
    let (c, _) = with_account(&url_at(&link.host()), &aws).await;
    let id = c.connect("prod", REGION).await;
    aws.receive(REGION, SOURCE).await;
    assert_eq!(c.set_status(&id, "active").await, "active");
    assert!(emit(&c, "run-0").await);

    link.fall_silent();
    until("the fault to be named", async || {
        let (status, said) = c.request("GET", "/readyz", None).await?;
        (status == 503 && said.to_string().contains("store-unreachable")).then_some(())
    })
    .await;
    // The server still has the sessions of before, and the lock with them.
    link.carry_again();
    until("an event to be accepted", async || {
        emit(&c, "run-1").await.then_some(())
    })
    .await;
    let accepted = ["run-0", "run-1"].map(str::to_owned);
    arrived(&aws, &BTreeSet::from(accepted)).await;
    assert!(c.stop().await);
}

/// What one connection holds cannot be read, such as from a damaged page: the others deliver.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_cannot_be_read_keeps_no_other_waiting() {
    let Some(postgres) = Postgres::start("") else {
        return;
    };
    let aws = Aws::start().await;
    let (c, token) = with_account(&url(&postgres), &aws).await;
    let (bad, good) = (
        c.connect("bad", "eu-west-1").await,
        c.connect("prod", REGION).await,
    );
    assert!(emit(&c, "run-0").await);
    assert!(c.stop().await);
    postgres.psql(&include_str!("../../src/store/tests/unreadable.sql").replace("BAD", &bad));
    let (mut c, _) = start(&postgres, &aws).await;
    show(&mut c, &token);
    aws.receive("eu-west-1", "aws.partner/scalr.com/acme/bad").await;
    aws.receive(REGION, SOURCE).await;
    assert_eq!(c.set_status(&bad, "active").await, "active");
    assert_eq!(c.set_status(&good, "active").await, "active");
    c.drained(&good).await;
    assert_eq!(c.delivery(&good).await["delivered"], 1);
    c.holds(&bad, 1).await;
}
