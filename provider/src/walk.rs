//! What the refreshes and plans of one walk learn of each other. It lives as long as a client, so that each Configure begins
//! with none.
//!
//! Terraform plans a resource after those it refers to: a connection is planned before its bus, and both before the
//! activation, whose `status` what they plan may change. A `destroy` plans it before those it refers to, in a walk that
//! refreshes nothing; resources whose blocks were deleted are refreshed and planned in no order.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tfplugin::CancellationToken;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::ownership::Object;

/// How long plans that come in no order may take to come, one after the other.
const PLANS_WITHIN: Duration = Duration::from_secs(3);
/// The same, once a plan has been waited for in vain: many names that another provider makes delay a plan no further.
const FURTHER_PLANS_WITHIN: Duration = Duration::from_millis(200);

/// Refreshes and plans since the last Configure.
#[derive(Debug, Default)]
pub struct Walk {
    planned: Mutex<Planned>,
    /// Something is planned to be removed.
    removal: Notify,
    /// Something is planned to be there.
    presence: Notify,
}

#[derive(Debug, Default)]
struct Planned {
    /// Connections that are paused or resumed, by id.
    switched: BTreeSet<String>,
    /// Event sources of the connections, by the connection's id.
    sources: BTreeMap<String, String>,
    /// Event sources that are associated with a bus.
    associated: BTreeSet<String>,
    /// Queues and topics whose policy is to let a rule in: their ARN, and that of the rule where it is known.
    admitting: BTreeSet<(String, Option<String>)>,
    /// Event sources of the connections that were refreshed.
    connected: BTreeSet<String>,
    /// Connections of this state by id: refreshed, planned or removed.
    held_connections: BTreeSet<String>,
    /// Names of the connections that are planned to lead to a place, in the order of their plans.
    leading_to: BTreeMap<Object, Vec<Option<String>>>,
    /// Roles that were made for subscribers of this state: the ARN, and the subscriber.
    made_roles: BTreeSet<(String, Object)>,
    /// What was refreshed.
    refreshed: BTreeSet<Object>,
    /// What is removed.
    removed: BTreeSet<Object>,
    /// Custom event buses that are made.
    made_custom_buses: BTreeSet<Object>,
    /// Rules whose targets are to have a log group as their own, by the group.
    claimed_groups: BTreeMap<Object, BTreeSet<Object>>,
    /// Ids of the targets that stay on rules which are removed, by the rule.
    staying_targets: BTreeMap<Object, Vec<String>>,
    /// Classes of log groups, by region and name.
    log_group_classes: BTreeMap<(String, String), String>,
    /// What is there once this is applied. The region is empty where it is not known yet.
    present: BTreeSet<Object>,
    /// Until when the plan of an object is waited for, once for all that need it.
    awaited: BTreeMap<Object, Instant>,
    /// One of them has not come.
    waited_in_vain: bool,
    /// Topics that are missing: whose plan has said so.
    missing_topics: BTreeMap<String, &'static str>,
    /// Titles of warnings that the user has had with the plan.
    said: BTreeSet<String>,
}

impl Walk {
    fn planned(&self) -> MutexGuard<'_, Planned> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// A connection was refreshed: its event source.
    pub fn connected(&self, source: &str) {
        self.planned().connected.insert(source.to_owned());
    }

    /// Whether a connection of this source was refreshed.
    pub fn is_connected(&self, source: &str) -> bool {
        self.planned().connected.contains(source)
    }

    /// A connection is of this state: it is refreshed, planned or removed.
    pub fn holds_connection(&self, id: &str) {
        self.planned().held_connections.insert(id.to_owned());
        self.presence.notify_waiters();
    }

    /// Whether a connection is of this state, as is seen by now or within a moment. One whose block was deleted comes in no order.
    pub async fn will_hold_connection(&self, id: &str, stop: &CancellationToken) -> bool {
        let end = Instant::now() + PLANS_WITHIN;
        loop {
            let mut presence = pin!(self.presence.notified());
            // From here on none is missed.
            presence.as_mut().enable();
            if self.planned().held_connections.contains(id) {
                return true;
            }
            if !comes(presence, end, stop).await {
                return false;
            }
        }
    }

