//! What an operation works with: its turn, and the caller.

use serde_json::Value;

use crate::caller::Caller;
use crate::fault::Fault;
use crate::state::{Realm, RealmId};
use crate::turn::Turn;

/// What most operations give: the answer's JSON, or a refusal that changed nothing.
pub(crate) type Answer = Result<Value, Fault>;

/// One call of an operation.
pub(crate) struct Call<'a> {
    pub(crate) turn: Turn<'a>,
    pub(crate) caller: &'a Caller,
    /// Largest total entry size of one PutEvents or PutPartnerEvents call.
    pub(crate) put_bytes_max: usize,
    /// The address that the caller reached us at.
    pub(crate) base_url: &'a str,
    /// A stored request is carried out again: what was accepted once is not refused by rules that came later.
    pub(crate) stored: bool,
    /// Set by a write that changed nothing, and need not be stored.
    pub(crate) unchanged: bool,
}

impl Call<'_> {
    /// The caller's account and region.
    pub(crate) fn here(&self) -> RealmId {
        RealmId::new(&self.caller.account, &self.caller.region)
    }

    /// The resources of the caller's account and region.
    pub(crate) fn realm(&mut self) -> &mut Realm {
        let here = self.here();
        self.turn.world.realm(&here)
    }
}
