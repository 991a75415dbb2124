//! The managed resources, a folder each, named as in HCL: `mod.rs` is schema and behaviour, `aws.rs` or `scalr.rs` what it
//! calls, `messages.rs` what users read of it.

pub mod audit_log_setting;
pub mod chain;
mod custom_look;
pub mod eventbridge_activation;
mod eventbridge_api_destination;
pub mod eventbridge_bus;
pub mod eventbridge_connection;
pub mod eventbridge_custom_bus;
mod eventbridge_delivery_check;
pub mod eventbridge_event_source;
pub mod eventbridge_queue;
pub mod eventbridge_rule;
pub mod eventbridge_subscriber;
pub mod eventbridge_target;
mod eventbridge_topic_permission;
mod existing;
mod group_owner;
mod handover;
mod known_ids;
mod messages;
mod moved;
mod names;
mod placement;
mod receiving;
pub mod refreshing;
mod routes;

use tfplugin::Registry;

use crate::Client;

/// Offers them all.
pub fn register(registry: &mut Registry<Client>) {
    registry.resource::<audit_log_setting::AuditLogSetting>();
    registry.resource::<eventbridge_activation::Activation>();
    registry.resource::<eventbridge_api_destination::ApiDestination>();
    registry.resource::<eventbridge_bus::Bus>();
    registry.resource::<eventbridge_connection::Connection>();
    registry.resource::<eventbridge_custom_bus::CustomBus>();
    registry.resource::<eventbridge_delivery_check::DeliveryCheck>();
    registry.resource::<eventbridge_event_source::EventSource>();
    registry.resource::<eventbridge_queue::Queue>();
    registry.resource::<eventbridge_rule::Rule>();
    registry.resource::<eventbridge_subscriber::Subscriber>();
    registry.resource::<eventbridge_target::Target>();
    registry.resource::<eventbridge_topic_permission::TopicPermission>();
}
