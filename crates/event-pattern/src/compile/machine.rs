//! What the engine's bookkeeping makes of the alternatives when they are added.
//!
//! When a rule is added, the engine looks whether the same rule was added before, and takes an alternative for a repeat
//! when for each of its fields one comparison, not all, is also in an earlier alternative. So of
//! `{"$or": [{"a": [1, 2]}, {"a": [2, 3]}]}` the second is lost, and 3 does not match. This follows that bookkeeping, and
//! finds the comparisons that come to share an automaton on the way.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::{Alternative, Condition, ENTRIES_MAX, Error, too_complex};
use crate::any_of::AnyOf;
use crate::automaton::Automaton;
use crate::comparison::{Comparison, lost_before};

/// A pattern that takes more steps than this is refused: a step adds a comparison, or looks at an alternative that may
/// be the same.
const STEPS_MAX: usize = 1_000_000;
/// As is one whose automata have more states than this, some half a kilobyte each.
const STATES_MAX: usize = 20_000;
/// An alternative of more paths than this is taken as if all took the path of the first.
const PATHS_MAX: usize = 64;

/// The alternatives that the engine keeps, as it understands them.
pub(crate) fn as_added(alternatives: Vec<Alternative>) -> Result<Vec<Alternative>, Error> {
    let interferes = Automaton::interferes(
        alternatives
            .iter()
            .flatten()
            .flat_map(|condition| &condition.any_of.list),
    );
    if alternatives.len() < 2 && !interferes {
        return Ok(alternatives);
    }
    let mut machine = Machine::new(&alternatives);
    let added = alternatives.iter().enumerate();
    let kept: Vec<bool> = added
        .map(|(id, alternative)| machine.add(id, alternative))
        .collect::<Result<_, _>>()?;
    let interference = Interference {
        numeric: machine.numeric(),
        lost: machine.lost(),
        automata: if interferes {
            machine.automata()
        } else {
            HashMap::new()
        },
    };
    let kept = (0..alternatives.len()).filter(|id| kept[*id]);
    if interference.is_nothing() {
        return Ok(kept.map(|id| alternatives[id].clone()).collect());
    }
    let (mut placed, mut all, mut entries) = (Placed::default(), Vec::new(), 0);
    for id in kept {
        let alternative = &alternatives[id];
        for path in machine.paths(id, alternative, &interference) {
            entries += alternative.len();
            if entries > ENTRIES_MAX {
                return Err(too_complex());
            }
            all.push(interference.placed(alternative, path, &mut placed));
        }
    }
    Ok(all)
}

/// Alternatives that the engine takes for a repeat of an earlier one, though they say more than any that it keeps.
pub(crate) fn ignored(alternatives: &[Alternative]) -> Result<Vec<usize>, Error> {
    if alternatives.len() < 2 {
        return Ok(Vec::new());
    }
    let mut machine = Machine::new(alternatives);
    let (mut kept, mut ignored) = (Vec::new(), Vec::new());
    for (id, alternative) in alternatives.iter().enumerate() {
        if machine.add(id, alternative)? {
            kept.push(alternative);
        } else if !kept.iter().any(|other| is_within(alternative, other)) {
            ignored.push(id);
        }
    }
    Ok(ignored)
}

/// Whether every comparison of the alternative is in the other one's list of the same field.
fn is_within(alternative: &Alternative, other: &Alternative) -> bool {
    alternative.len() == other.len()
        && alternative.iter().zip(other).all(|(one, other)| {
            let list = &other.any_of.list;
            one.name == other.name && one.any_of.list.iter().all(|comparison| list.contains(comparison))
        })
}

/// Conditions that were placed, by what was placed, the state it is evaluated from and its comparisons that lead on: they
/// are shared, since the paths of alternatives have most of them in common.
type Placed = HashMap<(*const Condition, usize, Vec<usize>), Arc<Condition>>;

/// The complexity of the field whose wildcards are the most complex, or `most` if that is less.
pub(crate) fn complexity(alternatives: &[Alternative], most: usize) -> usize {
    let comparisons = alternatives
        .iter()
        .flatten()
        .flat_map(|condition| &condition.any_of.list);
    if !comparisons.into_iter().any(is_wildcard) {
        return 0;
    }
    let mut machine = Machine::new(alternatives);
    for (id, alternative) in alternatives.iter().enumerate() {
        if machine.add(id, alternative).is_err() {
            return most;
        }
    }
    machine.complexity(most)
}

fn is_wildcard(comparison: &Comparison) -> bool {
    matches!(comparison, Comparison::Wildcard(_) | Comparison::NotWildcards(_))
}

