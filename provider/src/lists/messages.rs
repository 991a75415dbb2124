//! What users read of the lists.

pub(super) const LIST_CONNECTIONS: &str = "list the connections";
pub(super) const LIST_CUSTOM_BUSES: &str = "list the custom event buses";
pub(super) const LIST_EVENT_SOURCES: &str = "list the event sources of custom event buses";
pub(super) const LIST_SUBSCRIBERS: &str = "list the subscribers of custom event buses";
pub(super) const LIST_BUSES: &str = "list the event buses";

pub(super) fn list_rules(bus: &str) -> String {
    format!("list the rules of the event bus `{bus}`")
}

pub(super) fn list_targets(bus: &str, rule: &str) -> String {
    format!("list the targets of the rule `{rule}` on the event bus `{bus}`")
}
