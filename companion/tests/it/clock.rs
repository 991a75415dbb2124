//! The clock: what `clock advance` moves, and what an operator confirms.

use serde_json::{Value, json};
use tokio::process::Command;

use crate::companion::{Companion, PROGRAM, dev};
use crate::stage;
use crate::until;

#[tokio::test(flavor = "multi_thread")]
async fn moving_the_local_clock_ages_what_is_held() {
    let mut command = dev();
    command.args(["--hold-hours-max", "1"]);
    let c = Companion::spawn(command).await;
    let id = c.connect("prod", "us-east-1").await;
    assert!(c.emit("run-1", "network").await);
    assert_eq!(c.delivery(&id).await["clock"]["state"], "started");
    let clock = async |words: &[&str]| -> i64 {
        let ended = Command::new(PROGRAM)
            .arg("clock")
            .args(words)
            .args(["--json", "--aws-endpoint", c.text("/aws/endpoint")])
            .output()
            .await
            .unwrap();
        assert!(ended.status.success(), "{ended:?}");
        let now: Value = serde_json::from_slice(&ended.stdout).unwrap();
        now["epoch_ms"].as_i64().unwrap()
    };
    let before = clock(&["show"]).await;
    let after = clock(&["advance", "2h"]).await;
    assert!(after - before >= 7_200_000, "{before} {after}");
    assert!(clock(&["show"]).await >= after);
    let figures = until("the event to be dropped", || async {
        let figures = c.delivery(&id).await;
        (figures["held"] == 0).then_some(figures)
    })
    .await;
    assert_eq!(figures["dropped"]["too-old"], 1, "{figures}");
    assert_eq!(figures["clock"]["state"], "confirmed", "it counts as confirmed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_confirms_the_clock() {
    let (_aws, c, _dir) = stage::empty().await;
    let id = c.connect("prod", "us-east-1").await;
    let clock = c.delivery(&id).await["clock"].take();
    assert_eq!(
        (&clock["state"], &clock["moved-seconds"]),
        (&json!("started"), &json!(0))
    );
    let explained = clock["explanation"].as_str().unwrap();
    assert!(
        explained.contains("POST /_companion/clock/confirm"),
        "{explained}"
    );
    let (status, confirmed) = c
        .request("POST", "/_companion/clock/confirm", Some(Value::Null))
        .await
        .unwrap();
    assert_eq!((status, &confirmed["state"]), (200, &json!("confirmed")));
    assert_eq!(c.delivery(&id).await["clock"], confirmed);
}
