//! Amazon SQS, as far as targets and dead-letter queues need it.

use serde_json::Value;

use super::{Call, Operation, Run};
use crate::arn::arn;
use crate::fault::Fault;
use crate::policy::{Ask, Policy, Verdict};
use crate::state::queue::Queue;
use crate::state::{RealmId, World};

mod attributes;
mod digest;
mod messages;
mod permissions;
mod queues;
mod receive;
mod redrive;
mod validate;

/// The implemented operations of the service.
pub(crate) const TABLES: &[&[&dyn Operation]] = &[
    queues::OPS,
    attributes::OPS,
    permissions::OPS,
    messages::OPS,
    receive::OPS,
];

/// The account and name at the end of a queue's URL, or its ARN.
fn locate(call: &Call<'_>, url: &str) -> Result<(RealmId, String), Fault> {
    let mut parts = url.rsplit('/');
    let (name, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    if name.is_empty() {
        return Err(Fault::new(
            "InvalidAddress",
            format!("The address {url} is not valid for this endpoint."),
        ));
    }
    let account = if is_account { account } else { &call.caller.account };
    Ok((RealmId::new(account, &call.caller.region), name.to_owned()))
}

/// Operations that a queue's policy cannot allow to another account.
const OWNERS_ONLY: [&str; 7] = [
    "AddPermission",
    "DeleteQueue",
    "ListQueueTags",
    "RemovePermission",
    "SetQueueAttributes",
    "TagQueue",
    "UntagQueue",
];

/// The operation, run only if the caller has permission on the queue that the request names.
pub(super) fn guarded<'b>(operation: &'static str, body: &Value, run: Run<'b>) -> Run<'b> {
    let Some(url) = body.get("QueueUrl").and_then(Value::as_str) else {
        return run;
    };
    let url = url.to_owned();
    Box::new(move |call| {
        check_access(call, operation, &url)?;
        run(call)
    })
}

/// Another account's queue is open to a caller as far as its policy allows.
fn check_access(call: &mut Call<'_>, operation: &str, url: &str) -> Result<(), Fault> {
    let (realm, name) = locate(call, url)?;
    if realm.account() == call.caller.account {
        return Ok(());
    }
    let Some(queue) = call.turn.world.realm(&realm).queues.get(&name) else {
        return Ok(());
    };
    let action = format!("sqs:{}", operation.strip_suffix("Batch").unwrap_or(operation));
    let ask = Ask {
        service: None,
        account: Some(&call.caller.account),
        action: &action,
        resources: &[&queue_arn(&realm, &name)],
        source_arn: "",
        source_account: "",
    };
    let policy = queue.policy().and_then(|text| Policy::parse(text).ok());
    let allowed = policy.is_some_and(|policy| policy.verdict(&ask) == Verdict::Allowed);
    if allowed && !OWNERS_ONLY.contains(&operation) {
        return Ok(());
    }
    Err(Fault {
        status: 403,
        ..Fault::new("AccessDenied", format!("Access to the resource {url} is denied."))
    })
}

/// How long ReceiveMessage waits at a queue that says so, in seconds.
pub(crate) fn wait_seconds(world: &World, region: &str, url: &str) -> Option<i64> {
    let mut parts = url.rsplit('/');
    let (name, account) = (parts.next()?, parts.next()?);
    let here = RealmId::new(account, region);
    let (_, realm) = world.realms().find(|(id, _)| **id == here)?;
    Some(realm.queues.get(name)?.number("ReceiveMessageWaitTimeSeconds"))
}

/// The queue that a URL names.
fn queue<'c>(call: &'c mut Call<'_>, url: &str) -> Result<&'c mut Queue, Fault> {
    let (realm, name) = locate(call, url)?;
    call.turn
        .world
        .realm(&realm)
        .queues
        .get_mut(&name)
        .ok_or_else(missing)
}

fn missing() -> Fault {
    Fault::new("QueueDoesNotExist", "The specified queue does not exist.")
}

fn queue_arn(realm: &RealmId, name: &str) -> String {
    arn("sqs", realm.region(), realm.account(), name)
}
