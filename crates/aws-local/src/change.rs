//! A change of the state, as it is asked for and as the journal stores it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::caller::Caller;
use crate::clock::Millis;
use crate::delivery::http::HttpResult;
use crate::model::Service;

/// A request, decoded from the wire.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) key: Option<String>,
    pub(crate) region: String,
    pub(crate) body: Value,
    /// The address that the caller reached us at.
    pub(crate) base_url: String,
}

/// One stored change: running it again at its time and with its seed gives the same state.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) at: Millis,
    pub(crate) seed: u64,
    pub(crate) change: Change,
}

/// Everything that changes the state.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    Call {
        caller: Caller,
        service: Service,
        operation: String,
        body: Value,
    },
    /// Timers were due.
    Tick,
    /// A request over HTTP ended.
    #[serde(rename = "settle")]
    HttpResult {
        delivery: u64,
        #[serde(rename = "outcome")]
        result: HttpResult,
    },
    MoveClock {
        by: Millis,
    },
    Reset,
    /// The operator started it with other URLs for targets that are not emulated.
    Targets {
        urls: BTreeMap<String, String>,
    },
    /// Numbers of deliveries were given to changes that the disk refused.
    SkipDeliveries {
        to: u64,
    },
}