/// Some lists the engine cannot add.
pub(super) fn addable(alternatives: &[Alternative]) -> Result<(), Error> {
    alternatives
        .iter()
        .flatten()
        .try_for_each(|condition| addable_list(condition))
}

fn addable_list(condition: &Condition) -> Result<(), Error> {
    let list = &condition.any_of.list;
    if list.first() == Some(&Comparison::Never) {
        return Err(Error::limit(
            "Empty arrays are not allowed".to_owned(),
            "at least one value",
        ));
    }
    if list
        .iter()
        .any(|comparison| matches!(comparison, Comparison::Range { low, high, .. } if low == high))
    {
        // It looks for the digit in which the bounds differ, and runs off the end.
        let reason = "Index 10 out of bounds for length 10".to_owned();
        return Err(Error::limit(reason, "a bound within the range of a double"));
    }
    Ok(())
}

/// A field as it is evaluated from a state.
type At<'a> = (usize, &'a [u8]);
type Automata<'a> = HashMap<At<'a>, Arc<Automaton>>;

/// How the comparisons of a field, as it is evaluated from a state, interfere with each other.
struct Interference<'a> {
    /// Where numbers are compared.
    numeric: HashSet<At<'a>>,
    /// Comparisons that the engine loses, from each state.
    lost: HashSet<(usize, *const Comparison)>,
    /// Fields whose text comparisons interfere: the automaton decides there.
    automata: Automata<'a>,
}

/// A path through the states: for each condition the state it is evaluated from, and the comparisons that lead on.
type Path = Vec<(usize, Vec<usize>)>;

impl Interference<'_> {
    /// Whether all comparisons mean what they say.
    fn is_nothing(&self) -> bool {
        self.numeric.is_empty() && self.lost.is_empty() && self.automata.is_empty()
    }

    /// Whether the engine loses the comparison, as it is evaluated from a state.
    fn loses(&self, from: usize, comparison: &Comparison) -> bool {
        self.lost.contains(&(from, std::ptr::from_ref(comparison)))
    }

    /// Whether from both states the comparisons of the condition mean the same.
    fn alike(&self, condition: &Condition, one: usize, other: usize) -> bool {
        let (one, other) = ((one, &*condition.name), (other, &*condition.name));
        self.numeric.contains(&one) == self.numeric.contains(&other)
            && self.automata.get(&one) == self.automata.get(&other)
            && condition
                .any_of
                .list
                .iter()
                .all(|comparison| self.loses(one.0, comparison) == self.loses(other.0, comparison))
    }

    /// An alternative whose conditions take into account the comparisons beside theirs in the engine.
    fn placed(&self, alternative: &Alternative, path: Path, placed: &mut Placed) -> Alternative {
        let mut one = |(condition, (from, comparisons)): (&Arc<Condition>, (usize, Vec<usize>))| {
            let key = (Arc::as_ptr(condition), from, comparisons);
            if let Some(known) = placed.get(&key) {
                return Arc::clone(known);
            }
            let fresh = self.placed_one(condition, from, &key.2);
            placed.insert(key, Arc::clone(&fresh));
            fresh
        };
        alternative.iter().zip(path).map(&mut one).collect()
    }

    fn placed_one(&self, condition: &Arc<Condition>, from: usize, comparisons: &[usize]) -> Arc<Condition> {
        let at = (from, &*condition.name);
        let (automaton, numeric) = (self.automata.get(&at), self.numeric.contains(&at));
        let list = &condition.any_of.list;
        let whole =
            comparisons.len() == list.len() && !list.iter().any(|comparison| self.loses(from, comparison));
        if whole && automaton.is_none() && !numeric {
            return Arc::clone(condition);
        }
        let mut any_of = if whole {
            condition.any_of.clone()
        } else {
            let kept = comparisons.iter().map(|at| &list[*at]);
            AnyOf::new(
                kept.map(|comparison| {
                    if self.loses(from, comparison) {
                        comparison.clone().lost()
                    } else {
                        comparison.clone()
                    }
                })
                .collect(),
            )
        };
        if let Some(automaton) = automaton {
            any_of = any_of.with_automaton(automaton);
        }
        if numeric {
            any_of = any_of.beside_numbers();
        }
        Arc::new(Condition {
            any_of,
            ..Condition::clone(condition)
        })
    }
}

type Ids = BTreeSet<usize>;

/// A state reached after some fields have passed.
#[derive(Default)]
struct State<'a> {
    ends: HashMap<&'a Comparison, Ids>,
    passes: HashMap<&'a Comparison, Ids>,
}

