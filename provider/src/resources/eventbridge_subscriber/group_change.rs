//! Log groups of a subscriber that its state does not name, while it changes from one to another: they are in private state until the
//! change is through, so that the next apply or destroy finds them.

use std::collections::BTreeSet;

use tfplugin::Operation;

use super::Subscriber;

/// Private state, a name a line: groups that had the subscriber's events, and still have its tag.
const FORMER: &str = "former_log_groups";
/// Private state: groups that a change was to lead the events to.
const NEXT: &str = "next_log_groups";

/// The groups beside the one of the state, by name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Others {
    /// They keep their events, whatever `delete_on_destroy` is.
    pub(super) former: BTreeSet<String>,
    /// They never had the events, as far as is known.
    pub(super) next: BTreeSet<String>,
}

impl Others {
    /// Those beside the group that `subscriber` has.
    pub(super) fn of(operation: &Operation<'_, Subscriber>, subscriber: &Subscriber) -> Self {
        let (mut former, mut next) = (names(operation, FORMER), names(operation, NEXT));
        next.retain(|name| !former.contains(name));
        if let Some(group) = subscriber.own_group() {
            former.remove(&group.name);
            next.remove(&group.name);
        }
        Self { former, next }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.former.is_empty() && self.next.is_empty()
    }
}

/// A change from one group to another begins: none of the two is lost from here on.
pub(super) fn begin(operation: &Operation<'_, Subscriber>, [prior, plan]: [&Subscriber; 2]) {
    let [before, after] = [prior, plan].map(|one| one.own_group().map(|group| &group.name));
    if before != after {
        note(operation, FORMER, before);
        note(operation, NEXT, after);
    }
}

/// AWS has the events led to another group than the state says: a change was carried out, and its apply did not end.
pub(super) fn carried_out(operation: &Operation<'_, Subscriber>, before: &str) {
    note(operation, FORMER, Some(&before.to_owned()));
}

/// The change is through.
pub(super) fn end(operation: &Operation<'_, Subscriber>) {
    operation.set_private(FORMER, "");
    operation.set_private(NEXT, "");
}

fn names(operation: &Operation<'_, Subscriber>, key: &str) -> BTreeSet<String> {
    let bytes = operation.private(key).unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn note(operation: &Operation<'_, Subscriber>, key: &str, name: Option<&String>) {
    let mut all = names(operation, key);
    all.extend(name.cloned());
    let all: Vec<String> = all.into_iter().collect();
    operation.set_private(key, all.join("\n"));
}
