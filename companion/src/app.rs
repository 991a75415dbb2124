//! What every handler of the API works with.

use std::sync::Arc;

use aws_local::injection::Faults;

use crate::caller::Owner;
use crate::clock::Clock;
use crate::sources::Sources;
use crate::store::Store;

/// Shared by all handlers; clones are cheap.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) sources: Sources,
    pub(crate) clock: Clock,
    /// Calls that go wrong on request.
    pub(crate) faults: Arc<Faults>,
    pub(crate) owner: Arc<Owner>,
}
