//! What users read of a role that is made with its subscriber.

use tfplugin::{Diagnostic, Diagnostics};

use super::Subscriber;
use super::role_policy::{PATH, POLICY};
use crate::aws::Error;
use crate::failure::{Cause as _, Standing};
use crate::resources::group_owner::OWNER_TAG;

/// What failed is named by what was being done.
pub(super) mod doing {
    pub(in super::super) fn look_for(name: &str) -> String {
        format!("look for the role `{name}`")
    }

    pub(in super::super) fn make(name: &str) -> String {
        format!("make the role `{name}`")
    }

    pub(in super::super) fn read(name: &str) -> String {
        format!("read the role `{name}`")
    }

    pub(in super::super) fn trust(name: &str) -> String {
        format!("write the trust policy of the role `{name}`")
    }

    pub(in super::super) fn allow(name: &str) -> String {
        format!("write the policy `{}` of the role `{name}`", super::POLICY)
    }

    pub(in super::super) fn bound(name: &str) -> String {
        format!("write the permissions boundary of the role `{name}`")
    }

    pub(in super::super) fn tag(name: &str) -> String {
        format!("tag the role `{name}`")
    }

    pub(in super::super) fn untag(name: &str) -> String {
        format!("untag the role `{name}`")
    }

    pub(in super::super) fn delete(name: &str) -> String {
        format!("delete the role `{name}`")
    }
}

pub(super) fn doing_account(subscriber: &str) -> String {
    format!("find out which account the role of the subscriber `{subscriber}` is of")
}

/// A call to IAM that failed. Credentials without its permissions are common, and there is a way without them.
pub(super) fn failed(error: &Error, doing: String, standing: Standing) -> Diagnostics {
    if !error.is_denied() {
        return error.during_with(doing, &standing);
    }
    let without = format!(
        "`role = {{ create = true }}` needs the IAM permissions `iam:CreateRole`, `iam:DeleteRole`, `iam:DeleteRolePolicy`, `iam:GetRole`, \
         `iam:GetRolePolicy`, `iam:PutRolePolicy`, `iam:TagRole`, `iam:UntagRole` and `iam:UpdateAssumeRolePolicy` on `role{PATH}*`; with \
         `permissions_boundary` also `iam:PutRolePermissionsBoundary` and `iam:DeleteRolePermissionsBoundary`. If the credentials have \
         them, your organisation may let roles be made and changed with a permissions boundary only: set `permissions_boundary` in `role` to \
         the ARN of the policy that it asks for. To do without all that, have somebody else make the role, and set `role_arn` to its ARN in \
         place of `role`."
    );
    error.during_with(doing, &standing.and(&without))
}

pub(super) fn events_alone_elsewhere() -> Diagnostic {
    crate::aws::events_alone_elsewhere(("IAM", "iam", "IAM")).at(Subscriber::role())
}

pub(super) fn role_is_there(is_new: bool) -> &'static str {
    if is_new {
        "The role is there; the subscriber was not made. It is in the state as a tainted subscriber: the next apply replaces it."
    } else {
        "The role is there; the subscriber is unchanged."
    }
}

pub(super) fn after_deleting() -> Standing {
    Standing::new(
        "The role is still there, and the subscriber no longer uses it. The next apply or destroy deletes it.",
        "The subscriber no longer uses the role. Whether the role was deleted is not known.",
    )
}

/// Of a policy that allowed more for the time of a change.
pub(super) fn after_changing() -> Standing {
    Standing::of::<Error>().and(
        "The subscriber is changed, and the role allows what it needs. It may still allow what was needed before; the next apply takes that \
         away.",
    )
}

/// Of a role that `role_arn` names now.
pub(super) fn after_untagging() -> Standing {
    Standing::of::<Error>().and(
        "The subscriber is as configured. The tag of the role still says that it was made for the subscriber; the next apply takes it off.",
    )
}

/// Somebody else gave it more.
pub(super) fn has_more(name: &str, error: &Error) -> Diagnostic {
    Diagnostic::error(format!("Cannot delete the role `{name}`"))
        .quoting(error)
        .standing(
            "Its policy that was made here is gone, and the role is still there: somebody else has given it other policies, or an instance \
             profile. The subscriber no longer uses it.",
        )
        .next(format!(
            "See what it has with `aws iam list-role-policies --role-name {name}` and `aws iam list-attached-role-policies --role-name {name}`, \
             remove that, and run the same command again."
        ))
}

/// A role of this name that this subscriber did not make.
pub(super) fn role_of_another(name: &str, arn: &str, found: Option<&str>, owner: &str) -> Diagnostic {
    let whose = found.map_or_else(
        || format!("has no tag `{OWNER_TAG}`, so it was made elsewhere"),
        |found| format!("belongs to something else: its tag `{OWNER_TAG}` is `{found}`"),
    );
    Diagnostic::error(format!("The role `{name}` exists already"))
        .detail(format!(
            "It is `{arn}` and {whose}. It was left as it is. To use it, set `role_arn = \"{arn}\"` in place of `role`; or choose another name \
             for the subscriber, from which that of the role is made. To give the role to this subscriber, run `aws iam tag-role --role-name \
             {name} --tags Key={OWNER_TAG},Value={owner}` and apply again: its trust policy is then replaced."
        ))
        .at(Subscriber::role())
}

/// A refresh cannot look at it.
pub(super) fn not_seen(name: &str, error: &Error) -> Diagnostic {
    Diagnostic::warning(format!("The role `{name}` was not checked"))
        .quoting(error)
        .standing("Whether its policies still are as this resource made them is not known; the state keeps what it has.")
        .next("Give the credentials `iam:GetRole` and `iam:GetRolePolicy` on it to have it checked.")
}

/// With the plan: a target that calls what is not known.
pub(super) fn no_actions(target: &str) -> Diagnostic {
    Diagnostic::error("The target needs a role that is made elsewhere").detail(format!(
        "What a delivery to `{target}` needs is not known here: a call to AWS needs what its `input` names. Nothing was made. Make a role \
         with the permissions of that call, and set `role_arn` to its ARN in place of `role`; for a log group, `log_group` writes the call, and \
         `role` fits it."
    ))
}

/// With the plan: the replacement is to use what goes with the old subscriber.
pub(super) fn goes_with_the_old(arn: &str) -> Diagnostic {
    Diagnostic::error("The role is deleted with the subscriber that is replaced")
        .detail(format!(
            "`role_arn` is `{arn}`, which `role` has made for the subscriber as it is now, and this plan replaces the subscriber: the role \
             would be deleted before the new one is made. Nothing has changed. Apply in two steps: first `role_arn` in place of `role` and \
             nothing else, which leaves the role and no longer manages it; then the change that replaces the subscriber. If the subscriber \
             is tainted, `terraform untaint` comes before both; one that was never made needs another role."
        ))
        .at(Subscriber::role_arn())
}

pub(super) fn no_role() -> Diagnostic {
    Diagnostic::error("The subscriber has no role").detail(
        "EventBridge takes on a role for each delivery. Set `role = { create = true }` to have it made here, or `role_arn` to the ARN of one \
         that is there.",
    )
}

pub(super) fn two_roles() -> Diagnostic {
    Diagnostic::error("The subscriber has two roles")
        .detail("Set one of `role_arn` and `role`.")
        .at(Subscriber::role_arn())
}

pub(super) fn not_made() -> Diagnostic {
    Diagnostic::error("`role` without `create = true`")
        .detail("A role that is made elsewhere is named by `role_arn`. Set `create = true`, or use `role_arn` in place of `role`.")
        .at(Subscriber::role().create())
}
