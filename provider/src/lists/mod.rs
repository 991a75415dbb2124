//! The lists for `terraform query`, one file each, named as the resource whose objects they find; `messages.rs` is what users
//! read of them.

mod eventbridge_bus;
mod eventbridge_connection;
mod eventbridge_custom_bus;
mod eventbridge_event_source;
mod eventbridge_rule;
mod eventbridge_subscriber;
mod eventbridge_target;
mod messages;

use tfplugin::{Registry, Result};

use crate::Client;
use crate::aws::Regional;
use crate::check::SOURCE_PREFIX;
use crate::failure::Cause as _;

/// Offers them all.
pub fn register(registry: &mut Registry<Client>) {
    registry.list::<eventbridge_bus::Buses>();
    registry.list::<eventbridge_connection::Connections>();
    registry.list::<eventbridge_custom_bus::CustomBuses>();
    registry.list::<eventbridge_event_source::EventSources>();
    registry.list::<eventbridge_rule::Rules>();
    registry.list::<eventbridge_subscriber::Subscribers>();
    registry.list::<eventbridge_target::Targets>();
}

/// The bus that is named, else all of Scalr's.
async fn buses(aws: &Regional, named: Option<&str>) -> Result<Vec<String>> {
    match named {
        Some(bus) => Ok(vec![bus.to_owned()]),
        None => buses_of(aws, SOURCE_PREFIX).await,
    }
}

/// Names of the buses that begin so, in order.
async fn buses_of(aws: &Regional, prefix: &str) -> Result<Vec<String>> {
    let buses = aws.buses(prefix).await;
    let buses = buses.map_err(|e| e.during(messages::LIST_BUSES))?;
    let mut names: Vec<String> = buses.into_iter().filter_map(|bus| bus.name).collect();
    names.sort();
    Ok(names)
}

/// Names of the rules of a bus that this provider can have made, in order: those that AWS manages and those that run by a
/// schedule are left out.
async fn rules(aws: &Regional, bus: &str, prefix: Option<&str>) -> Result<Vec<String>> {
    let rules = aws.rules(bus, prefix).await;
    let rules = rules.map_err(|e| e.during(messages::list_rules(bus)))?;
    let ours = rules
        .into_iter()
        .filter(|rule| rule.managed_by().is_none() && rule.event_pattern().is_some());
    let mut names: Vec<String> = ours.filter_map(|rule| rule.name).collect();
    names.sort();
    Ok(names)
}
