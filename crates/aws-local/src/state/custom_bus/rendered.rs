//! What the expressions of a subscriber made of the events of a batch.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What was made. What needs no expression is left out: the segments have the events.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Rendered {
    /// By the number of the event; events that have none are left to another batch.
    pub(crate) each: BTreeMap<u64, Made>,
    /// The parameters of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) whole: Option<Whole>,
}

/// What was made of one event.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Made {
    Done {
        /// The result of the transformer's expression, if it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<Output>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parameters: Option<Value>,
    },
    Failed(String),
}

/// The result of an expression.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Output {
    pub(crate) text: Arc<str>,
    /// It is no JSON.
    pub(crate) is_text: bool,
}

/// The parameters of a call for the whole batch.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Whole {
    Done(Value),
    Failed(String),
}