/// A field as it is evaluated from one state.
#[derive(Default)]
struct Field<'a> {
    /// In the order in which they are added.
    comparisons: Vec<&'a Comparison>,
    /// Where comparisons lead that the automaton does not hold.
    next: HashMap<&'a Comparison, usize>,
    automaton: Option<Automaton>,
    /// The states that values lead to.
    leads_to: BTreeSet<usize>,
}

#[derive(Default)]
struct Machine<'a> {
    states: Vec<State<'a>>,
    steps: usize,
    /// The states of all automata.
    automaton_states: usize,
    fields: HashMap<At<'a>, Field<'a>>,
    /// Where the comparisons of an alternative's condition lead from a state.
    leads: HashMap<(usize, usize, usize), Vec<usize>>,
    /// Some comparisons may not be found again when they are added again.
    forgetful: bool,
}

impl<'a> Machine<'a> {
    /// A machine to which the alternatives may be added.
    fn new(alternatives: &[Alternative]) -> Self {
        let mut comparisons = alternatives
            .iter()
            .flatten()
            .flat_map(|condition| &condition.any_of.list);
        Self {
            states: vec![State::default()],
            forgetful: comparisons.any(is_wildcard),
            ..Self::default()
        }
    }

    /// Adds an alternative: false if it passes for a repeat.
    fn add(&mut self, id: usize, alternative: &'a Alternative) -> Result<bool, Error> {
        let mut reached = vec![BTreeSet::new(); alternative.len()];
        if !self.step(0, (id, alternative), 0, &mut reached)?.is_empty() {
            return Ok(false);
        }
        let entries =
            |(at, condition): (usize, &Arc<Condition>)| condition.any_of.list.len() * reached[at].len();
        self.take(alternative.iter().enumerate().map(entries).sum())?;
        for (at, condition) in alternative.iter().enumerate() {
            let last = at + 1 == alternative.len();
            for comparison in &condition.any_of.list {
                for state in &reached[at] {
                    let state = &mut self.states[*state];
                    let ids = if last { &mut state.ends } else { &mut state.passes };
                    ids.entry(comparison).or_default().insert(id);
                }
            }
        }
        Ok(true)
    }

    /// Counts steps before they are made.
    fn take(&mut self, steps: usize) -> Result<(), Error> {
        self.steps += steps;
        if self.steps > STEPS_MAX {
            return Err(too_complex());
        }
        Ok(())
    }

    /// The paths through an alternative that was kept: one, unless the comparisons of a field lead to states in which a
    /// later field means something else.
    fn paths(&self, id: usize, alternative: &Alternative, interference: &Interference<'_>) -> Vec<Path> {
        let mut paths = Vec::new();
        self.walk((id, alternative), 0, &mut Vec::new(), &mut paths);
        let all_alike = alternative.iter().enumerate().all(|(at, condition)| {
            let mut from = paths.iter().map(|path: &Path| path[at].0);
            let first = from.next().unwrap_or_default();
            from.all(|other| interference.alike(condition, first, other))
        });
        if !all_alike && paths.len() <= PATHS_MAX {
            return paths;
        }
        let whole = |(condition, (from, _)): (&Arc<Condition>, &(usize, Vec<usize>))| {
            (*from, (0..condition.any_of.list.len()).collect())
        };
        let first = paths
            .first()
            .map(|path| alternative.iter().zip(path).map(whole).collect());
        first.into_iter().collect()
    }

    fn walk(
        &self,
        (id, alternative): (usize, &Alternative),
        from: usize,
        path: &mut Path,
        paths: &mut Vec<Path>,
    ) {
        let at = path.len();
        if paths.len() > PATHS_MAX {
            return;
        }
        if at == alternative.len() {
            paths.push(path.clone());
            return;
        }
        let all = alternative[at].any_of.list.len();
        let leads = self.leads.get(&(id, at, from)).map_or(&[][..], Vec::as_slice);
        // Where the last field leads to is the same to all that comes after, which is nothing.
        let next = |comparison: usize| {
            if at + 1 == alternative.len() {
                0
            } else {
                leads.get(comparison).copied().unwrap_or_default()
            }
        };
        let mut done = BTreeSet::new();
        for comparison in 0..all {
            if done.insert(next(comparison)) {
                let alike = (0..all)
                    .filter(|other| next(*other) == next(comparison))
                    .collect();
                path.push((from, alike));
                self.walk((id, alternative), next(comparison), path, paths);
                path.pop();
            }
        }
    }

    /// Comparisons that the engine loses when it adds a later one to the same field.
    fn lost(&self) -> HashSet<(usize, *const Comparison)> {
        let of_field = |((from, _), field): (&At<'_>, &Field<'_>)| {
            let lost = lost_before(field.comparisons.iter().copied()).into_iter();
            lost.map(|at| (*from, std::ptr::from_ref(field.comparisons[at])))
                .collect::<Vec<_>>()
        };
        self.fields.iter().flat_map(of_field).collect()
    }

