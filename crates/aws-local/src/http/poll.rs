//! Long polling: ReceiveMessage may wait for a message to come.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::change::Request;
use crate::engine::Engine;
use crate::model::Service;
use crate::ops::Answer;
use crate::ops::sqs::wait_seconds;

const LOOK_AGAIN: Duration = Duration::from_millis(20);
const WAIT_SECONDS_MAX: u64 = 20;

/// Runs a request; an empty-handed ReceiveMessage is run again until its time is over.
pub(super) async fn call(engine: &Engine, request: &Request) -> Answer {
    let wait = wait_of(engine, request);
    let until = Instant::now() + wait;
    loop {
        let answer = engine.call(request).await?;
        if wait.is_zero() || answer.get("Messages").is_some() || Instant::now() >= until {
            return Ok(answer);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// What the request says, else what its queue is set to.
fn wait_of(engine: &Engine, request: &Request) -> Duration {
    if request.service != Service::Sqs || request.operation != "ReceiveMessage" {
        return Duration::ZERO;
    }
    let asked = request.body.get("WaitTimeSeconds").and_then(Value::as_i64);
    let of_queue = || {
        let url = request.body.get("QueueUrl")?.as_str()?;
        engine.look(|world| wait_seconds(world, &request.region, url))
    };
    let seconds = asked.or_else(of_queue).unwrap_or(0);
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0).min(WAIT_SECONDS_MAX))
}
