//! What the handlers of all endpoints share.

use std::sync::Arc;

use crate::engine::Engine;
use crate::injection::Faults;

pub(crate) struct Edge {
    pub(crate) engine: Arc<Engine>,
    /// The faults that were asked for.
    pub(super) faults: Faults,
    /// The region of requests whose signature names none.
    pub(super) default_region: String,
}
