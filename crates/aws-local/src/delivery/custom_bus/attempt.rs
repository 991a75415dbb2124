//! One attempt of a subscriber, and whether its role allows what it does.

use super::failure::Failure;
use super::place::To;
use super::trial::Trial;
use crate::delivery::permission::PRINCIPAL;
use crate::delivery::role::allows;
use crate::state::custom_bus::Subscriber;
use crate::state::role::Use;
use crate::turn::Turn;

/// A subscriber, and the batch that is tried.
pub(super) struct Attempt<'a> {
    pub(super) to: &'a To<'a>,
    pub(super) subscriber: &'a Subscriber,
    pub(super) trial: &'a Trial,
}

impl Attempt<'_> {
    /// Whether the subscriber's role allows an action on a resource.
    pub(super) fn may(&self, turn: &mut Turn<'_>, action: &str, resource: &str) -> Result<(), Failure> {
        let by = Use {
            service: PRINCIPAL,
            source_arn: &self.subscriber.arn,
            source_account: self.to.realm.account(),
            action,
            resource,
        };
        let role = self.subscriber.target.role_arn.as_deref().unwrap_or_default();
        let mut places = self.trial.items.iter().map(|item| &item.in_story);
        let Some(first) = places.next() else { return Ok(()) };
        allows(turn, role, &by, first)?;
        let stories = &mut turn.world.stories;
        let is_unknown = stories.delivery(first).is_some_and(|first| first.unknown_role);
        for place in places.filter(|_| is_unknown) {
            if let Some(delivery) = stories.delivery(place) {
                delivery.unknown_role = true;
            }
        }
        Ok(())
    }
}
