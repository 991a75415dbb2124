//! Whether the role of a subscriber allows what its deliveries do.

use super::failure::Failure;
use super::place::To;
use crate::delivery::permission::PRINCIPAL;
use crate::delivery::role::allows;
use crate::state::custom_bus::Subscriber;
use crate::state::role::Use;
use crate::state::story::DeliveryRef;
use crate::turn::Turn;

/// Whether the subscriber's role allows an action on a resource.
pub(super) fn may(
    turn: &mut Turn<'_>,
    to: &To<'_>,
    subscriber: &Subscriber,
    (action, resource): (&str, &str),
    in_story: &DeliveryRef,
) -> Result<(), Failure> {
    let by = Use {
        service: PRINCIPAL,
        source_arn: &subscriber.arn,
        source_account: to.realm.account(),
        action,
        resource,
    };
    let role = subscriber.target.role_arn.as_deref().unwrap_or_default();
    allows(turn, role, &by, in_story).map_err(Failure::from)
}
