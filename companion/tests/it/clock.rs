//! The clock: what `POST /_local/clock` moves, and what an operator confirms.

use serde_json::{Value, json};

use crate::companion::{Companion, dev};
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
    let move_clock = format!("{}/_local/clock", c.text("/aws/endpoint"));
    let moved = reqwest::Client::new()
        .post(move_clock)
        .body(json!({ "advance_seconds": 7200 }).to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(moved.status(), 200);
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
