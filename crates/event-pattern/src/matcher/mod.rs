//! Many patterns at once.
//!
//! An event is read once, and only where some rule names a field. Equal conditions of different rules are stored once
//! and evaluated at most once an event. Each alternative of a rule is indexed under one of its conditions, its pivot,
//! that which the fewest share, and is evaluated only when the pivot holds; pivots are found from a value through an
//! index. So what an event costs grows with what it matches. There is no automaton of all rules: rules are added and
//! removed one by one.

mod index;
mod slab;

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use crate::choice::Choice;
use crate::comparison::Comparison;
use crate::compile::Condition;
use crate::error::EventError;
use crate::event::{Event, Gathered};
use crate::names::Names;
use crate::pattern::Pattern;
use crate::value::Value;
use index::Index;
use slab::Slab;

/// A set of rules, each known by an id, and which of them match an event.
///
/// ```
/// use event_pattern::{Matcher, Pattern};
///
/// let mut matcher = Matcher::new();
/// matcher.add("runs", &Pattern::compile(r#"{"detail-type": ["RunExecuted"]}"#)?);
/// matcher.add("all", &Pattern::compile(r#"{"source": [{"prefix": "aws.partner/"}]}"#)?);
/// assert_eq!(matcher.matches(r#"{"detail-type": "RunExecuted"}"#)?, [&"runs"]);
/// assert!(matcher.remove(&"runs"));
/// assert!(matcher.matches(r#"{"detail-type": "RunExecuted"}"#)?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Matcher<Id> {
    names: Names,
    conditions: Slab<Shared>,
    known: HashMap<ByContent, u32>,
    alternatives: Slab<Alternative>,
    rules: Slab<Rule<Id>>,
    ids: HashMap<Id, u32>,
    /// By the number of a name.
    indexes: Vec<Index>,
    /// Alternatives without a pivot, since all their conditions may hold where a field is absent.
    unindexed: Vec<u32>,
    scratches: Mutex<Vec<Scratch>>,
}

/// A condition, shared by all alternatives that have it.
#[derive(Debug)]
struct Shared {
    condition: Arc<Condition>,
    name: u32,
    uses: u32,
    /// The alternatives whose pivot it is.
    dependents: Vec<u32>,
}

#[derive(Debug)]
struct Alternative {
    rule: u32,
    conditions: Box<[u32]>,
    /// The condition that it is indexed under.
    pivot: Option<u32>,
}

#[derive(Debug)]
struct Rule<Id> {
    id: Id,
    alternatives: Vec<u32>,
}

/// A condition by its name and comparisons, however it is spelt.
#[derive(Debug)]
struct ByContent(Arc<Condition>);

impl PartialEq for ByContent {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name && self.0.any_of == other.0.any_of
    }
}

impl Eq for ByContent {}

impl Hash for ByContent {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
        self.0.any_of.hash(state);
    }
}

/// What is known of a condition, for one event.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Tried {
    #[default]
    Fails,
    Holds,
    /// It holds, and the alternatives whose pivot it is were evaluated.
    Done,
}

/// What one event needs; kept for the next.
#[derive(Debug, Default)]
struct Scratch {
    gathered: Gathered,
    event: u32,
    /// Which conditions were tried for this event, and whether they hold.
    tried: Vec<(u32, Tried)>,
    /// Which rules are known to match it.
    matched: Vec<u32>,
}

impl<Id> Default for Matcher<Id> {
    fn default() -> Self {
        Self {
            names: Names::default(),
            conditions: Slab::default(),
            known: HashMap::new(),
            alternatives: Slab::default(),
            rules: Slab::default(),
            ids: HashMap::new(),
            indexes: Vec::new(),
            unindexed: Vec::new(),
            scratches: Mutex::default(),
        }
    }
}

impl<Id: Clone + Eq + Hash> Matcher<Id> {
    /// A matcher without rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many ids have rules.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Adds a rule. An id that has one already matches if either does.
    pub fn add(&mut self, id: Id, pattern: &Pattern) {
        let rules = &mut self.rules;
        let new = |id: &Id| {
            rules.insert(Rule {
                id: id.clone(),
                alternatives: Vec::new(),
            })
        };
        let rule = *self.ids.entry(id).or_insert_with_key(new);
        for alternative in &pattern.alternatives {
            let conditions: Box<[u32]> = alternative
                .iter()
                .map(|condition| self.share(condition))
                .collect();
            let pivot = conditions
                .iter()
                .copied()
                .filter_map(|at| Some((self.cost(at)?, at)))
                .min();
            let pivot = pivot.map(|(_, at)| at);
            let at = self.alternatives.insert(Alternative {
                rule,
                conditions,
                pivot,
            });
            self.index(at, pivot);
            if let Some(rule) = self.rules.get_mut(rule) {
                rule.alternatives.push(at);
            }
        }
    }

