//! The data sources, one file each, named as in HCL; `messages.rs` is what users read of them.

mod custom;
mod eventbridge_connection;
mod eventbridge_connection_delivery;
mod eventbridge_connections;
mod eventbridge_custom_bus;
mod eventbridge_deliveries;
mod eventbridge_event_source;
mod eventbridge_sample_events;
mod eventbridge_source;
mod eventbridge_sources;
mod eventbridge_subscriber;
mod messages;

use tfplugin::Registry;

use crate::Client;

/// Offers them all.
pub fn register(registry: &mut Registry<Client>) {
    registry.data_source::<eventbridge_connection::Connection>();
    registry.data_source::<eventbridge_connection_delivery::Delivery>();
    registry.data_source::<eventbridge_connections::List>();
    registry.data_source::<eventbridge_custom_bus::CustomBus>();
    registry.data_source::<eventbridge_deliveries::List>();
    registry.data_source::<eventbridge_event_source::EventSource>();
    registry.data_source::<eventbridge_sample_events::SampleEvents>();
    registry.data_source::<eventbridge_source::Source>();
    registry.data_source::<eventbridge_sources::List>();
    registry.data_source::<eventbridge_subscriber::Subscriber>();
}
