//! Ids of workspaces and environments in a rule's pattern: Scalr is asked with the plan whether it has them.

use serde_json::Value as Json;
use tfplugin::{Plan, Value};

use super::{Rule, messages, pattern};
use crate::scalr::known::{Doubt, Known};

/// Warns of ids that Scalr does not have, where the plan makes or changes the pattern. No error: a pattern may be for several accounts
/// of Scalr's, and a token sees its own.
pub(super) async fn warn(plan: &mut Plan<'_, Rule>, whose: &str) {
    let Some(text) = plan.planned(Rule::event_pattern()).known() else {
        return;
    };
    if plan.is_within_apply() || plan.held(Rule::event_pattern()) == Value::Known(text.clone()) {
        return;
    }
    let bus = plan.config(Rule::event_bus_name()).known();
    let pattern = serde_json::from_str::<Json>(&text).unwrap_or_default();
    let Some(scalr) = plan.client().and_then(|client| client.scalr().ok()).cloned() else {
        return;
    };
    if !pattern::is_scalrs(bus.as_deref(), &pattern) {
        return;
    }
    let mut missing = Vec::new();
    for named in scalr_events::ids(&pattern) {
        let id = (named.of, named.id.as_str());
        if let Some(Known::Missing { near }) = scalr.known(id, Doubt::Taken, plan.cancelled()).await {
            missing.push((named, near));
        }
    }
    if !missing.is_empty() {
        plan.warn(messages::unknown_ids(whose, &missing, &scalr).at(Rule::event_pattern()));
    }
}
