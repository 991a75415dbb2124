//! What a creation that failed leaves, and what a target that was removed by hand does: a log group and a permission. They
//! stay in the state, so that a destroy finds them.

use tfplugin::{Operation, Result};

use super::{LogGroup, Target, log_group};
use crate::aws::Regional;
use crate::aws::policy::Need;

/// The log group has something of this target's, which itself is not at AWS.
const TARGET_MISSING: &str = "target missing";
/// Private state of a target whose creation found its log group there and did not end. The group is then not the target's
/// to delete: it may hold what others wrote.
const FOUND: &str = "found_log_group";

/// Saves the log group in the state as soon as it is there: from then on a failure does not lose it.
pub(super) struct Saving<'a, 'b> {
    operation: &'a Operation<'b, Target>,
    target: &'a Target,
    /// The target as it was; none where it is made.
    prior: Option<&'a Target>,
}

impl<'a, 'b> Saving<'a, 'b> {
    pub(super) fn new(
        operation: &'a Operation<'b, Target>,
        target: &'a Target,
        prior: Option<&'a Target>,
    ) -> Self {
        Self {
            operation,
            target,
            prior,
        }
    }

    /// The group was made here.
    pub(super) fn made(&self, group: &LogGroup, need: &Need) {
        self.save(group, need);
    }

    /// The group was there before.
    pub(super) fn found(&self, group: &LogGroup, need: &Need) {
        if self.prior.is_none() {
            self.operation.set_private(FOUND, "true");
        }
        self.save(group, need);
    }

    fn save(&self, group: &LogGroup, need: &Need) {
        let held = self.prior.is_some_and(|prior| prior.own_group().is_some());
        // A target that exists is as it was, but for a group that becomes its own.
        if held || (self.prior.is_some() && !group.create) {
            return;
        }
        let group = LogGroup {
            arn: Some(need.log_group_arn.clone()),
            status: Some(TARGET_MISSING.to_owned()),
            ..group.clone()
        };
        self.operation.save(Target {
            arn: group.arn.clone(),
            log_group: Some(group),
            ..self.prior.unwrap_or(self.target).clone()
        });
    }
}

/// The target is made: its log group is its own from here on.
pub(super) fn finished(operation: &Operation<'_, Target>) {
    operation.set_private(FOUND, "");
}

/// The group was there before a creation that did not end.
pub(super) fn found_its_group(operation: &Operation<'_, Target>) -> bool {
    operation.private(FOUND).is_some()
}

/// The state of a target that is not at AWS: none, unless its log group still has its tag or its permission.
pub(super) async fn without_target(
    operation: &Operation<'_, Target>,
    aws: &Regional,
    mut state: Target,
) -> Result<Option<Target>> {
    let Some(group) = state.log_group.take() else {
        return Ok(None);
    };
    let Some(mut group) = log_group::left(operation, aws, &state, group).await? else {
        return Ok(None);
    };
    group.status = Some(TARGET_MISSING.to_owned());
    state.log_group = Some(group);
    Ok(Some(state))
}
