//! The provider's functions, one file each, named as in HCL.

mod event_pattern;
mod event_pattern_matches;
mod event_source_name;
mod explain_event_pattern;
mod parse_event_source_arn;
mod sample_event;

use tfplugin::Registry;

use crate::Client;

/// Offers them all.
pub fn register(registry: &mut Registry<Client>) {
    registry.function::<event_pattern::EventPattern>();
    registry.function::<event_pattern_matches::EventPatternMatches>();
    registry.function::<event_source_name::EventSourceName>();
    registry.function::<explain_event_pattern::ExplainEventPattern>();
    registry.function::<parse_event_source_arn::ParseEventSourceArn>();
    registry.function::<sample_event::SampleEvent>();
}
