//! A queue's policy, a statement at a time.

use serde::Deserialize;
use serde_json::{Value, json};

use super::validate::{bad_parameter, missing_parameter};
use super::{locate, queue, queue_arn};
use crate::arn::root;
use crate::fault::Fault;
use crate::ops::{Answer, Call, Op, Operation};

const ACTIONS_MAX: usize = 7;
/// The actions that others may be permitted.
const ACTIONS: [&str; 9] = [
    "*",
    "ChangeMessageVisibility",
    "DeleteMessage",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
];

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("AddPermission", |call, input| add(call, &input)),
    &Op::write("RemovePermission", |call, input| remove(call, &input)),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Add {
    queue_url: String,
    label: String,
    #[serde(rename = "AWSAccountIds")]
    accounts: Vec<String>,
    actions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Remove {
    queue_url: String,
    label: String,
}

fn add(call: &mut Call<'_>, input: &Add) -> Answer {
    check(input)?;
    let (realm, name) = locate(call, &input.queue_url)?;
    let (arn, now) = (queue_arn(&realm, &name), call.turn.now);
    let queue = queue(call, &input.queue_url)?;
    let mut policy = queue
        .policy()
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
        .unwrap_or_else(
            || json!({ "Version": "2008-10-17", "Id": format!("{arn}/SQSDefaultPolicy"), "Statement": [] }),
        );
    let mut statements = statements(&policy);
    if statements.iter().any(|one| one["Sid"] == input.label.as_str()) {
        return Err(bad_parameter(&input.label, "Label", "Already exists."));
    }
    let root = |account: &String| root(realm.region(), account);
    let action = |action: &String| format!("SQS:{action}");
    statements.push(json!({
        "Sid": input.label,
        "Effect": "Allow",
        "Principal": { "AWS": one_or_all(input.accounts.iter().map(root).collect()) },
        "Action": one_or_all(input.actions.iter().map(action).collect()),
        "Resource": arn,
    }));
    policy["Statement"] = Value::Array(statements);
    queue.attributes.insert("Policy".to_owned(), policy.to_string());
    queue.modified = now;
    Ok(json!({}))
}

fn check(input: &Add) -> Result<(), Fault> {
    if input.actions.is_empty() {
        return Err(missing_parameter("Actions"));
    }
    if input.actions.len() > ACTIONS_MAX {
        let why = format!(
            "{} Actions were found, maximum allowed is {ACTIONS_MAX}.",
            input.actions.len()
        );
        return Err(Fault {
            status: 403,
            ..Fault::new("OverLimit", why)
        });
    }
    if let Some(odd) = input
        .actions
        .iter()
        .find(|action| !ACTIONS.contains(&action.as_str()))
    {
        let reason = "Only the queue owner is allowed to invoke this action.";
        return Err(bad_parameter(format!("SQS:{odd}"), "ActionName", reason));
    }
    let is_account = |id: &String| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit());
    if input.accounts.is_empty() || !input.accounts.iter().all(is_account) {
        let shown = format!("[{}]", input.accounts.join(", "));
        return Err(bad_parameter(shown, "PrincipalId", "Unable to verify."));
    }
    Ok(())
}

fn remove(call: &mut Call<'_>, input: &Remove) -> Answer {
    let now = call.turn.now;
    let queue = queue(call, &input.queue_url)?;
    let missing = |reason: &str| bad_parameter(&input.label, "Label", reason);
    let policy = queue
        .policy()
        .and_then(|text| serde_json::from_str::<Value>(text).ok());
    let mut policy = policy.ok_or_else(|| missing("can't find label on existing policy."))?;
    let all = statements(&policy);
    let rest: Vec<Value> = all
        .iter()
        .filter(|one| one["Sid"] != input.label.as_str())
        .cloned()
        .collect();
    if rest.len() == all.len() {
        return Err(missing("can't find label."));
    }
    if rest.is_empty() {
        queue.attributes.remove("Policy");
    } else {
        policy["Statement"] = Value::Array(rest);
        queue.attributes.insert("Policy".to_owned(), policy.to_string());
    }
    queue.modified = now;
    Ok(json!({}))
}

fn statements(policy: &Value) -> Vec<Value> {
    match &policy["Statement"] {
        Value::Array(list) => list.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

/// AWS writes a list of one as the one.
fn one_or_all(mut all: Vec<String>) -> Value {
    if all.len() == 1 {
        return Value::from(all.swap_remove(0));
    }
    json!(all)
}
