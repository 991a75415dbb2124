//! What this process knows since it was configured: who made or adopted what, what is being removed, what is planned. It
//! belongs to the client, and each configuration makes a new one: a process that Terraform reattaches to serves many applies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as Lock, OwnedMutexGuard};

use super::planned::{Conflict, Planned};
use super::{Object, Owner};

/// What is known since the configuration.
#[derive(Debug, Default)]
pub struct Memory {
    slots: Mutex<BTreeMap<Object, Arc<Lock<Slot>>>>,
    removals: Mutex<BTreeMap<Object, usize>>,
    planned: Mutex<BTreeMap<Object, Planned>>,
}

/// What is known of one object.
#[derive(Debug, Default)]
struct Slot {
    /// Those that made or adopted it. A log group may have several.
    owners: BTreeSet<Owner>,
    /// The owner tag of a log group whose target was destroyed.
    released: Option<String>,
}

impl Memory {
    /// Waits for the turn at an object. Creates, updates and destroys of one object come one after the other: between the
    /// look at it and the call that changes it nothing else happens to it here.
    pub async fn turn(&self, object: &Object) -> Turn {
        let slot = Arc::clone(locked(&self.slots).entry(object.clone()).or_default());
        Turn(slot.lock_owned().await)
    }

    /// Whether an object is being made here, or was made or adopted.
    pub fn has(&self, object: &Object) -> bool {
        let slot = locked(&self.slots).get(object).map(Arc::clone);
        slot.is_some_and(|slot| slot.try_lock().map_or(true, |slot| !slot.owners.is_empty()))
    }

    /// Notes that something is being removed from an object, until what this returns is dropped.
    pub fn removing(&self, from: Object) -> Removing<'_> {
        *locked(&self.removals).entry(from.clone()).or_default() += 1;
        Removing { memory: self, from }
    }

    /// Whether something is being removed from an object.
    pub fn is_removing(&self, from: &Object) -> bool {
        locked(&self.removals).contains_key(from)
    }

    /// The same, where the one that asks is noted as well.
    pub fn is_removing_beside(&self, from: &Object) -> bool {
        locked(&self.removals).get(from).is_some_and(|count| *count > 1)
    }

    /// Whether a bus is being removed, or something on it.
    pub fn is_going(&self, bus: &Object) -> bool {
        let removals = locked(&self.removals);
        removals.keys().any(|from| from == bus || from.is_on(bus))
    }

    /// Whether something is being removed from a custom event bus of a region.
    pub fn is_removing_custom(&self, region: &str) -> bool {
        let is_one = |from: &Object| matches!(from, Object::CustomBus { region: of, .. } if of == region);
        locked(&self.removals).keys().any(is_one)
    }

    /// Notes that a plan makes an object; `replaced` is the owner that it takes the place of.
    pub fn plan_creation(&self, object: Object, replaced: Option<&Owner>) -> Result<(), Conflict> {
        locked(&self.planned).entry(object).or_default().create(replaced)
    }

    /// Whether a plan makes an object.
    pub fn plans_creation(&self, object: &Object) -> bool {
        locked(&self.planned).get(object).is_some_and(Planned::is_created)
    }

    /// Notes that a plan keeps an object.
    pub fn plan_keeping(&self, object: Object, owner: Owner) -> Result<(), Conflict> {
        locked(&self.planned).entry(object).or_default().keep(owner)
    }

    /// The planned creation of an object is being applied.
    pub fn begin_creation(&self, object: &Object) {
        locked(&self.planned).remove(object);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The turn at one object: nobody else in this process works on it.
#[derive(Debug)]
pub struct Turn(OwnedMutexGuard<Slot>);

impl Turn {
    /// Whether the object was made or adopted since the configuration.
    pub fn is_owned(&self) -> bool {
        !self.0.owners.is_empty()
    }

    /// Whether an object of a state other than this one made or adopted it since the configuration.
    pub fn is_anothers(&self, owner: Option<&Owner>) -> bool {
        self.0.owners.iter().any(|known| Some(known) != owner)
    }

    /// The object is this owner's now.
    pub fn own(&mut self, owner: &Owner) {
        self.0.released = None;
        self.0.owners.insert(owner.clone());
    }

    /// The object is no longer this owner's.
    pub fn disown(&mut self, owner: Option<&Owner>) {
        self.0.owners.retain(|known| Some(known) != owner);
    }

    /// The target of a log group with this owner tag is destroyed, and the group stays.
    pub fn release(&mut self, tag: String) {
        self.0.released = Some(tag);
    }

    /// The owner tag with which the log group was released since the configuration.
    pub fn released(&self) -> Option<&str> {
        self.0.released.as_deref()
    }
}

/// Something is being removed from an object.
#[derive(Debug)]
pub struct Removing<'a> {
    memory: &'a Memory,
    from: Object,
}

