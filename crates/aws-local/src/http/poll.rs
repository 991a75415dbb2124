//! Long polling: ReceiveMessage may wait for a message to come.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::engine::{Engine, Request};
use crate::model::Service;
use crate::ops::Answer;

const LOOK_AGAIN: Duration = Duration::from_millis(20);
const WAIT_SECONDS_MAX: u64 = 20;

/// Runs a request; an empty-handed ReceiveMessage is run again until its time is over.
pub(super) async fn call(engine: &Engine, request: &Request) -> Answer {
    let wait = wait_of(request);
    let until = Instant::now() + wait;
    loop {
        let answer = engine.call(request).await?;
        if wait.is_zero() || answer.get("Messages").is_some() || Instant::now() >= until {
            return Ok(answer);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn wait_of(request: &Request) -> Duration {
    if request.service != Service::Sqs || request.operation != "ReceiveMessage" {
        return Duration::ZERO;
    }
    let seconds = request
        .body
        .get("WaitTimeSeconds")
        .and_then(Value::as_u64)
        .unwrap_or(0);
    Duration::from_secs(seconds.min(WAIT_SECONDS_MAX))
}