    /// Whether any connection is of this state, as is seen by now.
    pub fn holds_connections(&self) -> bool {
        !self.planned().held_connections.is_empty()
    }

    /// A connection is planned to lead to a place. Returns the name of the first that was, where it is known.
    pub fn leads_to(&self, place: Object, name: Option<String>) -> Option<String> {
        let mut planned = self.planned();
        let names = planned.leading_to.entry(place).or_default();
        names.push(name);
        names.first().cloned().flatten()
    }

    /// The state has a role that was made for a subscriber.
    pub fn made_role(&self, arn: &str, subscriber: Object) {
        self.planned().made_roles.insert((arn.to_owned(), subscriber));
    }

    /// Whether a role of the state was made for a subscriber. A tainted one is planned without anything else that says so.
    pub fn is_role_of(&self, arn: &str, subscriber: &Object) -> bool {
        self.planned()
            .made_roles
            .contains(&(arn.to_owned(), subscriber.clone()))
    }

    /// An object was refreshed.
    pub fn refreshed(&self, object: Object) {
        self.planned().refreshed.insert(object);
    }

    /// Whether an object was refreshed. Where its removal is planned and it was not, this is a `destroy`, and what refers to
    /// it was planned before.
    pub fn is_refreshed(&self, object: &Object) -> bool {
        self.planned().refreshed.contains(object)
    }

    /// An object is planned to be removed.
    pub fn removal(&self, object: Object) {
        self.planned().removed.insert(object);
        self.removal.notify_waiters();
    }

    /// Whether a rule or a target of a bus is planned to be removed.
    pub fn removes_from(&self, bus: &Object) -> bool {
        self.planned().removed.iter().any(|object| object.is_on(bus))
    }

    /// Those that no plan removes. Resources whose blocks were deleted are planned in no order, so that one which is left
    /// is waited for.
    pub async fn staying(&self, objects: Vec<Object>, stop: &CancellationToken) -> Vec<Object> {
        let end = Instant::now() + PLANS_WITHIN;
        loop {
            let mut removal = pin!(self.removal.notified());
            // From here on no removal is missed.
            removal.as_mut().enable();
            let staying = self.not_removed(&objects);
            if staying.is_empty() || !comes(removal, end, stop).await {
                return staying;
            }
        }
    }

    fn not_removed(&self, objects: &[Object]) -> Vec<Object> {
        let planned = self.planned();
        let staying = objects.iter().filter(|object| !planned.removed.contains(object));
        staying.cloned().collect()
    }

    /// A custom event bus is planned to be made. Returns how many are, in its region.
    pub fn custom_bus(&self, bus: Object) -> usize {
        let mut planned = self.planned();
        let region = bus.region().map(str::to_owned);
        planned.made_custom_buses.insert(bus);
        let made = planned.made_custom_buses.iter();
        made.filter(|other| other.region() == region.as_deref()).count()
    }

    /// A target of a rule is planned to have a log group as its own. Returns another rule whose target is to have it too.
    pub fn claim_group(&self, group: Object, rule: Object) -> Option<Object> {
        let mut planned = self.planned();
        let rules = planned.claimed_groups.entry(group).or_default();
        let other = rules.iter().find(|other| **other != rule).cloned();
        rules.insert(rule);
        other
    }

    /// A rule is planned to be removed, and these targets stay on it.
    pub fn targets_stay(&self, rule: Object, ids: Vec<String>) {
        self.planned().staying_targets.insert(rule, ids);
    }

    /// The targets that stay on the rules of a bus which are removed, by the rule.
    pub fn staying_targets(&self, bus: &Object) -> BTreeMap<Object, Vec<String>> {
        let mut all = self.planned().staying_targets.clone();
        all.retain(|rule, _| rule.is_on(bus));
        all
    }

