//! What the handlers of all endpoints share.

use std::sync::Arc;

use crate::engine::Engine;

pub(crate) struct Edge {
    pub(crate) engine: Arc<Engine>,
    /// The region of requests whose signature names none.
    pub(super) default_region: String,
}
