//! Redrive policies: where messages go that were received too often.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::validate::{bad_parameter, bad_value};
use crate::arn::Arn;
use crate::fault::Fault;
use crate::ops::Call;
use crate::state::RealmId;
use crate::state::queue::is_fifo;

const RECEIVES_MAX: u64 = 1_000;
/// The queues that a redrive allow policy may name.
const SOURCES_MAX: usize = 10;

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

/// Checks which queues may have a queue as their dead-letter queue, and gives it as AWS shows it: without blanks.
///
/// The values and their number are those of AWS's reference (SetQueueAttributes, RedriveAllowPolicy).
pub(super) fn check_allowed(text: &str) -> Result<String, Fault> {
    let bad = || {
        let reason = "Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.";
        bad_parameter(text, "RedriveAllowPolicy", reason)
    };
    let given: AllowPolicy = serde_json::from_str(text).map_err(|_| bad())?;
    let queues = given.source_queue_arns.as_ref();
    let is_whole = match given.redrive_permission.as_str() {
        "allowAll" | "denyAll" => queues.is_none(),
        "byQueue" => queues.is_some_and(|all| (1..=SOURCES_MAX).contains(&all.len())),
        _ => false,
    };
    let is_queue = |text: &String| Arn::parse(text).is_some_and(|arn| arn.service == "sqs");
    if !is_whole || !queues.is_none_or(|all| all.iter().all(is_queue)) {
        return Err(bad());
    }
    serde_json::to_string(&given).map_err(|_| bad())
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AllowPolicy {
    redrive_permission: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_queue_arns: Option<Vec<String>>,
}