impl Drop for Removing<'_> {
    fn drop(&mut self) {
        let mut removals = locked(&self.memory.removals);
        if let Some(count) = removals.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                removals.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> Object {
        Object::LogGroup {
            region: "us-east-1".to_owned(),
            name: "/g".to_owned(),
        }
    }

    #[tokio::test]
    async fn an_object_is_anothers_unless_all_its_owners_are_this_one() {
        let memory = Memory::default();
        let (one, other) = (Owner::generate(), Owner::generate());
        let mut turn = memory.turn(&group()).await;
        assert!(!turn.is_owned() && !turn.is_anothers(None));
        turn.own(&one);
        assert!(turn.is_owned() && turn.is_anothers(None) && turn.is_anothers(Some(&other)));
        assert!(!turn.is_anothers(Some(&one)));
        turn.own(&other);
        assert!(turn.is_anothers(Some(&one)));
        turn.disown(Some(&other));
        assert!(!turn.is_anothers(Some(&one)));
    }

    #[tokio::test]
    async fn an_object_under_work_is_known() {
        let memory = Memory::default();
        assert!(!memory.has(&group()));
        let turn = memory.turn(&group()).await;
        assert!(memory.has(&group()), "somebody has the turn");
        drop(turn);
        assert!(!memory.has(&group()), "nobody made it");
        memory.turn(&group()).await.own(&Owner::generate());
        assert!(memory.has(&group()));
    }

    #[tokio::test]
    async fn who_owns_a_group_takes_its_release_back() {
        let mut turn = Memory::default().turn(&group()).await;
        turn.release("bus/rule".to_owned());
        assert_eq!(turn.released(), Some("bus/rule"));
        turn.own(&Owner::generate());
        assert_eq!(turn.released(), None);
    }

    #[test]
    fn removals_are_known_while_they_last() {
        let memory = Memory::default();
        let (one, two) = (memory.removing(group()), memory.removing(group()));
        assert!(memory.is_removing_beside(&group()));
        drop(one);
        assert!(memory.is_removing(&group()));
        drop(two);
        assert!(!memory.is_removing(&group()));
    }

    #[test]
    fn a_bus_is_going_with_what_is_on_it() {
        let of = |name: &str| (String::from("us-east-1"), name.to_owned());
        let bus = |name: &str| {
            let (region, name) = of(name);
            Object::Bus { region, name }
        };
        let (region, rule) = of("r");
        let rule = Object::Rule {
            region,
            bus: "b".to_owned(),
            name: rule,
        };
        let (region, name) = of("b");
        let custom = Object::CustomBus { region, name };
        for (from, goes, custom) in [
            (bus("b"), true, false),
            (rule, true, false),
            (custom, false, true),
        ] {
            let memory = Memory::default();
            let removing = memory.removing(from.clone());
            assert_eq!(memory.is_going(&bus("b")), goes, "{from}");
            assert_eq!(memory.is_removing_custom("us-east-1"), custom, "{from}");
            assert!(!memory.is_going(&bus("c")) && !memory.is_removing_custom("eu-west-1"));
            assert!(!memory.is_removing_beside(&from));
            drop(removing);
            assert!(!memory.is_going(&bus("b")) && !memory.is_removing_custom("us-east-1"));
        }
    }
}
