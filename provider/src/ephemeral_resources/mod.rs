//! The ephemeral resources, one file each, named as in HCL; `messages.rs` is what users read of them. Nothing of them is in a plan or a
//! state.

mod access_token;
mod messages;

use tfplugin::Registry;

use crate::Client;

/// Offers them all.
pub fn register(registry: &mut Registry<Client>) {
    registry.ephemeral::<access_token::AccessToken>();
}