    /// Removes all rules of an id; false if it has none.
    pub fn remove(&mut self, id: &Id) -> bool {
        let Some(rule) = self.ids.remove(id) else {
            return false;
        };
        let alternatives = self
            .rules
            .remove(rule)
            .map_or_else(Vec::new, |rule| rule.alternatives);
        for at in alternatives {
            let Some(alternative) = self.alternatives.remove(at) else {
                continue;
            };
            self.unindex(at, alternative.pivot);
            for condition in &alternative.conditions {
                self.release(*condition);
            }
        }
        self.shrink();
        true
    }

    /// The ids whose rules match the event, a JSON object, in no particular order.
    pub fn matches(&self, event_json: &str) -> Result<Vec<&Id>, EventError> {
        let mut scratch = self.pool().pop().unwrap_or_default();
        let result = self.matches_with(event_json, &mut scratch);
        self.pool().push(scratch);
        result
    }

    fn pool(&self) -> std::sync::MutexGuard<'_, Vec<Scratch>> {
        self.scratches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn matches_with(&self, event: &str, scratch: &mut Scratch) -> Result<Vec<&Id>, EventError> {
        let Scratch {
            gathered,
            event: number,
            tried,
            matched,
        } = scratch;
        *number = number.wrapping_add(1);
        if *number == 0 {
            // Every mark of four billion events ago would look like one of this event.
            tried.clear();
            matched.clear();
            *number = 1;
        }
        tried.resize(self.conditions.len(), (0, Tried::Fails));
        matched.resize(self.rules.len(), 0);
        let event = gathered.read(&self.names, event)?;
        let mut run = Run {
            matcher: self,
            event,
            number: *number,
            tried,
            matched,
            ids: Vec::new(),
            steps: 0,
        };
        run.all()?;
        Ok(run.ids)
    }

    /// The number of a condition, which is shared if it is known.
    fn share(&mut self, condition: &Arc<Condition>) -> u32 {
        let name = self.names.add(&condition.name);
        let key = ByContent(Arc::clone(condition));
        if let Some(at) = self.known.get(&key) {
            if let Some(shared) = self.conditions.get_mut(*at) {
                shared.uses += 1;
            }
            return *at;
        }
        // Its spelling is not needed here.
        let condition = Arc::new(Condition {
            source: String::new(),
            ..Condition::clone(condition)
        });
        let shared = Shared {
            condition: Arc::clone(&condition),
            name,
            uses: 1,
            dependents: Vec::new(),
        };
        let at = self.conditions.insert(shared);
        self.known.insert(ByContent(condition), at);
        at
    }

    fn release(&mut self, at: u32) {
        let Some(shared) = self.conditions.get_mut(at) else {
            return;
        };
        self.names.remove(&shared.condition.name);
        shared.uses -= 1;
        if shared.uses == 0
            && let Some(shared) = self.conditions.remove(at)
        {
            self.known.remove(&ByContent(shared.condition));
        }
    }

    /// An estimate of how often an alternative indexed under a condition is evaluated without matching: the more rules
    /// share the condition, and the vaguer it is, the worse. `None` if it may hold where the field is absent.
    fn cost(&self, at: u32) -> Option<u64> {
        let shared = self.conditions.get(at)?;
        let vagueness = shared.condition.any_of.list.iter().map(vagueness).max()??;
        if shared.condition.any_of.absent() {
            None
        } else {
            Some(u64::from(shared.uses) * vagueness)
        }
    }

    fn index(&mut self, at: u32, pivot: Option<u32>) {
        let Some((pivot, shared)) = pivot.and_then(|pivot| Some((pivot, self.conditions.get_mut(pivot)?)))
        else {
            self.unindexed.push(at);
            return;
        };
        shared.dependents.push(at);
        if shared.dependents.len() == 1 {
            let name = shared.name as usize;
            if self.indexes.len() <= name {
                self.indexes.resize_with(name + 1, Index::default);
            }
            self.indexes[name].insert(pivot, &shared.condition.any_of);
        }
    }

    fn unindex(&mut self, at: u32, pivot: Option<u32>) {
        let Some((pivot, shared)) = pivot.and_then(|pivot| Some((pivot, self.conditions.get_mut(pivot)?)))
        else {
            self.unindexed.retain(|known| *known != at);
            return;
        };
        if let Some(place) = shared.dependents.iter().position(|known| *known == at) {
            shared.dependents.swap_remove(place);
        }
        if shared.dependents.is_empty() {
            self.indexes[shared.name as usize].remove(pivot, &shared.condition.any_of);
        }
    }

    /// Gives memory back when few of many rules are left.
    fn shrink(&mut self) {
        if self.ids.is_empty() {
            *self = Self::default();
            return;
        }
        if self.ids.capacity() > 64 && self.ids.len() * 8 < self.ids.capacity() {
            self.ids.shrink_to(self.ids.len() * 2);
            self.known.shrink_to(self.known.len() * 2);
            self.unindexed.shrink_to(self.unindexed.len() * 2);
            self.pool().clear();
        }
    }
}

