//! A subscriber by its place: the account and region, the bus, its name.

use crate::arn::arn;
use crate::state::RealmId;
use crate::state::custom_bus::{CustomBus, Subscriber};
use crate::state::outbox::Call;
use crate::turn::Turn;

/// The place of a subscriber.
#[derive(Clone, Copy)]
pub(crate) struct To<'a> {
    pub(crate) realm: &'a RealmId,
    pub(crate) bus: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> To<'a> {
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
    pub(super) fn owned(&self) -> (RealmId, String, String) {
        (self.realm.clone(), self.bus.to_owned(), self.name.to_owned())
    }

    pub(super) fn bus<'t>(&self, turn: &'t mut Turn<'_>) -> Option<&'t mut CustomBus> {
        turn.world.realm(self.realm).custom_buses.buses.get_mut(self.bus)
    }

    pub(super) fn subscriber<'t>(&self, turn: &'t mut Turn<'_>) -> Option<&'t mut Subscriber> {
        self.bus(turn)?.subscribers.get_mut(self.name)
    }

    /// `event-busv2/NAME/ID` of its bus.
    pub(super) fn resource(&self, turn: &mut Turn<'_>) -> String {
        self.bus(turn)
            .map(|bus| resource(&bus.name, &bus.id))
            .unwrap_or_default()
    }

    /// The ARN of its bus.
    pub(super) fn bus_arn(&self, turn: &mut Turn<'_>) -> String {
        let resource = self.resource(turn);
        arn("events", self.realm.region(), self.realm.account(), &resource)
    }
}

/// `event-busv2/NAME/ID`.
pub(super) fn resource(name: &str, id: &str) -> String {
    ["event-busv2/", name, "/", id].concat()
}
