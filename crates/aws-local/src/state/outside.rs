//! What leaves the process: connections and API destinations, and the requests that are under way or wait for a retry.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::RealmId;
use super::rule::Target;
use super::story::Page;
use crate::clock::Millis;

/// How many invocations are kept for those who look.
const INVOCATIONS_MAX: usize = 1_000;

/// How API destinations prove who they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Connection {
    pub(crate) name: String,
    /// The UUID at the end of its ARN.
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) authorization_type: String,
    /// As given, secrets included; what is shown of it leaves them out.
    pub(crate) auth: Value,
    pub(crate) kms_key: Option<String>,
    pub(crate) authorized: bool,
    pub(crate) created: Millis,
    pub(crate) modified: Millis,
    pub(crate) authorized_at: Millis,
}

/// An HTTP endpoint that a rule may call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ApiDestination {
    pub(crate) name: String,
    /// The UUID at the end of its ARN.
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) connection_arn: String,
    pub(crate) endpoint: String,
    pub(crate) method: String,
    pub(crate) rate_per_second: Option<u32>,
    pub(crate) created: Millis,
    pub(crate) modified: Millis,
}

/// A delivery over HTTP that is not settled.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) realm: RealmId,
    pub(crate) rule_arn: String,
    pub(crate) target: Arc<Target>,
    pub(crate) event: Arc<str>,
    pub(crate) payload: Arc<str>,
    pub(crate) page: Page,
    pub(crate) retries: u32,
    pub(crate) since: Millis,
    pub(crate) under_way: bool,
}

/// A request that a target would get, in the words of `GET /_local/invocations`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Invocation {
    pub(crate) at: Millis,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) rule_arn: String,
    pub(crate) target: Arc<Target>,
    pub(crate) event_id: String,
    pub(crate) payload: Arc<str>,
}

/// All that is on its way out.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outbox {
    pub(crate) pending: BTreeMap<u64, Pending>,
    next: u64,
    pub(crate) invocations: VecDeque<Invocation>,
}

impl Outbox {
    /// Numbers go on: what is under way must not settle a later delivery.
    pub(crate) fn emptied(&self) -> Self {
        Self {
            next: self.next,
            ..Self::default()
        }
    }

    pub(crate) fn add(&mut self, pending: Pending) -> u64 {
        let id = self.next;
        self.next += 1;
        self.pending.insert(id, pending);
        id
    }

    /// Deliveries that the edge has been handed and has not told the end of.
    pub(crate) fn under_way(&self) -> BTreeSet<u64> {
        let under_way = self.pending.iter().filter(|(_, pending)| pending.under_way);
        under_way.map(|(id, _)| *id).collect()
    }

    pub(crate) fn record(&mut self, invocation: Invocation) {
        self.invocations.push_back(invocation);
        if self.invocations.len() > INVOCATIONS_MAX {
            self.invocations.pop_front();
        }
    }
}
