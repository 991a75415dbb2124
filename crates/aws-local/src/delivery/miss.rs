//! Deliveries that failed for good: counted, and sent to the dead-letter queue if there is one.

use std::collections::BTreeMap;

use super::permission::may_send;
use super::{Invocation, counted_as};
use crate::arn::Arn;
use crate::state::RealmId;
use crate::state::queue::{Message, MessageAttribute, Queue};
use crate::turn::Turn;

/// Why a target did not get an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Miss {
    NoPermissions(String),
    NoResource(String),
    /// What the target would be given is not what it takes.
    BadInput(String),
    /// The other side of an HTTP request: a code of its own and its words.
    Http(&'static str, String),
}

impl Miss {
    /// `ERROR_CODE` of a dead letter.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::NoPermissions(_) => "NO_PERMISSIONS",
            Self::NoResource(_) => "NO_RESOURCE",
            Self::BadInput(_) => "INVALID_JSON",
            Self::Http(code, _) => code,
        }
    }

    /// `ERROR_MESSAGE` of a dead letter.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::NoPermissions(why) | Self::NoResource(why) | Self::BadInput(why) | Self::Http(_, why) => {
                why
            }
        }
    }
}

/// Sends the event to the target's dead-letter queue. `exhausted` names the limit that retries ran into.
pub(super) fn bury(
    turn: &mut Turn<'_>,
    invocation: &Invocation,
    miss: &Miss,
    exhausted: Option<&'static str>,
    retries: u32,
) {
    let rule = counted_as(&invocation.rule_arn);
    turn.world
        .realm(&invocation.realm)
        .metrics
        .count(rule, "FailedInvocations");
    let config = invocation.target.dead_letter_config.as_ref();
    let Some(queue_arn) = config.and_then(|config| config.arn.clone()) else {
        return;
    };
    let result = send(
        turn,
        invocation,
        &queue_arn,
        attributes(invocation, miss, exhausted, retries),
    );
    let metric = if result.is_ok() {
        "InvocationsSentToDLQ"
    } else {
        "InvocationsFailedToBeSentToDLQ"
    };
    turn.world.realm(&invocation.realm).metrics.count(rule, metric);
    if let Some(delivery) = turn.world.stories.delivery(&invocation.page) {
        delivery.dead_letter = Some(match result {
            Ok(()) => format!("sent to {queue_arn}"),
            Err(why) => format!("not sent to {queue_arn}: {why}"),
        });
    }
}

fn attributes(
    invocation: &Invocation,
    miss: &Miss,
    exhausted: Option<&'static str>,
    retries: u32,
) -> BTreeMap<String, MessageAttribute> {
    let mut attributes = BTreeMap::from([
        (
            "RULE_ARN".to_owned(),
            MessageAttribute::text(&*invocation.rule_arn),
        ),
        (
            "TARGET_ARN".to_owned(),
            MessageAttribute::text(&invocation.target.arn),
        ),
        ("ERROR_CODE".to_owned(), MessageAttribute::text(miss.code())),
        ("ERROR_MESSAGE".to_owned(), MessageAttribute::text(miss.message())),
        ("RETRY_ATTEMPTS".to_owned(), MessageAttribute::number(retries)),
    ]);
    if let Some(condition) = exhausted {
        attributes.insert(
            "EXHAUSTED_RETRY_CONDITION".to_owned(),
            MessageAttribute::text(condition),
        );
    }
    attributes
}

fn send(
    turn: &mut Turn<'_>,
    invocation: &Invocation,
    queue_arn: &str,
    attributes: BTreeMap<String, MessageAttribute>,
) -> Result<(), String> {
    let (now, id) = (turn.now, turn.dice.uuid());
    let arn = Arn::parse(queue_arn)
        .filter(|arn| arn.service == "sqs")
        .ok_or("not a queue")?;
    if arn.region != invocation.realm.region() {
        return Err("a dead-letter queue has to be in the rule's region".to_owned());
    }
    let realm = RealmId::new(arn.account, arn.region);
    let queue = turn
        .world
        .realm(&realm)
        .queues
        .get_mut(arn.resource)
        .ok_or("the queue does not exist")?;
    if !may_send(queue, queue_arn, &invocation.rule_arn, invocation.realm.account()) {
        return Err("the queue's policy does not allow events.amazonaws.com sqs:SendMessage".to_owned());
    }
    if queue.is_fifo() {
        return Err("a dead-letter queue has to be a standard queue".to_owned());
    }
    let letter = message(
        id,
        invocation.envelope.text.to_string(),
        None,
        None,
        attributes,
        now,
    );
    put(queue, letter, now)
}

/// Puts a message of EventBridge's into a queue, under the queue's own settings.
pub(super) fn put(queue: &mut Queue, message: Message, now: i64) -> Result<(), String> {
    let (bytes, bytes_max) = (message.body.len(), queue.number("MaximumMessageSize"));
    if i64::try_from(bytes).is_ok_and(|bytes| bytes > bytes_max) {
        let name = &queue.name;
        return Err(format!(
            "the message has {bytes} bytes and the queue {name} takes {bytes_max}"
        ));
    }
    let visible_from = now + queue.number("DelaySeconds") * 1000;
    queue.send(
        Message {
            visible_from,
            ..message
        },
        now,
    );
    Ok(())
}

/// A message that EventBridge sends.
pub(super) fn message(
    id: String,
    body: String,
    group: Option<String>,
    deduplication: Option<String>,
    attributes: BTreeMap<String, MessageAttribute>,
    now: i64,
) -> Message {
    Message {
        id,
        body,
        attributes,
        system_attributes: BTreeMap::new(),
        group,
        deduplication,
        sender: "events.amazonaws.com".to_owned(),
        sent: now,
        visible_from: now,
        receive_count: 0,
        first_received: None,
        receipt: 0,
        dead_letter_source: None,
    }
}
