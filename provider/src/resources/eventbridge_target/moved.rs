//! A target that hashicorp/aws has managed until now.

use serde_json::Value;
use tfplugin::{MoveFrom, MoveRefused, MovedObject};

use super::parts::{DeadLetterConfig, InputTransformer, LogGroup, RetryPolicy};
use super::{Target, messages};
use crate::aws::arn;
use crate::resources::messages::moved_has_more;
use crate::resources::moved::{self, AWS, block, identity, owned, text};
use crate::values::{Json, Region};

const TYPE: &str = "aws_cloudwatch_event_target";
/// The blocks that have an attribute here. The others are settings of services that a target here does not have.
const BLOCKS: [&str; 3] = ["dead_letter_config", "input_transformer", "retry_policy"];

/// Where a target may come from. Version 0 of the schema has no `event_bus_name`: there is the default bus alone.
pub(super) fn sources() -> Vec<MoveFrom<Target>> {
    vec![MoveFrom::new(AWS, TYPE, 0..=1, from_aws)]
}

fn from_aws(object: &mut MovedObject) -> Result<Target, MoveRefused> {
    moved::take_over(object);
    let (state, identity) = (object.state(), identity(object));
    refuse_other_blocks(state)?;
    let (bus, bus_arn) = moved::bus(state);
    let rule = moved::needed(state, "rule")?;
    let target_id = moved::needed(state, "target_id")?;
    for (what, name, value) in [("rule", "rule", rule), ("id", "target_id", target_id)] {
        let of_identity = format!("the `{name}` of its identity");
        moved::agreed(what, &[(name, Some(value)), (&of_identity, text(identity, name))])?;
    }
    let destination = moved::needed(state, "arn")?;
    let group = arn::log_group_name(destination);
    let of_bus = [("event_bus_name", bus_arn)];
    moved::same_account(object, &of_bus)?;
    let region = moved::region(object, &of_bus)?.or_else(|| region_of(destination));
    Ok(Target {
        rule: rule.to_owned(),
        event_bus_name: bus,
        region,
        target_id: Some(target_id.to_owned()),
        arn: Some(match group {
            Some(_) => destination.trim_end_matches(":*").to_owned(),
            None => destination.to_owned(),
        }),
        log_group: group.map(LogGroup::of_another),
        input: text(state, "input").map(Json::from),
        input_path: owned(state, "input_path"),
        input_transformer: block(state, "input_transformer").and_then(transformer),
        retry_policy: block(state, "retry_policy").map(retry_policy),
        dead_letter_config: block(state, "dead_letter_config")
            .and_then(|queue| owned(queue, "arn"))
            .map(|arn| DeadLetterConfig { arn }),
        role_arn: owned(state, "role_arn"),
        managed: None,
    })
}

/// The region of a rule by its target's destination, where nothing else says it. Of all destinations only a bus may be in
/// another one.
fn region_of(destination: &str) -> Option<Region> {
    let parsed = arn::parse(destination)?;
    let is_telling = !parsed.region.is_empty() && !parsed.resource.starts_with("event-bus/");
    is_telling.then(|| Region::from(parsed.region))
}

fn refuse_other_blocks(state: &Value) -> Result<(), MoveRefused> {
    let is_set = |value: &Value| value.as_array().is_some_and(|all| !all.is_empty());
    let other = state
        .as_object()
        .into_iter()
        .flatten()
        .find(|(name, value)| is_set(value) && !BLOCKS.contains(&name.as_str()));
    match other {
        Some((name, _)) => Err(moved_has_more(
            &format!("`{name}`"),
            TYPE,
            messages::RULE_OF_A_MOVED_TARGET,
        )),
        None => Ok(()),
    }
}

fn transformer(held: &Value) -> Option<InputTransformer> {
    let paths = held["input_paths"].as_object().into_iter().flatten();
    let paths = paths.filter_map(|(name, path)| Some((name.clone(), path.as_str()?.to_owned())));
    Some(InputTransformer {
        input_paths: Some(paths.collect())
            .filter(|paths: &std::collections::BTreeMap<_, _>| !paths.is_empty()),
        input_template: owned(held, "input_template")?,
    })
}

/// hashicorp/aws sends 0 for what is not written. That is a number of attempts, and no age.
fn retry_policy(held: &Value) -> RetryPolicy {
    let number = |name: &str| held[name].as_i64();
    RetryPolicy {
        maximum_event_age_in_seconds: number("maximum_event_age_in_seconds").filter(|age| *age > 0),
        maximum_retry_attempts: number("maximum_retry_attempts"),
    }
}
