//! The actions, one file each, named as in HCL; `messages.rs` is what users read of them. What they share with resources is
//! below these: a refresh with the activation, the way of an event with the delivery check.

mod eventbridge_refresh;
mod eventbridge_replay;
mod eventbridge_send_test_event;
mod messages;

use tfplugin::Registry;

use crate::Client;

/// Offers them all.
pub fn register(registry: &mut Registry<Client>) {
    registry.action::<eventbridge_refresh::Refresh>();
    registry.action::<eventbridge_replay::Replay>();
    registry.action::<eventbridge_send_test_event::SendTestEvent>();
}
