//! The data sources, one file each, named as in HCL; `messages.rs` is what users read of them.

mod eventbridge_connection;
mod eventbridge_source;
mod messages;

use tfplugin::Registry;

use crate::Client;

/// Offers them all.
pub fn register(registry: &mut Registry<Client>) {
    registry.data_source::<eventbridge_connection::Connection>();
    registry.data_source::<eventbridge_source::Source>();
}
