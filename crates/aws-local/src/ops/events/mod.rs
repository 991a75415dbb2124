//! Amazon EventBridge (Classic).

use super::Operation;

mod archives;
mod buses;
mod connections;
mod destinations;
mod partner;
mod pattern;
mod permissions;
mod put_events;
pub(crate) mod replays;
mod roles;
mod rules;
mod sources;
mod tags;
mod targets;

/// The implemented operations of the service.
pub(crate) const TABLES: &[&[&dyn Operation]] = &[
    partner::OPS,
    sources::OPS,
    buses::OPS,
    rules::OPS,
    targets::OPS,
    put_events::OPS,
    tags::OPS,
    permissions::OPS,
    connections::OPS,
    destinations::OPS,
    archives::OPS,
    replays::OPS,
];

/// The bus that operations mean when they name none.
const DEFAULT_BUS: &str = "default";