/// How unselective a comparison is. Among the first few rules, whose conditions nobody shares yet, it decides the
/// index.
fn vagueness(comparison: &Comparison) -> Option<u64> {
    match comparison {
        Comparison::Absent => None,
        Comparison::String(_)
        | Comparison::Number(_)
        | Comparison::Literal(_)
        | Comparison::Never
        | Comparison::Lost(_) => Some(1),
        Comparison::IgnoreCase(_) => Some(2),
        Comparison::Prefix(_)
        | Comparison::Suffix(_)
        | Comparison::PrefixIgnoreCase(_)
        | Comparison::SuffixIgnoreCase(_) => Some(4),
        Comparison::Address(_) | Comparison::Range { .. } | Comparison::Wildcard(_) => Some(16),
        Comparison::Exists
        | Comparison::NotStrings(_)
        | Comparison::NotNumbers(_)
        | Comparison::NotPrefixes(_)
        | Comparison::NotSuffixes(_)
        | Comparison::NotIgnoreCase(_)
        | Comparison::NotWildcards(_) => Some(1 << 24),
    }
}

/// One event against all rules.
struct Run<'a, 's, Id> {
    matcher: &'a Matcher<Id>,
    event: Event<'s>,
    number: u32,
    tried: &'s mut [(u32, Tried)],
    matched: &'s mut [u32],
    ids: Vec<&'a Id>,
    steps: usize,
}

impl<Id> Run<'_, '_, Id> {
    fn all(&mut self) -> Result<(), EventError> {
        let matcher = self.matcher;
        let mut hits = Vec::new();
        for (name, value) in self.event.all() {
            let Some(index) = matcher.indexes.get(name as usize) else {
                continue;
            };
            index.hits(value, &mut hits, |at| self.passes(at, value));
            for at in hits.drain(..) {
                self.holds(at)?;
            }
        }
        for at in &matcher.unindexed {
            self.try_alternative(*at, None)?;
        }
        Ok(())
    }

    fn passes(&self, at: u32, value: Value<'_>) -> bool {
        self.tried[at as usize] != (self.number, Tried::Done)
            && self
                .matcher
                .conditions
                .get(at)
                .is_some_and(|shared| shared.condition.any_of.pass(value))
    }

    /// A condition holds: evaluates the alternatives whose pivot it is, once.
    fn holds(&mut self, at: u32) -> Result<(), EventError> {
        let tried = &mut self.tried[at as usize];
        if *tried == (self.number, Tried::Done) {
            return Ok(());
        }
        *tried = (self.number, Tried::Done);
        let matcher = self.matcher;
        let dependents = matcher
            .conditions
            .get(at)
            .map_or(&[][..], |shared| &shared.dependents);
        dependents
            .iter()
            .try_for_each(|alternative| self.try_alternative(*alternative, Some(at)))
    }

    fn try_alternative(&mut self, at: u32, pivot: Option<u32>) -> Result<(), EventError> {
        let matcher = self.matcher;
        let Some(alternative) = matcher.alternatives.get(at) else {
            return Ok(());
        };
        if self.matched[alternative.rule as usize] == self.number {
            return Ok(());
        }
        let all = alternative
            .conditions
            .iter()
            .all(|one| Some(*one) == pivot || self.may_hold(*one));
        if all && (!self.needs_choice(alternative) || self.choice(alternative)?) {
            self.matched[alternative.rule as usize] = self.number;
            self.ids
                .extend(matcher.rules.get(alternative.rule).map(|rule| &rule.id));
        }
        Ok(())
    }

    /// Whether some value passes, or the field may be absent. A field that is absent from some elements only is left to
    /// the choice among them.
    fn may_hold(&mut self, at: u32) -> bool {
        let (event, tried) = self.tried[at as usize];
        if event == self.number {
            return tried != Tried::Fails;
        }
        let Some(shared) = self.matcher.conditions.get(at) else {
            return false;
        };
        let any_of = &shared.condition.any_of;
        let holds = (any_of.absent()
            && (!self.event.has(shared.name) || self.event.in_elements(shared.name)))
            || self.event.values(shared.name).any(|value| any_of.pass(value));
        self.tried[at as usize] = (self.number, if holds { Tried::Holds } else { Tried::Fails });
        holds
    }

    /// Whether values from different elements may have to be kept apart: two fields have some.
    fn needs_choice(&self, alternative: &Alternative) -> bool {
        let in_elements = |at: &&u32| {
            self.matcher
                .conditions
                .get(**at)
                .is_some_and(|shared| self.event.in_elements(shared.name))
        };
        self.event.has_elements() && {
            let mut fields = alternative.conditions.iter().filter(in_elements);
            fields
                .next()
                .is_some_and(|first| fields.next().is_some() || self.may_be_absent(*first))
        }
    }

    fn may_be_absent(&self, at: u32) -> bool {
        self.matcher
            .conditions
            .get(at)
            .is_some_and(|shared| shared.condition.any_of.absent())
    }

    fn choice(&mut self, alternative: &Alternative) -> Result<bool, EventError> {
        let shared = alternative
            .conditions
            .iter()
            .filter_map(|at| self.matcher.conditions.get(*at));
        let conditions = shared.map(|shared| (&*shared.condition, Some(shared.name)));
        Choice::new(conditions, self.event).exists(&mut self.steps)
    }
}
