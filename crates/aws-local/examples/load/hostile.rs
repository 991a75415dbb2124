//! Costly requests one after the other, and how long another client waits for a small one meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Failure;
use crate::aws::{Aws, CUSTOMER};
use crate::inputs::{Call, Input};

/// How often the other client asks.
const ASK_AGAIN: Duration = Duration::from_millis(1);

/// Sends an input; gives how long it took, and the longest wait of the other client.
pub(crate) async fn measure(aws: &Aws, input: &Input) -> Result<Value, Failure> {
    let mut last = String::new();
    for call in &input.before {
        ask(aws, call, &mut last).await?;
    }
    let over = Arc::new(AtomicBool::new(false));
    let other = tokio::spawn(wait(aws.clone(), Arc::clone(&over)));
    let begun = Instant::now();
    let mut answer = String::new();
    for call in &input.costly {
        answer = match ask(aws, call, &mut last).await {
            Ok(answer) => answer,
            Err(refused) => refused.to_string(),
        };
    }
    let took = begun.elapsed();
    over.store(true, Ordering::Relaxed);
    let longest = other.await??;
    Ok(json!({
        "input": input.name,
        "ms": took.as_millis(),
        "others_ms": longest.as_secs_f64() * 1_000.0,
        "answered": answer.contains(input.answer),
    }))
}

/// Asks for something small until it is over; gives the longest time until an answer.
async fn wait(aws: Aws, over: Arc<AtomicBool>) -> Result<Duration, Failure> {
    let mut longest = Duration::ZERO;
    while !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        aws.call(CUSTOMER, "events.DescribeEventBus", &json!({})).await?;
        longest = longest.max(begun.elapsed());
        tokio::time::sleep(ASK_AGAIN).await;
    }
    Ok(longest)
}

async fn ask(aws: &Aws, (operation, body): &Call, last: &mut String) -> Result<String, Failure> {
    if operation.starts_with('/') {
        return aws.look(&operation.replace("LAST", last), body).await;
    }
    let answer = aws.call(CUSTOMER, operation, body).await?;
    if let Some(id) = answer["Entries"][0]["EventId"].as_str() {
        id.clone_into(last);
    }
    Ok(answer.to_string())
}
