//! A bus that hashicorp/aws has managed until now.

use tfplugin::{MoveFrom, MoveRefused, MovedObject};

use super::{Bus, DeadLetterConfig, LogConfig, messages};
use crate::aws::checks;
use crate::resources::moved::{self, AWS, block, identity, owned, text};

/// Where a bus may come from.
pub(super) fn sources() -> Vec<MoveFrom<Bus>> {
    vec![MoveFrom::new(AWS, "aws_cloudwatch_event_bus", 0..=0, from_aws)]
}

fn from_aws(object: &mut MovedObject) -> Result<Bus, MoveRefused> {
    moved::take_over(object);
    let state = object.state();
    let name = moved::needed(state, "name")?;
    checks::event_source(name).map_err(|_| messages::not_of_a_partner_to_move(name))?;
    // An import with hashicorp/aws leaves `event_source_name` empty.
    moved::agreed(
        "name",
        &[
            ("name", Some(name)),
            ("event_source_name", text(state, "event_source_name")),
            ("the name of its identity", text(identity(object), "name")),
        ],
    )?;
    let arn = text(state, "arn");
    moved::same_account(object, &[("arn", arn)])?;
    Ok(Bus {
        event_source_name: name.to_owned(),
        region: moved::region(object, &[("arn", arn)])?,
        adopt_existing: false,
        managed_with_others: false,
        description: owned(state, "description"),
        kms_key_identifier: owned(state, "kms_key_identifier"),
        dead_letter_config: block(state, "dead_letter_config")
            .and_then(|queue| owned(queue, "arn"))
            .map(|arn| DeadLetterConfig { arn }),
        log_config: block(state, "log_config").and_then(|log| {
            let include_detail = owned(log, "include_detail").unwrap_or_else(|| "NONE".to_owned());
            let level = owned(log, "level").unwrap_or_else(|| "OFF".to_owned());
            // AWS shows a log that was never set up as one that is off.
            (level != "OFF" || include_detail != "NONE").then_some(LogConfig {
                include_detail,
                level,
            })
        }),
        tags: moved::own_tags(state),
        tags_all: Some(moved::all_tags(state)),
        name: Some(name.to_owned()),
        arn: arn.map(str::to_owned),
        source_state: None,
    })
}
