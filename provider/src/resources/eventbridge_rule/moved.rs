//! A rule that hashicorp/aws has managed until now.

use tfplugin::{MoveFrom, MoveRefused, MovedObject};

use super::{Rule, messages};
use crate::resources::messages::moved_has_more;
use crate::resources::moved::{self, AWS, identity, owned, text};
use crate::values::Json;

const TYPE: &str = "aws_cloudwatch_event_rule";

/// Where a rule may come from. Version 0 of the schema has no `state`.
pub(super) fn sources() -> Vec<MoveFrom<Rule>> {
    vec![MoveFrom::new(AWS, TYPE, 0..=1, from_aws)]
}

fn from_aws(object: &mut MovedObject) -> Result<Rule, MoveRefused> {
    moved::take_over(object);
    let state = object.state();
    let name = moved::needed(state, "name")?;
    moved::agreed(
        "name",
        &[
            ("name", Some(name)),
            ("the name of its identity", text(identity(object), "name")),
        ],
    )?;
    if let Some(schedule) = text(state, "schedule_expression") {
        let what = format!("a schedule, `{schedule}`");
        return Err(moved_has_more(&what, TYPE, messages::TARGETS_OF_A_MOVED_RULE));
    }
    let enabled = match text(state, "state") {
        Some("ENABLED") => true,
        Some("DISABLED") => false,
        None => state["is_enabled"].as_bool().unwrap_or(true),
        Some(other) => {
            let what = format!("the state `{other}`");
            return Err(moved_has_more(&what, TYPE, messages::TARGETS_OF_A_MOVED_RULE));
        }
    };
    let (bus, bus_arn) = moved::bus(state);
    let arn = text(state, "arn");
    let arns = [("arn", arn), ("event_bus_name", bus_arn)];
    moved::same_account(object, &arns)?;
    Ok(Rule {
        name: Some(name.to_owned()),
        name_prefix: owned(state, "name_prefix"),
        event_bus_name: bus,
        region: moved::region(object, &arns)?,
        description: owned(state, "description"),
        event_pattern: Json::from(moved::needed(state, "event_pattern")?),
        enabled,
        role_arn: owned(state, "role_arn"),
        tags: moved::own_tags(state),
        tags_all: Some(moved::all_tags(state)),
        arn: arn.map(str::to_owned),
    })
}
