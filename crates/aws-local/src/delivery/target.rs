//! The kinds of targets, and how each takes an event.

use std::sync::Arc;

use super::attempt::{Invocation, Sent};
use super::miss::Miss;
use super::permission::{Writer, may_log, may_publish, may_put, may_send};
use super::queue::{enqueue, message};
use super::role::role_allows;
use super::{http, transformer};
use crate::arn::Arn;
use crate::state::RealmId;
use crate::state::log_group::{EVENT_MEMORY, event_bytes};
use crate::turn::Turn;

/// Delivers to one target.
pub(super) fn send(turn: &mut Turn<'_>, invocation: &Invocation) -> Result<Sent, Miss> {
    let target = Arc::clone(&invocation.target);
    let Some(arn) = Arn::parse(&target.arn) else {
        return Err(Miss::NoResource("not an ARN".to_owned()));
    };
    let to = RealmId::new(arn.account, arn.region);
    if let Some(name) = arn.log_group() {
        return to_log_group(turn, invocation, &to, name);
    }
    if let Some(bus) = arn.event_bus() {
        return to_bus(turn, invocation, to, bus);
    }
    if arn.service == "sqs" {
        return to_queue(turn, invocation, &to, arn.resource);
    }
    // A URL that the operator gave for a topic stands in its place.
    if arn.service == "sns" && !turn.world.targets.contains_key(&target.arn) {
        return to_topic(turn, invocation, &to, arn.resource);
    }
    http::send(turn, invocation, &arn)
}

fn to_log_group(
    turn: &mut Turn<'_>,
    invocation: &Invocation,
    to: &RealmId,
    name: &str,
) -> Result<Sent, Miss> {
    let now = turn.now;
    let (at, message) = transformer::log_event(turn, invocation)?;
    let stream = invocation.target.log_stream(&invocation.rule_arn);
    let realm = turn.world.realm(to);
    let group = realm
        .log_groups
        .get_mut(name)
        .ok_or_else(|| Miss::NoResource(format!("log group {name} does not exist")))?;
    let writer = Writer::rule(&invocation.rule_arn, invocation.realm.account());
    if !may_log(group, realm.log_policies.values(), to, stream, &writer) {
        let why = "no resource policy allows events.amazonaws.com logs:CreateLogStream and logs:PutLogEvents";
        return Err(Miss::NoPermissions(format!("{why} on log group {name}")));
    }
    let bytes = event_bytes(&message) + EVENT_MEMORY;
    group.append_delivered(stream, at, now, message);
    turn.world.log_bytes_added += bytes;
    Ok(Sent::Done)
}

fn to_bus(turn: &mut Turn<'_>, invocation: &Invocation, to: RealmId, bus: &str) -> Result<Sent, Miss> {
    let account = invocation.realm.account();
    if !turn.world.realm(&to).buses.contains_key(bus) {
        return Err(Miss::NoResource(format!("event bus {bus} does not exist")));
    }
    if !may_put(turn, &to, bus, account, &invocation.rule_arn) {
        return Err(Miss::NoPermissions(format!(
            "the policy of event bus {bus} does not allow events:PutEvents"
        )));
    }
    role_allows(turn, invocation, "events:PutEvents")?;
    Ok(Sent::Forward(to, bus.to_owned(), invocation.envelope.clone()))
}

fn to_queue(turn: &mut Turn<'_>, invocation: &Invocation, to: &RealmId, name: &str) -> Result<Sent, Miss> {
    let (now, id) = (turn.now, turn.dice.id());
    let payload = transformer::payload(turn, invocation)?;
    let queue = turn.world.realm(to).queues.get_mut(name);
    let queue = queue.ok_or_else(|| Miss::NoResource(format!("queue {name} does not exist")))?;
    let (arn, account) = (&invocation.target.arn, invocation.realm.account());
    if !may_send(&mut turn.policies, queue, arn, &invocation.rule_arn, account) {
        let why = format!("the policy of queue {name} does not allow events.amazonaws.com sqs:SendMessage");
        return Err(Miss::NoPermissions(why));
    }
    let parameters = invocation.target.sqs_parameters.as_ref();
    let group = parameters.and_then(|parameters| parameters.message_group_id.clone());
    let refused = |why: String| Miss::Http("SDK_CLIENT_ERROR", why);
    if queue.is_fifo() && group.is_none() {
        return Err(refused(format!("the FIFO queue {name} needs a message group id")));
    }
    if queue.is_fifo() && !queue.is_on("ContentBasedDeduplication") {
        return Err(refused(format!(
            "the FIFO queue {name} needs content-based deduplication"
        )));
    }
    enqueue(queue, message(id, payload, group), now).map_err(refused)?;
    Ok(Sent::Done)
}

/// What a topic gets is kept with the invocations: it has no subscriptions.
fn to_topic(turn: &mut Turn<'_>, invocation: &Invocation, to: &RealmId, name: &str) -> Result<Sent, Miss> {
    let topic = turn.world.realm(to).topics.get(name);
    let topic = topic.ok_or_else(|| Miss::NoResource(format!("topic {name} does not exist")))?;
    let (arn, account) = (&invocation.target.arn, invocation.realm.account());
    if !may_publish(&mut turn.policies, topic, arn, &invocation.rule_arn, account) {
        let why = format!("the policy of topic {name} does not allow events.amazonaws.com sns:Publish");
        return Err(Miss::NoPermissions(why));
    }
    if topic.is_fifo() {
        let why =
            format!("the FIFO topic {name} needs a message group id, which a rule's target does not have");
        return Err(Miss::Http("SDK_CLIENT_ERROR", why));
    }
    let payload = transformer::payload(turn, invocation)?;
    http::record_invocation(turn, invocation, payload);
    Ok(Sent::Done)
}
