//! Long polling: ReceiveMessage may wait for a message to come.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::change::Request;
use crate::engine::Engine;
use crate::fault::Fault;
use crate::model::Service;
use crate::ops::Output;
use crate::ops::sqs::wait_seconds;
use crate::state::World;

const LOOK_AGAIN: Duration = Duration::from_millis(20);
const WAIT_SECONDS_MAX: u64 = 20;

/// Runs a request; a ReceiveMessage without a message is run again until its wait is over.
pub(super) async fn call(engine: &Engine, request: &Request) -> Result<Output, Fault> {
    let wait = wait_of(engine, request).await?;
    let until = Instant::now() + wait;
    loop {
        let answer = engine.call(request).await?;
        if wait.is_zero() || has_messages(&answer) || Instant::now() >= until {
            return Ok(answer);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn has_messages(answer: &Output) -> bool {
    matches!(answer, Output::Value(value) if value.get("Messages").is_some())
}

/// What the request says, else what its queue is set to.
async fn wait_of(engine: &Engine, request: &Request) -> Result<Duration, Fault> {
    if request.service != Service::Sqs || request.operation != "ReceiveMessage" {
        return Ok(Duration::ZERO);
    }
    let asked = request.body.value.get("WaitTimeSeconds").and_then(Value::as_i64);
    let url = request.body.value.get("QueueUrl").and_then(Value::as_str);
    let seconds = match (asked, url) {
        (Some(asked), _) => Some(asked),
        (None, Some(url)) => {
            let of_queue = |world: &World| wait_seconds(world, &request.region, url);
            engine.look(of_queue).await?
        }
        (None, None) => None,
    };
    let seconds = u64::try_from(seconds.unwrap_or(0)).unwrap_or(0);
    Ok(Duration::from_secs(seconds.min(WAIT_SECONDS_MAX)))
}
