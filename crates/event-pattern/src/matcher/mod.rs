//! Many patterns at once.
//!
//! An event is read once, and only where some rule names a field. Equal conditions of different rules are stored once
//! and evaluated at most once an event. Each alternative of a rule is indexed under one of its conditions, its pivot,
//! that which the fewest share, and is evaluated only when the pivot holds; pivots are found from a value through an
//! index. So what an event costs grows with what it matches. There is no automaton of all rules: rules are added and
//! removed one by one.

mod index;
mod run;
mod slab;

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use crate::comparison::Comparison;
use crate::compile::Condition;
use crate::error::EventError;
use crate::event::Gathered;
use crate::names::Names;
use crate::pattern::Pattern;
use crate::steps::{STEPS_MAX, Steps};
use index::Index;
use run::{Run, Tried};
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

/// What of many rules is known for one event.
#[derive(Debug)]
pub struct Found<'m, Id> {
    /// The ids whose rules match, in no particular order.
    pub matched: Vec<&'m Id>,
    /// The ids of which it is not known, since there were too few steps.
    pub undecided: Vec<&'m Id>,
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

/// What one event needs; kept for the next.
#[derive(Debug, Default)]
struct Scratch {
    gathered: Gathered,
    event: u32,
    /// Which conditions were tried for this event, and whether they hold.
    tried: Vec<(u32, Tried)>,
    /// Which rules are known to match it.
    matched: Vec<u32>,
    /// The steps that each rule took for it.
    used: Vec<(u32, usize)>,
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
        let mut shared = HashMap::new();
        for alternative in &pattern.alternatives {
            let number = |condition: &Arc<Condition>| {
                let fresh = || self.share(condition);
                let at = *shared.entry(Arc::as_ptr(condition)).or_insert_with(fresh);
                if let Some(shared) = self.conditions.get_mut(at) {
                    shared.uses += 1;
                }
                at
            };
            let conditions: Box<[u32]> = alternative.iter().map(number).collect();
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
        let removed = alternatives
            .into_iter()
            .filter_map(|at| self.alternatives.remove(at));
        let removed: Vec<Alternative> = removed.collect();
        let pivots: HashSet<Option<u32>> = removed.iter().map(|one| one.pivot).collect();
        for pivot in pivots {
            self.unindex(pivot);
        }
        for condition in removed.iter().flat_map(|one| &one.conditions) {
            self.release(*condition);
        }
        self.shrink();
        true
    }

    /// The ids whose rules match the event, a JSON object, in no particular order.
    pub fn matches(&self, event_json: &str) -> Result<Vec<&Id>, EventError> {
        let found = self.matches_within(event_json, &mut STEPS_MAX.clone())?;
        if found.undecided.is_empty() {
            Ok(found.matched)
        } else {
            Err(EventError::TooComplex)
        }
    }

    /// The same in so many steps at most; those that were taken are subtracted. A rule that takes more than its part of
    /// them is decided after all others.
    pub fn matches_within(&self, event_json: &str, steps: &mut usize) -> Result<Found<'_, Id>, EventError> {
        let mut scratch = self.pool().pop().unwrap_or_default();
        let counted = Steps::new(*steps);
        let result = self.matches_with(event_json, &mut scratch, &counted);
        *steps = counted.left();
        self.pool().push(scratch);
        result
    }

    fn pool(&self) -> std::sync::MutexGuard<'_, Vec<Scratch>> {
        self.scratches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn matches_with(
        &self,
        event: &str,
        scratch: &mut Scratch,
        steps: &Steps,
    ) -> Result<Found<'_, Id>, EventError> {
        let Scratch {
            gathered,
            event: number,
            tried,
            matched,
            used,
        } = scratch;
        *number = number.wrapping_add(1);
        if *number == 0 {
            // Every mark of four billion events ago would look like one of this event.
            tried.clear();
            matched.clear();
            used.clear();
            *number = 1;
        }
        tried.resize(self.conditions.len(), (0, Tried::Fails));
        matched.resize(self.rules.len(), 0);
        used.resize(self.rules.len(), (0, 0));
        let event = gathered.read(&self.names, event)?;
        let mut run = Run {
            matcher: self,
            event,
            number: *number,
            tried,
            matched,
            used,
            ids: Vec::new(),
            put_off: Vec::new(),
            part: steps.left() / (2 * self.ids.len().max(1)),
            steps,
        };
        let undecided = run.all();
        Ok(Found {
            matched: run.ids,
            undecided,
        })
    }

    /// The number of a condition, which is shared if it is known. Its use is not counted yet.
    fn share(&mut self, condition: &Arc<Condition>) -> u32 {
        let key = ByContent(Arc::clone(condition));
        if let Some(at) = self.known.get(&key) {
            return *at;
        }
        let name = self.names.add(&condition.name);
        // Its spelling is not needed here.
        let condition = Arc::new(Condition {
            source: String::new(),
            ..Condition::clone(condition)
        });
        let shared = Shared {
            condition: Arc::clone(&condition),
            name,
            uses: 0,
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
        shared.uses -= 1;
        if shared.uses == 0
            && let Some(shared) = self.conditions.remove(at)
        {
            self.names.remove(&shared.condition.name);
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

    /// Removes the alternatives that are gone from under their pivot, all at once.
    fn unindex(&mut self, pivot: Option<u32>) {
        let alternatives = &self.alternatives;
        let Some((pivot, shared)) = pivot.and_then(|pivot| Some((pivot, self.conditions.get_mut(pivot)?)))
        else {
            self.unindexed.retain(|at| alternatives.get(*at).is_some());
            return;
        };
        shared.dependents.retain(|at| alternatives.get(*at).is_some());
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