    /// An automaton for each field whose comparisons interfere.
    fn automata(&mut self) -> Automata<'a> {
        let interfering = self
            .fields
            .iter_mut()
            .filter(|(_, field)| Automaton::interferes(field.comparisons.iter().copied()));
        interfering
            .filter_map(|(at, field)| Some((*at, Arc::new(field.automaton.take()?))))
            .collect()
    }

    /// The fields at which numbers are compared.
    fn numeric(&self) -> HashSet<At<'a>> {
        let fields = self.fields.iter();
        let numeric =
            fields.filter(|(_, field)| field.comparisons.iter().any(|comparison| comparison.is_numeric()));
        numeric.map(|(at, _)| *at).collect()
    }

    /// The engine does not look behind a field that may be absent, unless a comparison of a value leads there too.
    fn complexity(&self, most: usize) -> usize {
        let mut fields: HashMap<usize, Vec<&Field<'_>>> = HashMap::new();
        for ((from, _), field) in &self.fields {
            fields.entry(*from).or_default().push(field);
        }
        let mut reached = BTreeSet::from([0]);
        let mut open = vec![0];
        let mut worst = 0;
        while let Some(state) = open.pop() {
            for field in fields.get(&state).into_iter().flatten() {
                let automaton = field.automaton.as_ref();
                worst = worst.max(automaton.map_or(0, |automaton| automaton.complexity(most)));
                if worst == most {
                    return most;
                }
                open.extend(field.leads_to.iter().filter(|state| reached.insert(**state)));
            }
        }
        worst
    }

    fn step(
        &mut self,
        from: usize,
        (id, alternative): (usize, &'a Alternative),
        at: usize,
        reached: &mut [BTreeSet<usize>],
    ) -> Result<Ids, Error> {
        let condition = &*alternative[at];
        self.take(1 + condition.any_of.list.len())?;
        let leads = self.enter(from, condition)?;
        let mut seen = BTreeSet::new();
        let states: Vec<usize> = leads
            .iter()
            .copied()
            .filter(|state| seen.insert(*state))
            .collect();
        self.leads.insert((id, at, from), leads);
        reached[at].extend(&states);
        let mut found = Ids::new();
        if at + 1 == alternative.len() {
            for state in &states {
                found = self.shared(*state, &condition.any_of.list, true)?;
            }
            return Ok(found);
        }
        let mut here = None;
        for state in &states {
            found = self.step(*state, (id, alternative), at + 1, reached)?;
            if !found.is_empty() {
                here = Some(self.shared(*state, &condition.any_of.list, false)?);
            }
        }
        let here = here.unwrap_or_default();
        found.retain(|id| here.contains(id));
        Ok(found)
    }

    /// A comparison leads where it led before, or else where the one before it in the list leads.
    fn enter(&mut self, from: usize, condition: &'a Condition) -> Result<Vec<usize>, Error> {
        let mut states = Vec::new();
        let field = self.fields.entry((from, &condition.name)).or_default();
        for comparison in &condition.any_of.list {
            let fresh = self.states.len();
            let next = states.last().copied().unwrap_or(fresh);
            field.comparisons.push(comparison);
            let state = if self.forgetful && comparison.is_text() {
                let automaton = field.automaton.get_or_insert_with(Automaton::new);
                let before = automaton.states();
                let state = automaton.put(comparison, next);
                self.automaton_states += automaton.states() - before;
                self.steps += comparison.bytes() / 8;
                if self.automaton_states > STATES_MAX || self.steps > STEPS_MAX {
                    return Err(too_complex());
                }
                state
            } else {
                *field.next.entry(comparison).or_insert(next)
            };
            if state == fresh {
                self.states.push(State::default());
            }
            if *comparison != Comparison::Absent {
                field.leads_to.insert(state);
            }
            states.push(state);
        }
        Ok(states)
    }

    fn shared(&mut self, state: usize, comparisons: &[Comparison], ends: bool) -> Result<Ids, Error> {
        let state = &self.states[state];
        let by_comparison = if ends { &state.ends } else { &state.passes };
        let found: Vec<&Ids> = comparisons
            .iter()
            .filter_map(|comparison| by_comparison.get(comparison))
            .collect();
        let steps = comparisons.len() + found.iter().map(|ids| ids.len()).sum::<usize>();
        let ids = if self.steps + steps > STEPS_MAX {
            Ids::new()
        } else {
            found.into_iter().flatten().copied().collect()
        };
        self.take(steps)?;
        Ok(ids)
    }
}
