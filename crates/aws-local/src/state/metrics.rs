//! Counters under AWS's metric names, for each rule or bus.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counters by rule or bus, then name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Metrics(BTreeMap<String, BTreeMap<String, u64>>);

impl Metrics {
    pub(crate) fn count(&mut self, of: &str, name: &str) {
        if let Some(counter) = self.0.get_mut(of).and_then(|counters| counters.get_mut(name)) {
            *counter += 1;
            return;
        }
        *self
            .0
            .entry(of.to_owned())
            .or_default()
            .entry(name.to_owned())
            .or_default() += 1;
    }

    /// The sum over all.
    pub(crate) fn totals(&self) -> BTreeMap<&str, u64> {
        let mut totals = BTreeMap::new();
        for (name, count) in self.0.values().flatten() {
            *totals.entry(name.as_str()).or_default() += count;
        }
        totals
    }
}
