//! A subscriber by its place: the account and region, the bus, its name.

use std::sync::Arc;

use crate::arn::arn;
use crate::segments::LogId;
use crate::state::custom_bus::{CustomBus, Subscriber, SubscriberId};
use crate::state::outbox::Call;
use crate::state::{RealmId, World};
use crate::turn::Turn;

/// The place of a subscriber.
#[derive(Clone, Copy)]
pub(crate) struct To<'a> {
    pub(crate) realm: &'a RealmId,
    pub(crate) bus: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> To<'a> {
    pub(crate) fn named(id: &'a SubscriberId) -> Self {
        Self {
            realm: &id.realm,
            bus: &id.bus,
            name: &id.name,
        }
    }

    /// Of the subscriber that a call is for.
    pub(super) fn of(call: &'a Call) -> Self {
        Self {
            realm: &call.realm,
            bus: &call.bus,
            name: &call.subscriber,
        }
    }
}

impl To<'_> {
    pub(super) fn id(&self) -> SubscriberId {
        SubscriberId {
            realm: self.realm.clone(),
            bus: self.bus.to_owned(),
            name: self.name.to_owned(),
        }
    }

    pub(super) fn bus<'t>(&self, turn: &'t mut Turn<'_>) -> Option<&'t mut CustomBus> {
        turn.world.realm(self.realm).custom_buses.buses.get_mut(self.bus)
    }

    /// The subscriber, and the log of its bus.
    pub(super) fn subscriber_of<'w>(&self, world: &'w mut World) -> Option<(LogId, &'w mut Subscriber)> {
        let bus = world.realm(self.realm).custom_buses.buses.get_mut(self.bus)?;
        let log = bus.log.id;
        Some((log, bus.subscribers.get_mut(self.name)?))
    }

    pub(super) fn subscriber<'t>(&self, turn: &'t mut Turn<'_>) -> Option<&'t mut Subscriber> {
        self.bus(turn)?.subscribers.get_mut(self.name)
    }

    /// `event-busv2/NAME/ID` of its bus.
    pub(super) fn resource(&self, turn: &mut Turn<'_>) -> Arc<str> {
        self.bus(turn).map(|bus| bus.label()).unwrap_or_default()
    }

    /// The ARN of its bus.
    pub(super) fn bus_arn(&self, turn: &mut Turn<'_>) -> String {
        let resource = self.resource(turn);
        arn("events", self.realm.region(), self.realm.account(), &resource)
    }
}
