//! What users read of the log group that a target makes: whose it is, who has it next, whether it stays.

use tfplugin::Diagnostic;

use super::{LogGroup, Target};
use crate::resources::group_owner::{self, OWNER_TAG, Sight};

/// `found`: the tag of its owner, and what AWS shows of that one. `mine`: the group's ARN and, where rule and bus are known, this rule's tag.
pub(super) fn group_of_another(
    name: &str,
    region: &str,
    (found, seen): (Option<&str>, Option<Sight>),
    (arn, owner): (&str, Option<&str>),
) -> Diagnostic {
    let (whose, next) = group_owner::whose(found, seen);
    let owner = owner.unwrap_or("BUS/RULE");
    Diagnostic::error(format!("The log group `{name}` exists already"))
        .detail(format!(
            "It is in {region} and {whose}. It was left as it is. Set `create = false` to use it without owning it (its \
             retention is then left alone, and it outlives this target), or choose another name.{next} To give the log group \
             to this target, run `aws logs tag-resource --region {region} --resource-arn {arn} --tags \
             {OWNER_TAG}={owner}` and apply again."
        ))
        .at(Target::log_group().create())
}

/// With the plan: the group is ours and will not be.
pub(super) fn group_will_be_released(group: &LogGroup) -> Diagnostic {
    let name = &group.name;
    let kept = group
        .retention_in_days
        .map_or_else(|| "forever".to_owned(), |days| format!("for {days} days"));
    Diagnostic::warning(format!("The log group `{name}` stays, and is no longer this target's")).detail(format!(
        "Its tag `{OWNER_TAG}` is removed. It continues to keep events {kept}, and a destroy will not delete it. With \
         `create = true` it would not be adopted again."
    ))
}

/// With the plan: the group goes with a target that is replaced.
pub(super) fn group_will_be_deleted(group: &LogGroup) -> Diagnostic {
    let name = &group.name;
    Diagnostic::warning(format!("The log group `{name}` and its events are deleted")).detail(
        "The target is replaced, and `delete_on_destroy = true` holds for that too. Apply `delete_on_destroy = false` before \
         this change to keep them.",
    )
}

pub(super) fn group_stays(name: &str, region: &str) -> Diagnostic {
    Diagnostic::warning(format!("The log group `{name}` and its events stay")).detail(format!(
        "It is in {region}, is not deleted with its target, and costs storage for as long as it keeps events. A target or subscriber that takes \
         this one's place continues to use it. Once none leads to it, delete it with `aws logs delete-log-group --log-group-name {name} --region {region}`; with \
         `delete_on_destroy = true` a destroy does that."
    ))
}

/// A creation that failed found the group there.
pub(super) fn group_was_there_before(name: &str) -> Diagnostic {
    Diagnostic::warning(format!("The log group `{name}` and its events stay")).detail(
        "It was there before this target, whose creation did not end, so `delete_on_destroy` does not apply. A target that \
         takes this one's place continues to use it.",
    )
}

pub(super) fn group_stays_with_owner(name: &str) -> Diagnostic {
    Diagnostic::warning(format!("The log group `{name}` stays: it has another owner")).detail(format!(
        "Its tag `{OWNER_TAG}` no longer names this rule, so `delete_on_destroy` does not apply."
    ))
}

pub(super) fn group_stays_with_resource(name: &str) -> Diagnostic {
    Diagnostic::warning(format!("The log group `{name}` stays: another target has it now")).detail(
        "Another resource made it ready for its target in this apply, so `delete_on_destroy` does not apply.",
    )
}

/// Targets of two rules of one plan are to have one group.
pub(super) fn group_of_two(name: &str, owners: [&str; 2]) -> Diagnostic {
    Diagnostic::error(format!("Two rules are to have the log group `{name}`")).detail(format!(
        "It belongs to another rule of this configuration: targets of `{}` and of `{}` have `create = true` for it. A log group is \
         made, kept and deleted by the targets of one rule. Nothing was changed. Set `create = false` in one of them to use it \
         without owning it, or choose another name.",
        owners[0], owners[1]
    ))
}

pub(super) fn group_stays_with_target(name: &str, other: &str) -> Diagnostic {
    Diagnostic::warning(format!(
        "The log group `{name}` stays: another target leads to it"
    ))
    .detail(format!(
        "The target `{other}` of the same rule sends its events there, so `delete_on_destroy` does not apply."
    ))
}
