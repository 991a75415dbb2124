//! Waiting, with the clock paused.

use serde_json::json;
use tokio::time::Instant;

use crate::zoo::open;

async fn check(config: serde_json::Value, end: &str, seconds: u64) {
    let begun = Instant::now();
    let zoo = open().await;
    let state = zoo.resource("zoo_feeding").create(config).await.unwrap();
    assert_eq!(state.json()["end"], end);
    assert_eq!(begun.elapsed().as_secs(), seconds);
}

#[tokio::test(start_paused = true)]
async fn ends() {
    check(json!({ "looks": 0 }), "done at 0", 0).await;
    check(json!({ "looks": 3 }), "done at 3", 30).await;
    check(json!({ "looks": 99 }), "timed out at look 29", 300).await;
    check(
        json!({ "looks": 99, "timeouts": { "create": "25s" } }),
        "timed out at look 2",
        25,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn stop_cancels_and_goes_on() {
    let zoo = open().await;
    let feeding = zoo.resource("zoo_feeding");
    let (state, ()) = tokio::join!(feeding.create(json!({ "looks": 9 })), async {
        tokio::time::sleep(std::time::Duration::from_secs(15)).await;
        zoo.stop().await;
    });
    assert_eq!(state.unwrap().json()["end"], "cancelled at look 1");
    // What comes after is served as before.
    let state = feeding.create(json!({ "looks": 1 })).await.unwrap();
    assert_eq!(state.json()["end"], "done at 1");
}
