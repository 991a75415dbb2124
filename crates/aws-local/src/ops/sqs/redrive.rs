//! Redrive policies: where messages go that were received too often.

use serde_json::{Map, Value, json};

use super::validate::{bad_parameter, bad_value};
use crate::arn::Arn;
use crate::fault::Fault;
use crate::ops::Call;
use crate::state::RealmId;
use crate::state::queue::is_fifo;

const RECEIVES_MAX: u64 = 1_000;

/// Checks a redrive policy for the queue `name`, and gives it as AWS shows it: the count as a number.
pub(super) fn check(call: &mut Call<'_>, realm: &RealmId, name: &str, text: &str) -> Result<String, Fault> {
    let bad = |reason: &str| bad_parameter(text, "RedrivePolicy", reason);
    let given: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| bad("Redrive policy is not a valid JSON map."))?;
    let lacks = |member: &str| {
        bad(&format!(
            "Redrive policy does not contain mandatory attribute: {member}."
        ))
    };
    let count = given
        .get("maxReceiveCount")
        .ok_or_else(|| lacks("maxReceiveCount"))?;
    let target = given
        .get("deadLetterTargetArn")
        .ok_or_else(|| lacks("deadLetterTargetArn"))?;
    let whole = count.as_u64().or_else(|| count.as_str()?.parse().ok());
    let Some(receives) = whole.filter(|n| (1..=RECEIVES_MAX).contains(n)) else {
        let shown = count.as_str().map_or_else(|| count.to_string(), str::to_owned);
        return Err(bad(&format!(
            "Invalid value for maxReceiveCount: {shown}, valid values are from 1 to {RECEIVES_MAX} both inclusive."
        )));
    };
    let target = target.as_str().unwrap_or_default();
    let Some(arn) = Arn::parse(target).filter(|arn| arn.service == "sqs") else {
        return Err(bad("Invalid value for deadLetterTargetArn."));
    };
    if RealmId::new(arn.account, arn.region) != *realm {
        return Err(bad(
            "Dead letter target must be in the account and region of the queue.",
        ));
    }
    if is_fifo(name) != is_fifo(arn.resource) {
        return Err(bad_value(
            "Dead-letter queue must be same type of queue as the source.",
        ));
    }
    if arn.resource != name && !call.turn.world.realm(realm).queues.contains_key(arn.resource) {
        return Err(bad("Dead letter target does not exist."));
    }
    Ok(json!({ "deadLetterTargetArn": target, "maxReceiveCount": receives }).to_string())
}
