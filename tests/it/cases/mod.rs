//! The table of cases.

use std::sync::Arc;

use acceptance::tools::Tool;
use anyhow::Result;
use libtest_mimic::Arguments;

use crate::runner::Case;

mod actions;
mod audit_log_setting;
mod bad_input;
mod crowd;
mod custom_chain;
mod data_sources;
mod dist;
mod docs;
mod ephemeral;
mod eventbridge_activation;
mod eventbridge_api_destination;
mod eventbridge_bus;
mod eventbridge_connection;
mod eventbridge_custom_bus;
mod eventbridge_delivery_check;
mod eventbridge_event_source;
mod eventbridge_queue;
mod eventbridge_rule;
mod eventbridge_subscriber;
mod eventbridge_subscriber_role;
mod eventbridge_target;
mod eventbridge_topic_permission;
mod examples;
mod exec;
mod export;
mod functions;
mod guides;
mod hcl;
mod ignore_changes;
mod install;
mod interrupt;
mod interrupt_parts;
mod mocks;
mod module_arrivals;
mod moved;
mod orders;
mod provider;
mod query;
mod quickstart;
mod sdks;
mod secrets;
mod speed;
mod states;
mod tainted;
mod target_routes;
mod verify;

/// Every row, in the order in which they are listed.
pub(crate) fn table() -> Vec<Case> {
    let groups: &[fn() -> Vec<Case>] = &[
        quickstart::cases,
        examples::cases,
        eventbridge_connection::cases,
        eventbridge_bus::cases,
        eventbridge_custom_bus::cases,
        eventbridge_event_source::cases,
        eventbridge_subscriber::cases,
        eventbridge_subscriber_role::cases,
        eventbridge_queue::cases,
        eventbridge_api_destination::cases,
        eventbridge_rule::cases,
        eventbridge_target::cases,
        target_routes::cases,
        eventbridge_topic_permission::cases,
        eventbridge_activation::cases,
        audit_log_setting::cases,
        eventbridge_delivery_check::cases,
        custom_chain::cases,
        data_sources::cases,
        actions::cases,
        ephemeral::cases,
        query::cases,
        export::cases,
        exec::cases,
        functions::cases,
        provider::cases,
        install::cases,
        dist::cases,
        mocks::cases,
        module_arrivals::cases,
        guides::cases,
        docs::cases,
        moved::cases,
        states::cases,
        tainted::cases,
        ignore_changes::cases,
        secrets::cases,
        speed::cases,
        crowd::cases,
        bad_input::cases,
    ];
    groups.iter().flat_map(|group| group()).collect()
}

/// The interruptions, the forced orders and AWS's SDKs: each once, spread over the tools. Orders as they come, as often as is asked for.
pub(crate) fn spread(arguments: &Arguments, tools: &[Tool]) -> Result<Vec<(Tool, Arc<Case>)>> {
    let mut cases = orders::cases(tools);
    cases.extend(sdks::cases(tools));
    cases.extend(interrupt_parts::cases(tools)?);
    cases.extend(interrupt::cases(arguments, tools)?);
    Ok(cases)
}
