//! Held events are bounded, dropped ones counted and explained; with a full disk nothing is accepted.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::process::Command;

use crate::aws::Aws;
use crate::companion::{Companion, dev_at, run_executed};
use crate::proxy::{Act, Gate};
use crate::stage::{self, REGION, SOURCE};
use crate::until;

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_events_make_room() {
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().unwrap());
    let mut command = dev_at(dir.path(), &aws.proxy.endpoint);
    command.args(["--hold-bytes-max", "2000"]);
    let c = Companion::spawn(command).await;
    let id = c.connect("prod", REGION).await;
    for at in 0..20 {
        assert!(c.emit(&format!("run-{at:02}"), "network").await);
    }
    // Room is made beside intake, not within it.
    let figures = until("room to be made", || async {
        let figures = c.delivery(&id).await;
        (figures["held-bytes"].as_u64()? <= 2000).then_some(figures)
    })
    .await;
    let (held, dropped) = (
        figures["held"].as_u64().unwrap(),
        figures["dropped"]["too-many-bytes"].as_u64().unwrap(),
    );
    assert!(held > 0 && held + dropped == 20, "{figures}");
    let newest = &figures["last-dropped"][0];
    assert_eq!(newest["event-id"], format!("run-{:02}", dropped - 1));
    assert_eq!(newest["reason"], "too-many-bytes");
    assert!(
        newest["explanation"]
            .as_str()
            .unwrap()
            .contains("more than 2000 bytes"),
        "{newest}"
    );

    aws.receive(REGION, SOURCE).await;
    c.set_status(&id, "active").await;
    c.drained(&id).await;
    let arrived: Vec<_> = aws.runs(REGION).await.into_keys().collect();
    assert_eq!(
        arrived,
        (dropped..20).map(|at| format!("run-{at:02}")).collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_smaller_bound_makes_room_at_the_next_start() {
    let (aws, c, dir) = stage::empty().await;
    let id = c.connect("prod", REGION).await;
    for at in 0..20 {
        assert!(c.emit(&format!("run-{at:02}"), "network").await);
    }
    assert_eq!(c.delivery(&id).await["held"], 20);
    assert!(c.stop().await);
    let mut command = dev_at(dir.path(), &aws.proxy.endpoint);
    command.args(["--hold-bytes-max", "2000"]);
    let c = Companion::spawn(command).await;
    until("room to be made", || async {
        let figures = c.delivery(&id).await;
        let dropped = figures["dropped"]["too-many-bytes"].as_u64()?;
        (figures["held-bytes"].as_u64()? <= 2000 && figures["held"].as_u64()? + dropped == 20).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_too_long_for_aws_is_not_accepted() {
    let (aws, c, _dir, id) = stage::active().await;
    for (bytes, want) in [(256 * 1024, 422), (255 * 1024, 202)] {
        let body = run_executed("run-long", "network", &"t".repeat(bytes));
        assert_eq!(
            c.request("POST", "/_companion/events", Some(body))
                .await
                .unwrap()
                .0,
            want,
            "{bytes}"
        );
    }
    c.drained(&id).await;
    assert_eq!(aws.proxy.puts().len(), 1);
}

/// `dev`, after this shell command; a write beyond a file's limit is an error, as on a full disk, and no signal.
fn limited(limit: &str, dir: &Path, endpoint: &str) -> Command {
    let dev = dev_at(dir, endpoint);
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!(r#"trap "" XFSZ; {limit}; exec "$0" "$@""#)])
        .arg(dev.as_std().get_program())
        .args(dev.as_std().get_args());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_full_disk_nothing_is_accepted() {
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().unwrap());
    // No file may grow beyond 2048 blocks, 1 MiB mostly: the database takes that for a full disk. Making its tables takes half of that.
    let c = Companion::spawn(limited("ulimit -f 2048", dir.path(), &aws.proxy.endpoint)).await;
    let id = c.connect("prod", REGION).await;
    let (title, mut accepted, mut refused) = ("t".repeat(10_000), 0, false);
    for at in 0..500 {
        let body = run_executed(&format!("run-{at}"), &format!("workspace-{at}"), &title);
        match c
            .request("POST", "/_companion/events", Some(body))
            .await
            .unwrap()
            .0
        {
            202 => accepted += 1,
            503 => refused = true,
            other => panic!("{other}"),
        }
        if refused {
            break;
        }
    }
    assert!(refused && accepted > 0, "{accepted} events were accepted");
    c.crash().await;

    let c = Companion::start(dir.path(), &aws.proxy.endpoint).await;
    assert_eq!(c.delivery(&id).await["held"], accepted);
    aws.receive(REGION, SOURCE).await;
    c.set_status(&id, "active").await;
    c.drained(&id).await;
    assert_eq!(aws.runs(REGION).await.len(), accepted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_at_the_start_is_named() {
    for (limit, file) in [
        ("ulimit -f 0", "companion."),
        ("ulimit -f 16", "companion.sqlite"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut command = limited(limit, dir.path(), "http://127.0.0.1:9");
        let ended = command.output().await.unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!ended.status.success(), "{limit}");
        assert!(
            said.contains(file) && said.contains("make room"),
            "{limit}: {said}"
        );
        // With room it starts, whatever the start before has left.
        let c = Companion::start(dir.path(), "http://127.0.0.1:9").await;
        assert!(c.stop().await);
    }
}

/// Sets the size limit of the companion's files, in bytes.
async fn file_size_max(companion: &Companion, max: &str) {
    let limit = format!("--fsize={max}:unlimited");
    let set = Command::new("prlimit")
        .args(["--pid", &companion.pid(), &limit])
        .status()
        .await
        .unwrap();
    assert!(set.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_during_a_full_disk_is_stored_once_there_is_room() {
    let (aws, dir) = (Aws::start().await, tempfile::tempdir().unwrap());
    let log = dir.path().join("log");
    let mut command = limited(":", dir.path(), &aws.proxy.endpoint);
    command.stderr(std::fs::File::create(&log).unwrap());
    let c = Companion::spawn(command).await;
    let id = c.connect("prod", REGION).await;
    aws.receive(REGION, SOURCE).await;
    c.set_status(&id, "active").await;
    // AWS answers the first put late; meanwhile the disk fills up.
    let (gate, puts) = (Gate::closed(), AtomicUsize::new(0));
    let late = gate.clone();
    aws.proxy.script(move |call| {
        if call.operation == "PutPartnerEvents" && puts.fetch_add(1, Ordering::SeqCst) == 0 {
            Act::Late(late.clone())
        } else {
            Act::Pass
        }
    });
    assert!(c.emit("run-first", "network").await);
    aws.proxy.until_called("PutPartnerEvents", 1).await;
    file_size_max(&c, "4096").await;
    assert!(!c.emit("run-refused", "network").await);
    let (status, answer) = c.request("GET", "/readyz", None).await.unwrap();
    assert_eq!(
        (status, &answer["faults"][0]["fault"]),
        (503, &json!("store-full")),
        "{answer}"
    );
    gate.open();
    until("a failed write of the answer", || async {
        let log = std::fs::read_to_string(&log).unwrap();
        log.contains("AWS's answer cannot be stored").then_some(())
    })
    .await;
    file_size_max(&c, "unlimited").await;
    c.drained(&id).await;
    assert!(c.emit("run-second", "network").await, "there is room again");
    assert_eq!(c.request("GET", "/readyz", None).await.unwrap().0, 200);
    c.drained(&id).await;
    let runs: Vec<_> = aws.runs(REGION).await.into_iter().collect();
    assert_eq!(runs, [("run-first".into(), 1), ("run-second".into(), 1)]);
}
