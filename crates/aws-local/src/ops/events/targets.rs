//! Targets of rules.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::DEFAULT_BUS;
use super::buses::find as find_bus;
use super::rules::{find, missing};
use crate::arn::Arn;
use crate::fault::Fault;
use crate::model::parse;
use crate::ops::{Answer, Cx, Op, events_page, slim};
use crate::state::rule::Target;

/// AWS's default quota of targets on a rule.
const TARGETS_MAX: usize = 5;

pub(super) const OPS: &[Op] = &[
    Op::write("PutTargets", |cx, body| put(cx, parse(body)?)),
    Op::write("RemoveTargets", |cx, body| remove(cx, &parse(body)?)),
    Op::read("ListTargetsByRule", |cx, body| list(cx, &parse(body)?)),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    rule: String,
    event_bus_name: Option<String>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Remove {
    rule: String,
    event_bus_name: Option<String>,
    ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    rule: String,
    event_bus_name: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

fn put(cx: &mut Cx<'_>, input: Put) -> Answer {
    for target in &input.targets {
        check(target)?;
    }
    let bus = find_bus(cx, input.event_bus_name.as_deref().unwrap_or(DEFAULT_BUS))?;
    let bus_name = bus.name.clone();
    let rule = bus
        .rules_mut()
        .get_mut(&input.rule)
        .ok_or_else(|| missing(&input.rule, &bus_name))?;
    let mut targets = rule.targets.clone();
    for target in input.targets {
        targets.insert(target.id.clone(), Arc::new(target));
    }
    if targets.len() > TARGETS_MAX {
        return Err(Fault::limit(
            "The requested resource exceeds the maximum number allowed.",
        ));
    }
    rule.targets = targets;
    Ok(json!({ "FailedEntryCount": 0, "FailedEntries": [] }))
}

fn remove(cx: &mut Cx<'_>, input: &Remove) -> Answer {
    let bus = find_bus(cx, input.event_bus_name.as_deref().unwrap_or(DEFAULT_BUS))?;
    let bus_name = bus.name.clone();
    let rule = bus
        .rules_mut()
        .get_mut(&input.rule)
        .ok_or_else(|| missing(&input.rule, &bus_name))?;
    let mut failed = Vec::new();
    for id in &input.ids {
        if rule.targets.remove(id).is_none() {
            failed.push(json!({
                "TargetId": id,
                "ErrorCode": "ResourceNotFoundException",
                "ErrorMessage": format!("Rule {} does not have a target with id {id}.", input.rule),
            }));
        }
    }
    Ok(json!({ "FailedEntryCount": failed.len(), "FailedEntries": failed }))
}

fn list(cx: &mut Cx<'_>, input: &List) -> Answer {
    let bus = find_bus(cx, input.event_bus_name.as_deref().unwrap_or(DEFAULT_BUS))?;
    let rule = find(bus, &input.rule)?;
    let rows = rule
        .targets
        .iter()
        .map(|(id, target)| (id.as_str(), json!(**target)));
    let page = events_page(
        "ListTargetsByRule",
        rows,
        input.next_token.as_deref(),
        input.limit,
    )?;
    Ok(slim(json!({ "Targets": page.items, "NextToken": page.next })))
}

/// What AWS refuses of a target at once.
fn check(target: &Target) -> Result<(), Fault> {
    let bad = |reason: String| {
        Err(Fault::validation(format!(
            "Parameter {} is not valid. Reason: {reason}",
            target.id
        )))
    };
    let Some(arn) = Arn::parse(&target.arn) else {
        return bad("Provided Arn is not in correct format.".to_owned());
    };
    let inputs = [
        target.input.is_some(),
        target.input_path.is_some(),
        target.input_transformer.is_some(),
    ];
    if inputs.iter().filter(|given| **given).count() > 1 {
        return Err(Fault::validation(format!(
            "Only one of Input, InputPath, or InputTransformer must be provided for target {}.",
            target.id
        )));
    }
    if let Some(input) = &target.input
        && serde_json::from_str::<Value>(input).is_err()
    {
        return Err(Fault::validation(format!(
            "JSON syntax error in input for target {}",
            target.id
        )));
    }
    if target.role_arn.is_some() && arn.service == "logs" {
        return Err(Fault::validation(format!(
            "RoleArn is not supported for target {}.",
            target.arn
        )));
    }
    Ok(())
}
