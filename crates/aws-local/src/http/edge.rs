//! What the handlers of all endpoints share.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::calls::Calls;
use crate::assumptions::UnknownMembers;
use crate::config::RegionCheck;
use crate::engine::Engine;
use crate::injection::Faults;

/// The largest request body: a full PutPartnerEvents whose details are escaped to the utmost.
pub(super) const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

pub(crate) struct Edge {
    pub(crate) engine: Arc<Engine>,
    /// The calls that came.
    pub(super) calls: Calls,
    /// The faults that were asked for.
    pub(super) faults: Faults,
    /// The sessions of StartLiveTail that may still begin.
    pub(super) tails: Arc<Semaphore>,
    /// The region of requests whose signature names none.
    pub(super) default_region: String,
    /// Which regions a request may be for.
    pub(super) check_region: RegionCheck,
    /// What becomes of a request's members that AWS's model does not have.
    pub(super) unknown_members: UnknownMembers,
}
