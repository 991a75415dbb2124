//! Amazon SQS, as far as targets and dead-letter queues need it.

use super::{Cx, Op};
use crate::arn::arn;
use crate::fault::Fault;
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

pub(crate) use digest::of_content;

/// Every operation of the service that is built.
pub(crate) const TABLES: &[&[Op]] = &[
    queues::OPS,
    attributes::OPS,
    permissions::OPS,
    messages::OPS,
    receive::OPS,
];

/// The account and name at the end of a queue's URL, or its ARN.
fn locate(cx: &Cx<'_>, url: &str) -> Result<(RealmId, String), Fault> {
    let mut parts = url.rsplit('/');
    let (name, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    if name.is_empty() {
        return Err(Fault::new(
            "InvalidAddress",
            format!("The address {url} is not valid for this endpoint."),
        ));
    }
    let account = if is_account { account } else { &cx.caller.account };
    Ok((RealmId::new(account, &cx.caller.region), name.to_owned()))
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
fn queue<'c>(cx: &'c mut Cx<'_>, url: &str) -> Result<&'c mut Queue, Fault> {
    let (realm, name) = locate(cx, url)?;
    cx.world
        .realm(&realm, cx.now)
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
