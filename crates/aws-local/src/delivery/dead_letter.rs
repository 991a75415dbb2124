//! Deliveries that failed for good: counted, and sent to the dead-letter queue if there is one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::attempt::Invocation;
use super::miss::Miss;
use super::permission::may_send;
use super::queue::{enqueue, message};
use crate::arn::Arn;
use crate::state::RealmId;
use crate::state::queue::{MessageAttribute, NewMessage};
use crate::turn::Turn;

/// Sends the event to the target's dead-letter queue; false where it did not get there. `exhausted` names the limit that
/// retries reached.
pub(super) fn send_to_dead_letter_queue(
    turn: &mut Turn<'_>,
    invocation: &Invocation,
    miss: &Miss,
    exhausted: Option<&'static str>,
    retries: u32,
) -> bool {
    invocation.count(turn, "FailedInvocations");
    let config = invocation.target.dead_letter_config.as_ref();
    let Some(queue_arn) = config.and_then(|config| config.arn.clone()) else {
        return false;
    };
    let attributes = attributes(invocation, miss, exhausted, retries);
    let result = send(turn, invocation, &queue_arn, attributes);
    let metric = if result.is_ok() {
        "InvocationsSentToDLQ"
    } else {
        "InvocationsFailedToBeSentToDLQ"
    };
    invocation.count(turn, metric);
    let is_sent = result.is_ok();
    if let Some(delivery) = turn.world.stories.delivery(&invocation.in_story) {
        delivery.dead_letter = Some(match result {
            Ok(()) => format!("sent to {queue_arn}"),
            Err(why) => format!("not sent to {queue_arn}: {why}"),
        });
    }
    is_sent
}

fn attributes(
    invocation: &Invocation,
    miss: &Miss,
    exhausted: Option<&'static str>,
    retries: u32,
) -> BTreeMap<String, MessageAttribute> {
    let text = |name: &str, value: &str| (name.to_owned(), MessageAttribute::text(value));
    let mut attributes = BTreeMap::from([
        text("RULE_ARN", &invocation.rule_arn),
        text("TARGET_ARN", &invocation.target.arn),
        text("ERROR_CODE", miss.code()),
        text("ERROR_MESSAGE", miss.message()),
        ("RETRY_ATTEMPTS".to_owned(), MessageAttribute::number(retries)),
    ]);
    attributes.extend(exhausted.map(|condition| text("EXHAUSTED_RETRY_CONDITION", condition)));
    attributes
}

fn send(
    turn: &mut Turn<'_>,
    invocation: &Invocation,
    queue_arn: &str,
    attributes: BTreeMap<String, MessageAttribute>,
) -> Result<(), String> {
    let (now, id) = (turn.now, turn.dice.id());
    let arn = Arn::parse(queue_arn)
        .filter(|arn| arn.service == "sqs")
        .ok_or("not a queue")?;
    if arn.region != invocation.realm.region() {
        return Err("a dead-letter queue has to be in the rule's region".to_owned());
    }
    let realm = RealmId::new(arn.account, arn.region);
    let queues = &mut turn.world.realm(&realm).queues;
    let queue = queues.get_mut(arn.resource).ok_or("the queue does not exist")?;
    let (policies, account) = (&mut turn.policies, invocation.realm.account());
    if !may_send(policies, queue, queue_arn, &invocation.rule_arn, account) {
        return Err("the queue's policy does not allow events.amazonaws.com sqs:SendMessage".to_owned());
    }
    if queue.is_fifo() {
        return Err("a dead-letter queue has to be a standard queue".to_owned());
    }
    let letter = NewMessage {
        attributes,
        ..message(id, Arc::clone(&invocation.envelope.text), None)
    };
    enqueue(queue, letter, now)
}
