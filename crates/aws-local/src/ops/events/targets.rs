//! Targets of rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::DEFAULT_BUS;
use super::buses::{check_dead_letters, find as find_bus};
use super::roles::check_role;
use super::rules::{find, missing, unmanaged};
use crate::arn::Arn;
use crate::fault::Fault;
use crate::jsontext::parse_path;
use crate::ops::{Answer, Call, EVENTS_PAGES, Op, Operation, without_nulls};
use crate::state::rule::{InputTransformer, Rule, Target};

/// AWS's default quota of targets on a rule.
const TARGETS_MAX: usize = 5;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("PutTargets", put),
    &Op::write("RemoveTargets", |call, input| remove(call, &input)),
    &Op::read("ListTargetsByRule", |call, input| list(call, &input)),
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
    force: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    rule: String,
    event_bus_name: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

fn put(call: &mut Call<'_>, input: Put) -> Answer {
    let (account, stored) = (call.caller.account.clone(), call.stored);
    for target in &input.targets {
        check(target, &account)?;
    }
    let rule = rule_mut(call, input.event_bus_name.as_deref(), &input.rule)?;
    unmanaged(rule, false)?;
    let (mut targets, role_of_rule) = (rule.targets.clone(), rule.role_arn.is_some());
    let put: Vec<String> = input.targets.iter().map(|target| target.id.clone()).collect();
    for mut target in input.targets {
        if let Some(before) = targets.get(&target.id) {
            keep_role(before, &mut target, &account);
        }
        if !stored {
            check_role(&target, &account, role_of_rule)?;
        }
        targets.insert(target.id.clone(), Arc::new(target));
    }
    if targets.len() > TARGETS_MAX {
        return Err(Fault::quota());
    }
    rule.set_targets(targets, &put);
    Ok(json!({ "FailedEntryCount": 0, "FailedEntries": [] }))
}

/// A target on another account's bus that had a role does not lose it by being put without one.
fn keep_role(before: &Target, target: &mut Target, account: &str) {
    if target.role_arn.is_none() && target.arn == before.arn && is_foreign_bus(&target.arn, account) {
        target.role_arn.clone_from(&before.role_arn);
    }
}

fn is_foreign_bus(arn: &str, account: &str) -> bool {
    Arn::parse(arn).is_some_and(|arn| arn.event_bus().is_some() && arn.account != account)
}

fn rule_mut<'c>(call: &'c mut Call<'_>, bus: Option<&str>, name: &str) -> Result<&'c mut Rule, Fault> {
    let bus = find_bus(call, bus.unwrap_or(DEFAULT_BUS))?;
    let bus_name = bus.name.clone();
    bus.rules_mut()
        .get_mut(name)
        .ok_or_else(|| missing(name, &bus_name))
}

fn remove(call: &mut Call<'_>, input: &Remove) -> Answer {
    let rule = rule_mut(call, input.event_bus_name.as_deref(), &input.rule)?;
    unmanaged(rule, input.force == Some(true))?;
    let mut failed = Vec::new();
    for id in &input.ids {
        if rule.remove_target(id).is_none() {
            failed.push(json!({
                "TargetId": id,
                "ErrorCode": "ResourceNotFoundException",
                "ErrorMessage": format!("Rule {} does not have a target with id {id}.", input.rule),
            }));
        }
    }
    Ok(json!({ "FailedEntryCount": failed.len(), "FailedEntries": failed }))
}

fn list(call: &mut Call<'_>, input: &List) -> Answer {
    let bus = find_bus(call, input.event_bus_name.as_deref().unwrap_or(DEFAULT_BUS))?;
    let rule = find(bus, &input.rule)?;
    let targets = rule.in_order();
    let rows = targets
        .iter()
        .map(|(place, target)| (place.as_str(), json!(***target)));
    let page = EVENTS_PAGES.page(
        "ListTargetsByRule",
        rows,
        input.next_token.as_deref(),
        input.limit,
    )?;
    Ok(without_nulls(
        json!({ "Targets": page.items, "NextToken": page.next }),
    ))
}

/// What AWS refuses about a target when it is put.
fn check(target: &Target, account: &str) -> Result<(), Fault> {
    let (id, to) = (&target.id, &target.arn);
    let bad = |why: String| Err(Fault::validation(why));
    let Some(arn) = Arn::parse(to) else {
        return bad(format!(
            "Parameter {to} is not valid. Reason: Provided Arn is not in correct format."
        ));
    };
    check_input(target)?;
    if arn.service == "sqs" && arn.resource.strip_suffix(".fifo").is_some() && target.sqs_parameters.is_none()
    {
        return bad(format!(
            "Parameter(s) SqsParameters must be specified for target: {id}."
        ));
    }
    let has_input =
        target.input.is_some() || target.input_path.is_some() || target.input_transformer.is_some();
    if has_input && is_foreign_bus(to, account) {
        return bad(format!(
            "Input, InputPath and InputTransformer are not supported for target {to}, an event bus of another account."
        ));
    }
    let queue = target.dead_letter_config.as_ref();
    check_dead_letters(queue.and_then(|config| config.arn.as_deref()))
}

fn check_input(target: &Target) -> Result<(), Fault> {
    let id = &target.id;
    let inputs = [
        target.input.is_some(),
        target.input_path.is_some(),
        target.input_transformer.is_some(),
    ];
    if inputs.iter().filter(|given| **given).count() > 1 {
        return Err(Fault::validation(format!(
            "Only one of Input, InputPath, or InputTransformer must be provided for target {id}."
        )));
    }
    if let Some(input) = &target.input
        && serde_json::from_str::<IgnoredAny>(input).is_err()
    {
        return Err(Fault::validation(format!(
            "JSON syntax error in input for target {id}"
        )));
    }
    let transformer = target.input_transformer.as_ref();
    let paths = transformer.and_then(|transformer| transformer.input_paths_map.as_ref());
    let mut paths = paths.into_iter().flat_map(BTreeMap::values);
    // "You must use JSON dot notation, not bracket notation", says the model of these; brackets hold list indexes.
    let in_dots = |path: &str| parse_path(path).is_some() && !path.contains(['\'', '"']);
    let odd = paths.find(|path| !in_dots(path));
    let odd = odd.or(target
        .input_path
        .as_ref()
        .filter(|path| parse_path(path).is_none()));
    if let Some(path) = odd {
        return Err(Fault::validation(format!(
            "Invalid InputPath for target {id}: {path} is not a JSON path."
        )));
    }
    if let Some(transformer) = transformer
        && let Some(placeholder) = unknown_placeholder(transformer)
    {
        return Err(Fault::validation(format!(
            "InputTemplate for target {id} contains invalid placeholder {placeholder}."
        )));
    }
    Ok(())
}

/// The variables that templates may use without a path.
const PREDEFINED: [&str; 5] = [
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event.ingestion-time",
    "aws.events.event",
    "aws.events.event.json",
];

/// A `<name>` of the template that no path or variable has.
fn unknown_placeholder(transformer: &InputTransformer) -> Option<&str> {
    let known = |name: &str| {
        let paths = transformer.input_paths_map.as_ref();
        PREDEFINED.contains(&name) || paths.is_some_and(|paths| paths.contains_key(name))
    };
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    let mut starts = transformer.input_template.split('<').skip(1);
    starts.find_map(|from| {
        let (name, _) = from.split_once('>')?;
        (is_name(name) && !known(name)).then_some(name)
    })
}
