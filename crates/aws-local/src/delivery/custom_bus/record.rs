//! The record of a delivery that failed for good: a JSON text without the event, and seven attributes ("Retries and failures" in
//! AWS's guide to custom event buses).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::failure::Failure;
use super::place::To;
use super::role::may;
use crate::arn::Arn;
use crate::clock::rfc3339_millis;
use crate::delivery::queue::{enqueue, message};
use crate::state::RealmId;
use crate::state::custom_bus::{Event, Failing, Subscriber};
use crate::state::queue::{MessageAttribute, NewMessage};
use crate::turn::Turn;

const MESSAGE_CHARS_MAX: usize = 1_024;

/// Sends the record to the subscriber's dead-letter queue; without one the event is dropped.
pub(super) fn send(
    turn: &mut Turn<'_>,
    to: &To<'_>,
    subscriber: &Subscriber,
    event: &Event,
    failing: &Failing,
    (failure, exhausted): (&Failure, &'static str),
) {
    let metric = ["subscriber/", &subscriber.name, "/", &subscriber.id].concat();
    let Some(queue) = subscriber.dead_letter.clone() else {
        turn.world.realm(to.realm).metrics.count(&metric, "EventsDropped");
        return;
    };
    let result = may(
        turn,
        to,
        subscriber,
        ("sqs:SendMessage", &queue),
        &failing.in_story,
    )
    .map_err(|failure| failure.message)
    .and_then(|()| put(turn, to, subscriber, event, (failing, failure, exhausted), &queue));
    if result.is_err() {
        turn.world.realm(to.realm).metrics.count(&metric, "EventsDropped");
    }
    if let Some(delivery) = turn.world.stories.delivery(&failing.in_story) {
        delivery.dead_letter = Some(match result {
            Ok(()) => format!("sent to {queue}"),
            Err(why) => format!("not sent to {queue}: {why}"),
        });
    }
}

fn put(
    turn: &mut Turn<'_>,
    to: &To<'_>,
    subscriber: &Subscriber,
    event: &Event,
    (failing, failure, exhausted): (&Failing, &Failure, &'static str),
    queue: &str,
) -> Result<(), String> {
    let bus = to.bus_arn(turn);
    let (now, id) = (turn.now, turn.dice.uuid());
    let why: String = failure.message.chars().take(MESSAGE_CHARS_MAX).collect();
    let record = json!({
        "version": "1.0",
        "id": turn.dice.uuid(),
        "busArn": bus,
        "subscriberArn": subscriber.arn,
        "targetArn": subscriber.target.arn,
        "errorCode": failure.code,
        "errorMessage": why,
        "exhaustedRetryCondition": exhausted,
        "retryAttempts": failing.retries,
        "failedMessages": [{
            "eventId": event.id,
            "eventGroupId": event.group,
            "deduplicationId": event.deduplication,
            "timestamp": rfc3339_millis(now),
            "targetRequestId": null,
        }],
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
            MessageAttribute::number(failing.retries),
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
    let group = queue.is_fifo().then(|| event.group.to_string());
    let letter = NewMessage {
        attributes,
        deduplication: queue.is_fifo().then(|| event.id.to_string()),
        ..message(id, Arc::from(record.to_string()), group)
    };
    enqueue(queue, letter, now)
}
