//! Removing a target with its permission and its log group. The target is what a refresh looks for, so it goes last: a
//! destroy that ends before that is found unfinished.

use tfplugin::{Operation, Result};

use super::{Target, aws, log_group, messages, unfinished};
use crate::aws::Regional;
use crate::resources::handover;

/// Removes what belongs to the target, then the target.
pub(super) async fn delete(
    operation: &Operation<'_, Target>,
    aws: &Regional,
    state: &Target,
    rule_arn: &str,
) -> Result<()> {
    let mut kept = None;
    let mut turn = None;
    if let Some(group) = &state.log_group {
        log_group::revoke(operation, aws, state, rule_arn, messages::TARGET_STILL_THERE).await?;
        if group.create {
            // Until the target is gone: of two targets that lead to one group, the last to go deletes it.
            let turn = turn.insert(handover::turn(operation, &log_group::object(aws, group)).await?);
            let found = unfinished::found_its_group(operation);
            kept = log_group::keep_or_delete(operation, aws, state, group, turn, found).await?;
        } else {
            log_group::take_mark(operation, aws, state, group).await?;
        }
    }
    aws::remove(operation, aws, state).await?;
    if let Some(mut turn) = turn {
        log_group::released(state, &mut turn);
    }
    if let Some(kept) = kept {
        operation.warn(kept);
    }
    Ok(())
}