    /// The policy of a queue or topic is planned to let a rule in; none where the rule's ARN is not known yet.
    pub fn admission(&self, arn: &str, rule: Option<&str>) {
        let pair = (arn.to_owned(), rule.map(str::to_owned));
        self.planned().admitting.insert(pair);
    }

    /// Whether that is planned, of this rule or of one that is not known yet: a look at the policy of now says nothing then.
    pub fn admits(&self, arn: &str, rule: &str) -> bool {
        let planned = self.planned();
        let is_this = |admitted: &Option<String>| {
            rule.is_empty() || admitted.as_ref().is_none_or(|admitted| admitted == rule)
        };
        let mut admitting = planned.admitting.iter();
        admitting.any(|(to, admitted)| to == arn && is_this(admitted))
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

    /// An object is planned to be there: it stays, or is made. The region is empty where it is not known yet.
    pub fn presence(&self, object: Object) {
        self.planned().present.insert(object);
        self.presence.notify_waiters();
    }

    /// Whether an object is planned to be there, there or in a region that is not known yet.
    pub fn has(&self, object: &Object) -> bool {
        let planned = self.planned();
        planned.present.contains(object) || planned.present.contains(&object.in_region(""))
    }

    /// Whether an object is planned to be there, by now or within a moment. Where nothing refers to the resource that makes
    /// it, its plan may come later.
    pub async fn will_have(&self, object: &Object, stop: &CancellationToken) -> bool {
        let end = {
            let mut planned = self.planned();
            let within = if planned.waited_in_vain {
                FURTHER_PLANS_WITHIN
            } else {
                PLANS_WITHIN
            };
            let awaited = planned.awaited.entry(object.clone());
            *awaited.or_insert_with(|| Instant::now() + within)
        };
        loop {
            let mut presence = pin!(self.presence.notified());
            // From here on none is missed.
            presence.as_mut().enable();
            if self.has(object) {
                return true;
            }
            if !comes(presence, end, stop).await {
                self.planned().waited_in_vain = true;
                return false;
            }
        }
    }

    /// The region in which the bus of this name is planned to be.
    pub fn region_of_bus(&self, name: &str) -> Option<String> {
        let planned = self.planned();
        let mut regions = planned.present.iter().filter_map(|object| match object {
            Object::Bus { region, name: of } if of == name && !region.is_empty() => Some(region.clone()),
            _ => None,
        });
        regions.next()
    }

    /// A topic is missing. Returns whether this type of resource is to say so: another one that has said it already is enough.
    pub fn says_missing(&self, topic: &str, resource: &'static str) -> bool {
        *self
            .planned()
            .missing_topics
            .entry(topic.to_owned())
            .or_insert(resource)
            == resource
    }

    /// The user has had a warning with this title with the plan.
    pub fn say(&self, title: &str) {
        self.planned().said.insert(title.to_owned());
    }

    /// Whether the user has had it.
    pub fn has_said(&self, title: &str) -> bool {
        self.planned().said.contains(title)
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

/// Whether something comes before the end.
async fn comes(event: impl Future<Output = ()>, end: Instant, stop: &CancellationToken) -> bool {
    tokio::select! {
        biased;
        () = stop.cancelled() => false,
        came = timeout_at(end, event) => came.is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bus() -> Object {
        Object::Bus {
            region: "us-east-1".to_owned(),
            name: "b".to_owned(),
        }
    }

    fn rule(bus: &str, name: &str) -> Object {
        Object::Rule {
            region: "us-east-1".to_owned(),
            bus: bus.to_owned(),
            name: name.to_owned(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn removals_that_are_planned_later_are_waited_for() {
        let (walk, stop) = (Walk::default(), CancellationToken::new());
        walk.removal(rule("b", "one"));
        let both = vec![rule("b", "one"), rule("b", "two")];
        let later = async {
            tokio::task::yield_now().await;
            walk.removal(rule("b", "two"));
        };
        let (staying, ()) = tokio::join!(walk.staying(both.clone(), &stop), later);
        assert_eq!(staying, []);
        let third = vec![rule("b", "one"), rule("b", "three")];
        let start = Instant::now();
        assert_eq!(walk.staying(third.clone(), &stop).await, [rule("b", "three")]);
        assert_eq!(start.elapsed(), PLANS_WITHIN);
        stop.cancel();
        assert_eq!(walk.staying(third, &stop).await, [rule("b", "three")]);
        assert_eq!(start.elapsed(), PLANS_WITHIN, "an interruption ends the wait");
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_later_plan_makes_is_waited_for() {
        let (walk, stop) = (Walk::default(), CancellationToken::new());
        let later = async {
            tokio::task::yield_now().await;
            walk.presence(rule("b", "one"));
        };
        let wanted = rule("b", "one");
        let (there, ()) = tokio::join!(walk.will_have(&wanted, &stop), later);
        assert!(there);
        // All that need the same thing wait once.
        let (start, missing) = (Instant::now(), rule("b", "two"));
        for _ in 0..3 {
            assert!(!walk.will_have(&missing, &stop).await);
            assert_eq!(start.elapsed(), PLANS_WITHIN);
        }
        stop.cancel();
        assert!(!walk.will_have(&rule("b", "three"), &stop).await);
        assert_eq!(start.elapsed(), PLANS_WITHIN, "an interruption ends the wait");
    }

    #[test]
    fn a_region_that_is_not_known_yet_may_be_the_one() {
        let walk = Walk::default();
        walk.presence(bus().in_region(""));
        assert!(walk.has(&bus()) && walk.region_of_bus("b").is_none());
        walk.presence(rule("b", "one"));
        assert!(walk.has(&rule("b", "one")) && !walk.has(&rule("b", "one").in_region("eu-west-1")));
        walk.presence(bus());
        assert_eq!(walk.region_of_bus("b").as_deref(), Some("us-east-1"));
        assert_eq!(walk.region_of_bus("c"), None);
    }

    #[test]
    fn a_missing_topic_is_said_by_one_type_of_resource() {
        let walk = Walk::default();
        for (topic, resource, says) in [
            ("t", "target", true),
            ("t", "permission", false),
            ("t", "target", true),
            ("u", "permission", true),
            ("u", "target", false),
        ] {
            assert_eq!(walk.says_missing(topic, resource), says, "{topic} {resource}");
        }
    }

    #[test]
    fn a_log_group_is_of_one_rule() {
        let walk = Walk::default();
        let group = |name: &str| Object::LogGroup {
            region: "us-east-1".to_owned(),
            name: name.to_owned(),
        };
        assert_eq!(walk.claim_group(group("g"), rule("b", "one")), None);
        assert_eq!(walk.claim_group(group("g"), rule("b", "one")), None);
        assert_eq!(walk.claim_group(group("h"), rule("b", "two")), None);
        assert_eq!(
            walk.claim_group(group("g"), rule("b", "two")),
            Some(rule("b", "one"))
        );
    }

    #[test]
    fn an_admission_is_of_one_rule_where_it_is_known() {
        let walk = Walk::default();
        walk.admission("topic", Some("one"));
        walk.admission("queue", None);
        for (to, rule, want) in [
            ("topic", "one", true),
            ("topic", "two", false),
            ("topic", "", true),
            ("queue", "two", true),
            ("other", "one", false),
            ("other", "", false),
        ] {
            assert_eq!(walk.admits(to, rule), want, "{to} {rule}");
        }
    }

    #[test]
    fn what_is_on_a_bus_is_told_from_what_is_on_another() {
        let walk = Walk::default();
        walk.removal(bus());
        walk.removal(rule("other", "one"));
        assert!(!walk.removes_from(&bus()));
        walk.removal(rule("b", "one"));
        assert!(walk.removes_from(&bus()));
        walk.targets_stay(rule("other", "one"), vec!["t".to_owned()]);
        assert!(walk.staying_targets(&bus()).is_empty());
        walk.targets_stay(rule("b", "one"), vec!["t".to_owned()]);
        assert_eq!(walk.staying_targets(&bus()).len(), 1);
    }

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
