//! What the plans of one walk learn of each other. It lives as long as a client, so that each Configure begins with none.
//!
//! Terraform plans a resource after those it refers to: a connection is planned before its bus, and both before the
//! activation, whose `status` what they plan may change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Plans since the last Configure.
#[derive(Debug, Default)]
pub struct Walk(Mutex<Planned>);

#[derive(Debug, Default)]
struct Planned {
    /// Connections that are paused or resumed, by id.
    switched: BTreeSet<String>,
    /// Event sources of the connections, by the connection's id.
    sources: BTreeMap<String, String>,
    /// Event sources that are associated with a bus.
    associated: BTreeSet<String>,
    /// Rules that are removed, by bus and name.
    removed_rules: BTreeSet<(String, String)>,
    /// Classes of log groups, by region and name.
    log_group_classes: BTreeMap<(String, String), String>,
}

impl Walk {
    fn planned(&self) -> MutexGuard<'_, Planned> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection is planned: its event source, and whether it is paused or resumed.
    pub fn connection(&self, id: &str, source: Option<&str>, switched: bool) {
        let mut planned = self.planned();
        if switched {
            planned.switched.insert(id.to_owned());
        } else {
            planned.switched.remove(id);
        }
        if let Some(source) = source {
            planned.sources.insert(id.to_owned(), source.to_owned());
        }
    }

    /// An event source is planned to be associated with a bus: a new one, or the one that it lost.
    pub fn association(&self, source: &str) {
        self.planned().associated.insert(source.to_owned());
    }

    /// It was not associated after all.
    pub fn no_association(&self, source: &str) {
        self.planned().associated.remove(source);
    }

    /// A rule of a bus is planned to be removed.
    pub fn rule_removal(&self, bus: &str, rule: &str) {
        let removed = (bus.to_owned(), rule.to_owned());
        self.planned().removed_rules.insert(removed);
    }

    /// The rules of a bus that are planned to be removed: they are not in its way.
    pub fn removed_rules(&self, bus: &str) -> BTreeSet<String> {
        let planned = self.planned();
        let on_bus = planned.removed_rules.iter().filter(|(held, _)| held == bus);
        on_bus.map(|(_, rule)| rule.clone()).collect()
    }

    /// A refresh has read a log group.
    pub fn note_log_group(&self, region: &str, name: &str, class: &str) {
        let key = (region.to_owned(), name.to_owned());
        self.planned().log_group_classes.insert(key, class.to_owned());
    }

    /// The class of a log group that was read.
    pub fn log_group_class(&self, region: &str, name: &str) -> Option<String> {
        let key = (region.to_owned(), name.to_owned());
        self.planned().log_group_classes.get(&key).cloned()
    }

    /// Whether an event source is planned to be associated.
    pub fn associates(&self, source: &str) -> bool {
        self.planned().associated.contains(source)
    }

    /// Whether the connection is paused or resumed.
    pub fn switches(&self, id: &str) -> bool {
        self.planned().switched.contains(id)
    }

    /// Whether the connection may have another status once this walk is through.
    pub fn changes_status(&self, id: &str) -> bool {
        let planned = self.planned();
        let source = planned.sources.get(id);
        planned.switched.contains(id) || source.is_some_and(|source| planned.associated.contains(source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_a_region() {
        let walk = Walk::default();
        walk.note_log_group("us-east-1", "/g", "DELIVERY");
        assert_eq!(
            walk.log_group_class("us-east-1", "/g").as_deref(),
            Some("DELIVERY")
        );
        assert_eq!(walk.log_group_class("eu-west-1", "/g"), None);
    }

    #[test]
    fn a_status_changes_with_the_connection_and_with_its_bus() {
        let walk = Walk::default();
        assert!(!walk.changes_status("in-1"));
        walk.association("a");
        walk.connection("in-1", Some("b"), false);
        assert!(!walk.changes_status("in-1"));
        walk.association("b");
        assert!(walk.changes_status("in-1") && !walk.changes_status("in-2"));
        walk.no_association("b");
        assert!(!walk.associates("b") && !walk.changes_status("in-1"));
        walk.connection("in-2", None, true);
        assert!(walk.changes_status("in-2") && walk.switches("in-2"));
        // A connection that is planned a second time is as the second plan has it.
        walk.connection("in-2", None, false);
        assert!(!walk.changes_status("in-2"));
    }
}
