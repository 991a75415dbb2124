//! Custom event buses (EventBridge V2): buses, event sources, subscribers and publishing.
//!
//! Shapes and limits are those of AWS's model of the service (2025-05-15); states, checks and their order follow AWS's guide to
//! custom event buses and its published agent skill. Where AWS says nothing, the more cautious reading is taken.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! faults arns             what is refused; which resource an ARN names
//! tags token              tags; client tokens
//! buses policies publish sources subscriber_input    the operations; what a subscriber is asked for
//! subscribers
//! ```

use super::Operation;

mod arns;
mod buses;
mod faults;
mod policies;
mod publish;
mod sources;
mod subscriber_input;
mod subscribers;
mod tags;
mod token;

/// The implemented operations of the service.
pub(crate) const TABLES: &[&[&dyn Operation]] = &[
    buses::OPS,
    policies::OPS,
    publish::OPS,
    sources::OPS,
    subscribers::OPS,
    tags::OPS,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Service;

    #[test]
    fn every_operation_of_the_model_is_built() {
        let built = || TABLES.iter().flat_map(|table| table.iter());
        for operation in built() {
            assert!(
                Service::EventsV2.model().knows(operation.name()),
                "{}",
                operation.name()
            );
        }
        assert_eq!(built().count(), Service::EventsV2.model().count());
    }
}
