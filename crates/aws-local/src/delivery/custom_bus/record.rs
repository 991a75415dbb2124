//! The record of a delivery that failed for good: a JSON text without the event, and seven attributes ("Retries and failures" in
//! AWS's guide to custom event buses).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::attempt::Attempt;
use super::failure::Failure;
use crate::arn::Arn;
use crate::clock::rfc3339_millis;
use crate::delivery::queue::{enqueue, message};
use crate::state::RealmId;
use crate::state::queue::{MessageAttribute, NewMessage};
use crate::turn::Turn;

const MESSAGE_CHARS_MAX: usize = 1_024;

/// Sends one record of the events that failed together to the subscriber's dead-letter queue; without one they are dropped.
pub(super) fn send(turn: &mut Turn<'_>, attempt: &Attempt<'_>, why: (&Failure, &'static str)) {
    let (to, subscriber, trial) = (attempt.to, attempt.subscriber, attempt.trial);
    let Some(queue) = subscriber.dead_letter.clone() else {
        if let Some(subscriber) = to.subscriber(turn) {
            subscriber.metrics.dropped += trial.items.len() as u64;
        }
        return;
    };
    let result = attempt
        .may(turn, "sqs:SendMessage", &queue)
        .map_err(|failure| failure.message)
        .and_then(|()| put(turn, attempt, why, &queue));
    if let Some(subscriber) = to.subscriber(turn) {
        let metrics = &mut subscriber.metrics;
        metrics.records += u64::from(result.is_ok());
        metrics.records_failed += u64::from(result.is_err());
    }
    for item in &trial.items {
        if let Some(delivery) = turn.world.stories.delivery(&item.in_story) {
            delivery.dead_letter = Some(match &result {
                Ok(()) => format!("sent to {queue}"),
                Err(why) => format!("not sent to {queue}: {why}"),
            });
        }
    }
}

fn put(
    turn: &mut Turn<'_>,
    attempt: &Attempt<'_>,
    (failure, exhausted): (&Failure, &'static str),
    queue: &str,
) -> Result<(), String> {
    let (subscriber, trial) = (attempt.subscriber, attempt.trial);
    let bus = attempt.to.bus_arn(turn);
    let (now, id) = (turn.now, turn.dice.id());
    let first = &trial.items.first().ok_or("there is no event")?.queued;
    let why: String = failure.message.chars().take(MESSAGE_CHARS_MAX).collect();
    let failed = trial.items.iter().map(|item| {
        json!({
            "eventId": item.queued.id,
            "eventGroupId": item.queued.group,
            "deduplicationId": item.queued.deduplication,
            "timestamp": rfc3339_millis(now),
            "targetRequestId": null,
        })
    });
    let record = json!({
        "version": "1.0",
        "id": turn.dice.uuid(),
        "busArn": bus,
        "subscriberArn": subscriber.arn,
        "targetArn": subscriber.target.arn,
        "errorCode": failure.code,
        "errorMessage": why,
        "exhaustedRetryCondition": exhausted,
        "retryAttempts": trial.retries,
        "failedMessages": failed.collect::<Vec<_>>(),
    });
    let text = |name: &str, value: &str| (name.to_owned(), MessageAttribute::text(value));
    let attributes = BTreeMap::from([
        text("ERROR_CODE", failure.code),
        text("ERROR_MESSAGE", &why),
        text("SUBSCRIBER_ARN", &subscriber.arn),
        text("TARGET_ARN", &subscriber.target.arn),
        text("BUS_ARN", &bus),
        text("EXHAUSTED_RETRY_CONDITION", exhausted),
        (
            "RETRY_ATTEMPTS".to_owned(),
            MessageAttribute::number(trial.retries),
        ),
    ]);
    let arn = Arn::parse(queue)
        .filter(|arn| arn.service == "sqs")
        .ok_or("not a queue")?;
    let there = RealmId::new(arn.account, arn.region);
    let queue = turn
        .world
        .realm(&there)
        .queues
        .get_mut(arn.resource)
        .ok_or("the queue does not exist")?;
    let group = queue.is_fifo().then(|| first.group.to_string());
    let letter = NewMessage {
        attributes,
        deduplication: queue.is_fifo().then(|| first.id.to_string()),
        ..message(id, Arc::from(record.to_string()), group)
    };
    enqueue(queue, letter, now)
}
