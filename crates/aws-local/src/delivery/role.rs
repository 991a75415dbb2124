//! Whether the role of a target lets EventBridge deliver to it.

use super::attempt::Invocation;
use super::miss::Miss;
use super::permission::PRINCIPAL;
use crate::arn::Arn;
use crate::state::role::{Grant, Use};
use crate::state::story::DeliveryRef;
use crate::turn::Turn;

/// Whether the role of a target, if it has one, allows EventBridge an action on it. A role that was never created here allows
/// everything unless the operator said otherwise: configurations name roles of real accounts.
pub(super) fn role_allows(turn: &mut Turn<'_>, invocation: &Invocation, action: &str) -> Result<(), Miss> {
    let target = &invocation.target;
    let Some(role) = target.role_arn.as_deref() else {
        return Ok(());
    };
    let by = Use {
        service: PRINCIPAL,
        source_arn: &invocation.rule_arn,
        source_account: invocation.realm.account(),
        action,
        resource: &target.arn,
    };
    allows(turn, role, &by, &invocation.in_story)
}

/// Whether a role allows a use of it.
pub(super) fn allows(
    turn: &mut Turn<'_>,
    role: &str,
    by: &Use<'_>,
    in_story: &DeliveryRef,
) -> Result<(), Miss> {
    let why = match grant(turn, role, by) {
        Grant::Allowed => return Ok(()),
        Grant::Unknown if !turn.world.unknown_roles_denied => {
            if let Some(delivery) = turn.world.stories.delivery(in_story) {
                delivery.unknown_role = true;
            }
            return Ok(());
        }
        Grant::Unknown => format!("the role {role} does not exist"),
        Grant::Deleted => format!("the role {role} was deleted"),
        Grant::NotTrusted => {
            format!(
                "the trust policy of {role} does not let {PRINCIPAL} assume it for {}",
                by.source_arn
            )
        }
        Grant::NotAllowed => format!(
            "no inline policy of {role} allows {} on {}",
            by.action, by.resource
        ),
    };
    Err(Miss::NoPermissions(why))
}

fn grant(turn: &Turn<'_>, role: &str, by: &Use<'_>) -> Grant {
    let of_account = Arn::parse(role).and_then(|arn| Some((arn, turn.world.roles.get(arn.account)?)));
    of_account.map_or(Grant::Unknown, |(arn, roles)| roles.grant(&arn, by))
}
