//! The resource policy of a bus: PutPermission and RemovePermission.

use serde::Deserialize;
use serde_json::{Value, json};

use super::DEFAULT_BUS;
use super::buses::find as find_bus;
use crate::arn::{arn, root};
use crate::caller::Caller;
use crate::fault::Fault;
use crate::ops::{Answer, Call, Op, Operation};
use crate::policy::Policy;
use crate::state::bus::Bus;

/// AWS's limit of a bus's policy.
const POLICY_BYTES_MAX: usize = 10 * 1024;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("PutPermission", |call, input| put(call, &input)),
    &Op::write("RemovePermission", |call, input| remove(call, &input)),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    event_bus_name: Option<String>,
    action: Option<String>,
    principal: Option<String>,
    statement_id: Option<String>,
    condition: Option<Condition>,
    policy: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Condition {
    r#type: String,
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Remove {
    statement_id: Option<String>,
    #[serde(rename = "RemoveAllPermissions")]
    all: Option<bool>,
    event_bus_name: Option<String>,
}

fn put(call: &mut Call<'_>, input: &Put) -> Answer {
    let here = call.caller.clone();
    let now = call.turn.now;
    let bus = find_bus(call, input.event_bus_name.as_deref().unwrap_or(DEFAULT_BUS))?;
    let policy = match &input.policy {
        Some(policy) => policy.clone(),
        None => with_statement(input, bus, &here)?,
    };
    if policy.len() > POLICY_BYTES_MAX {
        return Err(Fault::new(
            "PolicyLengthExceededException",
            "The policy is longer than 10 KB.",
        ));
    }
    Policy::parse(&policy)
        .map_err(|why| Fault::validation(format!("Parameter Policy is not valid. Reason: {why}")))?;
    bus.policy = Some(policy);
    bus.modified = now;
    Ok(json!({}))
}

/// The bus's policy with a statement added, or the one of that id replaced.
fn with_statement(input: &Put, bus: &Bus, here: &Caller) -> Result<String, Fault> {
    let (Some(id), Some(principal), Some(action)) = (&input.statement_id, &input.principal, &input.action)
    else {
        return Err(Fault::validation(
            "Parameters StatementId, Action and Principal, or Policy, must be specified.",
        ));
    };
    if action != "events:PutEvents" {
        return Err(Fault::validation(
            "Provided value in parameter 'action' is not supported.",
        ));
    }
    if let Some(condition) = &input.condition
        && (condition.r#type != "StringEquals" || condition.key != "aws:PrincipalOrgID")
    {
        return Err(Fault::validation(
            "Parameter Condition is not valid. Reason: Only StringEquals on aws:PrincipalOrgID is supported.",
        ));
    }
    let everyone = principal == "*";
    let mut statement = json!({
        "Sid": id,
        "Effect": "Allow",
        "Principal": if everyone { json!("*") } else { json!({ "AWS": root(&here.region, principal) }) },
        "Action": action,
        "Resource": arn("events", &here.region, &here.account, &format!("event-bus/{}", bus.name)),
    });
    if let Some(condition) = &input.condition {
        statement["Condition"] = json!({ &condition.r#type: { &condition.key: condition.value } });
    }
    let mut rows = statements(bus.policy.as_deref());
    rows.retain(|row| row.get("Sid") != statement.get("Sid"));
    rows.push(statement);
    Ok(json!({ "Version": "2012-10-17", "Statement": rows }).to_string())
}

fn remove(call: &mut Call<'_>, input: &Remove) -> Answer {
    let now = call.turn.now;
    let bus = find_bus(call, input.event_bus_name.as_deref().unwrap_or(DEFAULT_BUS))?;
    if input.all == Some(true) {
        (bus.policy, bus.modified) = (None, now);
        return Ok(json!({}));
    }
    let Some(id) = &input.statement_id else {
        return Err(Fault::validation(
            "Parameter StatementId or RemoveAllPermissions must be specified.",
        ));
    };
    let mut rows = statements(bus.policy.as_deref());
    let before = rows.len();
    rows.retain(|row| row.get("Sid").and_then(Value::as_str) != Some(id));
    if rows.len() == before {
        return Err(Fault::not_found("Statement with the provided id does not exist."));
    }
    bus.policy =
        (!rows.is_empty()).then(|| json!({ "Version": "2012-10-17", "Statement": rows }).to_string());
    bus.modified = now;
    Ok(json!({}))
}

fn statements(policy: Option<&str>) -> Vec<Value> {
    let value: Option<Value> = policy.and_then(|text| serde_json::from_str(text).ok());
    match value.and_then(|mut value| value.get_mut("Statement").map(Value::take)) {
        Some(Value::Array(rows)) => rows,
        Some(one) => vec![one],
        None => Vec::new(),
    }
}
